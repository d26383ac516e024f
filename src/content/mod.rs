//! Where content is stored.
//!
//! A [`Source`] contains images, a [`Sink`] accepts an artifact. Each kind of location is a layout of files in a
//! namespace: an OCI layout or registry storage, in a directory or in tar segments that are indexed by their headers
//! and never extracted. `Ok(None)` means "it does not exist", `Err` means "it could not be determined".
//!
//! Only [`fetch`] opens a blob: it limits every read and checks size and digest.

mod artifact;
mod dir;
mod error;
mod files;
mod foreign;
mod found;
mod image_files;
mod image_set;
mod layout;
mod list;
mod location;
mod lookaside;
mod oc_mirror;
mod open;
mod recognise;
mod registry;
mod signature_repository;
mod sink;
mod source;
mod storage;

use std::io::Read;

pub use artifact::fetch_artifact;
pub use dir::DirImages;
pub use error::ContentError;
pub use files::{Child, DirFiles, Files, OpenFile, Segments, TarFiles};
pub use image_files::{ImageFiles, image_files};
pub use image_set::{additional_images, is_image_set, parse_image_set};
pub use layout::Layout;
pub use list::{ImageList, Images, ListError, ListedImage, copied, locate, parse_list};
pub use location::{Location, LocationError, Selector};
pub use lookaside::Lookaside;
pub(crate) use oc_mirror::WORKING_DIR;
pub use oc_mirror::{Caches, OcMirror, oc_mirror_path, oc_mirror_root};
pub use open::{Destination, open_destination, open_source};
pub use registry::{RegistrySource, Selection};
pub use signature_repository::SignatureRepository;
pub use sink::{ArchiveSink, LayoutSink, OcMirrorSink, RegistrySink};
pub use source::{
    Abilities, Attachment, Completeness, DetachedSignatures, Doubt, ImageSets, Listed, Name, Referrers,
    ReleaseManifests, Remote, Sidecars, Source,
};
pub use storage::Storage;

use crate::{
    limits,
    oci::{Blob, BlobError, Descriptor, Digest, Document},
};

/// A location to which an artifact can be written.
pub trait Sink {
    /// The location's name in messages.
    fn place(&self) -> String;

    /// Stores the blobs, then the manifest, then makes `tag` refer to it. The existing content does not change until
    /// the last step, and is not written again.
    fn put(&self, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError>;
}

/// An artifact in memory: a manifest and everything it refers to. Only for small artifacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The manifest.
    pub manifest: Blob,
    /// The manifest's media type.
    pub media_type: String,
    /// The config and the layers, without duplicates, in the order of the manifest.
    pub blobs: Vec<Blob>,
}

/// The result of writing to a [`Sink`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The manifest's digest.
    pub digest: Digest,
    /// The number of blobs and manifests written; 0 if everything existed already.
    pub written: usize,
    /// Whether the tag had to be created or moved.
    pub tagged: bool,
    /// A warning for the user if the file system has no locks.
    pub warning: Option<String>,
}

/// Reads a blob: at most `limit` bytes, of exactly the size in the descriptor, and with its digest.
///
/// `Ok(None)` if the location does not have it.
pub fn fetch(
    source: &dyn Source,
    repository: &str,
    blob: &Descriptor,
    limit: u64,
) -> Result<Option<Blob>, ContentError> {
    let too_large = |size| ContentError::TooLarge { digest: blob.digest, size, limit };
    if let Some(size) = blob.size.filter(|size| *size > limit) {
        return Err(too_large(Some(size)));
    }
    let Some(reader) = source.open(repository, blob)? else { return Ok(None) };
    let mut bytes = Vec::new();
    // One byte more than allowed distinguishes "exactly the limit" from "longer".
    let bound = blob.size.unwrap_or(limit).saturating_add(1);
    reader
        .take(bound)
        .read_to_end(&mut bytes)
        .map_err(|source| ContentError::read(format!("the content of {}", blob.digest), source))?;
    let actual = bytes.len() as u64;
    match blob.size {
        Some(expected) if expected != actual => {
            Err(BlobError::Size { digest: blob.digest, expected, actual }.into())
        }
        None if actual > limit => Err(too_large(None)),
        _ => Ok(Some(Blob::checked(blob.digest, bytes)?)),
    }
}

/// Reads a manifest or an index, bounded by [`limits::MANIFEST`].
pub fn fetch_manifest(
    source: &dyn Source,
    repository: &str,
    manifest: &Descriptor,
) -> Result<Option<(Blob, Document)>, ContentError> {
    let Some(blob) = fetch(source, repository, manifest, limits::MANIFEST)? else { return Ok(None) };
    let document = Document::parse(&blob)?;
    Ok(Some((blob, document)))
}
