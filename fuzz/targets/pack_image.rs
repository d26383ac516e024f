#![cfg_attr(fuzzing, no_main)]
//! A whole pack as an image: file names and contents are the input; the digests in its inventory are corrected first,
//! so that the code after that check is reached.

mod input;
mod packs;

/// Reads `name`, content, `name`, content… as a pack.
pub fn run(data: &[u8]) {
    let files = packs::consistent(&input::parts(data));
    packs::accept(&packs::image(&packs::tar(&files)));
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
