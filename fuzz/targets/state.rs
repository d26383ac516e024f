#![cfg_attr(fuzzing, no_main)]
//! A host's state: a damaged one is an error; a good one is written and reads back the same.

mod input;

use std::{fs, os::unix::fs::PermissionsExt as _};

use keypack::{oci::Digest, state, tree::SafeName};

/// Reads a state, adds nothing, reads it again.
pub fn run(data: &[u8]) {
    let path = input::file("default.json", data);
    fs::set_permissions(input::folder(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    let lineage = SafeName::new("default").unwrap();
    let Ok(before) = state::load(&input::folder(), &lineage) else { return };
    let other = Digest::of(b"fuzz");
    let written = state::update(&input::folder(), &lineage, |state| {
        state.revoke(other.into(), other, jiff::Timestamp::UNIX_EPOCH);
        state.clone()
    });
    let Ok(written) = written else { return };
    let after = state::load(&input::folder(), &lineage).expect("what was written is read");
    assert_eq!(after, written);
    assert_eq!(after.highest(), before.highest());
    assert!(after.is_revoked(&other.into(), "/any".as_ref()));
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
