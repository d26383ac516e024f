//! `--fix` with real registries and the real oras: the commands copy what is missing, and then the policy admits everything.

use std::{env, path::Path, process::Command};

use libtest_mimic::Trial;
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::content::{Content, INDEX, Layer, MANIFEST, payload};
use crate::support::{find::find, program::Test};

type Case = (&'static str, fn(&Path));

const CASES: [Case; 4] = [
    ("where both are reached, registry to registry", direct),
    ("where the source is not asked, through a folder", carried),
    ("from a data folder into the registry that it is mirrored to", of_a_folder),
    ("what the source has not, and what does not help", without_a_command),
];

pub(crate) fn trials() -> Vec<Trial> {
    let oras = find("oras");
    let ready = find("docker-registry").is_some();
    CASES
        .into_iter()
        .map(|(name, case)| match oras.clone().filter(|_| ready) {
            Some(oras) => Trial::test(format!("admission::fix: {name}"), move || {
                case(&oras);
                Ok(())
            }),
            None => Trial::test(format!("admission::fix: {name}: needs oras and docker-registry"), || Ok(()))
                .with_ignored_flag(true),
        })
        .collect()
}

/// A source and a mirror with the same images, and the key that signs them at the source.
struct Pair {
    source: Content,
    mirror: Content,
    key: KeyPair,
    test: Test,
}

impl Pair {
    fn new() -> Self {
        let pair = Self {
            source: Content::new(),
            mirror: Content::new(),
            key: KeyPair::generate().unwrap(),
            test: Test::new(),
        };
        pair.test.write("key.pub", pair.key.public_key_pem());
        pair.test.write("registries.d/a.yaml", "default-docker:\n  use-sigstore-attachments: true\n");
        // Pure oras takes http for "localhost" by itself.
        let policy = json!({"default": [{"type": "reject"}], "transports": {"docker": {pair.source_host(): [
            {"type": "sigstoreSigned", "keyPath": "key.pub", "signedIdentity": {"type": "matchRepository"}}]}}});
        pair.test.write("policy.json", policy.to_string());
        pair
    }

    fn source_host(&self) -> String {
        self.source.host().replace("127.0.0.1", "localhost")
    }

    fn mirror_host(&self) -> String {
        self.mirror.host().replace("127.0.0.1", "localhost")
    }

    /// The same image in both.
    fn image(&mut self, name: &str, tag: Option<&str>, arch: &str) -> String {
        let at_mirror = self.mirror.image(&format!("ocp/{name}"), tag, arch);
        assert_eq!(self.source.image(name, tag, arch), at_mirror);
        at_mirror
    }

    fn signed(&self, name: &str, image: &str, key: &KeyPair) -> Layer {
        Layer::signed(key, payload(&format!("{}/{name}:v1", self.source_host()), image))
    }

    /// Signed at the source alone.
    fn sign(&self, name: &str, image: &str) {
        // Eight layers with one payload, as release components have.
        let layers: Vec<_> = (0..8).map(|_| self.signed(name, image, &self.key)).collect();
        self.source.attach(name, image, &layers);
    }

    fn verify(&self, place: &str, more: &str) -> String {
        let host =
            if place.starts_with("docker://") { format!("{}/", self.mirror_host()) } else { String::new() };
        format!(
            "verify {place} --policy policy.json --registries-d registries.d --map {host}ocp={} --platform linux/amd64 \
             --plain-http {more}",
            self.source_host()
        )
    }

    fn mirror_place(&self) -> String {
        format!("docker://{}", self.mirror_host())
    }

    /// Runs the file, with oras on PATH.
    #[track_caller]
    fn run(&self, oras: &Path, variables: &[(&str, &str)], args: &[&str]) -> (bool, String) {
        let mut path = vec![oras.parent().unwrap().to_owned()];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
        let output = Command::new("sh")
            .arg("fix.txt")
            .args(args)
            .current_dir(self.test.path(""))
            .env_clear()
            .env("HOME", self.test.path("home"))
            .env("PATH", env::join_paths(path).unwrap())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// An image by tag and a list, both signed at the source alone.
fn missing() -> Pair {
    let mut pair = Pair::new();
    let image = pair.image("app", Some("v1"), "amd64");
    pair.sign("app", &image);
    let amd = pair.image("release", None, "amd64");
    let arm = pair.image("release", None, "arm64");
    pair.mirror.list("ocp/release", "v1", &[("amd64", &amd), ("arm64", &arm)]);
    pair.source.list("release", "v1", &[("amd64", &amd), ("arm64", &arm)]);
    pair.sign("release", &amd);
    pair
}

fn direct(oras: &Path) {
    let pair = missing();
    let line = pair.verify(&pair.mirror_place(), "--fix fix.txt");
    let report = pair.test.run(&format!("{line} --format json")).exits(4).json();
    assert_eq!((&report["fix"]["copies"], &report["fix"]["way"]), (&json!(2), &json!("direct")), "{report}");
    assert_eq!(report["fix"]["notAsked"], json!([]));
    let (good, said) = pair.run(oras, &[], &[]);
    assert!(good, "{said}");
    let report = pair.test.run(&format!("{line} --format json")).exits(0).json();
    assert_eq!(
        (&report["verdict"], &report["fix"]["written"]),
        (&json!("admitted"), &json!(false)),
        "{report}"
    );
}

fn carried(oras: &Path) {
    let mut pair = missing();
    let unsigned = pair.image("unsigned", Some("v1"), "amd64");
    // With credentials for the mirror alone, no source is asked.
    let line = pair.verify(&pair.mirror_place(), "--creds a:b --fix fix.txt --format json");
    let report = pair.test.run(&line).exits(4).json();
    assert_eq!((&report["fix"]["copies"], &report["fix"]["way"]), (&json!(3), &json!("carried")), "{report}");
    let (good, said) = pair.run(oras, &[], &[]);
    assert!(!good && said.contains("connected"), "{said}");
    let (good, said) = pair.run(oras, &[], &["connected"]);
    let tag = Content::signature_tag(&unsigned);
    let expected =
        format!("not copied: {}/unsigned:{tag} could not be read. If it is not found", pair.source_host());
    assert!(!good && said.contains(&expected) && said.contains("not everything was copied"), "{said}");
    let (good, said) = pair.run(oras, &[], &["disconnected"]);
    assert!(!good && said.contains("not everything was copied"), "{said}");
    let report = pair.test.run(&line).exits(4).json();
    let refused = names(&report, |pull| pull["verdict"] == "refused");
    assert!(refused.iter().all(|name| name.contains("/unsigned")) && !refused.is_empty(), "{refused:?}");
}

fn of_a_folder(oras: &Path) {
    let pair = missing();
    let line = pair.verify(&pair.mirror.storage().display().to_string(), "--fix fix.txt --format json");
    let report = pair.test.run(&line).exits(4).json();
    assert_eq!((&report["fix"]["copies"], &report["fix"]["way"]), (&json!(2), &json!("carried")), "{report}");
    let (good, said) = pair.run(oras, &[], &["connected"]);
    assert!(good, "{said}");
    let (good, said) = pair.run(oras, &[], &["disconnected"]);
    assert!(!good && said.contains("name the mirror registry"), "{said}");
    let (good, said) = pair.run(oras, &[("MIRROR", &pair.mirror_host())], &["disconnected"]);
    assert!(good, "{said}");
    pair.test.run(&pair.verify(&pair.mirror_place(), "")).exits(0);
}

fn without_a_command(_: &Path) {
    let mut pair = Pair::new();
    pair.image("unsigned", Some("v1"), "amd64");
    let image = pair.image("wrong", Some("v1"), "amd64");
    let other = pair.signed("wrong", &image, &KeyPair::generate().unwrap());
    pair.source.attach("wrong", &image, &[other]);
    let amd = pair.image("list", None, "amd64");
    let arm = pair.image("list", None, "arm64");
    pair.mirror.list("ocp/list", "v1", &[("amd64", &amd), ("arm64", &arm)]);
    let list = pair.source.list("list", "v1", &[("amd64", &amd), ("arm64", &arm)]);
    pair.sign("list", &list);
    // cosign 3's default: a bundle that refers to the image.
    let bundled = pair.image("bundled", Some("v1"), "amd64");
    let bundle = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "annotations": {"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"},
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": pair.source.blob("bundled", b"{}"), "size": 2},
    });
    let referrer = pair.source.manifest("bundled", None, &bundle);
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": referrer, "size": bundle.to_string().len()}]});
    pair.source.manifest("bundled", Some(&bundled.replace(':', "-")), &list);
    // Another's signature is at the mirror's tag: a copy would replace it.
    let taken = pair.image("taken", Some("v1"), "amd64");
    pair.sign("taken", &taken);
    let other = pair.signed("taken", &taken, &KeyPair::generate().unwrap());
    pair.mirror.attach("ocp/taken", &taken, &[other]);
    // So may a manifest without signatures be somebody's.
    let empty = pair.image("empty", Some("v1"), "amd64");
    pair.sign("empty", &empty);
    pair.mirror.attach("ocp/empty", &empty, &[]);
    let line = pair.verify(&pair.mirror_place(), "--fix fix.txt");
    let report = pair.test.run(&format!("{line} --format json")).exits(4).json();
    assert_eq!(report["fix"]["copies"], 0, "{report}");
    let fix = |name: &str| {
        let images = report["images"].as_array().unwrap();
        let of = |pull: &&Value| pull["name"].as_str().unwrap().contains(&format!("/{name}"));
        let mut fixes: Vec<_> = images.iter().filter(of).map(|pull| pull["fix"].clone()).collect();
        fixes.dedup();
        assert_eq!(fixes.len(), 1, "{name}");
        fixes.remove(0)
    };
    let from = |name: &str| format!("{}/{name}", pair.source_host());
    assert_eq!(fix("unsigned"), json!({"kind": "source-unsigned", "from": from("unsigned")}));
    assert_eq!(fix("list"), json!({"kind": "source-unsigned", "from": from("list"), "instead": "list"}));
    assert_eq!(
        fix("bundled"),
        json!({"kind": "source-unsigned", "from": from("bundled"), "instead": "bundle"})
    );
    assert_eq!(fix("wrong")["code"], "signature-does-not-match");
    assert_eq!(fix("taken"), json!({"kind": "other"}));
    assert_eq!(fix("empty"), json!({"kind": "other"}));
    let text = std::fs::read_to_string(pair.test.path("fix.txt")).unwrap();
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    for words in [
        "has no signature for it either",
        "cosign sign --recursive",
        "--new-bundle-format=false",
        "a copy does not help",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Without a mapping it is not known where they are from.
    let line = line.replace(&format!("--map {}/ocp={}", pair.mirror_host(), pair.source_host()), "");
    let policy = json!({"default": [{"type": "sigstoreSigned", "keyPath": "key.pub"}]});
    pair.test.write("policy.json", policy.to_string());
    let report = pair.test.run(&format!("{line} --format json")).exits(4).json();
    let kinds = names(&report, |pull| pull["fix"]["kind"] == "source-unknown");
    assert!(kinds.iter().any(|name| name.contains("/unsigned")), "{report}");
}

fn names(report: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
    let images = report["images"].as_array().unwrap();
    images.iter().filter(|pull| wanted(pull)).map(|pull| pull["name"].as_str().unwrap().to_owned()).collect()
}
