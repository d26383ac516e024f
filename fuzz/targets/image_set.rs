#![cfg_attr(fuzzing, no_main)]
//! oc-mirror's ImageSetConfiguration: images only from hosts that it names.

use keypack::content::{is_image_set, parse_image_set};

/// Reads one.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = is_image_set(text);
    let Ok(set) = parse_image_set(text) else { return };
    assert!(set.images.len() <= text.len(), "more images than text");
    assert!(!set.images.iter().any(|i| i.source.to_string().chars().any(keypack::display::hidden)));
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
