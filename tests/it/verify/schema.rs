//! JSON output matches its schema.

use serde_json::Value;

use super::{IDENTITY, TRUST, Test, keep, pulled, storage};
use crate::support::program::LAB;

fn schema(name: &str) -> jsonschema::Validator {
    let path = format!("{LAB}/../../schemas/{name}.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn holds(schema: &jsonschema::Validator, json: &Value) {
    let errors: Vec<_> = schema.iter_errors(json).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn every_result_of_verify_satisfies_its_schema() {
    let schema = schema("verify-v1");
    let test = pulled(Some(
        "rules:\n  - scope: registry.example/key-tag-rekor1\n    signers: [{key: signer-43ef7bc8}]\n    log: required\n",
    ));
    test.layout("key-bundle-rekor1-oras", "torn");
    std::fs::remove_dir_all(test.path("torn/blobs")).unwrap();
    for line in [
        "verify storage".to_owned(),
        format!("verify storage {IDENTITY}"),
        format!("verify storage {TRUST} --require-signed"),
        "verify storage torn".to_owned(),
        "verify storage --platform linux/amd64 --require-log".to_owned(),
    ] {
        let ran = test.run(&format!("{line} --format json"));
        assert!([0, 4].contains(&ran.code), "{line}: {}", ran.err);
        let json = ran.json();
        holds(&schema, &json);
        assert_eq!(json["verdict"] == "verified", ran.code == 0, "{line}");
    }
    keep(&test, "key-tag-rekor1");
    holds(&schema, &test.run("verify storage --format json").exits(0).json());
}

#[test]
fn results_of_verify_blob_and_failures_satisfy_theirs() {
    let schema = schema("results-v1");
    let test = Test::new();
    storage(&test);
    holds(&schema, &test.run("verify storage --format json").exits(1).json());
    super::blob_file::take(&test, "keyless-bundle-rekor2");
    let line = "verify-blob --bundle b.json --trusted-root lab/trust/trusted_root.json";
    holds(&schema, &test.run(&format!("{line} {IDENTITY} file --format json")).exits(0).json());
    let ran = test.run(&format!("{line} --key lab/trust/cosign.pub file --format json")).exits(4);
    holds(&schema, &ran.json());
}
