//! The hand-written schemas and the types hold each other: what the types write validates, and what a schema refuses
//! the types refuse too.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests read the files of the repository"
)]

use std::{fs, path::Path};

use keypack::pack::Inventory;
use serde_json::Value;

fn schema(name: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{name}.schema.json"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn samples(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/schema/pack-v1").join(folder);
    let mut samples: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&p).unwrap()))
        .collect();
    samples.sort();
    assert!(samples.len() > 1, "no samples in {folder}");
    samples
}

#[test]
fn valid_inventories_satisfy_schema_and_type_and_survive_a_round_trip() {
    let schema = schema("pack-v1");
    for (name, json) in samples("valid") {
        let value: Value = serde_json::from_slice(&json).unwrap();
        let errors: Vec<_> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let inventory = Inventory::parse(&json).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            String::from_utf8(inventory.to_json()).unwrap(),
            String::from_utf8(json).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn invalid_inventories_are_refused_by_schema_and_type() {
    let schema = schema("pack-v1");
    for (name, json) in samples("invalid") {
        let value: Value = serde_json::from_slice(&json).unwrap();
        assert!(!schema.is_valid(&value), "{name}: the schema accepts it");
        assert!(Inventory::parse(&json).is_err(), "{name}: the type accepts it");
    }
}

#[test]
fn what_a_schema_cannot_say_the_type_refuses() {
    for (name, json) in samples("inconsistent") {
        assert!(Inventory::parse(&json).is_err(), "{name}: the type accepts it");
    }
}
