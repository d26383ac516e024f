#![cfg_attr(fuzzing, no_main)]
//! The list of an export, by which a folder may be replaced: what is read is written back the same.

use keypack::export::Manifest;

/// Reads a list, writes it, reads it again.
pub fn run(data: &[u8]) {
    let Some(list) = Manifest::parse(data) else { return };
    let text = list.to_json();
    assert_eq!(Manifest::parse(text.as_bytes()), Some(list), "what was written is read");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
