//! `--verify-key`: the organisation's key, and signatures that are not by it or not for the pack.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{NEWER, OLD, copy, program::Test, scene};

/// Packs `keys` again as `n:lie`.
fn repacked(test: &Test) {
    test.push("keys", "oci:n:lie");
}

#[test]
fn a_signature_in_the_pack_by_each_kind_of_key() {
    let test = scene();
    for key in ["org", "p384", "ed25519", "rsa"] {
        for (form, place) in [("image", "oci:m:old"), ("artifact", "oci-archive:a.tar:old")] {
            if form == "artifact" && !test.has("a.tar") {
                test.run("push fx/keys oci-archive:a.tar:old --as artifact").exits(0);
            }
            let out = format!("{key}-{form}");
            let ran = test.run(&format!("pull {place} --verify-key fx/{key}.pub -o {out}")).exits(0);
            ran.tells("authenticated by a signature of the inventory by the key sha256:");
            assert_eq!(test.tree(&out), test.tree("fx/keys"), "signatures stay with the keys");
        }
    }
}

#[test]
fn a_bare_signature_by_each_kind_of_key() {
    let test = scene();
    test.push("fx/raw", "oci:m:raw");
    for key in ["p384", "ed25519", "rsa"] {
        let ran = test.run(&format!("pull oci:m:raw --verify-key fx/{key}.pub -o {key} --state s-{key}"));
        let ran = ran.exits(0).tells("authenticated by a signature of the inventory by the key sha256:");
        // Signatures by others stay, because the next enclave may have their keys; a message says that they were not
        // checked.
        let others = ["p384", "ed25519", "rsa"].into_iter().filter(|other| *other != key);
        for other in others {
            assert!(
                ran.err.contains(&format!(
                    "keypack.json.{other}.sig is a signature that does not say of what; not verified here"
                )),
                "{}",
                ran.err
            );
        }
        assert!(!ran.err.contains(&format!("keypack.json.{key}.sig is")), "{}", ran.err);
        assert_eq!(test.names(key), test.names("fx/raw"));
    }
    test.run("pull oci:m:raw --verify-key fx/org.pub -o out").fails(3, "pack-signature-refused");
    // In base64, as cosign's --output-signature writes it.
    copy(&test, "fx/raw", "keys");
    let text = BASE64_STANDARD.encode(test.read("keys/keypack.json.rsa.sig"));
    test.write("keys/keypack.json.rsa.sig", text + "\n");
    test.push("keys", "oci:m:text");
    test.run("pull oci:m:text --verify-key fx/rsa.pub -o text --state s-text").exits(0);
}

#[test]
fn one_of_several_keys_is_enough_and_the_digest_must_hold_too() {
    let test = scene();
    let pull = "pull oci:m:old --verify-key fx/other.pub --verify-key fx/p384.pub";
    test.run(&format!("{pull} -o a")).exits(0);
    test.run(&format!("{pull} --digest {OLD} -o b")).exits(0);
    test.run(&format!("{pull} --digest {NEWER} -o c")).fails(3, "anchor-digest-mismatch");
    let digest = format!("pull oci:m:old --digest {OLD} --verify-key fx/other.pub -o c");
    test.run(&digest).fails(3, "pack-signature-refused");
    assert!(!test.has("c"));
}

#[test]
fn a_signature_by_another_key() {
    let test = scene();
    test.run("pull oci:m:old --verify-key fx/other.pub -o out")
        .fails(3, "pack-signature-refused")
        .tells("keypack.json.sigstore.json was made by another key");
    assert!(!test.has("out"));
}

#[test]
fn no_signature_at_all() {
    let test = scene();
    copy(&test, "fx/keys", "keys");
    for name in test.names("keys").iter().filter(|n| n.ends_with(".sigstore.json")) {
        std::fs::remove_file(test.path(&format!("keys/{name}"))).unwrap();
    }
    repacked(&test);
    test.run("pull oci:n:lie --verify-key fx/org.pub -o out").fails(3, "pack-unsigned");
}

#[test]
fn a_good_signature_of_an_older_inventory() {
    let test = scene();
    copy(&test, "fx/newer", "keys");
    test.write("keys/keypack.json.sigstore.json", test.read("fx/keys/keypack.json.sigstore.json"));
    test.run("push keys oci:n:lie").fails(3, "signature-stale");
    // Another program packs it.
    for name in ["keypack.json", "trusted_root.json"] {
        assert_ne!(test.read(&format!("fx/keys/{name}")), test.read(&format!("keys/{name}")));
    }
    // A bundle that names the right digest over a signature of the old inventory.
    let named = |text: Vec<u8>| {
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        json["messageSignature"]["messageDigest"]["digest"].as_str().unwrap().to_owned()
    };
    let old = String::from_utf8(test.read("fx/keys/keypack.json.sigstore.json")).unwrap();
    let (was, is) =
        (named(old.clone().into_bytes()), named(test.read("fx/newer/keypack.json.sigstore.json")));
    test.write("keys/keypack.json.sigstore.json", old.replace(&was, &is));
    repacked(&test);
    test.run("pull oci:n:lie --verify-key fx/org.pub -o out").fails(3, "pack-signature-refused");
}

#[test]
fn a_signature_whose_hint_names_the_right_key() {
    // The hint of the other key's bundle is changed; hints select nothing here.
    let test = scene();
    copy(&test, "fx/keys", "keys");
    let hint = |name: &str| {
        let json: serde_json::Value = serde_json::from_slice(&test.read(name)).unwrap();
        json["verificationMaterial"]["publicKey"]["hint"].as_str().unwrap().to_owned()
    };
    let (org, rsa) = (hint("keys/keypack.json.sigstore.json"), hint("keys/keypack.json.rsa.sigstore.json"));
    let lie =
        String::from_utf8(test.read("keys/keypack.json.rsa.sigstore.json")).unwrap().replace(&rsa, &org);
    test.write("keys/keypack.json.sigstore.json", lie);
    repacked(&test);
    test.run("pull oci:n:lie --verify-key fx/org.pub -o out").fails(3, "pack-signature-refused");
    test.run("pull oci:n:lie --verify-key fx/rsa.pub -o out").exits(0);
}

#[test]
fn a_signature_with_a_certificate() {
    // The genuine signature of the organisation's key, with someone's certificate in place of the key.
    let test = scene();
    copy(&test, "fx/keys", "keys");
    let name = "keys/keypack.json.sigstore.json";
    let mut json: serde_json::Value = serde_json::from_slice(&test.read(name)).unwrap();
    let keyless = "lab/layouts/keyless-bundle-rekor1-oras/blobs/sha256";
    let blobs = test.names(keyless);
    let bundles = blobs.iter().filter_map(|b| {
        serde_json::from_slice::<serde_json::Value>(&test.read(&format!("{keyless}/{b}"))).ok()
    });
    let certificate = bundles
        .map(|bundle| bundle["verificationMaterial"]["certificate"].clone())
        .find(|certificate| !certificate.is_null())
        .unwrap();
    let material = json["verificationMaterial"].as_object_mut().unwrap();
    material.remove("publicKey").unwrap();
    material.insert("certificate".into(), certificate);
    test.write(name, json.to_string());
    for other in ["ed25519", "p384", "rsa"] {
        std::fs::remove_file(test.path(&format!("keys/keypack.json.{other}.sigstore.json"))).unwrap();
    }
    repacked(&test);
    test.run("pull oci:n:lie --verify-key fx/org.pub -o out")
        .fails(3, "pack-signature-refused")
        .tells("was made with a certificate (keyless), not with a key");
    assert!(!test.has("out"));
}

#[test]
fn a_damaged_signature_file_is_not_pushed() {
    let test = scene();
    copy(&test, "fx/keys", "keys");
    for damaged in ["{}", "", "MEUCIQDl8n2q", r#"{"base64Signature":"MEUCIQDl8n2q"}"#] {
        test.write("keys/keypack.json.aaa.sigstore.json", damaged);
        test.run("push keys oci:n:lie").fails(3, "signature-file").tells("--new-bundle-format");
        assert!(!test.has("n"), "{damaged}");
    }
}

#[test]
fn cosign_signed_the_manifest() {
    let test = scene();
    for form in ["bundle", "tag"] {
        let pull = format!("pull oci:fx/signed-{form}:v1 --verify-key");
        let ran = test.run(&format!("{pull} fx/org.pub -o {form}")).exits(0);
        assert_eq!(ran.after("Pack: "), OLD);
        ran.tells("authenticated by a signature of the manifest by the key sha256:");
        test.run(&format!("{pull} fx/other.pub -o no")).fails(3, "pack-signature-refused");
    }
    assert!(!test.has("no"));
}

#[test]
fn a_signature_of_the_manifest_that_cannot_be_read_is_not_an_unsigned_pack() {
    let test = scene();
    for (form, part) in [("bundle", "dsseEnvelope"), ("tag", "cosign container image signature")] {
        test.layout_of(super::FIXTURES, &format!("signed-{form}"), form);
        let blobs = format!("{form}/blobs/sha256");
        let names = test.names(&blobs).into_iter().map(|name| format!("{blobs}/{name}"));
        let content: Vec<_> =
            names.filter(|name| String::from_utf8_lossy(&test.read(name)).contains(part)).collect();
        assert_eq!(content.len(), 1, "{content:?}");
        let pull = format!("pull oci:{form}:v1 --verify-key fx/org.pub -o no");
        let damaged = vec![b'x'; test.read(&content[0]).len()];
        test.write(&content[0], damaged);
        test.run(&pull).fails(1, "digest-mismatch").tells("a signature of the manifest: ");
        std::fs::remove_file(test.path(&content[0])).unwrap();
        test.run(&pull).fails(1, "blob-missing").tells("a signature of the manifest: ");
    }
    assert!(!test.has("no"));
}

#[test]
fn an_attestation_about_the_manifest_is_no_signature() {
    let test = scene();
    test.run("pull oci:fx/signed-attested:v1 --verify-key fx/org.pub -o no")
        .fails(3, "pack-signature-refused");
}

#[test]
fn a_signature_of_the_manifest_that_moved_to_another() {
    // The tag of the signed image now names another pack of the same layout.
    let test = scene();
    test.layout_of(super::FIXTURES, "signed-bundle", "s");
    test.push("fx/newer", "oci:s:v2");
    copy(&test, "fx/newer", "keys");
    std::fs::remove_file(test.path("keys/keypack.json.sigstore.json")).unwrap();
    test.push("keys", "oci:s:v1");
    test.run("pull oci:s:v1 --verify-key fx/org.pub -o no").fails(3, "pack-unsigned");
}

#[test]
fn a_key_that_comes_with_the_pack() {
    let test = scene();
    copy(&test, "fx/keys", "keys");
    let signer = test.names("keys").into_iter().find(|n| n.starts_with("signer-")).unwrap();
    // The key of a signer in the pack, given as the organisation's key, from where the last pull wrote it.
    let line = format!("pull oci:m:old --verify-key keys/{signer} -o keys");
    test.run(&line).fails(3, "verify-key-from-pack");
    // From the location of the pack.
    test.write("m/org.pub", test.read("fx/org.pub"));
    test.run("pull oci:m:old --verify-key m/org.pub -o out").fails(3, "verify-key-from-pack");
    std::os::unix::fs::symlink("m/org.pub", test.path("link.pub")).unwrap();
    test.run("pull oci:m:old --verify-key link.pub -o out").fails(3, "verify-key-from-pack");
    assert!(!test.has("out"));
}

#[test]
fn a_verifying_key_is_one_public_key() {
    let test = scene();
    let two = [test.read("fx/org.pub"), test.read("fx/rsa.pub")].concat();
    test.write("two.pub", two);
    test.run("pull oci:m:old --verify-key two.pub -o out").fails(3, "verify-key-unusable");
    test.run("pull oci:m:old --verify-key lab/trust/fulcio.pem -o out").fails(3, "verify-key-unusable");
    test.run("pull oci:m:old --verify-key nope.pub -o out").fails(1, "key-file-not-found");
    test.write("empty.pub", "");
    test.run("pull oci:m:old --verify-key empty.pub -o out").fails(3, "key-malformed");
    assert!(!test.has("out"));
}

#[test]
fn an_ed25519_signature_is_pushed_with_a_warning_for_it_does_not_say_what_it_is_about() {
    let test = scene();
    test.run("push fx/keys oci:n:v1").exits(0).tells("keypack.json.ed25519.sigstore.json does not say");
}
