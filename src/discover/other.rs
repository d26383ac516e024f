//! Artifacts of an image that are not signatures which keypack verifies. They are listed by kind.

use std::fmt;

use crate::{limits, oci::ImageManifest};

/// An artifact of an image that is neither a signature in one of cosign's forms nor an OpenPGP one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Other {
    /// A signature of Notation (Notary Project, signature-specification.md).
    Notation,
    /// An attestation outside a sigstore bundle: cosign's `.att` tag, an in-toto statement.
    Attestation,
    /// A bill of materials.
    Sbom,
    /// The image is a Docker schema 1 manifest, which contains its own signatures.
    Schema1,
    /// An artifact of this type that refers to the image.
    Artifact(String),
}

/// Prefixes of the media types that identify a referrer.
const TYPES: [(&str, Other); 9] = [
    ("application/vnd.cncf.notary.", Other::Notation),
    ("application/vnd.in-toto", Other::Attestation),
    ("application/vnd.dsse.", Other::Attestation),
    ("application/vnd.docker.attestation.", Other::Attestation),
    ("application/spdx", Other::Sbom),
    ("text/spdx", Other::Sbom),
    ("application/vnd.cyclonedx", Other::Sbom),
    ("application/vnd.syft", Other::Sbom),
    ("application/vnd.goharbor.harbor.sbom", Other::Sbom),
];

impl Other {
    /// The kind of a manifest without signatures that refers to an image: by its artifact type, the type of its config
    /// (OCI image-spec v1.1, "Guidelines for Artifact Usage"), or those of its layers.
    pub(super) fn of(manifest: &ImageManifest) -> Self {
        let stated = manifest.artifact_type.iter().chain([&manifest.config.media_type]);
        let layers = manifest.layers.iter().map(|layer| &layer.media_type);
        let known = |media_type: &String| {
            TYPES.iter().find(|(start, _)| media_type.starts_with(start)).map(|(_, other)| other.clone())
        };
        stated.clone().chain(layers.clone()).find_map(known).unwrap_or_else(|| {
            let says_nothing = |media_type: &&String| {
                media_type.is_empty()
                    || **media_type == crate::oci::media::EMPTY
                    || **media_type == crate::oci::media::CONFIG
            };
            let named = stated.chain(layers).find(|media_type| !says_nothing(media_type));
            let named = named.map_or("an unknown type", String::as_str);
            Self::Artifact(named.chars().take(limits::NAME).collect())
        })
    }

    /// The name in JSON and tables; for an artifact its type.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Notation => "notation",
            Self::Attestation => "attestation",
            Self::Sbom => "sbom",
            Self::Schema1 => "docker-schema1",
            Self::Artifact(media_type) => media_type,
        }
    }
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notation => "Notation signature",
            Self::Attestation => "attestation",
            Self::Sbom => "SBOM",
            Self::Schema1 => "Docker schema 1",
            Self::Artifact(media_type) => media_type,
        })
    }
}
