//! Walks a source and finds the signatures of its images, in every form that cosign writes and wherever copying tools
//! leave them. The content of a manifest decides what it is, neither a descriptor's `artifactType` (copying tools
//! replace it by `application/vnd.oci.empty.v1+json`) nor the name of a tag.

mod carrier;
mod keep;
mod names;
mod other;
mod places;
mod store;
mod walk;

use std::{fmt, sync::Arc};

use thin_vec::ThinVec;

use crate::{
    content::Source, diag::Diagnostic, limits, oci::Digest, registry::Host, signature::UntrustedSignature,
};

pub use crate::content::Doubt;
pub(crate) use carrier::missing;
pub use keep::{Keep, Whole};
pub(crate) use names::{TagName, tag_name};
pub use other::Other;
pub use places::{discover, discover_all};

/// What to search.
pub struct Target<'a> {
    /// The location.
    pub source: &'a dyn Source,
    /// If set, only this image: a tag or a digest.
    pub only: Option<String>,
}

/// Everything that was found, locations in the given order, images by repository and name; `S` is the data kept for a
/// signature.
#[derive(Debug)]
pub struct Discovery<S = UntrustedSignature> {
    /// The images.
    pub images: Vec<Image<S>>,
    /// The locations, and how much of them could be read.
    pub places: Vec<Place>,
}

/// One location that was searched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Its name as the user wrote it.
    pub name: String,
    /// The registry, if it is one.
    pub host: Option<Host>,
    /// The number of manifests that were read.
    pub read: usize,
    /// The number of manifests that the location lists but does not contain.
    pub absent: usize,
    /// Problems with its entries: a tag with an empty link, a listed image that does not exist.
    pub problems: Vec<Diagnostic>,
    /// The number of images for which not even the digest could be read; each has a problem.
    pub unreadable: usize,
}

/// A repository of a location.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Home {
    /// The location as the user wrote it.
    pub place: Arc<str>,
    /// The repository; empty in locations without repositories.
    pub repository: Arc<str>,
}

/// One image: a manifest or a list of manifests. A mirror has many of them, so that it holds little where it is empty.
#[derive(Debug)]
pub struct Image<S = UntrustedSignature> {
    /// Where it is.
    pub home: Arc<Home>,
    /// The tags.
    pub tags: ThinVec<String>,
    /// The digest.
    pub digest: Digest,
    /// The kind of image.
    pub kind: Kind,
    /// The index that it is an instance of, if it is not listed by itself.
    pub instance_of: Option<Box<Digest>>,
    /// Its signatures.
    pub signatures: ThinVec<FoundSignature<S>>,
    /// Other artifacts of the image that are not signatures which keypack verifies, each kind once.
    pub others: ThinVec<Other>,
    /// Problems while reading it.
    pub problems: ThinVec<Diagnostic>,
    /// Why it may have signatures although none was found.
    pub doubt: Option<Doubt>,
}

/// The kind of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A manifest of one image.
    Image,
    /// A list of manifests.
    Index,
    /// A manifest with an artifact type of its own.
    Artifact(Box<str>),
    /// A signature or a link refers to it, but it is missing here.
    Absent,
    /// It exists but can't be read; the reasons are in its problems.
    Unreadable,
}

/// One signature and where it was found.
#[derive(Debug)]
pub struct FoundSignature<S = UntrustedSignature> {
    /// How it was found.
    pub via: Via,
    /// Its container.
    pub at: At,
    /// Its form.
    pub form: Form,
    /// The signature, or why it can't be read.
    pub content: Result<S, Box<Diagnostic>>,
}

/// The container of a signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// A manifest.
    Manifest(Digest),
    /// A file.
    File(Box<str>),
}

/// The form of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A simple-signing payload with cosign's annotations.
    SimpleSigning,
    /// A sigstore bundle made by `cosign sign`.
    Bundle,
    /// A sigstore bundle with another statement about the image.
    Attestation,
    /// An OpenPGP signed message.
    OpenPgp,
}

/// How a signature was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// With the tag `sha256-<hex>.sig`.
    Tag,
    /// On the fallback tag `sha256-<hex>` (OCI distribution-spec, "Referrers Tag Schema").
    FallbackTag,
    /// Through the registry's referrers API.
    Api,
    /// In the separate repository for signatures.
    SignatureRepository,
    /// As a listed manifest with a `subject`.
    Referrer,
    /// As a listed manifest without a tag; the payload states its image. `cosign save` writes these.
    Untagged,
    /// As an unlisted manifest with a `subject`. `cosign save` creates these.
    Unlisted,
    /// As a file next to the image.
    File,
}

/// A read error, for a report. A long message is truncated, because it may quote outside content.
fn problem(error: impl Into<Diagnostic>) -> Diagnostic {
    let mut problem = error.into();
    if let Some((end, _)) = problem.message.char_indices().nth(limits::ERROR_TEXT) {
        problem.message.truncate(end);
        problem.message.push('…');
    }
    problem
}

impl<S> Default for Discovery<S> {
    fn default() -> Self {
        Self { images: Vec::new(), places: Vec::new() }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(digest) => digest.fmt(f),
            Self::File(name) => f.write_str(name),
        }
    }
}

impl<S> FoundSignature<S> {
    /// An unreadable signature: it must not count as "no signature".
    fn unreadable(via: Via, at: Digest, problem: Diagnostic) -> Self {
        // The form suggested by the name: the fallback tag and the API refer to bundles.
        let form = if via == Via::Tag { Form::SimpleSigning } else { Form::Bundle };
        Self { via, at: At::Manifest(at), form, content: Err(Box::new(problem)) }
    }

    /// Whether it is unreadable and its image is unknown, so that it is recorded under the digest of its own manifest.
    fn is_for_nobody(&self, image: &Digest) -> bool {
        self.content.is_err() && self.at == At::Manifest(*image)
    }
}

impl Form {
    /// The name in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SimpleSigning => "simple-signing",
            Self::Bundle => "bundle",
            Self::Attestation => "attestation",
            Self::OpenPgp => "openpgp",
        }
    }
}

impl Via {
    /// The name in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::FallbackTag => "fallback-tag",
            Self::Api => "referrers-api",
            Self::SignatureRepository => "signature-repository",
            Self::Referrer => "referrer",
            Self::Untagged => "untagged",
            Self::Unlisted => "unlisted",
            Self::File => "file",
        }
    }
}

impl<S> Image<S> {
    /// An image of which nothing else is known.
    fn new(home: &Arc<Home>, digest: Digest, kind: Kind) -> Self {
        Self {
            home: Arc::clone(home),
            tags: ThinVec::new(),
            digest,
            kind,
            instance_of: None,
            signatures: ThinVec::new(),
            others: ThinVec::new(),
            problems: ThinVec::new(),
            doubt: None,
        }
    }

    /// The location as the user wrote it.
    pub fn place(&self) -> &str {
        &self.home.place
    }

    /// The repository; empty in locations without repositories.
    pub fn repository(&self) -> &str {
        &self.home.repository
    }

    /// The index that it is an instance of, if it is not listed by itself.
    pub fn list(&self) -> Option<Digest> {
        self.instance_of.as_deref().copied()
    }

    /// The display name: the repository, or the last part of the location, with the tag or the first digits of the
    /// digest.
    pub fn label(&self) -> String {
        let place = self.place().trim_end_matches('/');
        // A location with a tag (oci:DIR:TAG) already ends with it; oci:v1 is a directory.
        let named =
            |tag: &String| place.strip_suffix(tag.as_str())?.strip_suffix(':').filter(|p| p.contains(':'));
        let place = self.tags.iter().find_map(named).unwrap_or(place);
        let place = place.rsplit(['/', ':']).next().unwrap_or_default();
        let name = if self.repository().is_empty() { place } else { self.repository() };
        let short = &self.digest.hex()[..12];
        match (self.tags.first(), self.list()) {
            // A digest used as a tag is too long to be readable.
            (Some(tag), None) if *tag == format!("sha256-{}", self.digest.hex()) => {
                format!("{name}@sha256:{short}…")
            }
            (Some(tag), None) => format!("{name}:{tag}"),
            (Some(tag), Some(_)) => format!("{name}:{tag}@{short}"),
            (None, _) => format!("{name}@{short}"),
        }
    }
}
