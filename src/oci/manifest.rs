//! Reads manifests and indexes. The structs are keypack's own: it reads only a dozen members of a manifest, and
//! documents that could be parsed as two different things must be detected before any library type sees them. A crate
//! with the types of the whole specification (`oci-spec`) refused documents because of members that are not needed
//! here, such as an odd `platform`, and cost 8 crates.

use crate::diag::Code;
use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Blob, Digest, DigestError, media};
use crate::limits;

/// A content descriptor (OCI image-spec v1.1, descriptor.md), limited to the members that keypack reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type; empty if the source of the descriptor does not know it (registry storage).
    pub media_type: String,
    /// The digest.
    pub digest: Digest,
    /// The length in bytes; `None` if the source of the descriptor does not know it.
    pub size: Option<u64>,
    /// The annotations, in a stable order.
    pub annotations: BTreeMap<String, String>,
}

/// The manifest of one image or artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    /// The media type of the manifest itself, if it states one.
    pub media_type: Option<String>,
    /// The artifact type, if it states one.
    pub artifact_type: Option<String>,
    /// The config.
    pub config: Descriptor,
    /// The layers, in order.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one refers to, if it is a referrer.
    pub subject: Option<Descriptor>,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
    /// Whether a descriptor lists external URLs to fetch from. keypack never follows them.
    pub has_urls: bool,
}

/// A list of manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageIndex {
    /// The entries, in order.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this index refers to, if it is a referrer.
    pub subject: Option<Descriptor>,
    /// The errors of entries that are left out; if there are many, only the first ones.
    pub unreadable: Vec<ManifestError>,
}

/// A parsed manifest or index.
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
        /// The parser's message.
        reason: String,
    },
    /// It can be parsed both as a manifest and as an index, or states a type that it does not have (CVE-2021-41190).
    #[error("{digest} is ambiguous: {reason}")]
    Ambiguous {
        /// Which manifest.
        digest: Digest,
        /// The contradiction.
        reason: String,
    },
    /// A descriptor has a digest that keypack can't verify.
    #[error("{digest} names content that can't be checked: {source}")]
    Digest {
        /// Which manifest.
        digest: Digest,
        /// What is wrong with the digest.
        source: DigestError,
    },
    /// An entry of a list that is not a descriptor.
    #[error("entry {number} of {digest} is not a descriptor: {reason}")]
    Entry {
        /// Which list.
        digest: Digest,
        /// Which entry, counting from 1.
        number: usize,
        /// The parser's message.
        reason: String,
    },
    /// A Docker schema 1 manifest, which contains its own signatures and no config.
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

/// The members that show what a document is, checked before it is parsed as that.
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

/// A descriptor in its JSON form.
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
    /// Converts it; `of` is the digest of the document that contains it.
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

/// A manifest in its JSON form. The members that determine its kind are in [`Shape`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestDto {
    artifact_type: Option<String>,
    config: DescriptorDto,
    layers: Vec<DescriptorDto>,
    subject: Option<DescriptorDto>,
    annotations: Option<BTreeMap<String, String>>,
}

/// An index in its JSON form.
#[derive(Deserialize)]
struct IndexDto<'a> {
    #[serde(borrow)]
    manifests: Vec<&'a RawValue>,
    subject: Option<DescriptorDto>,
}

impl Document {
    /// Parses a manifest or an index. The media type claimed by a descriptor or a header is ignored: the document
    /// itself must state its kind unambiguously.
    pub fn parse(blob: &Blob) -> Result<Self, ManifestError> {
        let digest = blob.digest();
        let form = |e: serde_json::Error| ManifestError::Form { digest, reason: e.to_string() };
        // The unread parts of a document must be valid text too (RFC 8259 §8.1), because other readers may use them.
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

    /// The manifest that this document refers to, if it is a referrer.
    pub const fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Manifest(manifest) => manifest.subject.as_ref(),
            Self::Index(index) => index.subject.as_ref(),
        }
    }
}

impl ImageIndex {
    /// The readable entries, followed by the errors of the others.
    pub fn entries(self) -> impl Iterator<Item = Result<Descriptor, ManifestError>> {
        self.manifests.into_iter().map(Ok).chain(self.unreadable.into_iter().map(Err))
    }
}

impl Descriptor {
    /// A descriptor with only a digest.
    pub const fn of_digest(digest: Digest) -> Self {
        Self { media_type: String::new(), digest, size: None, annotations: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests;
