use serde::Serialize;

use crate::{
    discover::{Form, Image, Kind, Other},
    pack::media,
    resolve::{Resolution, Verdict},
    trust::Refusal,
};

/// The state of an image's signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ImageState {
    /// At least one of its signatures could be read.
    Signed,
    /// It was read, and has no signatures.
    Unsigned,
    /// It could not be read, or none of its signatures could: it is unknown whether it is signed.
    Unreadable,
    /// It has something other than a signature of the image itself.
    SignedOtherwise {
        /// What it has.
        otherwise: Otherwise,
    },
    /// The location lists it but does not contain it.
    NotHere,
    /// It is a pack of keys, made by keypack, and not one of the images.
    Pack,
}

/// Signature-like artifacts that image policies do not accept as signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// A signature of Notation.
    Notation,
    /// The image is a Docker schema 1 manifest, which contains signatures.
    DockerSchema1,
    /// Only attestations: signed statements about the image.
    Attestation,
    /// Only a bill of materials.
    Sbom,
}

impl Otherwise {
    /// The most informative of the artifacts found.
    fn of(others: &[Other], attested: bool) -> Option<Self> {
        let kinds = [
            (Other::Notation, Self::Notation),
            (Other::Schema1, Self::DockerSchema1),
            (Other::Attestation, Self::Attestation),
            (Other::Sbom, Self::Sbom),
        ];
        let found = |other: &Other| others.contains(other) || (attested && *other == Other::Attestation);
        kinds.into_iter().find(|(other, _)| found(other)).map(|(_, otherwise)| otherwise)
    }

    /// The display name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Notation => "Notation",
            Self::DockerSchema1 => "Docker schema 1",
            Self::Attestation => "attestation",
            Self::Sbom => "SBOM only",
        }
    }
}

/// Whether a need is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedState {
    /// A key verified the signature.
    Have,
    /// No key is available.
    Missing,
    /// A key is available, and the signature is evidence against it.
    Refused,
    /// A key is available and there is no evidence against it, but proving it requires another key or other evidence.
    Unproved,
}

impl NeedState {
    /// The name in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Have => "have",
            Self::Missing => "missing",
            Self::Unproved => "unproved",
            Self::Refused => "refused",
        }
    }
}

impl ImageState {
    /// The state of an image whose verdicts refer to `resolution`.
    pub(super) fn of(image: &Image<Verdict>, resolution: &Resolution) -> Self {
        let (mut signed, mut attested, mut unreadable) = (false, false, false);
        for signature in &image.signatures {
            let Ok(verdict) = &signature.content else {
                unreadable = true;
                continue;
            };
            let refusal = resolution.answers(verdict).and_then(|answers| answers.refusal.as_ref());
            match (refusal, signature.form) {
                // A signature made for another image says nothing about this one.
                (Some(Refusal::OtherImage { .. }), _) => {}
                (Some(Refusal::Unreadable(_)), _) => unreadable = true,
                (_, Form::Attestation) => attested = true,
                _ => signed = true,
            }
        }
        match &image.kind {
            // Even if it is signed: `pull` judges that, with a key given to it.
            Kind::Artifact(artifact_type) if **artifact_type == *media::KEYS => Self::Pack,
            _ if signed => Self::Signed,
            Kind::Unreadable => Self::Unreadable,
            // An unreadable tag or list may have contained a signature.
            _ if unreadable || !image.problems.is_empty() => Self::Unreadable,
            kind => match Otherwise::of(&image.others, attested) {
                Some(otherwise) => Self::SignedOtherwise { otherwise },
                None if *kind == Kind::Absent => Self::NotHere,
                None => Self::Unsigned,
            },
        }
    }
}
