//! The host's existing keys: read by default, reported with their origin, and never in the way.

use keypack::key::PublicKey;
use serde_json::json;

use super::{
    place::{EPOCH, owner, signed_image},
    program::Test,
};

fn host(test: &Test, policy: &str) {
    test.write("host/etc/containers/policy.json", policy);
    test.write("host/etc/pki/rpm-gpg/RPM-GPG-KEY-lab", test.read("owner.asc"));
}

fn policy() -> String {
    json!({
        "default": [{"type": "reject"}],
        "transports": {"docker": {"r.test": [
            {"type": "signedBy", "keyType": "GPGKeys", "keyPaths": ["/etc/pki/rpm-gpg/RPM-GPG-KEY-lab", "/etc/gone"]}
        ]}}
    })
    .to_string()
}

fn image() -> Test {
    let test = Test::at_epoch(EPOCH);
    signed_image(&test, &owner(), "r.test/app:v1");
    test
}

#[test]
fn the_keys_of_a_policy_are_candidates_and_their_origin_is_told() {
    let test = image();
    host(&test, &policy());
    let ran = test.run("collect dir:image --host-root host -o keys").exits(0);
    assert!(ran.out.contains("host:/etc/pki/rpm-gpg/RPM-GPG-KEY-lab, giver"), "{}", ran.out);
    assert!(ran.out.contains("/etc/gone"), "what could not be read is told: {}", ran.out);
    let key = &test.json("keys/keypack.json")["keys"][0];
    assert_eq!(key["provenance"][0]["source"], "host:/etc/pki/rpm-gpg/RPM-GPG-KEY-lab");
    let digits = key["fingerprint"].as_str().unwrap()[..8].to_lowercase();
    assert_eq!(key["name"], format!("gpg-{digits}"));
}

#[test]
fn a_host_that_is_left_out() {
    let test = image();
    host(&test, &policy());
    let ran = test.run("discover dir:image --no-host").exits(4);
    assert!(ran.out.contains("missing") && !ran.out.contains("host:"), "{}", ran.out);
    test.run("discover dir:image --no-host --host-root host").exits(2);
}

#[test]
fn keys_in_etc_pki_sigstore_prove_what_they_made() {
    let test = Test::new();
    let lab = |name: &str| std::fs::read(test.path("lab/trust").join(name)).unwrap();
    test.write("host/etc/pki/sigstore/REKOR-signing-key", lab("rekor.pub"));
    test.write("host/etc/pki/sigstore/SIGSTORE-lab", lab("cosign.pub"));
    test.write("host/etc/pki/sigstore/README", "nothing here");
    let run = |more: &str| {
        test.run(&format!("discover --format json oci:lab/layouts/key-bundle-rekor1-oras {more}"))
    };
    let report = run("--host-root host").exits(0).json();
    let sources: Vec<_> =
        report["keys"].as_array().unwrap().iter().map(|k| k["provenance"][0]["source"].clone()).collect();
    assert_eq!(sources, ["host:/etc/pki/sigstore/REKOR-signing-key", "host:/etc/pki/sigstore/SIGSTORE-lab"]);
    assert_eq!(report["unusable"][0]["source"], "host:/etc/pki/sigstore/README");
    run("--host-root nowhere").exits(2);
    run("--no-host").exits(4);
}

#[test]
fn a_host_whose_files_are_wrong_does_not_stop_anything() {
    let test = image();
    for (policy, code) in
        [("{", "policy-malformed"), ("[]", "policy-malformed"), ("\u{0}", "policy-malformed")]
    {
        host(&test, policy);
        let report =
            test.run("discover --format json dir:image --key owner.asc --host-root host").exits(0).json();
        assert_eq!(report["unusable"][0]["code"], code);
        assert_eq!(report["unusable"][0]["source"], "host:/etc/containers/policy.json");
    }
    std::fs::remove_file(test.path("host/etc/containers/policy.json")).unwrap();
    std::fs::create_dir(test.path("host/etc/containers/policy.json")).unwrap();
    test.write("host/etc/pki/sigstore", "a file where a folder should be");
    let ran = test.run("discover dir:image --key owner.asc --host-root host").exits(0);
    assert!(ran.out.contains("/etc/pki/sigstore"), "{}", ran.out);
}

/// The user did not ask for these keys, so it is not reported that no signature needs them.
#[test]
fn keys_of_the_host_that_nothing_needs_are_no_news_and_no_part_of_the_pack() {
    let test = image();
    let other = keypack::key::parse_key_file(&test.read("lab/trust/cosign.pub")).unwrap().material;
    assert!(matches!(other.as_slice(), [keypack::key::Material::Key(PublicKey { .. })]));
    test.write("host/etc/pki/sigstore/OTHER", test.read("lab/trust/cosign.pub"));
    let ran = test.run("collect dir:image --key owner.asc --host-root host -o keys").exits(0);
    assert!(!ran.out.contains("OTHER"), "{}", ran.out);
    assert_eq!(test.json("keys/keypack.json")["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn paths_of_a_mounted_host_stay_below_it() {
    let test = image();
    let up = policy().replace("/etc/gone", "/../owner.asc");
    host(&test, &up.replace("/etc/pki/rpm-gpg/RPM-GPG-KEY-lab", "/etc/none"));
    let ran = test.run("discover dir:image --host-root host").exits(4);
    assert!(ran.out.contains("../owner.asc"), "{}", ran.out);
}

#[test]
fn links_of_a_mounted_host_mean_its_own_files() {
    let test = image();
    host(&test, &policy());
    std::fs::rename(
        test.path("host/etc/pki/rpm-gpg/RPM-GPG-KEY-lab"),
        test.path("host/etc/pki/rpm-gpg/moved"),
    )
    .unwrap();
    let link = test.path("host/etc/pki/rpm-gpg/RPM-GPG-KEY-lab");
    std::os::unix::fs::symlink("/etc/pki/rpm-gpg/moved", &link).unwrap();
    test.run("discover dir:image --host-root host").exits(0);
    // To the same key, outside.
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(test.path("owner.asc"), &link).unwrap();
    test.run("discover dir:image --host-root host").exits(4);
}

#[test]
fn keys_inside_a_policy_are_told_apart_by_their_scopes() {
    let test = image();
    let key = |bytes: Vec<u8>| {
        let data = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes);
        json!([{"type": "signedBy", "keyType": "GPGKeys", "keyData": data}])
    };
    let (own, other) = (
        key(test.read("owner.asc")),
        super::lab::bytes(&super::lab::block(&owner(), &super::lab::Say::default())),
    );
    let write = |scopes: serde_json::Value| {
        let policy = json!({"default": [{"type": "reject"}], "transports": {"docker": scopes}});
        test.write("policy.json", policy.to_string());
    };
    let collect = "collect dir:image --from-policy=policy.json --no-host -o keys";
    let other = key(other);
    // The first collection, in which one scope has another key, and two scopes have the same one.
    write(json!({"a.test": other, "r.test": own, "s.test": own}));
    test.run(collect).exits(0);
    let sources: Vec<_> = test.json("keys/keypack.json")["keys"][0]["provenance"].as_array().unwrap().clone();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert_eq!(sources[0]["source"], "policy.json (docker r.test keyData)");
    // Now the image is signed by the key of another scope, which was there all along; then by one that replaced it.
    let new = owner();
    signed_image(&test, &new, "r.test/app:v1");
    let new = key(test.read("owner.asc"));
    write(json!({"a.test": new, "r.test": own}));
    let ran = test.run(collect).exits(0);
    assert!(!ran.out.contains("key-changed"), "{}", ran.out);
    signed_image(&test, &owner(), "r.test/app:v1");
    write(json!({"a.test": new, "r.test": key(test.read("owner.asc"))}));
    let ran = test.run(collect).exits(4);
    assert!(ran.out.contains("key-changed: policy.json (docker r.test keyData)"), "{}", ran.out);
}

#[test]
fn the_first_policy_counts_and_folders_and_absent_files_are_no_news() {
    let test = image();
    let key = |bytes: Vec<u8>| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes);
    let signed_by = |data: String| {
        json!({"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyData": data}]}).to_string()
    };
    std::fs::create_dir_all(test.path("host/etc/pki/sigstore/folder")).unwrap();
    test.write("host/usr/share/containers/policy.json", signed_by(key(test.read("owner.asc"))));
    let ran = test.run("discover dir:image --host-root host --format json").exits(0).json();
    assert_eq!(ran["unusable"].as_array().unwrap().len(), 0, "{}", ran["unusable"]);
    assert_eq!(
        ran["keys"][0]["provenance"][0]["source"],
        "host:/usr/share/containers/policy.json (default keyData)"
    );
    // The host's own policy takes precedence over it, and does not have the key.
    test.write("host/etc/containers/policy.json", json!({"default": [{"type": "reject"}]}).to_string());
    test.run("discover dir:image --host-root host").exits(4);
    // A key that can't be used is reported.
    let weak = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/gpg/unsupported/rsa1024.asc");
    test.write("host/etc/pki/sigstore/weak", std::fs::read(weak).unwrap());
    let ran = test.run("discover dir:image --host-root host --key owner.asc").exits(0);
    assert!(ran.out.contains("host:/etc/pki/sigstore/weak, the GPG key"), "{}", ran.out);
    std::fs::remove_dir_all(test.path("host/etc/pki")).unwrap();
    let ran = test.run("discover dir:image --host-root host --key owner.asc").exits(0);
    assert!(!ran.out.contains("host:"), "{}", ran.out);
}
