#![cfg_attr(fuzzing, no_main)]
//! Files that say where mirrors are: mirror sets as YAML, registries.conf, mapping.txt.

use keypack::policy::mapping::{NameMap, Pull, parse_mapping_txt, parse_mirror_sets, parse_registries_conf};

/// Reads a mapping of each kind.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for map in [parse_mirror_sets(text), parse_registries_conf(text), parse_mapping_txt(text)].into_iter().flatten() {
        check(&map);
    }
}

fn check(map: &NameMap) {
    let mut twice = map.clone();
    twice.merge(map.clone());
    assert_eq!(twice, *map, "the same twice says more");
    for mirror in map.mirrors() {
        for pull in [Pull::Digest, Pull::Tag] {
            for source in map.sources(&format!("{mirror}/x"), pull) {
                assert!(source.ends_with("/x"), "{source} is not below the source of {mirror}");
            }
        }
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
