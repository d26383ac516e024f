#![cfg_attr(fuzzing, no_main)]
//! Manifests and indexes: what is accepted has one meaning, and its digests are those of the text.

use keypack::oci::{Blob, Document};
use serde_json::Value;

/// Reads a manifest or an index.
pub fn run(data: &[u8]) {
    let blob = Blob::new(data.to_vec());
    let Ok(document) = Document::parse(&blob) else { return };
    // A number that no float can hold, in a field that is not read, is skipped by the program and by Go's readers.
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let there = |name: &str| !value[name].is_null();
    let digest = |value: &Value| value["digest"].as_str().map(str::to_owned);
    match &document {
        Document::Manifest(manifest) => {
            assert!(!there("manifests") && !there("fsLayers"), "it is two things");
            assert_eq!(digest(&value["config"]), Some(manifest.config.digest.to_string()));
            let layers = value["layers"].as_array().expect("a manifest has layers");
            let texts: Vec<_> = layers.iter().filter_map(digest).collect();
            let digests: Vec<_> = manifest.layers.iter().map(|l| l.digest.to_string()).collect();
            assert_eq!(texts, digests);
        }
        Document::Index(index) => {
            assert!(!there("layers") && !there("config") && !there("fsLayers"), "it is two things");
            let children = value["manifests"].as_array().expect("an index has manifests");
            let digests: Vec<_> = index.manifests.iter().map(|l| l.digest.to_string()).collect();
            // Unreadable entries are left out and reported.
            assert_eq!(children.len() > digests.len(), !index.unreadable.is_empty());
            let mut texts = children.iter().filter_map(digest);
            assert!(digests.iter().all(|digest| texts.any(|text| text == *digest)));
        }
    }
    let subject = digest(&value["subject"]);
    assert_eq!(subject, document.subject().map(|s| s.digest.to_string()));
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
