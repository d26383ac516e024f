#![cfg_attr(fuzzing, no_main)]
//! Lists of images and oc-mirror's mapping.txt: what is read is written as a list and reads back the same.

use keypack::{
    content::{locate, parse_list},
    registry::Host,
};

/// Reads a list.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse_list(text) {
        Ok(list) => {
            let images = &list.images;
            let again: String = images
                .iter()
                .map(|image| match &image.destination {
                    Some(to) => format!("docker://{}=docker://{to}\n", image.source),
                    None => format!("docker://{}\n", image.source),
                })
                .collect();
            assert_eq!(parse_list(&again).map(|l| l.images).as_ref(), Ok(images), "{text:?}");
            let mirror = Host::parse("mirror:5000").unwrap();
            let names = |places: std::collections::BTreeMap<Host, keypack::content::Images>| {
                places.values().flat_map(|p| p.values()).map(Vec::len).sum::<usize>()
            };
            assert!(names(locate(images, None)) <= images.len());
            let there = locate(images, Some((&mirror, "ns")));
            assert!(there.keys().all(|host| *host == mirror), "an image outside of the mirror");
            assert!(images.is_empty() || names(there) > 0);
        }
        Err(e) => assert!(e.line >= 1 && e.line <= text.lines().count()),
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
