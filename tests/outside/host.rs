//! What a host's own configuration file, /etc/keypack/keypack.yaml, enforces. No variable and no flag moves that
//! file, so each run here gets a mount namespace with its own /etc (unshare(1) as root); without that right the
//! trials are ignored.
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    process::Command,
};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::program::{Ran, Test};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/anchors");

/// The pack digests of `fx/keys` and `fx/newer`.
const OLD: &str = "sha256:6417a0611de0a93ba9ba6283f1026339f0d3b1675404b5357ee07be552a0794f";
const NEWER: &str = "sha256:788f62e2f18a2dad801b00c0946a2cdd6a4b87b84e55b53918ece8a114a1536f";

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trials = [
        ("the daily command needs no anchor of its own", daily as fn()),
        ("an anchor on the command line adds to it and never replaces it", anchors),
        ("pins on the command line add no key", pins),
        ("no flag, other setting or variable weakens it", weaker),
        ("keys that were pulled before are held to it as well", again),
        ("the state it names is not moved", state),
        ("a revocation holds under what is enforced, and nothing undoes it", revoked),
        ("enforced pins hold without a key that was revoked here", pins_and_revocation),
        ("two users of one host don't overwrite each other", users),
        ("two runs at once leave the newer pack, in keys/ and in the state", at_once),
        ("a setting that others could change is refused", exposed),
        ("without `enforce` it is a setting below all others", plain),
    ];
    let possible =
        Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|ran| ran.status.success());
    trials
        .into_iter()
        .map(|(name, run)| {
            let trial = Trial::test(format!("host::{name}"), move || {
                run();
                Ok(())
            });
            if possible {
                trial
            } else {
                trial.with_kind("needs unshare -m, as root").with_ignored_flag(true)
            }
        })
        .collect()
}

/// A folder to run in, and an /etc.
struct Host {
    test: Test,
    etc: TempDir,
}

impl Host {
    /// With the packs `old` and `newer` in the layout `m`, and this configuration; the anchors' keys are next to it.
    fn new(setting: &str) -> Self {
        let test = Test::new();
        std::os::unix::fs::symlink(FIXTURES, test.path("fx")).unwrap();
        test.run("push fx/keys oci:m:old").exits(0);
        test.run("push fx/newer oci:m:newer").exits(0);
        let etc = tempfile::tempdir().unwrap();
        fs::set_permissions(etc.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(etc.path().join("keypack")).unwrap();
        let host = Self { test, etc };
        host.write("keypack.yaml", &setting.replace("STATE", host.test.path("kept").to_str().unwrap()));
        for name in ["org.pub", "rsa.pub"] {
            host.write(name, &String::from_utf8(host.test.read(&format!("fx/{name}"))).unwrap());
        }
        host
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.etc.path().join("keypack").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[])
    }

    fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        let own = self.test.command();
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", r#"mount --bind "$0" /etc && exec "$@""#]);
        command.arg(self.etc.path()).arg(own.get_program()).args(line.split(' '));
        command.current_dir(self.test.path("")).env_clear();
        command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").envs(variables.iter().copied());
        let output = command.output().unwrap();
        self.test.ran(line.to_owned(), &output)
    }
}

const ENFORCED: &str = "\
enforce:
  name: default
  state: STATE
  maxAge: 40000 days
  verifyKeys: [org.pub]
";

fn daily() {
    let host = Host::new(ENFORCED);
    host.run("pull oci:m:newer -o in").exits(0).tells("/etc/keypack/keypack.yaml enforces").says(NEWER);
    assert!(host.test.has("kept/default.json"));
    host.run("inspect in").exits(0).says("AUTHENTICATED HERE at ");
    host.run("pull oci:m:old -o in").fails(3, "rollback");
    // Nobody signed this one.
    host.test.run("collect lab/layouts/key-bundle-rekor1-oras --trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub -o own").exits(0);
    host.test.run("push own oci:m:own").exits(0);
    host.run("pull oci:m:own -o in").fails(3, "pack-unsigned");
}

fn anchors() {
    // rsa.pub signed the old pack, but not the newer one.
    let host = Host::new(&ENFORCED.replace("org.pub", "rsa.pub"));
    host.run("pull oci:m:newer -o in --verify-key fx/org.pub").fails(3, "pack-signature-refused");
    host.run(&format!("pull oci:m:newer -o in --digest {NEWER}")).fails(3, "pack-signature-refused");
    assert!(!host.test.has("in"));
    // What the command line adds must hold as well.
    host.run(&format!("pull oci:m:old -o in --digest {NEWER}")).fails(3, "anchor-digest-mismatch");
    let ran = host.run(&format!("pull oci:m:old -o in --verify-key fx/org.pub --digest {OLD}")).exits(0);
    ran.tells("authenticated by a signature of the inventory").tells("authenticated by the pack digest");
    // Another configuration file's anchors do not replace it either.
    host.test.write("mine.yaml", format!("verifyKeys: [{FIXTURES}/org.pub]\n"));
    host.run("pull oci:m:newer -o two --config mine.yaml").fails(3, "pack-signature-refused");
}

fn again() {
    // The newer pack was pulled by its digest, before anything was enforced.
    let host = Host::new("state: STATE\n");
    host.run(&format!("pull oci:m:newer -o in --max-age 40000d --digest {NEWER}")).exits(0);
    let verify = "verify oci:lab/layouts/key-tag-rekor1-cosignsave --keys-dir in";
    host.run(verify).exits(0);
    let enforce = |setting: &str| {
        host.write("keypack.yaml", &setting.replace("STATE", host.test.path("kept").to_str().unwrap()));
    };
    enforce(ENFORCED);
    host.run(verify).exits(0);
    // rsa.pub did not sign it, the lineage is another, and no flag or other configuration file may supply an anchor
    // that holds.
    enforce(&ENFORCED.replace("org.pub", "rsa.pub"));
    host.run(verify).fails(3, "pack-signature-refused").tells("the anchors that this host enforces now");
    host.run(&format!("{verify} --digest {NEWER}")).fails(2, "setting-enforced");
    host.test.write("mine.yaml", format!("verifyKeys: [{FIXTURES}/org.pub]\n"));
    host.run(&format!("{verify} --config mine.yaml")).fails(3, "pack-signature-refused");
    enforce(&ENFORCED.replace("name: default", "name: plant-7"));
    host.run(verify).fails(3, "lineage-mismatch");
    enforce(&format!("enforce: {{state: STATE, digest: '{OLD}'}}\n"));
    host.run(verify).fails(3, "anchor-digest-mismatch");
    enforce(&format!("enforce: {{state: STATE, digest: '{NEWER}'}}\n"));
    host.run(verify).exits(0);
    // Keys that were not pulled here do not count, whoever signed them.
    enforce(ENFORCED);
    host.run("verify oci:lab/layouts/key-tag-rekor1-cosignsave --keys-dir fx/keys")
        .fails(3, "keys-not-authenticated");
    // A single file is verified only with pulled keys.
    let blob = "verify-blob --bundle fx/newer/keypack.json.sigstore.json fx/newer/keypack.json";
    host.run(&format!("{blob} --key in/signer-43ef7bc8.pub --trusted-root in/trusted_root.json")).exits(4);
    for key in ["fx/org.pub", "lab/trust/cosign.pub"] {
        host.run(&format!("{blob} --key {key}")).fails(2, "setting-enforced").tells("keys/");
    }
    host.run(&format!("{blob} --key in/signer-43ef7bc8.pub --trusted-root lab/trust/trusted_root.json"))
        .fails(2, "setting-enforced");
    host.test.layout_of(FIXTURES, "keys", "elsewhere");
    host.run(&format!("{blob} --key elsewhere/signer-43ef7bc8.pub")).fails(3, "keys-not-authenticated");
}

fn pins() {
    let host = Host::new("enforce: {state: STATE, maxAge: 40000 days}\n");
    let shown = host.test.run("inspect oci:m:old").exits(0).out;
    let pins: Vec<_> =
        shown.lines().filter_map(|line| line.trim().strip_prefix("pin ")).map(str::trim).collect();
    let (first, others) = pins.split_first().unwrap();
    assert!(!others.is_empty());
    let given = others.iter().map(|pin| format!(" --pin {pin}")).collect::<String>();
    host.write(
        "keypack.yaml",
        &format!(
            "enforce: {{pins: ['{first}'], maxAge: 40000 days, state: {}}}\n",
            host.test.path("kept").display()
        ),
    );
    // Together they would be the pack's exact set; each group must be it by itself.
    host.run(&format!("pull oci:m:old -o in{given}")).fails(3, "key-not-pinned");
    host.run(&format!("pull oci:m:old -o in --digest {OLD}")).fails(3, "key-not-pinned");
}

fn weaker() {
    let host = Host::new(ENFORCED);
    let refused =
        |what: &str| host.run(&format!("pull oci:m:newer -o in {what}")).fails(2, "setting-enforced");
    refused("--name other");
    refused("--state mine");
    refused("--max-age 40001d");
    for exception in ["--allow-stale-unsafe", "--accept-future-unsafe", "--allow-rollback-unsafe"] {
        refused(&format!("{exception} --reason why"));
    }
    host.run("push fx/keys oci:other:old --optional").fails(2, "setting-enforced");
    host.run("discover lab/layouts/key-bundle-rekor1-oras --optional").fails(2, "setting-enforced");
    host.test.write("mine.yaml", "onFailure: warn\n");
    host.run("push fx/keys oci:other:old --config mine.yaml").fails(2, "setting-enforced");
    host.test.write("mine.yaml", "name: other\n");
    host.run("pull oci:m:newer -o in --config mine.yaml").fails(2, "setting-enforced");
    host.test.write("mine.yaml", "enforce: {}\n");
    host.run("pull oci:m:newer -o in --config mine.yaml").fails(2, "config-malformed");
    // Nor does the user's own file, whose location depends on the environment.
    host.test.write("conf/keypack/keypack.yaml", "maxAge: 50000 days\n");
    let conf = host.test.path("conf");
    let ran = host.run_with("pull oci:m:newer -o in", &[("XDG_CONFIG_HOME", conf.to_str().unwrap())]);
    ran.fails(2, "setting-enforced");
    assert!(!host.test.has("in"));
    // Stricter values are permitted.
    host.run("pull oci:m:newer -o in --max-age 39999d --min-version 1 --name default").exits(0);
}

fn state() {
    let host = Host::new(ENFORCED);
    host.run("pull oci:m:newer -o in").exits(0);
    let elsewhere = host.test.path("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    let moved = [("HOME", elsewhere), ("XDG_STATE_HOME", elsewhere), ("XDG_CONFIG_HOME", elsewhere)];
    host.run_with("pull oci:m:old -o in", &moved).fails(3, "rollback");
    assert!(!host.test.has("elsewhere"));
}

const SIGNER: &str = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";

fn revoked() {
    let host = Host::new(ENFORCED);
    host.run("pull oci:m:newer -o in").exits(0);
    let blob = "verify-blob --bundle fx/newer/keypack.json.sigstore.json fx/newer/keypack.json";
    let with_key = format!("{blob} --key in/signer-43ef7bc8.pub");
    let verify = "verify oci:lab/layouts/key-tag-rekor1-cosignsave --keys-dir in";
    host.run(verify).exits(0);
    std::fs::copy(host.test.path("in/signer-43ef7bc8.pub"), host.test.path("copy.pub")).unwrap();
    host.run(&format!("revoke {SIGNER} --reason stolen --keys-dir in --state mine"))
        .fails(2, "setting-enforced");
    host.run(&format!("revoke {SIGNER} --reason stolen --keys-dir in --ticket SEC-1")).exits(0);
    assert!(host.test.has("kept/revoked-here.host"));
    host.run(verify).fails(4, "images-refused").says("revoked-here");
    host.run(&with_key).fails(3, "revoked-here").tells("stolen");
    host.run(&format!("{blob} --key copy.pub")).fails(2, "setting-enforced");
    // Put back, it does not count.
    std::fs::copy(host.test.path("copy.pub"), host.test.path("in/signer-43ef7bc8.pub")).unwrap();
    host.run(&with_key).fails(3, "revoked-here");
    // Nothing undoes it: neither a flag, nor forgetting, nor a variable.
    for line in [
        format!("revoke {SIGNER} --undo-unsafe --reason mistake"),
        "state forget-unsafe default --reason x".to_owned(),
        "state forget-unsafe default --all --reason x".to_owned(),
    ] {
        host.run(&line).fails(2, "setting-enforced");
    }
    let elsewhere = host.test.path("elsewhere");
    let moved = [("HOME", elsewhere.to_str().unwrap()), ("XDG_STATE_HOME", elsewhere.to_str().unwrap())];
    host.run_with(verify, &moved).exits(4);
    host.run("pull oci:m:newer -o in").exits(0).tells("the pack still holds it, and it is not installed");
    assert!(!host.test.has("in/signer-43ef7bc8.pub"));
    let log = host.run("state log").exits(0).out;
    assert!(log.contains(&format!("revoke {SIGNER}")) && log.contains("SEC-1"), "{log}");
}

fn pins_and_revocation() {
    let host = Host::new("enforce: {state: STATE, maxAge: 40000 days}\n");
    let shown = host.test.run("inspect oci:m:old").exits(0).out;
    let pins: Vec<_> = shown
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pin "))
        .map(|pin| format!("'{}'", pin.trim()))
        .collect();
    let setting = format!(
        "enforce: {{pins: [{}], maxAge: 40000 days, state: {}}}\n",
        pins.join(", "),
        host.test.path("kept").display()
    );
    host.write("keypack.yaml", &setting);
    host.run("pull oci:m:old -o in").exits(0);
    let verify = "verify oci:lab/layouts/key-tag-rekor1-cosignsave --keys-dir in";
    host.run(verify).exits(0);
    host.run(&format!("revoke {SIGNER} --reason stolen --keys-dir in")).exits(0);
    // The pins are still the exact set of what the pack holds; the key is left out of it.
    host.run(verify).fails(4, "images-refused").says("revoked-here");
    host.run("pull oci:m:old -o in").exits(0).tells("it is not installed");
    // A key that no pin names is refused as before.
    let fewer = setting.replace(&format!("{}, ", pins[0]), "");
    assert_ne!(fewer, setting);
    host.write("keypack.yaml", &fewer);
    host.run("pull oci:m:old -o in").fails(3, "key-not-pinned");
    host.run(verify).fails(3, "key-not-pinned");
}

/// Runs the program as another user of this host.
fn run_as(host: &Host, uid: u32, line: &str, home: &str) -> Ran {
    let own = host.test.command();
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", r#"mount --bind "$0" /etc && exec "$@""#]).arg(host.etc.path());
    command.args(["setpriv", &format!("--reuid={uid}"), &format!("--regid={uid}"), "--clear-groups"]);
    command.arg(own.get_program()).args(line.split(' ')).current_dir(host.test.path("")).env_clear();
    command
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("NO_COLOR", "1")
        .env("HOME", host.test.path(home));
    host.test.ran(line.to_owned(), &command.output().unwrap())
}

fn owned(host: &Host, name: &str, uid: u32, mode: u32) {
    let path = host.test.path(name);
    fs::create_dir_all(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    chown(&path, Some(uid), Some(uid)).unwrap();
}

fn users() {
    let (ada, bob) = (4001, 4002);
    let host = Host::new(ENFORCED);
    fs::set_permissions(host.test.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    owned(&host, "kept", ada, 0o700);
    owned(&host, "shared", 0, 0o777);
    owned(&host, "ada", ada, 0o755);
    owned(&host, "bob", bob, 0o755);
    // The state of the setting belongs to one user, and only that user pulls.
    run_as(&host, ada, "pull oci:m:newer -o shared/keys", "ada").exits(0);
    run_as(&host, bob, "pull oci:m:newer -o bob/keys", "bob").fails(1, "state-read-failed");
    host.run("pull oci:m:newer -o root").fails(1, "state-exposed").tells("belongs to another user");
    assert!(!host.test.has("bob/keys") && !host.test.has("root"));
    run_as(&host, ada, "pull oci:m:old -o shared/keys", "ada").fails(3, "rollback");

    // Without a setting each has a state of their own: the other one's newer keys/ are not replaced by older ones.
    host.write("keypack.yaml", "maxAge: 40000 days\n");
    let before = host.test.tree("shared/keys");
    let old = format!("pull oci:m:old -o shared/keys --digest {OLD}");
    let ran = run_as(&host, bob, &old, "bob").fails(1, "target-of-another-user");
    let _ = ran.tells("belongs to another user (uid 4001)");
    host.run(&old).fails(1, "target-of-another-user");
    assert!(host.test.tree("shared/keys") == before && host.test.names("shared") == ["keys"]);
    run_as(&host, bob, &format!("pull oci:m:old -o bob/keys --digest {OLD}"), "bob").exits(0);
    run_as(&host, ada, &format!("pull oci:m:newer -o ada/keys --digest {NEWER}"), "ada").exits(0);
    run_as(&host, ada, &format!("pull oci:m:old -o ada/keys --digest {OLD}"), "ada").fails(3, "rollback");
    run_as(&host, bob, "inspect bob/keys", "bob").exits(0).says("AUTHENTICATED HERE");
    run_as(&host, bob, "inspect ada/keys", "bob").exits(0).says("NOT AUTHENTICATED");
    // Nor is one user's state read by the other.
    run_as(&host, bob, "inspect ada/keys --state ada/.local/state/keypack", "bob")
        .fails(1, "state-read-failed");
}

fn at_once() {
    let host = Host::new("maxAge: 40000 days\n");
    let spawn = |home: &str, tag: &str, digest: &str| {
        let mut command = host.test.command();
        command.env("HOME", host.test.path(home)).env_remove("XDG_STATE_HOME");
        command.args(["pull", &format!("oci:m:{tag}"), "--digest", digest, "-o", "in", "--state", "one"]);
        command
            .args(["--max-age", "40000d"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    for _ in 0..10 {
        let _ = fs::remove_dir_all(host.test.path("in"));
        let _ = fs::remove_dir_all(host.test.path("one"));
        let runs = [
            spawn("a", "old", OLD),
            spawn("b", "newer", NEWER),
            spawn("a", "newer", NEWER),
            spawn("b", "old", OLD),
        ];
        let ran = runs.map(|run| run.wait_with_output().unwrap());
        for (number, ran) in ran.iter().enumerate() {
            let is_newer = number == 1 || number == 2;
            let text = String::from_utf8_lossy(&ran.stderr);
            assert!(ran.status.success() || (!is_newer && text.contains("[rollback]")), "{text}");
        }
        host.test.run("inspect in --state one").exits(0).says(NEWER).says("AUTHENTICATED HERE");
        let state = host.test.json("one/default.json");
        assert_eq!(state["highest"]["digest"]["digest"], NEWER);
        assert_eq!(host.test.run("state log --state one").exits(0).out.lines().count(), 4);
    }
}

fn exposed() {
    let host = Host::new(ENFORCED);
    let pull = || host.run("pull oci:m:newer -o in");
    let mode = |path: &str, mode| {
        fs::set_permissions(host.etc.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    let owner = |path: &str, uid| chown(host.etc.path().join(path), Some(uid), None).unwrap();
    for path in ["keypack", "keypack/keypack.yaml", "keypack/org.pub"] {
        let good = if path == "keypack" { 0o755 } else { 0o644 };
        mode(path, good | 0o020);
        pull().fails(3, "setting-exposed").tells("others than root may write it");
        mode(path, good | 0o002);
        pull().fails(3, "setting-exposed");
        mode(path, good);
        owner(path, 1000);
        pull().fails(3, "setting-exposed").tells("does not belong to root");
        owner(path, 0);
    }
    fs::rename(host.etc.path().join("keypack/org.pub"), host.etc.path().join("org.pub")).unwrap();
    std::os::unix::fs::symlink("../org.pub", host.etc.path().join("keypack/org.pub")).unwrap();
    pull().fails(3, "setting-exposed").tells("symbolic link");
    fs::remove_file(host.etc.path().join("keypack/org.pub")).unwrap();
    pull().fails(2, "config-not-readable");
    host.write("keypack.yaml", "enforce: {verifykeys: [org.pub]}\n");
    pull().fails(2, "config-malformed");
    assert!(!host.test.has("in"));
    // Even an empty file has an effect.
    host.write("keypack.yaml", "");
    host.run("discover lab/layouts/key-bundle-rekor1-oras").fails(2, "config-malformed");
    host.run("schema config").exits(0);
}

fn plain() {
    let host = Host::new("name: host\nexpires: 10d\nmaxAge: 40000 days\n");
    let trust = "--trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub";
    let line = format!("collect lab/layouts/key-bundle-rekor1-oras {trust}");
    host.run(&format!("{line} -o one")).exits(0);
    assert_eq!(host.test.json("one/keypack.json")["name"], "host");
    host.test.write("conf/keypack/keypack.yaml", "name: user\n");
    let conf = host.test.path("conf");
    let users = [("XDG_CONFIG_HOME", conf.to_str().unwrap())];
    host.run_with(&format!("{line} -o two"), &users).exits(0);
    let two = host.test.json("two/keypack.json");
    assert_eq!(two["name"], "user");
    assert!(two["expires"].is_string(), "the host's setting counts where the user's says nothing");
    host.run_with(&format!("{line} -o three --name mine"), &users).exits(0);
    assert_eq!(host.test.json("three/keypack.json")["name"], "mine");
}
