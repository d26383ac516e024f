//! What `keypack export` writes, enforced by the consumer's own program: skopeo pulls from a real registry under the exported
//! policy, and accepts and rejects what the rules say; and `--check`, `verify --policy` and skopeo agree about every pull.

use std::{collections::BTreeMap, path::Path, process::Command};

use libtest_mimic::Trial;
use rcgen::{KeyPair, PublicKeyData};
use serde_json::Value;

use crate::{
    admission::content::{Content, Layer, now, payload},
    support::{
        find::{find, verifies_sigstore},
        program::Test,
    },
};

/// The source that everything below `acme` at the registry is mirrored from.
pub(crate) const SOURCE: &str = "quay.example/acme";

pub(crate) fn trials() -> Vec<Trial> {
    let new = find("skopeo").filter(|path| verifies_sigstore(path));
    let old = Some(Path::new("/usr/bin/skopeo").to_owned())
        .filter(|path| path.exists() && !verifies_sigstore(path));
    let ready = find("docker-registry").is_some();
    let trial =
        |name: &str, skopeo: Option<std::path::PathBuf>, run: fn(&Path)| match skopeo.filter(|_| ready) {
            Some(skopeo) => Trial::test(format!("export::{name}"), move || {
                run(&skopeo);
                Ok(())
            }),
            None => Trial::test(format!("export::{name}"), || Ok(()))
                .with_kind("needs docker-registry and skopeo (1.10 or newer, and Debian's 1.9 in /usr/bin)")
                .with_ignored_flag(true),
        };
    vec![
        trial("by_the_names_of_sources", new.clone(), by_source),
        trial("by_the_names_of_the_mirror", new.clone(), by_mirror),
        trial("scopes_of_openshift_are_the_signed_repositories", new, openshift),
        trial("an_old_consumer_loads_its_policy", old, old_consumer),
    ]
}

/// A mirror, and a host with keys and rules for it.
pub(crate) struct Lab {
    pub(crate) test: Test,
    pub(crate) content: Content,
    /// For every pull, as a name at the mirror without the host: the architecture, and whether the rules accept it.
    pub(crate) pulls: Vec<(String, &'static str, bool)>,
    /// Whether the host has files of its own for registries.d, in `host.d`.
    pub(crate) has_host_files: bool,
}

/// The rules: two keys for everything, one of them with a log entry, names with and without tags.
const RULES: &str = "\
rules:
  - scope: quay.example/acme
    signers: [{key: KEY}, {key: SECOND}]
    log: none
    signedIdentity: {type: matchRepository}
  - scope: quay.example/acme/logged
    signers: [{key: KEY}]
    log: [LOG]
    signedIdentity: {type: matchRepository}
  - scope: quay.example/acme/tagged
    signers: [{key: KEY}]
    log: none
";

fn lab(rules: &str) -> Lab {
    let test = Test::new();
    let mut content = Content::new();
    let keys: Vec<KeyPair> = (0..3).map(|_| KeyPair::generate().unwrap()).collect();
    let other_log = KeyPair::generate().unwrap();
    let mut pulls = Vec::new();
    let mut add =
        |content: &mut Content, name: &str, good: bool, sign: &dyn Fn(&Content, &str) -> Vec<Layer>| {
            let repository = format!("acme/{name}");
            let image = content.image(&repository, Some("v1"), "amd64");
            let layers = sign(content, &image);
            if !layers.is_empty() {
                content.attach(&repository, &image, &layers);
            }
            pulls.push((format!("{repository}:v1"), "amd64", good));
            // By digest a tag is not compared, so that all pulls of an image end alike here.
            pulls.push((format!("{repository}@{image}"), "amd64", good));
        };
    let bare = |name: &str| format!("{SOURCE}/{name}");
    let signed = |key: &KeyPair, name: &str, image: &str| Layer::signed(key, payload(name, image));
    add(&mut content, "good", true, &|_, image| vec![signed(&keys[0], &bare("good"), image)]);
    add(&mut content, "second", true, &|_, image| vec![signed(&keys[1], &bare("second"), image)]);
    add(&mut content, "wrong-key", false, &|_, image| vec![signed(&keys[2], &bare("wrong-key"), image)]);
    add(&mut content, "unsigned", false, &|_, _| vec![]);
    add(&mut content, "wrong-name", false, &|_, image| vec![signed(&keys[0], &bare("good"), image)]);
    add(&mut content, "other-image", false, &|_, _| {
        vec![signed(&keys[0], &bare("other-image"), &format!("sha256:{}", "0".repeat(64)))]
    });
    let entry = |content: &Content, log: &KeyPair, layer: Layer| {
        let entry = content.logged_as(log, &keys[0].public_key_pem(), &layer, now(), &|_| {});
        layer.with("bundle", entry)
    };
    let log = |content: &Content, image: &str, name: &str| {
        entry(content, &content.rekor, signed(&keys[0], &bare(name), image))
    };
    add(&mut content, "logged/good", true, &|content, image| vec![log(content, image, "logged/good")]);
    add(&mut content, "logged/not", false, &|_, image| vec![signed(&keys[0], &bare("logged/not"), image)]);
    add(&mut content, "logged/elsewhere", false, &|content, image| {
        vec![entry(content, &other_log, signed(&keys[0], &bare("logged/elsewhere"), image))]
    });
    add(&mut content, "tagged/good", true, &|_, image| {
        vec![signed(&keys[0], &format!("{SOURCE}/tagged/good:v1"), image)]
    });
    add(&mut content, "tagged/bare", false, &|_, image| vec![signed(&keys[0], &bare("tagged/bare"), image)]);
    // The instance for the platform decides, never the list.
    let (amd64, arm64) =
        (content.image("acme/list", None, "amd64"), content.image("acme/list", None, "arm64"));
    let list = content.list("acme/list", "v1", &[("amd64", &amd64), ("arm64", &arm64)]);
    content.attach("acme/list", &amd64, &[signed(&keys[0], &bare("list"), &amd64)]);
    content.attach("acme/list", &list, &[signed(&keys[0], &bare("list"), &list)]);
    pulls.push(("acme/list:v1".into(), "amd64", true));
    pulls.push(("acme/list:v1".into(), "arm64", false));
    // No rule is about it.
    content.image("other/app", Some("v1"), "amd64");
    pulls.push(("other/app:v1".into(), "amd64", false));

    let id = |key: &KeyPair| crate::admission::content::digest(&key.subject_public_key_info());
    let rules = rules
        .replace("KEY", &format!("\"signer:{}\"", &id(&keys[0])[7..]))
        .replace("SECOND", &format!("\"signer:{}\"", &id(&keys[1])[7..]))
        .replace("LOG", &format!("\"rekor:{}\"", &id(&content.rekor)[7..]));
    test.write("rules.yaml", rules);
    test.write("rekor.pub", content.rekor.public_key_pem());
    test.write("key.pub", keys[0].public_key_pem());
    test.write("second.pub", keys[1].public_key_pem());
    let host = content.host().to_owned();
    let collect = format!(
        "collect docker://{host} --plain-http --key key.pub --key second.pub --key rekor=rekor.pub --include all \
         --accept-rules rules.yaml -o made --state there"
    );
    // Keys are missing: those of the wrong signatures.
    let pack = test.run(&collect).exits(4).after("Pack: ");
    test.push("made", "oci-archive:keys.tar:k");
    test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o keys")).exits(0);
    Lab { test, content, pulls, has_host_files: false }
}

impl Lab {
    /// Pulls with skopeo under the policy in this folder.
    fn pull(&self, skopeo: &Path, folder: &str, name: &str, arch: &str) -> (bool, String) {
        let host = self.content.host();
        let conf = format!(
            "[[registry]]\nlocation = \"{SOURCE}\"\n[[registry.mirror]]\nlocation = \"{host}/acme\"\ninsecure = true\n\
             [[registry]]\nlocation = \"{host}\"\ninsecure = true\n"
        );
        self.test.write("registries.conf", conf);
        let mut command = Command::new(skopeo);
        command.env_clear().env("HOME", self.test.path("home")).current_dir(self.test.path(""));
        command.env("PATH", "/usr/bin:/bin").env("TMPDIR", self.test.path(""));
        let policy = format!("{folder}/policy.json");
        let registries = self.registries_d(folder);
        command.args([
            "--policy",
            &policy,
            "--registries.d",
            &registries,
            "--registries-conf",
            "registries.conf",
        ]);
        command.args(["--override-os", "linux", "--override-arch", arch, "copy"]);
        let output = command.arg(format!("docker://{name}")).arg("dir:out").output().unwrap();
        let _ = std::fs::remove_dir_all(self.test.path("out"));
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The folder that the consumer reads.
    fn registries_d(&self, folder: &str) -> String {
        if self.has_host_files { "host.d".to_owned() } else { format!("{folder}/registries.d") }
    }

    /// Exports, and holds skopeo, `--check` and `verify --policy` to what the rules say.
    pub(crate) fn agree(&self, skopeo: &Path, options: &str, by_mirror: bool) {
        let host = self.content.host();
        let files = if self.has_host_files { "--registries-d host.d" } else { "" };
        let check =
            format!("--check docker://{host} --plain-http --map {host}/acme={SOURCE} {files} --format json");
        let line = format!("export policy-json --for skopeo@1.22 {options} {check} -o exported");
        let ran = self.test.run(&line).exits(4);
        let refused: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(refused["failure"]["code"], "policy-would-refuse");
        assert!(!self.test.has("exported"), "what would stop images is not written");
        let written = self.test.run(&format!("{line} --allow-rejects")).exits(0);
        let written: Value = serde_json::from_str(&written.out).unwrap();
        let of_check = verdicts(&written["check"]);
        if self.has_host_files {
            self.test.write("host.d/keypack.yaml", self.test.read("exported/registries.d/keypack.yaml"));
        }
        let map = if by_mirror { String::new() } else { format!("--map {host}/acme={SOURCE}") };
        let verify = format!(
            "verify docker://{host} --plain-http {map} --policy exported/policy.json --registries-d {} --format json",
            self.registries_d("exported")
        );
        let verified = self.test.run(&verify).exits(4);
        assert_eq!(of_check, verdicts(&serde_json::from_str(&verified.out).unwrap()), "{options}");
        let mut wrong = Vec::new();
        for (pull, arch, good) in &self.pulls {
            let name = match pull.strip_prefix("acme/").filter(|_| !by_mirror) {
                Some(rest) => format!("{SOURCE}/{rest}"),
                None => format!("{host}/{pull}"),
            };
            let (accepted, said) = self.pull(skopeo, "exported", &name, arch);
            assert!(!said.contains("invalid policy"), "{said}");
            let own = of_check
                .get(&(name.clone(), (*arch).to_owned()))
                .or_else(|| of_check.get(&(name.clone(), String::new())));
            let own = own.unwrap_or_else(|| panic!("{name} is not in {of_check:?}"));
            if accepted != *good || (own == "admitted") != *good {
                wrong.push(format!("{name} {arch}: rules {good}, skopeo {accepted} ({said}), keypack {own}"));
            }
        }
        assert!(wrong.is_empty(), "{options}:\n{}", wrong.join("\n"));
        std::fs::remove_dir_all(self.test.path("exported")).unwrap();
    }
}

/// The verdicts by name and architecture.
fn verdicts(report: &Value) -> BTreeMap<(String, String), String> {
    let images = report["images"].as_array().unwrap();
    let verdict = |image: &Value| {
        let platform = image["platform"].as_str().unwrap_or_default();
        let arch = platform.strip_prefix("linux/").unwrap_or_default().to_owned();
        let text = |name: &str| image[name].as_str().unwrap().to_owned();
        ((text("name"), arch), text("verdict"))
    };
    images.iter().map(verdict).collect()
}

fn by_source(skopeo: &Path) {
    let lab = lab(RULES);
    lab.agree(skopeo, "", false);
    let at = lab.test.path("exported/keys").display().to_string();
    lab.agree(skopeo, &format!("--keys-at {at}"), false);
}

fn by_mirror(skopeo: &Path) {
    let lab = lab(RULES);
    lab.agree(skopeo, "--pulled-by mirror", true);
}

/// Debian's skopeo 1.9 has sigstore switched off, but reads the policy as strictly: a field that it does not know makes it refuse
/// the file, and one for a newer version has such fields.
fn old_consumer(skopeo: &Path) {
    let lab = lab(RULES);
    let host = lab.content.host();
    let map = format!("--map {host}/acme={SOURCE}");
    // One key and no log: that is all that this version can be asked for.
    lab.test
        .run(&format!("export policy-json --for skopeo@1.9 {map} -o exported"))
        .fails(4, "rule-not-expressible")
        .tells("one of 2 keys")
        .tells("can't be asked for log entries");
    lab.test.run(&format!("export policy-json --for skopeo@1.17 {map} -o exported")).exits(0);
    let name = format!("{SOURCE}/good:v1");
    assert!(lab.pull(skopeo, "exported", &name, "amd64").1.contains("Unknown key"));
    let rules = String::from_utf8(lab.test.read("rules.yaml")).unwrap();
    let tagged = rules.split("  - scope").last().unwrap().replace("/tagged", "");
    lab.test.write("rules.yaml", format!("rules:\n  - scope{tagged}"));
    let collect = format!(
        "collect docker://{host} --plain-http --key key.pub --key second.pub --key rekor=rekor.pub --include all \
         --accept-rules rules.yaml -o made --state there"
    );
    let pack = lab.test.run(&collect).exits(4).after("Pack: ");
    lab.test.push("made", "oci-archive:new.tar:k");
    lab.test.run(&format!("pull oci-archive:new.tar:k --digest {pack} -o keys")).exits(0);
    lab.test.run(&format!("export policy-json --for skopeo@1.9 {map} -o exported")).exits(0);
    let (accepted, said) = lab.pull(skopeo, "exported", &name, "amd64");
    assert!(!accepted && (said.contains("sigstore disabled") || said.contains("rejected")), "{said}");
    assert!(!said.contains("Unknown key") && !said.contains("invalid policy"), "{said}");
    let (accepted, said) = lab.pull(skopeo, "exported", &format!("{host}/other/app:v1"), "amd64");
    assert!(!accepted && said.contains("rejected by policy"), "{said}");
}

/// A scope is split into the repositories that the mirror holds; one without signatures is left out only where that was asked for,
/// and one with a wrong signature never.
fn openshift(_: &Path) {
    let lab = lab(
        "rules:\n  - scope: quay.example\n    signers: [{key: KEY}]\n    log: none\n    signedIdentity: {type: matchRepository}\n",
    );
    let host = lab.content.host();
    let line = |place: &str| {
        format!(
            "export cluster-image-policy --for openshift@4.22 --check docker://{host}/{place} --plain-http --map {host}/acme={SOURCE} \
             --format json -o policies"
        )
    };
    let run = |line: &str, code: i32| -> Value {
        let report: Value = serde_json::from_str(&lab.test.run(line).exits(code).out).unwrap();
        assert_eq!(lab.test.has("policies"), code == 0);
        report
    };
    let refused = |report: &Value| -> Vec<String> {
        let all = verdicts(&report["check"]).into_iter().filter(|(_, verdict)| verdict == "refused");
        let repository = |name: String| name.rsplit_once([':', '@']).unwrap().0.replace("@sha256", "");
        let mut names: Vec<_> = all.map(|((name, _), _)| repository(name)).collect();
        names.dedup();
        names
    };
    let all = run(&line("acme"), 4);
    assert_eq!(all["failure"]["code"], "policy-would-refuse");
    let unsigned = format!("{SOURCE}/unsigned");
    assert!(refused(&all).contains(&unsigned));
    let left_out = run(&format!("{} --leave-out-unsigned", line("acme")), 4);
    let still: Vec<_> = refused(&all).into_iter().filter(|name| *name != unsigned).collect();
    assert_eq!(refused(&left_out), still, "a wrong signature is no reason to leave a repository out");
    let notes = left_out["notes"].as_array().unwrap();
    assert!(notes.iter().any(
        |note| note["code"] == "scope-left-out" && note["message"].as_str().unwrap().contains(&unsigned)
    ));
    let good = run(&line("acme/good"), 0);
    assert_eq!(good["check"]["counts"]["admitted"], 2);
    let file = "policies/keypack-quay-example.yaml";
    let text = String::from_utf8(lab.test.read(file)).unwrap();
    assert!(text.contains(&format!("  scopes:\n    - \"{SOURCE}/good\"\n  policy:")), "{text}");
    assert!(text.lines().next().unwrap().contains("2 pulls, none refused"), "{text}");
    // What was checked is what `verify --policy` says of the file.
    let verify =
        format!("verify docker://{host}/acme/good --plain-http --map {host}/acme={SOURCE} --policy {file}");
    lab.test.run(&verify).exits(0).says("2 pulls: 2 admitted");
}
