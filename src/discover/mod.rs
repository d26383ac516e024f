//! Walks a source and finds the signatures of its images, in every form that cosign writes and wherever copying
//! tools leave them. It reads what a manifest *is*: neither a descriptor's `artifactType` (copying tools replace it
//! by `application/vnd.oci.empty.v1+json`) nor a tag's name decides what lies behind it.

mod carrier;
mod keep;
mod names;
mod other;
mod places;
mod store;
mod walk;

use std::{fmt, sync::Arc};

use crate::{
    content::Source, diag::Diagnostic, limits, oci::Digest, registry::Host, signature::UntrustedSignature,
};

pub use keep::{Keep, Whole};
pub use other::Other;
pub use places::{discover, discover_all};

/// What to look at.
pub struct Target<'a> {
    /// The place.
    pub source: &'a dyn Source,
    /// Only this image of it: a tag or a digest.
    pub only: Option<String>,
}

/// Everything that was found, places in the order given, images by repository and name; `S` is what is kept of a
/// signature.
#[derive(Debug)]
pub struct Discovery<S = UntrustedSignature> {
    /// The images.
    pub images: Vec<Image<S>>,
    /// The places, with what could be read there.
    pub places: Vec<Place>,
}

/// One place that was walked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// As the user wrote it.
    pub name: String,
    /// The registry, where it is one.
    pub host: Option<Host>,
    /// Manifests that could be read.
    pub read: usize,
    /// Manifests that the place names but does not hold.
    pub absent: usize,
    /// What it names but can't tell: a tag whose link is empty, a listed image that is not there.
    pub problems: Vec<Diagnostic>,
}

/// One image: a manifest or a list of manifests.
#[derive(Debug)]
pub struct Image<S = UntrustedSignature> {
    /// The place, as the user wrote it.
    pub place: Arc<str>,
    /// The repository; empty in places that have none.
    pub repository: Arc<str>,
    /// The tags.
    pub tags: Vec<String>,
    /// The digest.
    pub digest: Digest,
    /// What it is.
    pub kind: Kind,
    /// The list that it is an instance of, where it is there only as that.
    pub instance_of: Option<Digest>,
    /// Its signatures.
    pub signatures: Vec<FoundSignature<S>>,
    /// What else belongs to it and is not a signature that keypack verifies, each kind once.
    pub others: Vec<Other>,
    /// What could not be read of it.
    pub problems: Vec<Diagnostic>,
}

/// What an image turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A manifest of one image.
    Image,
    /// A list of manifests.
    Index,
    /// A manifest with an artifact type of its own.
    Artifact(String),
    /// A signature speaks for it, or a link names it, but it is not here.
    Absent,
    /// It is here and can't be read; its problems tell why.
    Unreadable,
}

/// One signature and where it was found.
#[derive(Debug)]
pub struct FoundSignature<S = UntrustedSignature> {
    /// Where.
    pub via: Via,
    /// What holds it.
    pub at: At,
    /// Its form.
    pub form: Form,
    /// The signature, or why it can't be read.
    pub content: Result<S, Diagnostic>,
}

/// What holds a signature.
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
    /// By the tag `sha256-<hex>.sig`.
    Tag,
    /// On the fallback tag `sha256-<hex>` (OCI distribution-spec, "Referrers Tag Schema").
    FallbackTag,
    /// By the registry's referrers API.
    Api,
    /// In the repository that holds signatures apart from their images.
    SignatureRepository,
    /// As a listed manifest with a `subject`.
    Referrer,
    /// As a listed manifest without a tag; the payload says which image it is for. `cosign save` writes these.
    Untagged,
    /// As a manifest with a `subject` that nothing lists. `cosign save` leaves these.
    Unlisted,
    /// As a file beside the image.
    File,
}

/// What could not be read, for a report. Of a long text it keeps the beginning: it may quote outside content.
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
    /// One that can't be read: it must not pass as "no signature".
    fn unreadable(via: Via, at: Digest, problem: Diagnostic) -> Self {
        // What the name says that it is: on the fallback tag and behind the API lie bundles.
        let form = if via == Via::Tag { Form::SimpleSigning } else { Form::Bundle };
        Self { via, at: At::Manifest(at), form, content: Err(problem) }
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
    /// The name for people: repository, or the last part of the place, with the tag or the first digits of the
    /// digest.
    pub fn label(&self) -> String {
        let place = self.place.trim_end_matches('/');
        // A place that names one tag (oci:DIR:TAG) ends with what the label says anyway; oci:v1 names a folder.
        let named =
            |tag: &String| place.strip_suffix(tag.as_str())?.strip_suffix(':').filter(|p| p.contains(':'));
        let place = self.tags.iter().find_map(named).unwrap_or(place);
        let place = place.rsplit(['/', ':']).next().unwrap_or_default();
        let name = if self.repository.is_empty() { place } else { &self.repository };
        let short = &self.digest.hex()[..12];
        match (self.tags.first(), self.instance_of) {
            // The digest as a tag is too long to be read.
            (Some(tag), None) if *tag == format!("sha256-{}", self.digest.hex()) => {
                format!("{name}@sha256:{short}…")
            }
            (Some(tag), None) => format!("{name}:{tag}"),
            (Some(tag), Some(_)) => format!("{name}:{tag}@{short}"),
            (None, _) => format!("{name}@{short}"),
        }
    }
}
