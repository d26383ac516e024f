#![cfg_attr(fuzzing, no_main)]
//! `keypack.json`: what is accepted is written and reads back the same, without duplicates.

use std::collections::BTreeSet;

use keypack::pack::Inventory;

/// Reads an inventory.
pub fn run(data: &[u8]) {
    let Ok(inventory) = Inventory::parse(data) else { return };
    let json = inventory.to_json();
    assert_eq!(Inventory::parse(&json).expect("what is written is read"), inventory);
    let files: BTreeSet<_> = inventory.files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(files.len(), inventory.files.len(), "a file twice");
    let keys: BTreeSet<_> = inventory.keys.iter().map(keypack::pack::KeyRecord::key_ref).collect();
    assert_eq!(keys.len(), inventory.keys.len(), "a key twice");
    assert!(inventory.keys.iter().all(|k| files.contains(k.file.as_str())), "a key without its file");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
