#![cfg_attr(fuzzing, no_main)]
//! The layer of a pack, in whatever compression: what comes out is a consistent pack, and packing it again gives the same files.

mod input;
mod packs;

/// Reads one layer as the layer of an image that says it is a pack.
pub fn run(data: &[u8]) {
    packs::accept(&packs::image(data));
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
