#![cfg_attr(fuzzing, no_main)]
//! A host's policy.json with inline keys; a key that it names by path is looked up in an empty folder.

mod input;

use keypack::keysource::Gathered;

/// Reads a policy.
pub fn run(data: &[u8]) {
    // The input has no influence on the content of the disk.
    if String::from_utf8_lossy(data).contains("Path") || data.windows(2).any(|w| w == b"\\u") {
        return;
    }
    let mut gathered = Gathered::default();
    if gathered.add_policy(&input::file("policy.json", data)).is_err() {
        assert!(gathered.candidates.is_empty(), "a refused policy gave keys");
    }
    assert!(gathered.candidates.iter().all(|c| c.key.material.check_role(c.key.role).is_ok()), "a key in another's role");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
