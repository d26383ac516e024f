//! Releases for several architectures: the signature is for the list, the policy and the images are in the instances.

use serde_json::json;

use super::{
    LINE, code,
    mirror::{CONTENT, Mirror, POLICY, REFERENCES, RELEASE, gzip, tar},
    report,
};

/// A release of two architectures, whose policies have these scopes. Its images are lists too, whose instances are signed.
fn release(mirror: &Mirror, scopes: [&[&str]; 2]) {
    let mut tags = Vec::new();
    for name in ["machine-config-operator", "rhel-coreos", "etcd"] {
        let images = ["amd64", "arm64"].map(|architecture| {
            let image = mirror.image("openshift/release", None, architecture, &[], &json!({"name": name}));
            mirror.sign("openshift/release", image, &format!("{CONTENT}@{image}"));
            (image, architecture)
        });
        let list = mirror.list("openshift/release", Some(&format!("4.22.7-multi-{name}")), &images);
        tags.push(
            json!({"name": name, "from": {"kind": "DockerImage", "name": format!("{CONTENT}@{list}")}}),
        );
    }
    let references =
        json!({"kind": "ImageStream", "metadata": {"name": "4.22.7"}, "spec": {"tags": tags}}).to_string();
    let instance = |architecture, scopes: &[&str]| {
        let policy = mirror.policy(scopes, "");
        let layer = gzip(&tar(&[(REFERENCES, references.as_bytes()), (POLICY, policy.as_bytes())]));
        let labels = json!({"io.openshift.release": "4.22.7"});
        let image = mirror.image("openshift/release-images", None, architecture, &[layer], &labels);
        mirror.sign("openshift/release-images", image, &format!("{RELEASE}@{image}"));
        (image, architecture)
    };
    let instances = [instance("amd64", scopes[0]), instance("arm64", scopes[1])];
    let list = mirror.list("openshift/release-images", Some("4.22.7-multi"), &instances);
    mirror.gpg_sign("4.22.7", list);
    mirror.pull_keys();
}

#[test]
fn the_platforms_of_the_nodes_are_those_of_the_release() {
    let mirror = Mirror::new();
    release(&mirror, [&[RELEASE, CONTENT]; 2]);
    // A list for other machines, and one for these and others.
    let other = mirror.image("ubi9/ubi", None, "s390x", &[], &json!({}));
    mirror.list("ubi9/ubi", Some("s390x"), &[(other, "s390x")]);
    let own = mirror.image("ubi9/ubi", None, "arm64", &[], &json!({}));
    mirror.list("ubi9/ubi", Some("both"), &[(own, "arm64"), (other, "s390x")]);
    let report = report(&mirror.test.run(&format!("{LINE} --format json")).exits(0));
    assert_eq!(report["releases"][0]["platforms"], json!(["linux/amd64", "linux/arm64"]));
    assert_eq!(report["releases"][0]["images"], 3);
    // Signed instances are listed as images of their own too, without a platform.
    let platforms = |repository: &str| {
        let images = report["images"].as_array().unwrap();
        let own = images.iter().filter(|pull| pull["repository"] == repository);
        let mut all: Vec<_> = own.filter_map(|pull| pull["platform"].as_str().map(str::to_owned)).collect();
        all.sort();
        all
    };
    assert_eq!(platforms("openshift/release-images"), ["linux/amd64", "linux/arm64"]);
    assert_eq!(platforms("openshift/release").len(), 6);
    assert_eq!(platforms("ubi9/ubi"), ["linux/arm64", "linux/arm64", "linux/s390x", "linux/s390x"]);
    assert!(report["missing"].is_null());
    // The caller knows better.
    let ran = mirror.test.run(&format!("{LINE} --platform linux/arm64 --format json"));
    let report = super::report(&ran);
    assert_eq!(report["releases"][0]["platforms"], json!(["linux/arm64"]));
}

#[test]
fn instances_with_different_policies_judge_each_for_itself() {
    let mirror = Mirror::new();
    release(&mirror, [&[RELEASE, CONTENT], &[RELEASE, CONTENT, "quay.io/other"]]);
    mirror.image("other/app", Some("v1"), "amd64", &[], &json!({}));
    // Only the policy of one instance has a scope that may be its own.
    assert_eq!(code(&mirror, "", 4), "policy-not-evaluated");
    assert_eq!(code(&mirror, "--map other=quay.io/other", 4), "policy-would-refuse");
    assert_eq!(code(&mirror, "--map other=quay.io/other --platform linux/amd64", 0), "");
}

/// An instance is authenticated by the list that names it, and not the other way round.
#[test]
fn a_signature_for_an_instance_is_none_for_the_list() {
    let mirror = Mirror::new();
    release(&mirror, [&[RELEASE, CONTENT]; 2]);
    let name = mirror.test.names("in/working-dir/signatures").remove(0);
    std::fs::remove_dir_all(mirror.test.path("in/working-dir/signatures")).unwrap();
    let revisions = "in/docker/registry/v2/repositories/openshift/release-images/_manifests/revisions/sha256";
    for hex in mirror.test.names(revisions) {
        if !name.ends_with(&hex) {
            mirror.gpg_sign("4.22.7", format!("sha256:{hex}").parse().unwrap());
        }
    }
    assert_eq!(code(&mirror, "", 4), "policy-unauthenticated");
}
