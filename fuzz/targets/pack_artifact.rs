#![cfg_attr(fuzzing, no_main)]
//! A whole pack in the artifact form, one raw layer per file; digests are corrected as for `pack_image`. The two
//! forms of the same files are the same pack.

mod input;
mod packs;

/// Reads `name`, content, `name`, content… as a pack.
pub fn run(data: &[u8]) {
    let files = packs::consistent(&input::parts(data));
    let raw = packs::accept(&packs::layers(&files));
    let image = packs::accept(&packs::image(&packs::tar(&files)));
    if let (Some(raw), Some(image)) = (&raw, &image) {
        assert_eq!(raw, image, "two forms of one pack differ");
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
