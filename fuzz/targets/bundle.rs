#![cfg_attr(fuzzing, no_main)]
//! sigstore bundles: read, resolved for their needs, judged. None counts for an image that it does not name.

mod input;
mod signatures;

/// Reads a bundle.
pub fn run(data: &[u8]) {
    signatures::bundle(data);
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
