//! Locations to which an artifact can be written. Each adds the missing content and makes the tag refer to it by a
//! single rename at the end.

mod archive;
mod index_json;
mod layout;
mod oc_mirror;
mod registry;
mod rewrite;

pub use archive::ArchiveSink;
pub use layout::LayoutSink;
pub use oc_mirror::OcMirrorSink;
pub use registry::RegistrySink;

use super::{Artifact, ContentError, Files, layout::blob_path};
use crate::oci::Blob;

/// The marker file of a new layout.
const MARKER_BYTES: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The blobs of an artifact, without duplicates, the manifest last.
fn blobs(artifact: &Artifact) -> Vec<&Blob> {
    let mut blobs: Vec<&Blob> = Vec::new();
    for blob in artifact.blobs.iter().chain([&artifact.manifest]) {
        if !blobs.iter().any(|other| other.digest() == blob.digest()) {
            blobs.push(blob);
        }
    }
    blobs
}

/// The blobs of an artifact that a layout does not contain with exactly these bytes.
fn missing<'a>(files: &impl Files, artifact: &'a Artifact) -> Result<Vec<&'a Blob>, ContentError> {
    let mut missing = Vec::new();
    for blob in blobs(artifact) {
        if !holds(files, blob)? {
            missing.push(blob);
        }
    }
    Ok(missing)
}

fn holds(files: &impl Files, blob: &Blob) -> Result<bool, ContentError> {
    let path = blob_path(&blob.digest());
    Ok(files.size(&path)? == Some(blob.size())
        && files.read(&path, blob.size())?.is_some_and(|bytes| bytes == blob.bytes()))
}
