#![cfg_attr(fuzzing, no_main)]
//! What is read of a release of OpenShift: its policy, the list of its images, and its layers. The parts are the layers of
//! an image, the uppermost last; the last part is read as a file too.

mod input;
mod places;

use keypack::{
    content::{Layout, image_files},
    limits,
    oci::{Descriptor, Digest, ImageManifest},
    policy::consumer::openshift::{ImageReferences, PayloadPolicy},
};

const PATH: &str = "release-manifests/image-references";

/// Layers are opened by their digests: the layout lists nothing.
const INDEX: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;

/// Reads them.
pub fn run(data: &[u8]) {
    let parts = input::parts(data);
    let Some(last) = parts.last() else { return };
    if let Ok(read) = ImageReferences::read(last) {
        assert!(read.images.iter().all(|image| image.image.ends_with(&image.digest.to_string())));
    }
    if let Some(Ok(Some(policy))) = std::str::from_utf8(last).ok().map(PayloadPolicy::read) {
        // What is rendered is rendered again alike.
        let again = PayloadPolicy::read(&policy.text).unwrap().unwrap();
        assert_eq!(again.summary, policy.summary);
    }
    let blobs: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).chain([INDEX.to_vec()]).collect();
    let descriptor = |bytes: &Vec<u8>| Descriptor {
        size: Some(bytes.len() as u64),
        ..Descriptor::of_digest(Digest::of(bytes))
    };
    let image = ImageManifest {
        media_type: None,
        artifact_type: None,
        config: descriptor(&blobs[blobs.len() - 1]),
        layers: blobs[..parts.len()].iter().map(descriptor).collect(),
        subject: None,
        annotations: std::collections::BTreeMap::new(),
        has_urls: false,
    };
    let layout = Layout::open("oci:fuzz", places::layout(&blobs)).unwrap();
    if let Ok(files) = image_files(&layout, "", &image, &[PATH], &|_| false) {
        assert!(files.values().all(|bytes| bytes.len() as u64 <= limits::IMAGE_FILE));
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
