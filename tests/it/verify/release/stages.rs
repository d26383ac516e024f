//! What a cluster would do at each stage.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;

use super::{LINE, mirror::Mirror, report};

fn stage<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == name).unwrap()
}

#[test]
fn what_is_never_judged_is_listed_and_changes_nothing() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let report = report(&mirror.test.run(&format!("{LINE} --format json")).exits(0));
    for name in ["install-media", "bootstrap", "host-crypto-policy"] {
        let stage = stage(&report, name);
        assert_eq!(
            (&stage["verdict"], &stage["code"]),
            (&"not-judged".into(), &"stage-not-judged".into()),
            "{name}"
        );
    }
    let gate = stage(&report, "update-gate");
    assert!(
        gate["cause"].as_str().unwrap().contains("signature-configmap.yaml is not written yet"),
        "{gate}"
    );
}

/// After disk-to-mirror the signature is in a config map, whether the working-dir still has it or not.
#[test]
fn the_config_map_brings_the_signature_to_the_cluster() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let folder = mirror.test.path("in/working-dir/signatures");
    let name = mirror.test.names("in/working-dir/signatures").remove(0);
    let hex = name.rsplit_once("sha256-").unwrap().1;
    let data = BASE64.encode(mirror.test.read(&format!("in/working-dir/signatures/{name}")));
    let map = |namespace: &str| {
        format!(
            "apiVersion: v1\nbinaryData:\n  sha256-{hex}-1: {data}\nkind: ConfigMap\nmetadata:\n  labels:\n    \
             release.openshift.io/verification-signatures: \"\"\n  name: mirrored-release-signatures\n  namespace: {namespace}\n"
        )
    };
    std::fs::remove_dir_all(folder).unwrap();
    let at = "in/working-dir/cluster-resources/signature-configmap.yaml";
    mirror.test.write(at, map("openshift-config-managed"));
    let json = report(&mirror.test.run(&format!("{LINE} --format json")).exits(0));
    let hint = stage(&json, "update-gate")["hint"].as_str().unwrap();
    assert!(hint.contains("oc apply -f ") && hint.contains("signature-configmap.yaml"), "{hint}");
    // The cluster reads no other namespace.
    mirror.test.write(at, map("default"));
    mirror.test.run(LINE).fails(4, "policy-unauthenticated");
}

#[test]
fn a_single_image_says_nothing_about_the_first_boot() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let report = report(&mirror.test.run(&format!("{LINE} --platform linux/amd64 --format json")).exits(0));
    assert_eq!(stage(&report, "first-boot")["verdict"], "admitted");
}
