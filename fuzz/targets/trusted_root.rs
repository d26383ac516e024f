#![cfg_attr(fuzzing, no_main)]
//! `trusted_root.json`: what is read is written and read again as the same keys.

mod input;

use keypack::key::{Candidate, trusted_root};

/// Reads a trusted root.
pub fn run(data: &[u8]) {
    let Ok((candidates, _)) = trusted_root::read(data, &input::provenance()) else { return };
    let entries: Vec<_> = candidates
        .iter()
        .map(|c| trusted_root::Entry {
            role: c.role,
            id: c.key_ref(c.role, None).id,
            material: &c.material,
            url: c.url.as_deref(),
            validity: c.validity,
        })
        .collect();
    let json = trusted_root::write(&entries);
    let (again, unusable) = trusted_root::read(&json, &input::provenance()).expect("what is written is read");
    assert_eq!(unusable, []);
    let named = |all: &[Candidate]| {
        let each =
            all.iter().map(|c| (c.key_ref(c.role, None), c.material.to_pem(), c.url.clone(), c.validity.end));
        let mut each: Vec<_> = each.collect();
        each.sort();
        each
    };
    assert_eq!(named(&again), named(&candidates), "other keys came back");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
