//! Where content lives: the one joint of the house.
//!
//! A [`Source`] holds images, a [`Sink`] takes an artifact. Each place is an arrangement over a namespace:
//! an OCI layout or registry storage, over a directory or over tar segments that are indexed by their headers
//! and never extracted. `Ok(None)` means "it is not there", `Err` means "I could not look".
//!
//! Nobody outside this room opens a blob by itself: [`fetch`] bounds every read and checks size and digest.

mod artifact;
pub mod auth;
mod crew;
mod dir;
mod error;
mod files;
mod foreign;
mod found;
mod image_set;
mod layout;
mod list;
mod location;
mod oc_mirror;
mod open;
mod recognise;
mod reference;
pub mod registry;
mod sink;
mod storage;

use std::io::Read;

pub use artifact::fetch_artifact;
pub use crew::Crew;
pub use dir::DirImages;
pub use error::ContentError;
pub use files::{Child, DirFiles, Files, OpenFile, Segments, TarFiles};
pub use image_set::{is_image_set, parse_image_set};
pub use layout::Layout;
pub use list::{ImageList, Images, ListError, ListedImage, locate, parse_list};
pub use location::{Location, LocationError, Selector};
pub(crate) use oc_mirror::WORKING_DIR;
pub use oc_mirror::{Caches, OcMirror, oc_mirror_path, oc_mirror_root};
pub use open::{Destination, open_destination, open_source};
pub use reference::{Host, ReferenceError, RegistryRef, is_repository, is_tag};
pub use sink::{ArchiveSink, LayoutSink, OcMirrorSink};
pub use storage::Storage;

use crate::{
    limits,
    oci::{Blob, BlobError, Descriptor, Digest, Document},
};

/// One manifest that a place can name without being asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The manifest. Media type and size may be unknown (registry storage keeps neither).
    pub descriptor: Descriptor,
    /// How it is named.
    pub name: Name,
}

/// How a place names a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// By a tag.
    Tag(String),
    /// Listed by digest only: an index.json entry without a tag, a revision without a tag.
    Untagged,
    /// Listed by nothing: a manifest with a `subject` that lies among the blobs. `cosign save` leaves these.
    Unlisted,
}

/// A signature that lies beside an image instead of in it: `signature-N` of a `dir:`, or of a lookaside tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name, for messages.
    pub name: String,
    /// Its bytes, as they lie there.
    pub bytes: Vec<u8>,
}

/// Whether a place may lawfully lack blobs that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// What it names is there; a missing blob is damage.
    Whole,
    /// An incremental archive or a cache: it names content that another archive holds.
    Partial,
}

/// A place that holds images.
pub trait Source: Sync {
    /// How messages name this place, as the user wrote it: `oci:mirror`, `docker://host/ns`.
    fn place(&self) -> String;

    /// The repositories. A place without names (a layout, a `dir:`) has one, the empty string.
    fn repositories(&self) -> Result<Vec<String>, ContentError>;

    /// All manifests that the place can enumerate: tags first, in name order, then those without.
    fn manifests(&self, repository: &str) -> Result<Vec<Listed>, ContentError>;

    /// What the repository names but can't tell, such as a tag whose link is empty: to be reported beside what
    /// [`Source::manifests`] lists, for it is no reason to leave the rest unread.
    fn problems(&self, _repository: &str) -> Result<Vec<ContentError>, ContentError> {
        Ok(Vec::new())
    }

    /// The manifest that a tag names now. `reference` may also be a digest.
    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError>;

    /// Opens a manifest or a blob, not checked in any way: only [`fetch`] calls this.
    fn open(&self, repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError>;

    /// What the place itself knows to refer to `subject` (a registry's referrers API). Fallback tags and
    /// manifests with a `subject` are found by `discover` through [`Source::manifests`].
    fn referrers(&self, _repository: &str, _subject: &Digest) -> Result<Vec<Descriptor>, ContentError> {
        Ok(Vec::new())
    }

    /// Signatures that lie beside the image as files, handed over one at a time: together they may be large.
    fn attachments(
        &self,
        _repository: &str,
        _image: &Digest,
        _take: &mut dyn FnMut(Attachment),
    ) -> Result<(), ContentError> {
        Ok(())
    }

    /// Signatures that lie in this place as files and name the image that they are for: claims, as all signatures are.
    fn loose(&self, _take: &mut dyn FnMut(Digest, Attachment)) -> Result<(), ContentError> {
        Ok(())
    }

    /// The manifests `0000_90_*` of OpenShift releases that lie beside the images: keys among them are claims.
    fn release_manifests(&self, _take: &mut dyn FnMut(Attachment)) -> Result<(), ContentError> {
        Ok(())
    }

    /// What to do where nothing could be read, or where much is missing.
    fn advice(&self) -> Option<&'static str> {
        None
    }

    /// Whether content whose digest tells what it is need not be read: every read costs, and what is asked is what the
    /// content says, not whether all of it is there.
    fn is_frugal(&self) -> bool {
        false
    }

    /// Who helps to read here: several answers may be waited for at once, several reads of one disk gain nothing.
    fn crew(&self) -> &Crew {
        Crew::alone()
    }

    /// Whether blobs may lawfully be missing here.
    fn completeness(&self) -> Completeness {
        Completeness::Whole
    }
}

/// A place that takes an artifact.
pub trait Sink {
    /// How messages name this place.
    fn place(&self) -> String;

    /// Stores the blobs, then the manifest, then lets `tag` name it. Until the last step nothing that the place
    /// held before changes; what was there already is not written again.
    fn put(&self, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError>;
}

/// An artifact in memory: a manifest and everything it names. Only small things travel like this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The manifest.
    pub manifest: Blob,
    /// The manifest's media type.
    pub media_type: String,
    /// The config and the layers, each once, in the order in which the manifest names them.
    pub blobs: Vec<Blob>,
}

/// What a [`Sink`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The manifest's digest.
    pub digest: Digest,
    /// Blobs and manifests that were written; 0 where all was there already.
    pub written: usize,
    /// Whether the tag had to be moved or made.
    pub tagged: bool,
}

/// Reads a blob: at most `limit` bytes, of exactly the size that the descriptor says, with its digest.
///
/// `Ok(None)`: the place does not have it.
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
    // One byte more than allowed tells "exactly the limit" from "longer".
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
