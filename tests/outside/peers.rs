//! What other programs do with packs and keys. A program is taken from PATH, or from `KEYPACK_TEST_<NAME>`; if it is
//! missing, its trials are ignored and say how to get it.
use std::{env, path::Path, process::Command};

use libtest_mimic::Trial;

use crate::support::{
    find::find,
    program::{TRUST, Test},
};

const PROGRAMS: [(&str, &str); 7] = [
    ("oras", "go install oras.land/oras/cmd/oras@v1.3.0"),
    ("cosign", "go install github.com/sigstore/cosign/v3/cmd/cosign@v3.0.2"),
    ("cosign2", "go install github.com/sigstore/cosign/v2/cmd/cosign@v2.6.1, and call it cosign2"),
    ("skopeo", "apt-get install skopeo"),
    ("openssl", "apt-get install openssl"),
    ("sha256sum", "apt-get install coreutils"),
    ("jq", "apt-get install jq"),
];

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trials = [
        ("oras pulls the image form as a folder", "oras", oras_image as fn(&Path)),
        ("oras pulls the artifact form as files", "oras", oras_artifact),
        ("skopeo carries both forms through oci-archive and dir and back", "skopeo", skopeo_round_trip),
        ("skopeo makes docker v2s2 of a pack", "skopeo", skopeo_v2s2),
        ("skopeo's sync tree of signed images is read", "skopeo", skopeo_dir),
        ("sha256sum checks keys/", "sha256sum", sha256sum),
        ("jq makes the key-set digest by the documented expression", "jq", key_set),
        ("openssl reads every key", "openssl", openssl),
        ("cosign 3 signs the inventory as documented, without the network", "cosign", cosign3_signs),
        ("cosign 2 signs the inventory as documented, without the network", "cosign2", cosign2_signs),
        ("cosign verifies with keys from a trusted root", "cosign", cosign_root),
        ("cosign verifies with keys from bare files", "cosign", cosign_bare),
    ];
    trials
        .into_iter()
        .map(|(name, program, trial)| match find(program) {
            Some(path) => Trial::test(format!("peers::{name}"), move || {
                trial(&path);
                Ok(())
            }),
            None => Trial::test(format!("peers::{name}: no {program} here ({})", how(program)), || Ok(()))
                .with_ignored_flag(true),
        })
        .collect()
}

fn how(program: &str) -> &'static str {
    PROGRAMS.iter().find(|(name, _)| *name == program).unwrap().1
}

/// Runs a program in the test's folder, in a clean environment, and returns its stdout.
#[track_caller]
fn run(test: &Test, program: &Path, line: &str) -> String {
    let output = Command::new(program)
        .args(line.split(' '))
        .current_dir(test.path(""))
        .env_clear()
        .env("HOME", test.path("home"))
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {line}: {err}", program.display());
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with all six kinds of keys in keys/, and the pack digest.
fn collected() -> (Test, String) {
    let test = Test::new();
    let line = "collect lab/layouts/key-bundle-rekor1-oras lab/layouts/keyless-bundle-rekor2-oras";
    let pack = test.run(&format!("{line} {TRUST}")).exits(0).after("Pack: ");
    (test, pack)
}

fn oras_image(oras: &Path) {
    let (test, _) = collected();
    test.run("push keys oci:m:keys").exits(0);
    run(&test, oras, "pull --oci-layout m:keys -o out");
    assert_eq!(test.tree("out/keys"), test.tree("keys"));
}

fn oras_artifact(oras: &Path) {
    let (test, _) = collected();
    test.run("push keys oci:m:keys --as artifact").exits(0);
    run(&test, oras, "pull --oci-layout m:keys -o out");
    assert_eq!(test.tree("out"), test.tree("keys"));
}

fn skopeo_round_trip(skopeo: &Path) {
    for form in ["image", "artifact"] {
        let (test, pack) = collected();
        let pushed = test.run(&format!("push keys oci:m:keys --as {form}")).exits(0);
        let manifest = pushed.after("Digest: ");
        run(&test, skopeo, "--insecure-policy copy oci:m:keys oci-archive:a.tar:keys");
        run(&test, skopeo, "--insecure-policy copy oci-archive:a.tar:keys dir:d");
        run(&test, skopeo, "--insecure-policy copy dir:d oci:n:keys");
        for place in ["oci-archive:a.tar:keys", "dir:d", "oci:n:keys"] {
            for digest in [&pack, &manifest] {
                test.run(&format!("pull {place} --digest {digest} -o out")).exits(0);
                assert_eq!(test.tree("out"), test.tree("keys"), "{form} {place}");
            }
        }
    }
}

fn skopeo_v2s2(skopeo: &Path) {
    let (test, pack) = collected();
    let manifest = test.run("push keys oci:m:keys").exits(0).after("Digest: ");
    run(&test, skopeo, "--insecure-policy copy --format v2s2 oci:m:keys dir:d");
    test.run(&format!("pull dir:d --digest {pack} -o out")).exits(0);
    assert_eq!(test.tree("out"), test.tree("keys"));
    test.run(&format!("pull dir:d --digest {manifest} -o two")).fails(3, "anchor-digest-mismatch");
}

fn skopeo_dir(skopeo: &Path) {
    let test = Test::new();
    std::fs::create_dir_all(test.path("tree/r.test/b")).unwrap();
    run(
        &test,
        skopeo,
        "--insecure-policy copy oci:lab/layouts/key-bundle-rekor1-oras:v1 dir:tree/r.test/app:v1",
    );
    run(
        &test,
        skopeo,
        "--insecure-policy copy oci:lab/layouts/key-tag-notlog-oras:v1 dir:tree/r.test/b/c:v2",
    );
    let report = test.run("discover tree --format json").exits(0).json();
    assert_eq!(report["counts"]["unsigned"], 2);
    assert_eq!(report["images"][0]["repository"], "r.test/app");
    assert_eq!(report["images"][1]["repository"], "r.test/b/c");
    // The signature is in the layout, and the image in the tree.
    let line = format!("discover tree lab/layouts/key-bundle-rekor1-oras {TRUST}");
    test.run(&line).exits(0).says("2 at hand and proved");
}

fn sha256sum(sha256sum: &Path) {
    let (test, pack) = collected();
    test.run("push keys oci-archive:a.tar:keys").exits(0);
    test.run(&format!("pull oci-archive:a.tar --digest {pack} -o out")).exits(0);
    let folder = test.path("out");
    let output =
        Command::new(sha256sum).args(["-c", "--strict", "SHA256SUMS"]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let checked = String::from_utf8(output.stdout).unwrap().lines().count();
    assert_eq!(checked, test.names("out").len() - 1, "all but SHA256SUMS itself");
}

fn openssl(openssl: &Path) {
    let (test, _) = collected();
    let mut read = 0;
    for name in test.names("keys") {
        let path = Path::new(&name);
        if path.extension().is_some_and(|e| e == "pub") {
            let again = run(&test, openssl, &format!("pkey -pubin -in keys/{name}"));
            assert_eq!(
                again.as_bytes(),
                test.read(&format!("keys/{name}")),
                "{name} is as openssl writes it"
            );
            read += 1;
        } else if path.extension().is_some_and(|e| e == "pem") {
            let first = run(&test, openssl, &format!("x509 -in keys/{name}"));
            assert!(test.read(&format!("keys/{name}")).starts_with(first.as_bytes()), "{name}");
            read += 1;
        }
    }
    assert_eq!(read, 6);
}

/// What `cosign save` keeps and `cosign verify --local-image` finds again: all formats except the OCI 1.1 referrer,
/// which it does not look for in a layout.
const SAVED: [&str; 8] = [
    "key-tag-notlog",
    "key-bundle-notlog",
    "key-tag-rekor1",
    "key-bundle-rekor1",
    "key-bundle-rekor2",
    "keyless-bundle-rekor1",
    "keyless-bundle-rekor2",
    "keyless-tag-rekor1",
];

fn cosign(cosign: &Path, trust: &str) {
    let test = Test::new();
    for format in SAVED {
        let layout = format!("lab/layouts/{format}-cosignsave");
        test.run(&format!("collect {layout} {trust} -o {format}")).exits(0);
        let signer = test.names(format).into_iter().find(|name| name.starts_with("signer-"));
        let who = match signer {
            Some(signer) => format!("--key {format}/{signer}"),
            None => "--certificate-identity https://ci.test/build.yml@main \
                     --certificate-oidc-issuer https://issuer.test"
                .into(),
        };
        let logged = test.has(&format!("{format}/trusted_root.json"));
        assert_eq!(logged, !format.ends_with("notlog"));
        let how = if logged {
            format!("--trusted-root {format}/trusted_root.json")
        } else {
            "--insecure-ignore-tlog=true".into()
        };
        run(&test, cosign, &format!("verify --local-image {how} {who} {layout}"));
    }
}

fn cosign_root(path: &Path) {
    cosign(path, TRUST);
}

fn cosign_bare(path: &Path) {
    let files = [
        "lab/trust/cosign.pub",
        "rekor=lab/trust/rekor.pub",
        "rekor2=lab/trust/rekor2.pub",
        "ctlog=lab/trust/ctfe.pub",
        "fulcio=lab/trust/fulcio.pem",
        "tsa=lab/trust/tsa.pem",
    ];
    cosign(path, &files.map(|file| format!("--key {file}")).join(" "));
}

fn key_set(jq: &Path) {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/trust.md")).unwrap();
    let expression = docs.split_once("jq -cS '").unwrap().1.split_once("' keys/keypack.json").unwrap().0;
    let test = Test::new();
    test.run(&format!("collect lab/layouts/key-bundle-rekor1-oras {TRUST} -o keys")).exits(0);
    let printed = test.run("inspect keys").exits(0).after("Key set: ");
    assert_eq!(by_jq(jq, expression, &test.path("keys/keypack.json")).to_string(), printed);
    // Among these are GPG keys, rules and revocations.
    let valid = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/schema/pack-v1/valid");
    for entry in std::fs::read_dir(valid).unwrap() {
        let path = entry.unwrap().path();
        let ours = keypack::pack::Inventory::parse(&std::fs::read(&path).unwrap()).unwrap().key_set();
        assert_eq!(by_jq(jq, expression, &path), ours, "{}", path.display());
    }
}

fn by_jq(jq: &Path, expression: &str, file: &Path) -> keypack::oci::Digest {
    let output = Command::new(jq).args(["-cS", expression]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    keypack::oci::Digest::of(&output.stdout)
}

fn cosign3_signs(cosign: &Path) {
    cosign_signs(cosign, "   or with cosign 3:\n");
}

fn cosign2_signs(cosign: &Path) {
    cosign_signs(cosign, "   or with cosign 2:\n");
}

/// Runs the documented lines where there is no network, and looks whether anything asks for it: what fails there in
/// silence would reach a public service elsewhere.
fn cosign_signs(cosign: &Path, mark: &str) {
    let page = include_str!("../../docs/trust.md").split_once(mark).unwrap().1;
    let block = page.split("```").nth(1).unwrap();
    let lines: Vec<_> = block
        .lines()
        .map(|line| line.split('#').next().unwrap().trim())
        .filter(|line| !line.is_empty())
        .collect();
    assert!(
        lines.iter().all(|line| line.starts_with("cosign ")) && lines.last().unwrap().contains("sign-blob")
    );
    let (test, _) = collected();
    test.write("bin/made", "");
    std::os::unix::fs::symlink(cosign, test.path("bin/cosign")).unwrap();
    let traced = find("strace").is_some();
    let sh = |line: &str| {
        let line = if traced {
            format!("strace -f -qq -e trace=connect,sendto -o calls {line}")
        } else {
            line.to_owned()
        };
        let path = format!("{}:{}", test.path("bin").display(), env::var("PATH").unwrap_or_default());
        let mut command = Command::new("unshare");
        command.args(["-rn", "sh", "-c", &line]).current_dir(test.path("")).env_clear();
        let output = command
            .env("PATH", path)
            .env("HOME", test.path("home"))
            .env("COSIGN_PASSWORD", "")
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}: {err}");
        assert!(!err.contains("TUF") && !err.contains("dial") && !err.contains("lookup"), "{line}: {err}");
        if traced {
            let calls = String::from_utf8(test.read("calls")).unwrap();
            assert!(!calls.contains("AF_INET"), "{line}: {calls}");
        }
    };
    sh("cosign generate-key-pair --output-key-prefix org");
    lines.into_iter().for_each(sh);
    let bundle = test.json("keys/keypack.json.sigstore.json");
    let entries = bundle["verificationMaterial"]["tlogEntries"].as_array();
    assert!(entries.is_none_or(Vec::is_empty), "it is in a log: {bundle:#}");
    test.run("push keys oci:m:keys").exits(0);
    test.run("pull oci:m:keys --verify-key org.pub -o in")
        .exits(0)
        .tells("authenticated by a signature of the inventory");
}
