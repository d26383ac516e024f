use serde::Serialize;

use crate::{
    discover::{Form, Image, Kind, Other},
    pack::media,
    resolve::{Resolution, Verdict},
    trust::Refusal,
};

/// What can be said of an image's signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ImageState {
    /// At least one signature of it could be read.
    Signed,
    /// It was read, and nothing signs it.
    Unsigned,
    /// It could not be read, or no signature of it could: nobody knows whether it is signed.
    Unreadable,
    /// What signs it is not a signature of the image by itself.
    SignedOtherwise {
        /// What it is.
        otherwise: Otherwise,
    },
    /// The place names it and does not hold it.
    NotHere,
    /// It is a pack of keys, made by keypack, and not one of the images.
    Pack,
}

/// What signs an image without being a signature that a policy for images takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// A signature of Notation.
    Notation,
    /// The image is a Docker schema 1 manifest, with the signatures in it.
    DockerSchema1,
    /// Only attestations: signed statements about the image.
    Attestation,
    /// Only a bill of materials.
    Sbom,
}

impl Otherwise {
    /// The first of what was found, in the order of what says most.
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

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Notation => "Notation",
            Self::DockerSchema1 => "Docker schema 1",
            Self::Attestation => "attestation",
            Self::Sbom => "SBOM only",
        }
    }
}

/// What became of a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedState {
    /// A key verified the signature.
    Have,
    /// No key was given.
    Missing,
    /// A key is at hand, and the signature says something against it.
    Refused,
    /// A key is at hand and nothing is against it, but the proof needs another key or other evidence.
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
    /// The state of an image, whose verdicts `resolution` has.
    pub(super) fn of(image: &Image<Verdict>, resolution: &Resolution) -> Self {
        let (mut signed, mut attested, mut unreadable) = (false, false, false);
        for signature in &image.signatures {
            let Ok(verdict) = &signature.content else {
                unreadable = true;
                continue;
            };
            let refusal = resolution.answers(verdict).and_then(|answers| answers.refusal.as_ref());
            match (refusal, signature.form) {
                // What was made for another image says nothing of this one.
                (Some(Refusal::OtherImage { .. }), _) => {}
                (Some(Refusal::Unreadable(_)), _) => unreadable = true,
                (_, Form::Attestation) => attested = true,
                _ => signed = true,
            }
        }
        match &image.kind {
            // Also a signed one: what signs it is for `pull`, which is told the key.
            Kind::Artifact(artifact_type) if artifact_type == media::KEYS => Self::Pack,
            _ if signed => Self::Signed,
            Kind::Unreadable => Self::Unreadable,
            // A tag or a list that could not be read may have held a signature.
            _ if unreadable || !image.problems.is_empty() => Self::Unreadable,
            kind => match Otherwise::of(&image.others, attested) {
                Some(otherwise) => Self::SignedOtherwise { otherwise },
                None if *kind == Kind::Absent => Self::NotHere,
                None => Self::Unsigned,
            },
        }
    }
}
