use serde_json::Value;

use super::program::{TRUST, Test};

fn collected() -> (Test, String) {
    let test = Test::new();
    let ran = test.run(&format!(
        "collect lab/layouts/key-bundle-rekor1-oras lab/layouts/keyless-bundle-rekor2-oras {TRUST}"
    ));
    let digest = ran.exits(0).after("Pack: ");
    (test, digest)
}

#[test]
fn keys_and_packs_read_the_same() {
    let (test, digest) = collected();
    let of_keys = test.run("inspect keys --state elsewhere").exits(0);
    assert_eq!(of_keys.after("Pack: "), digest);
    let of_keys =
        of_keys.says("NOT AUTHENTICATED: ").says("Lineage default, version ").says("origin      rekor2.test");
    for form in ["image", "artifact"] {
        let pushed = test.run(&format!("push keys oci-archive:{form}.tar:keys --as {form}")).exits(0);
        let of_pack = test.run(&format!("inspect oci-archive:{form}.tar")).exits(0);
        let expected = format!("{}Digest: {}\n", of_keys.out, pushed.after("Digest: "));
        assert_eq!(of_pack.out, expected);
    }
    let fingerprint = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
    of_keys.says(fingerprint).says("vouched for by no one (the file trusted_root.json");
}

#[test]
fn what_this_host_collected_is_authenticated_and_nothing_else() {
    let (test, digest) = collected();
    test.push("keys", "oci:m:keys");
    for line in ["inspect keys --state elsewhere", "inspect oci:m:keys"] {
        test.run(line).exits(0).says("NOT AUTHENTICATED: ");
        let value = test.run(&format!("{line} --format json")).exits(0).json();
        assert_eq!(value["authenticated"], Value::Bool(false), "{line}");
    }
    test.run("inspect keys").exits(0).says("COLLECTED HERE at ");
    let value = test.run("inspect keys --format json").exits(0).json();
    assert_eq!(value["authenticated"], Value::Bool(true));
    assert_eq!(value["packDigest"].as_str(), Some(digest.as_str()));
    assert_eq!(value["inventory"], test.json("keys/keypack.json"));
}

#[test]
fn damage_is_told() {
    let (test, _) = collected();
    let mut root = test.json("keys/trusted_root.json");
    root["tlogs"] = serde_json::json!([]);
    test.write("keys/trusted_root.json", root.to_string());
    test.run("inspect keys").fails(3, "trusted-root-mismatch");
    test.run("inspect nope").fails(2, "usage");
    test.run("inspect oci:nope:keys").fails(1, "not-found");
    test.run("inspect lab/layouts/key-bundle-rekor1-oras").fails(1, "pack-not-found");
}

#[test]
fn hostile_text_of_an_inventory_is_escaped() {
    let (test, _) = collected();
    let mut inventory = test.json("keys/keypack.json");
    inventory["keys"][0]["provenance"][0]["source"] = "a\u{1b}[2Jb\u{202e}c".into();
    test.write("keys/keypack.json", inventory.to_string());
    let ran = test.run("inspect keys").exits(0);
    assert!(ran.out.contains("a\\u{1b}[2Jb\\u{202e}c"), "{}", ran.out);
}

#[test]
fn schemas_are_printed_by_name() {
    let test = Test::new();
    let names = test.run("schema").exits(0).out;
    assert_eq!(
        names,
        "admission-v1\nconfig-v1\nexport-v1\npack-v1\nreport-v1\nresults-v1\nverify-report-v1\nverify-v1\n"
    );
    assert_eq!(test.run("schema pack").exits(0).out, test.run("schema pack-v1").exits(0).out);
    for name in names.lines() {
        let schema = test.run(&format!("schema {name}")).exits(0).json();
        jsonschema::validator_for(&schema).unwrap();
        assert!(schema["$id"].as_str().unwrap().ends_with(name));
    }
    test.run("schema nope").fails(2, "schema-unknown").tells("`keypack schema` lists the names");
}
