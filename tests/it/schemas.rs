//! The hand-written schemas and the types check each other: what the types write validates, and what a schema rejects
//! the types reject too.

use std::{fs, path::Path};

use keypack::{config::Config, diag::Diagnostic, pack::Inventory};
use serde_json::Value;

pub(super) fn schema(name: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{name}.schema.json"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn samples(folder: &str) -> Vec<(String, Vec<u8>)> {
    samples_of("pack-v1", folder)
}

fn samples_of(schema: &str, folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/schema").join(schema).join(folder);
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

/// A configuration with both readers: the schema checks what any YAML reader makes of it.
fn both(validator: &jsonschema::Validator, yaml: &[u8]) -> (Option<bool>, Result<Config, String>) {
    let text = std::str::from_utf8(yaml).unwrap();
    // As YAML 1.2 defines it: `no` is a string.
    let plain = serde_saphyr::options! { strict_booleans: true };
    let value: Option<Value> = serde_saphyr::from_str_with_options(text, plain).ok();
    let parsed = Config::parse(text, Path::new("etc/keypack.yaml"));
    (
        value.map(|value| validator.is_valid(&value)),
        parsed.map_err(|e| format!("{e} | {}", Diagnostic::from(e.clone()).hint)),
    )
}

#[test]
fn valid_settings_satisfy_schema_and_type() {
    let schema = schema("config-v1");
    for (name, yaml) in samples_of("config-v1", "valid") {
        let (valid, parsed) = both(&schema, &yaml);
        assert_eq!(valid, Some(true), "{name}: the schema refuses it");
        assert!(parsed.is_ok(), "{name}: {}", parsed.unwrap_err());
    }
}

#[test]
fn invalid_settings_are_refused_by_schema_and_type_with_the_place() {
    let schema = schema("config-v1");
    for (name, yaml) in samples_of("config-v1", "invalid") {
        let (valid, parsed) = both(&schema, &yaml);
        assert_eq!(valid, Some(false), "{name}: the schema accepts it");
        let error = parsed.err().unwrap_or_else(|| panic!("{name}: the type accepts it"));
        assert!(error.starts_with("etc/keypack.yaml:"), "{name}: {error} does not say where");
    }
}

#[test]
fn settings_that_a_schema_cannot_refuse_the_type_refuses_with_the_place() {
    for (name, yaml) in samples_of("config-v1", "inconsistent") {
        let parsed = Config::parse(std::str::from_utf8(&yaml).unwrap(), Path::new("k.yaml"));
        let error = parsed.err().unwrap_or_else(|| panic!("{name}: the type accepts it"));
        assert!(error.at().is_some(), "{name}: {error} does not say where");
    }
}
