#![cfg_attr(fuzzing, no_main)]
//! `trusted_root.json`: what is read is written and reads back as the same keys.

mod input;

use keypack::key::{Candidate, trusted_root};

/// Reads a trusted root.
pub fn run(data: &[u8]) {
    let Ok(trusted_root::Contents { candidates, .. }) = trusted_root::read(data, &input::provenance()) else { return };
    let entries: Vec<_> = candidates.iter().map(|c| trusted_root::Entry::from(&c.key)).collect();
    let json = trusted_root::write(&entries);
    let again = trusted_root::read(&json, &input::provenance()).expect("what is written is read");
    assert_eq!((again.unusable.len(), again.undated.len()), (0, 0));
    let named = |all: &[Candidate]| {
        let each =
            all.iter().map(|Candidate { key, .. }| {
                (key.key_ref(), key.material.to_pem(), key.url.clone(), key.validity.end)
            });
        let mut each: Vec<_> = each.collect();
        each.sort();
        each
    };
    assert_eq!(named(&again.candidates), named(&candidates), "other keys came back");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
