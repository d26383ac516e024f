//! What a place of images can be asked: [`Source`] for what every place can answer, and a small trait for each thing that
//! only some can.

use std::io::Read;

use super::ContentError;
use crate::{
    oci::{Descriptor, Digest},
    registry::Host,
    workers::WorkerPool,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completeness {
    /// What it names is there; a missing blob is damage.
    #[default]
    Whole,
    /// An incremental archive or a cache: it names content that another archive holds.
    Partial,
}

/// A place that holds images.
pub trait Source: Sync {
    /// How messages name this place, as the user wrote it: `oci:mirror`, `docker://host/ns`.
    fn place(&self) -> String;

    /// The registry that it is, or is in.
    fn host(&self) -> Option<&Host> {
        None
    }

    /// The repositories. A place without names (a layout, a `dir:`) has one, the empty string.
    fn repositories(&self) -> Result<Vec<String>, ContentError>;

    /// All manifests that the place can enumerate, one after the other: tags first, in name order, then those without.
    /// Among them, as errors, what it names but can't tell, such as a tag whose link is empty: that is no reason to leave
    /// the rest unread. `Err` is for a list that can't be read at all.
    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError>;

    /// The manifest that a tag names now. `reference` may also be a digest.
    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError>;

    /// Opens a manifest or a blob, not checked in any way: only [`fetch`](super::fetch) calls this.
    fn open(&self, repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError>;

    /// What only some places can do.
    fn abilities(&self) -> Abilities<'_> {
        Abilities::default()
    }

    /// What [`Source::list`] can tell, together.
    fn manifests(&self, repository: &str) -> Result<Vec<Listed>, ContentError> {
        let mut all = Vec::new();
        self.list(repository, &mut |listed| all.extend(listed))?;
        Ok(all)
    }
}

/// What a place can do beyond [`Source`], and what is special about it.
#[derive(Clone, Copy, Default)]
pub struct Abilities<'a> {
    /// It can be asked what refers to an image.
    pub referrers: Option<&'a dyn Referrers>,
    /// Another repository can be asked for the signatures of its images.
    pub signatures: Option<&'a dyn Referrers>,
    /// Signatures lie beside its images as files.
    pub sidecars: Option<&'a dyn Sidecars>,
    /// Signatures of images that may be elsewhere lie in it as files.
    pub detached: Option<&'a dyn DetachedSignatures>,
    /// It holds the manifests of OpenShift releases.
    pub releases: Option<&'a dyn ReleaseManifests>,
    /// It is read over a network.
    pub remote: Option<&'a dyn Remote>,
    /// Whether blobs may lawfully be missing.
    pub completeness: Completeness,
    /// What to do where nothing could be read, or where much is missing.
    pub advice: Option<&'static str>,
}

/// A place that knows what refers to an image (a registry's referrers API). Fallback tags and manifests with a `subject`
/// are found by `discover` through [`Source::list`].
pub trait Referrers: Sync {
    /// The manifests that refer to `subject`; as errors, what the list holds and nobody can read. `Err`: there is no list.
    fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Result<Descriptor, ContentError>>, ContentError>;
}

/// A place where signatures lie beside images as files.
pub trait Sidecars: Sync {
    /// Hands over the signatures of an image one at a time: together they may be large.
    fn attachments(
        &self,
        repository: &str,
        image: &Digest,
        take: &mut dyn FnMut(Attachment),
    ) -> Result<(), ContentError>;
}

/// A place where signatures lie as files that name the image that they are for: claims, as all signatures are.
pub trait DetachedSignatures: Sync {
    /// Hands over the signatures one at a time, each with the image that it names.
    fn detached(&self, take: &mut dyn FnMut(Digest, Attachment)) -> Result<(), ContentError>;
}

/// A place with the manifests `0000_90_*` of OpenShift releases beside the images: keys among them are claims.
pub trait ReleaseManifests: Sync {
    /// Hands over the manifests one at a time.
    fn release_manifests(&self, take: &mut dyn FnMut(Attachment)) -> Result<(), ContentError>;
}

/// A place where every read is a request.
pub trait Remote: Sync {
    /// The threads that may wait for answers side by side. Several reads of one disk gain nothing.
    fn workers(&self) -> &WorkerPool;
}

impl<'a> Abilities<'a> {
    /// The threads that help to read here.
    pub fn workers(&self) -> &'a WorkerPool {
        self.remote.map_or(WorkerPool::none(), Remote::workers)
    }
}
