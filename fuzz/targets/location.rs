#![cfg_attr(fuzzing, no_main)]
//! Locations as the user writes them. None leads to a host that the text does not name.

use keypack::content::Location;

/// Reads a location, with nothing on the disk and with everything.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for exists in [false, true] {
        match Location::parse(text, |_| exists) {
            Ok(place) => {
                if let Location::Registry(reference) = &place {
                    // Docker Hub's own images are in library/.
                    let name = reference.repository.trim_start_matches("library/");
                    assert!(text.contains(name), "{text:?}");
                }
                if let Some(path) = place.path() {
                    assert!(text.contains(path.to_str().unwrap()), "{text:?}");
                }
                let _ = (place.reference(), place.repository());
            }
            Err(e) => {
                assert!(!e.hint().is_empty());
                assert!(!e.to_string().chars().any(char::is_control), "{text:?}");
            }
        }
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
