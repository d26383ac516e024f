//! Reading manifests and indexes. The structs are ours: of a manifest keypack reads a dozen members, and the ways in which a
//! document could be two things at once have to be looked at before any type of a library sees it. A crate with the types
//! of the whole specification (`oci-spec`) refused documents for members that nobody here reads, such as an odd
//! `platform`, and cost 8 crates.

use crate::diag::Code;
use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Blob, Digest, DigestError, media};
use crate::limits;

/// A content descriptor (OCI image-spec v1.1, descriptor.md), as far as keypack reads one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type; empty where the place that named the content does not know it (registry storage).
    pub media_type: String,
    /// The digest.
    pub digest: Digest,
    /// The length in bytes; `None` where the place that named the content does not know it.
    pub size: Option<u64>,
    /// The annotations, in a stable order.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest of one image or artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    /// The media type of the manifest itself, where it says one.
    pub media_type: Option<String>,
    /// The artifact type, where it says one.
    pub artifact_type: Option<String>,
    /// The config.
    pub config: Descriptor,
    /// The layers, in their order.
    pub layers: Vec<Descriptor>,
    /// What this manifest refers to, where it is a referrer.
    pub subject: Option<Descriptor>,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
    /// Whether a descriptor names other places to fetch from. keypack never follows them.
    pub has_urls: bool,
}

/// A list of manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageIndex {
    /// The entries, in their order.
    pub manifests: Vec<Descriptor>,
    /// What this index refers to, where it is a referrer.
    pub subject: Option<Descriptor>,
    /// What is wrong with entries that are left out, of many the first.
    pub unreadable: Vec<ManifestError>,
}

/// What the bytes of a manifest turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// One image or artifact.
    Manifest(ImageManifest),
    /// A list of manifests.
    Index(ImageIndex),
}

/// Bytes that are not a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// Not JSON, too deep, or fields of the wrong type.
    #[error("{digest} is not a manifest: {reason}")]
    Form {
        /// Which manifest.
        digest: Digest,
        /// What the parser says.
        reason: String,
    },
    /// It can be read both as a manifest and as an index, or says a type that it is not (CVE-2021-41190).
    #[error("{digest} is ambiguous: {reason}")]
    Ambiguous {
        /// Which manifest.
        digest: Digest,
        /// What contradicts what.
        reason: String,
    },
    /// A descriptor holds a digest that keypack can't check.
    #[error("{digest} names content that can't be checked: {source}")]
    Digest {
        /// Which manifest.
        digest: Digest,
        /// The digest at fault.
        source: DigestError,
    },
    /// An entry of a list that is no descriptor.
    #[error("entry {number} of {digest} is not a descriptor: {reason}")]
    Entry {
        /// Which list.
        digest: Digest,
        /// Which entry, counting from 1.
        number: usize,
        /// What the parser says.
        reason: String,
    },
    /// A Docker schema 1 manifest, which carries its own signatures and no config.
    #[error("{digest} is a Docker schema 1 manifest")]
    Schema1 {
        /// Which manifest.
        digest: Digest,
    },
}

impl ManifestError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Form { .. } | Self::Entry { .. } => Code::ManifestMalformed,
            Self::Ambiguous { .. } => Code::ManifestAmbiguous,
            Self::Digest { .. } => Code::DigestUnsupported,
            Self::Schema1 { .. } => Code::ManifestSchema1,
        }
    }
}

/// The fields that tell what a document is, before it is read as that.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u64>,
    media_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    fs_layers: Option<IgnoredAny>,
    manifests: Option<IgnoredAny>,
}

/// A descriptor as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescriptorDto {
    media_type: String,
    digest: String,
    size: u64,
    urls: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
}

impl DescriptorDto {
    /// The descriptor, of the document with the digest `of`.
    fn read(self, of: Digest) -> Result<Descriptor, ManifestError> {
        let digest = self.digest.parse().map_err(|source| match source {
            DigestError::Algorithm(_) => ManifestError::Digest { digest: of, source },
            DigestError::Form(_) | DigestError::Length { .. } => {
                ManifestError::Form { digest: of, reason: source.to_string() }
            }
        })?;
        Ok(Descriptor {
            media_type: self.media_type,
            digest,
            size: Some(self.size),
            annotations: self.annotations.unwrap_or_default(),
        })
    }
}

/// A manifest as it is written. The members that tell the shape are in [`Shape`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestDto {
    artifact_type: Option<String>,
    config: DescriptorDto,
    layers: Vec<DescriptorDto>,
    subject: Option<DescriptorDto>,
    annotations: Option<BTreeMap<String, String>>,
}

/// An index as it is written.
#[derive(Deserialize)]
struct IndexDto<'a> {
    #[serde(borrow)]
    manifests: Vec<&'a RawValue>,
    subject: Option<DescriptorDto>,
}

impl Document {
    /// Reads a manifest or an index. The media type that a descriptor or a header claims plays no part: the
    /// document must say what it is, and say it once.
    pub fn parse(blob: &Blob) -> Result<Self, ManifestError> {
        let digest = blob.digest();
        let form = |e: serde_json::Error| ManifestError::Form { digest, reason: e.to_string() };
        // What is not read of a document must be text too (RFC 8259 §8.1): what other readers make of it is not known.
        let text = std::str::from_utf8(blob.bytes())
            .map_err(|e| ManifestError::Form { digest, reason: e.to_string() })?;
        let shape: Shape = serde_json::from_str(text).map_err(form)?;
        let ambiguous = |reason: &str| ManifestError::Ambiguous { digest, reason: reason.into() };
        let is_index = shape.manifests.is_some();
        let is_manifest = shape.layers.is_some() || shape.config.is_some();
        if is_index && (is_manifest || shape.fs_layers.is_some()) {
            return Err(ambiguous("it has the fields of a manifest and of an index"));
        }
        if shape.fs_layers.is_some() || shape.schema_version == Some(1) {
            return Err(ManifestError::Schema1 { digest });
        }
        if shape.schema_version.is_none() {
            return Err(ManifestError::Form { digest, reason: "it has no schemaVersion".into() });
        }
        match shape.media_type.as_deref() {
            Some(media::INDEX | media::DOCKER_LIST) if is_manifest => {
                return Err(ambiguous("its media type says index, its fields say manifest"));
            }
            Some(media::MANIFEST | media::DOCKER_MANIFEST) if is_index => {
                return Err(ambiguous("its media type says manifest, its fields say index"));
            }
            _ => {}
        }
        let descriptor = |dto: DescriptorDto| dto.read(digest);
        if is_index {
            let index: IndexDto<'_> = serde_json::from_str(text).map_err(form)?;
            let (mut manifests, mut unreadable) = (Vec::new(), Vec::new());
            for (at, raw) in index.manifests.iter().enumerate() {
                let entry = |reason: String| ManifestError::Entry { digest, number: at + 1, reason };
                let read = serde_json::from_str(raw.get()).map_err(|e| entry(e.to_string()));
                match read.and_then(descriptor) {
                    Ok(descriptor) => manifests.push(descriptor),
                    Err(_) if unreadable.len() == limits::UNREADABLE_ENTRIES => {}
                    Err(ManifestError::Form { reason, .. }) => unreadable.push(entry(reason)),
                    Err(e) => unreadable.push(e),
                }
            }
            Ok(Self::Index(ImageIndex {
                manifests,
                subject: index.subject.map(descriptor).transpose()?,
                unreadable,
            }))
        } else {
            let manifest: ManifestDto = serde_json::from_str(text).map_err(form)?;
            let has_urls = std::iter::once(&manifest.config)
                .chain(&manifest.layers)
                .any(|d| d.urls.as_ref().is_some_and(|urls| !urls.is_empty()));
            Ok(Self::Manifest(ImageManifest {
                media_type: shape.media_type,
                artifact_type: manifest.artifact_type,
                config: descriptor(manifest.config)?,
                layers: manifest.layers.into_iter().map(descriptor).collect::<Result<_, _>>()?,
                subject: manifest.subject.map(descriptor).transpose()?,
                annotations: manifest.annotations.unwrap_or_default(),
                has_urls,
            }))
        }
    }

    /// What this document refers to, where it is a referrer.
    pub const fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Manifest(manifest) => manifest.subject.as_ref(),
            Self::Index(index) => index.subject.as_ref(),
        }
    }
}

impl ImageIndex {
    /// The entries that can be read, then as errors those that can't.
    pub fn entries(self) -> impl Iterator<Item = Result<Descriptor, ManifestError>> {
        self.manifests.into_iter().map(Ok).chain(self.unreadable.into_iter().map(Err))
    }
}

impl Descriptor {
    /// A descriptor of which only the digest is known.
    pub const fn of_digest(digest: Digest) -> Self {
        Self { media_type: String::new(), digest, size: None, annotations: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests;
