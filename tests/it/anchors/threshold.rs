//! `--threshold`: how many of the organisation's keys must have signed.

use base64::{Engine, prelude::BASE64_STANDARD};
use keypack::oci::Digest;
use rcgen::{PublicKeyData, SigningKey};
use serde_json::json;

use super::{Test, copy, scene};

#[test]
fn as_many_different_keys_as_are_demanded_must_have_signed() {
    let test = scene();
    let pull = "pull oci:m:old --verify-key fx/org.pub --verify-key";
    let ran = test.run(&format!("{pull} fx/other.pub --threshold 2 -o a"));
    let ran =
        ran.fails(3, "threshold-not-met").tells("2 of the given keys must have signed, and 1 did: sha256:");
    assert!(!test.has("a"), "{}", ran.err);
    let ran = test.run(&format!("{pull} fx/p384.pub --threshold 2 -o a")).exits(0);
    let _ = ran.tells("2 of 2 given keys signed; 2 are demanded");
    let ran = test.run(&format!("{pull} fx/p384.pub --verify-key fx/other.pub --threshold 2 -o b")).exits(0);
    let _ = ran.tells("2 of 3 given keys signed; 2 are demanded");
    // A missing signature stays missing, whatever the threshold.
    test.run("pull oci:m:old --verify-key fx/other.pub --threshold 1 -o c")
        .fails(3, "pack-signature-refused");
}

#[test]
fn without_a_threshold_one_key_is_enough_and_that_is_said() {
    let test = scene();
    let ran = test.run("pull oci:m:old --verify-key fx/org.pub --verify-key fx/other.pub -o a").exits(0);
    let _ = ran.tells("1 of 2 given keys signed; one is enough without --threshold");
    let ran = test.run("pull oci:m:old --verify-key fx/org.pub -o b").exits(0);
    assert!(!ran.err.contains("given keys"), "{}", ran.err);
}

#[test]
fn one_key_is_one_however_often_it_is_given_and_has_signed() {
    let test = scene();
    test.write("again.pub", test.read("fx/org.pub"));
    let both = "--verify-key fx/org.pub --verify-key again.pub";
    let ran = test.run(&format!("pull oci:m:old {both} --threshold 2 -o a"));
    let _ = ran.exits(2).tells("the threshold is 2, and 1 key is given");
    copy(&test, "fx/keys", "keys");
    test.write("keys/keypack.json.again.sigstore.json", test.read("fx/keys/keypack.json.sigstore.json"));
    test.push("keys", "oci:n:v1");
    test.run("pull oci:n:v1 --verify-key fx/org.pub --verify-key fx/other.pub --threshold 2 -o a")
        .fails(3, "threshold-not-met");
    assert!(!test.has("a"));
}

#[test]
fn a_threshold_without_enough_keys_is_a_wrong_command_line() {
    let test = scene();
    for line in
        ["--threshold 1", "--verify-key fx/org.pub --threshold 0", "--verify-key fx/org.pub --threshold 2"]
    {
        test.run(&format!("pull oci:m:old {line} -o a")).exits(2);
    }
    assert!(!test.has("a"));
}

#[test]
fn a_setting_says_the_keys_and_the_threshold() {
    let test = scene();
    test.write("etc/org.pub", test.read("fx/org.pub"));
    test.write("etc/other.pub", test.read("fx/other.pub"));
    test.write("etc/p384.pub", test.read("fx/p384.pub"));
    let setting = |keys: &str| format!("verifyKeys:\n  threshold: 2\n  keys: {keys}\n");
    test.write("etc/keypack.yaml", setting("[org.pub, other.pub]"));
    test.run("pull oci:m:old --config etc/keypack.yaml -o a").fails(3, "threshold-not-met");
    test.write("etc/keypack.yaml", setting("[org.pub, p384.pub]"));
    test.run("pull oci:m:old --config etc/keypack.yaml -o a").exits(0).tells("2 of 2 given keys signed");
    // Keys on the command line replace the others, and use their own threshold.
    test.run("pull oci:m:old --config etc/keypack.yaml --verify-key fx/org.pub -o b").exits(0);
}

/// A key may sign both the inventory and the manifest, and counts once.
#[test]
fn a_key_that_signed_the_inventory_and_the_manifest_is_one() {
    let test = scene();
    let [twice, once] = [(); 2].map(|()| rcgen::KeyPair::generate().unwrap());
    test.write("twice.pub", twice.public_key_pem());
    test.write("once.pub", once.public_key_pem());
    copy(&test, "fx/raw", "keys");
    let inventory = twice.sign(&test.read("keys/keypack.json")).unwrap();
    test.write("keys/keypack.json.twice.sig", inventory);
    let manifest = test.push("keys", "oci:n:v1").manifest_digest;
    sign_manifest(&test, &[&twice, &once], &manifest.to_string());

    let pull = "pull oci:n:v1 --verify-key twice.pub --verify-key";
    test.run(&format!("{pull} fx/other.pub --threshold 2 -o a")).fails(3, "threshold-not-met");
    let ran = test.run(&format!("{pull} once.pub --verify-key fx/other.pub --threshold 3 -o a"));
    let _ = ran.fails(3, "threshold-not-met").tells("3 of the given keys must have signed, and 2 did");
    assert!(!test.has("a"));
    let ran = test.run(&format!("{pull} once.pub --threshold 2 -o a")).exits(0);
    let _ = ran.tells("2 of 2 given keys signed");
    let log = test.run("state log --format json").exits(0).out;
    let (twice, once) = (fingerprint(&twice), fingerprint(&once));
    for signature in [
        format!("inventory-signature:{twice}"),
        format!("manifest-signature:{twice}"),
        format!("manifest-signature:{once}"),
    ] {
        assert!(log.contains(&signature), "{signature}: {log}");
    }
}

/// The SHA-256 of the key's SubjectPublicKeyInfo.
fn fingerprint(key: &rcgen::KeyPair) -> Digest {
    Digest::of(&key.subject_public_key_info())
}

/// Signs the manifest of the layout `n` as cosign does with `--new-bundle-format=false`.
fn sign_manifest(test: &Test, signers: &[&rcgen::KeyPair], manifest: &str) {
    let blob = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        test.write(&format!("n/blobs/sha256/{}", digest.hex()), bytes);
        json!({"digest": digest, "size": bytes.len()})
    };
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": "registry.example/trust"},
            "image": {"docker-manifest-digest": manifest},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    let payload = payload.to_string().into_bytes();
    let layer = |signer: &&rcgen::KeyPair| {
        let mut layer = blob(&payload);
        layer["mediaType"] = "application/vnd.dev.cosign.simplesigning.v1+json".into();
        let signature = BASE64_STANDARD.encode(signer.sign(&payload).unwrap());
        layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
        layer
    };
    let layers: Vec<_> = signers.iter().map(layer).collect();
    let mut config = blob(b"{}");
    config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let image = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
    let mut entry = blob(image.to_string().as_bytes());
    entry["mediaType"] = media_type.into();
    let tag = format!("{}.sig", manifest.replace(':', "-"));
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    let mut index = test.json("n/index.json");
    index["manifests"].as_array_mut().unwrap().push(entry);
    test.write("n/index.json", index.to_string());
}
