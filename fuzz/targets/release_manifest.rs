#![cfg_attr(fuzzing, no_main)]
//! Manifests of a release payload: a key in one is accepted only if its fingerprint is in the built-in table.

use keypack::{key::well_known, keysource::Gathered};

/// Reads one.
pub fn run(data: &[u8]) {
    let mut gathered = Gathered::default();
    gathered.add_release_manifest("release-manifests/0000_90_x.yaml", data);
    for candidate in &gathered.candidates {
        assert!(well_known(candidate.key.key_ref()).is_some(), "a claim became a key");
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
