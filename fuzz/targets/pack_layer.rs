#![cfg_attr(fuzzing, no_main)]
//! The layer of a pack, in any compression: the result is a consistent pack, and packing it again gives the same
//! files.

mod input;
mod packs;

/// Reads one layer as the layer of an image that claims to be a pack.
pub fn run(data: &[u8]) {
    packs::accept(&packs::image(data));
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
