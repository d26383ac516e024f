//! The policy in a mirror's own release, where the mirror is a real registry: docker-registry serves the storage that
//! disk-to-mirror would have filled, and keypack reads the layers of the release from it.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::docker_registry::{DockerRegistry, program};

#[path = "../it/verify/release/mirror.rs"]
mod mirror;

use mirror::{CONTENT, Mirror, RELEASE};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 3] = [
        ("release::after_disk_to_mirror", after_disk_to_mirror),
        ("release::nested_paths_and_mirror_sets", nested_paths_and_mirror_sets),
        ("release::a_registry_alone_has_no_signature", a_registry_alone_has_no_signature),
    ];
    let trial = |(name, test): (&'static str, fn())| {
        let trial = Trial::test(name, move || {
            test();
            Ok(())
        });
        match program() {
            Some(_) => trial,
            None => trial.with_kind("needs docker-registry: apt-get install").with_ignored_flag(true),
        }
    };
    tests.into_iter().map(trial).collect()
}

/// A registry with the storage of the mirror, some of whose repositories have other names there.
fn serve(mirror: &Mirror, names: &[(&str, &str)]) -> DockerRegistry {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("storage/docker/registry/v2");
    for (path, bytes) in mirror.test.tree("in/docker/registry/v2") {
        let renamed = names.iter().find_map(|(from, to)| {
            let rest = path.strip_prefix(&format!("repositories/{from}/_"))?;
            Some(format!("repositories/{to}/_{rest}"))
        });
        let file = root.join(renamed.unwrap_or(path));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    DockerRegistry::start(dir, "", "", "")
}

fn report(mirror: &Mirror, line: &str, exit: i32) -> Value {
    mirror
        .test
        .run(&format!("verify {line} --policy openshift --plain-http --format json"))
        .exits(exit)
        .json()
}

fn verdicts(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let images = report["images"].as_array().unwrap();
    let mut all: Vec<_> = images.iter().map(|pull| (text(&pull["name"]), text(&pull["verdict"]))).collect();
    all.sort();
    all
}

/// The images of the folder are looked up in the registry; keys and signatures are those of the folder.
fn after_disk_to_mirror() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let registry = serve(&mirror, &[]);
    let line = format!("docker://{} --images oc-mirror:in --keys-dir in/keys", registry.host());
    let report = report(&mirror, &line, 0);
    assert_eq!(report["releases"][0]["version"], "4.22.7");
    let all = verdicts(&report);
    // A release is pulled by digest, and nobody pulls signatures.
    let of_release: Vec<_> = all.iter().filter(|(name, _)| name.starts_with("quay.io/")).collect();
    assert_eq!(of_release.len(), 4, "{all:?}");
    assert!(of_release.iter().all(|(name, verdict)| name.contains('@') && verdict == "admitted"), "{all:?}");
    assert!(all.iter().all(|(name, _)| !name.contains(".sig")), "{all:?}");
    // By its tag: one pull, judged as it is given.
    let line = format!(
        "docker://{}/openshift/release-images:4.22.7-x86_64 --images oc-mirror:in --keys-dir in/keys",
        registry.host()
    );
    mirror.test.run(&format!("verify {line} --policy openshift --plain-http")).exits(2);
}

/// `--max-nested-paths`: only the mirror sets say where the release is, and the config map has its signature.
fn nested_paths_and_mirror_sets() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let names = [
        ("openshift/release-images", "ns/openshift-release-images"),
        ("openshift/release", "ns/openshift-release"),
    ];
    let registry = serve(&mirror, &names);
    let host = registry.host();
    let sets = |first: &str| {
        json!({
            "apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "metadata": {"name": "a"},
            "spec": {"imageDigestMirrors": [
                {"source": RELEASE, "mirrors": [first, format!("{host}/ns/openshift-release-images")]},
                {"source": CONTENT, "mirrors": [format!("{host}/ns/openshift-release")],
                 "mirrorSourcePolicy": "NeverContactSource"},
            ]},
        })
    };
    mirror.test.write("cluster/idms.yaml", sets("other.example/releases").to_string());
    let place = format!("docker://{host} --idms cluster --keys-dir in/keys");
    assert_eq!(report(&mirror, &place, 4)["error"]["code"], "policy-unauthenticated");
    let name = mirror.test.names("in/working-dir/signatures").remove(0);
    let hex = name.rsplit_once("sha256-").unwrap().1;
    let data = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        mirror.test.read(&format!("in/working-dir/signatures/{name}")),
    );
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "mirrored-release-signatures", "namespace": "openshift-config-managed",
                     "labels": {"release.openshift.io/verification-signatures": ""}},
        "binaryData": {format!("sha256-{hex}-1"): data},
    });
    mirror.test.write("cluster/signature-configmap.json", map.to_string());
    let whole = report(&mirror, &place, 0);
    assert_eq!(verdicts(&whole).iter().filter(|(_, verdict)| verdict == "admitted").count(), 4);
    assert!(whole["missing"].is_null(), "{whole}");
    // The release by its tag: mirror sets are for digests, and still say what lies there.
    let place = format!(
        "docker://{host}/ns/openshift-release-images:4.22.7-x86_64 --idms cluster --keys-dir in/keys"
    );
    let one = report(&mirror, &place, 4);
    assert_eq!(one["releases"][0]["version"], "4.22.7");
    assert_eq!(one["failure"]["code"], "nothing-in-scope");
}

fn a_registry_alone_has_no_signature() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let registry = serve(&mirror, &[]);
    let place = format!("docker://{} --keys-dir in/keys", registry.host());
    let report = report(&mirror, &place, 4);
    assert_eq!(report["error"]["code"], "policy-unauthenticated");
    assert!(report["error"]["hint"].as_str().unwrap().contains("--images oc-mirror:DIR"), "{report}");
}
