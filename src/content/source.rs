//! The operations of a location with images: [`Source`] for those that all locations support, and a small trait for
//! each of the others.

use std::io::Read;

use serde::Serialize;

use super::ContentError;
use crate::{
    oci::{Descriptor, Digest},
    registry::Host,
    workers::WorkerPool,
};

/// One manifest that a location lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The manifest. Media type and size may be unknown (registry storage keeps neither).
    pub descriptor: Descriptor,
    /// Its name.
    pub name: Name,
}

/// How a location names a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// By a tag.
    Tag(String),
    /// Listed by digest only: an index.json entry without a tag, a revision without a tag.
    Untagged,
    /// Not listed: a manifest with a `subject` among the blobs. `cosign save` creates these.
    Unlisted,
}

/// A signature stored next to an image instead of in it: `signature-N` of a `dir:`, or of a lookaside tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name, for messages.
    pub name: String,
    /// Its content, unmodified.
    pub bytes: Vec<u8>,
}

/// Whether a location may legitimately lack blobs that it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completeness {
    /// Everything it refers to exists; a missing blob is damage.
    #[default]
    Whole,
    /// An incremental archive or a cache: it refers to content in other archives.
    Partial,
}

/// Why an image may have signatures although none was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Doubt {
    /// Only a tag list was read, which may be incomplete.
    List,
    /// The registry answers the referrers request with a login page.
    Login,
    /// The image that it was mirrored from is signed.
    Source,
}

/// A location with images.
pub trait Source: Sync {
    /// The location's name in messages, as the user wrote it: `oci:mirror`, `docker://host/ns`.
    fn place(&self) -> String;

    /// The registry, if it is one or is in one.
    fn host(&self) -> Option<&Host> {
        None
    }

    /// The repositories. A location without repository names (a layout, a `dir:`) has one, the empty string.
    fn repositories(&self) -> Result<Vec<String>, ContentError>;

    /// All manifests that the location can enumerate, one at a time: tags first, sorted by name, then those without a
    /// tag. Entries that can't be read, such as a tag with an empty link, are passed as errors, so that the rest is
    /// still read. `Err` is for a list that can't be read at all.
    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError>;

    /// The manifest that a tag currently refers to. `reference` may also be a digest.
    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError>;

    /// Opens a manifest or a blob without any checks: only [`fetch`](super::fetch) calls this.
    fn open(&self, repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError>;

    /// Whether images of this repository may have signatures that were not found. Called after everything was read.
    fn doubt(&self, _repository: &str) -> Option<Doubt> {
        None
    }

    /// The optional operations of this location.
    fn abilities(&self) -> Abilities<'_> {
        Abilities::default()
    }

    /// All manifests of [`Source::list`], without its errors.
    fn manifests(&self, repository: &str) -> Result<Vec<Listed>, ContentError> {
        let mut all = Vec::new();
        self.list(repository, &mut |listed| all.extend(listed))?;
        Ok(all)
    }
}

/// The optional operations and properties of a location.
#[derive(Clone, Copy, Default)]
pub struct Abilities<'a> {
    /// It can list the referrers of an image.
    pub referrers: Option<&'a dyn Referrers>,
    /// The signatures of its images can be read from another repository.
    pub signatures: Option<&'a dyn Referrers>,
    /// It has signatures as files next to its images.
    pub sidecars: Option<&'a dyn Sidecars>,
    /// It has signatures as files, for images that may be elsewhere.
    pub detached: Option<&'a dyn DetachedSignatures>,
    /// It has the manifests of OpenShift releases.
    pub releases: Option<&'a dyn ReleaseManifests>,
    /// The configurations that say what was mirrored.
    pub image_sets: Option<&'a dyn ImageSets>,
    /// It is read over a network.
    pub remote: Option<&'a dyn Remote>,
    /// Whether blobs may legitimately be missing.
    pub completeness: Completeness,
    /// Advice for the user if nothing could be read, or much is missing.
    pub advice: Option<&'static str>,
}

/// A location that can list the referrers of an image (a registry's referrers API). Fallback tags and manifests with a
/// `subject` are found by `discover` through [`Source::list`].
pub trait Referrers: Sync {
    /// The manifests that refer to `subject`; unreadable entries are returned as errors. `Err` if there is no list.
    fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Result<Descriptor, ContentError>>, ContentError>;
}

/// A location with signatures as files next to its images.
pub trait Sidecars: Sync {
    /// Passes on the signatures of an image one at a time, because together they may be large.
    fn attachments(
        &self,
        repository: &str,
        image: &Digest,
        take: &mut dyn FnMut(Attachment),
    ) -> Result<(), ContentError>;
}

/// A location with signatures as files that name their image: claims, like all signatures.
pub trait DetachedSignatures: Sync {
    /// Passes on the signatures one at a time, each with the image that it names.
    fn detached(&self, take: &mut dyn FnMut(Digest, Attachment)) -> Result<(), ContentError>;
}

/// A location with the manifests `0000_90_*` of OpenShift releases: keys in them are claims.
pub trait ReleaseManifests: Sync {
    /// Passes on the manifests one at a time.
    fn release_manifests(&self, take: &mut dyn FnMut(Attachment)) -> Result<(), ContentError>;
}

/// A location with the ImageSetConfigurations that oc-mirror was run with: claims about where images are from.
pub trait ImageSets: Sync {
    /// Passes on the configurations one at a time.
    fn image_sets(&self, take: &mut dyn FnMut(Attachment)) -> Result<(), ContentError>;
}

/// A location where every read is a request.
pub trait Remote: Sync {
    /// The threads that may wait for responses in parallel. Parallel reads of a local disk gain nothing.
    fn workers(&self) -> &WorkerPool;
}

impl<'a> Abilities<'a> {
    /// The worker pool for reading here.
    pub fn workers(&self) -> &'a WorkerPool {
        self.remote.map_or(WorkerPool::none(), Remote::workers)
    }
}
