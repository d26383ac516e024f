//! The keys: authenticated here, by an anchor, or not at all.

use super::{TRUST, Test, pulled, storage};

#[test]
fn keys_that_were_collected_here_are_not_authenticated() {
    let test = Test::new();
    storage(&test);
    let pack = test.run(&format!("collect storage {TRUST}")).exits(0).after("Pack: ");
    test.run("verify storage").fails(3, "keys-collected-here").tells("--digest");
    test.run(&format!("verify storage --digest {pack}")).exits(0).says("30 images verified");
    test.run(&format!("verify storage --digest sha256:{}", "0".repeat(64)))
        .fails(3, "anchor-digest-mismatch");
}

#[test]
fn keys_that_nobody_authenticated_are_refused() {
    let test = pulled(None);
    test.run("verify storage --state elsewhere").fails(3, "keys-not-authenticated");
    test.run("verify storage").exits(0).says("authenticated here on 20");
}

#[test]
fn keys_that_were_changed_after_the_pull_are_refused() {
    let test = pulled(None);
    let inventory = String::from_utf8(test.read("keys/keypack.json")).unwrap();
    test.write("keys/keypack.json", inventory.replacen("\"proved\": true", "\"proved\": false", 1));
    test.run("verify storage").fails(3, "keys-not-authenticated").tells("it was changed since");
    test.write("keys/keypack.json", &inventory);
    test.write("keys/signer-43ef7bc8.pub", test.read("keys/rekor-e69e8241.pub"));
    assert_eq!(test.run("verify storage").code, 3);
}

#[test]
fn an_anchor_that_travelled_with_the_keys_proves_nothing() {
    let test = pulled(None);
    test.write("keys-beside.pub", test.read("lab/trust/cosign.pub"));
    std::fs::create_dir(test.path("media")).unwrap();
    std::fs::rename(test.path("keys"), test.path("media/keys")).unwrap();
    test.write("media/keys/org.pub", test.read("lab/trust/cosign.pub"));
    let ran = test.run("verify storage --keys-dir media/keys --verify-key media/keys/org.pub");
    assert!(ran.code == 3 || ran.code == 1, "{}", ran.err);
}

#[test]
fn pins_authenticate_keys_and_leave_out_the_rules() {
    let rules = "rules:\n  - scope: registry.example/key-tag-rekor1\n    signers: [{key: signer-43ef7bc8}]\n    log: required\n";
    let test = pulled(Some(rules));
    let pins: String = test
        .run("inspect keys")
        .exits(0)
        .out
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pin "))
        .map(|pin| format!(" --pin {}", pin.trim()))
        .collect();
    let found = test.run(&format!("verify storage{pins} --format json")).exits(0).json();
    assert_eq!(found["expected"]["rules"], 0);
    assert_eq!(test.run("verify storage --format json").exits(0).json()["expected"]["rules"], 1);
}

#[test]
fn files_and_a_directory_of_keys_are_not_mixed() {
    let test = pulled(None);
    test.run("verify storage --keys-dir keys --key lab/trust/cosign.pub").exits(2);
    test.run(&format!("verify storage --key lab/trust/cosign.pub --digest sha256:{}", "0".repeat(64)))
        .fails(2, "usage");
}

#[test]
fn the_wrong_key_makes_nothing_good() {
    let test = pulled(None);
    let line = "verify oci:lab/layouts/key-tag-notlog-cosignsave --key rekor.pub";
    test.write("rekor.pub", test.read("lab/trust/rekor.pub"));
    let ran = test.run(&line.replace("--key ", "--key signer=")).fails(4, "images-refused");
    super::says_nothing_is_verified(ran.says("signature-does-not-match"));
}
