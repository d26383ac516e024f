#![cfg_attr(fuzzing, no_main)]
//! References to images, hosts, tags and repositories: what is accepted is printed and reads back the same.

use keypack::{
    registry::{Host, RegistryRef, is_repository, is_tag},
    oci::Digest,
    tree::SafeName,
};

/// Reads a reference.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(reference) = text.parse::<RegistryRef>() {
        assert_eq!(reference.to_string().parse::<RegistryRef>().as_ref(), Ok(&reference), "{text:?}");
        assert!(is_repository(&reference.repository), "{text:?}");
        assert!(reference.tag.as_deref().is_none_or(is_tag), "{text:?}");
        assert!(!reference.to_string().chars().any(keypack::display::hidden), "{text:?}");
    }
    if let Ok(host) = Host::parse(text) {
        assert_eq!(Host::parse(host.as_str()).as_ref(), Ok(&host), "{text:?}");
        assert!(host.as_str().is_ascii() && !host.as_str().contains(['/', '@', ' ', '?', '#']), "{text:?}");
    }
    if is_repository(text) {
        assert!(!text.split('/').any(|part| part.is_empty() || part == ".."), "{text:?}");
    }
    if let Ok(name) = SafeName::new(text) {
        assert!(!name.as_str().starts_with(['.', '-']) && !text.contains(['/', '\\']), "{text:?}");
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
