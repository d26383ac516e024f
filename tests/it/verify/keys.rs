//! The keys: authenticated here, by an anchor, or not at all.

use super::{TRUST, Test, keep, pulled, storage};

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
    // A file inside keys/ itself, even if only a list is read.
    test.write("list", "127.0.0.1:1/a:1\n");
    for place in ["storage", "--images list"] {
        test.run(&format!("verify {place} --verify-key keys/signer-43ef7bc8.pub"))
            .fails(3, "verify-key-from-pack");
    }
    // Next to the images, under any name.
    test.write("storage/org.pub", test.read("lab/trust/cosign.pub"));
    std::os::unix::fs::symlink("storage/org.pub", test.path("linked.pub")).unwrap();
    std::fs::hard_link(test.path("storage/org.pub"), test.path("hard.pub")).unwrap();
    for key in ["storage/org.pub", "linked.pub", "hard.pub"] {
        test.run(&format!("verify storage --verify-key {key}")).fails(3, "verify-key-from-pack");
    }
    // The configuration file that names the anchor, too.
    test.write("org.pub", test.read("lab/trust/cosign.pub"));
    test.write("storage/keypack.yaml", "verifyKeys: [../org.pub]\n");
    test.run("verify storage --config storage/keypack.yaml --state other").fails(3, "verify-key-from-pack");
    // A file that does not belong there makes the directory invalid as keys/.
    test.write("keys/org.pub", test.read("lab/trust/cosign.pub"));
    test.run("verify storage --verify-key keys/org.pub").fails(3, "file-not-in-inventory");
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/anchors");

#[test]
fn anchors_of_the_setting_authenticate_keys_that_were_not_pulled() {
    let test = Test::new();
    storage(&test);
    keep(&test, "key-tag-rekor1");
    test.layout_of(FIXTURES, "keys", "keys");
    for name in ["org", "other", "rsa"] {
        test.write(&format!("{name}.pub"), std::fs::read(format!("{FIXTURES}/{name}.pub")).unwrap());
        test.write(&format!("{name}.yaml"), format!("verifyKeys: [{name}.pub]\n"));
    }
    test.run("verify storage").fails(3, "keys-not-authenticated");
    test.run("verify storage --config org.yaml")
        .exits(0)
        .says("5 images verified")
        .says("authenticated by a signature");
    test.run("verify storage --config other.yaml").fails(3, "pack-signature-refused");
    // Anchors on the command line replace those of the same kind.
    test.run("verify storage --config other.yaml --verify-key org.pub").exits(0);
    test.run("verify storage --config org.yaml --verify-key other.pub").fails(3, "pack-signature-refused");
    test.write("both.yaml", "verifyKeys: {threshold: 2, keys: [org.pub, rsa.pub]}\n");
    test.run("verify storage --config both.yaml").exits(0);
    test.write("three.yaml", "verifyKeys: {threshold: 2, keys: [org.pub, other.pub]}\n");
    test.run("verify storage --config three.yaml").exits(3);
    let pins = test.run("inspect keys").exits(0).out;
    let pins = pins.lines().filter_map(|line| line.trim().strip_prefix("pin "));
    let pins: Vec<_> = pins.map(|pin| format!("  - {}\n", pin.trim())).collect();
    assert_eq!(pins.len(), 2);
    test.write("pins.yaml", format!("pins:\n{}", pins.concat()));
    test.run("verify storage --config pins.yaml").exits(0).says("the pins, as the exact set of keys");
    test.write("one.yaml", format!("pins:\n{}", pins[0]));
    test.run("verify storage --config one.yaml").exits(3);
    test.write("root.yaml", "tufRoots: [builtin]\n");
    test.run("verify storage --config root.yaml").exits(3);
    // They apply to keys that were not pulled: pulled keys have already been authenticated.
    let test = pulled(None);
    test.write("other.pub", std::fs::read(format!("{FIXTURES}/other.pub")).unwrap());
    test.write("other.yaml", "verifyKeys: [other.pub]\n");
    test.run("verify storage --config other.yaml").exits(0).says("authenticated here on 20");
    test.run("verify storage --config other.yaml --trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub")
        .exits(0)
        .says("NOT AUTHENTICATED");
    // The configured name must be the name of the keys.
    test.write("name.yaml", "name: plant-7\n");
    test.run("verify storage --config name.yaml").fails(3, "lineage-mismatch");
    test.run("verify storage --name default").exits(0);
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
