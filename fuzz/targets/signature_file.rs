#![cfg_attr(fuzzing, no_main)]
//! `signature-1` of a `dir:` and of lookaside trees.

mod input;
mod signatures;

use keypack::signature::{UntrustedSignature, UntrustedSimple};

/// Reads such a file.
pub fn run(data: &[u8]) {
    if let Ok(simple) = UntrustedSimple::parse_file(data) {
        signatures::judge(&UntrustedSignature::Simple(Box::new(simple)));
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
