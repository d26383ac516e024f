//! Outcomes as values: what `discover` and `collect` found, for machines by `schemas/report-v1.schema.json` and for
//! people as text. Nothing here prints.

mod diff;
mod inventory;
mod make;
mod summary;
mod text;

use serde::Serialize;

use crate::{
    diag::Code,
    key::{Fingerprint, KeyRef, Provenance, Role, Validity},
    oci::Digest,
    pack::Rotation,
};

pub use diff::{another_key, certificate, chain_side, diff, rule};
pub use inventory::inventory;
pub use summary::{Counts, OpenNeed, WhyMissing};
pub use text::render;

/// What a run found, schema version 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always 1.
    pub schema_version: u32,
    /// `discover` or `collect`.
    pub command: &'static str,
    /// The places that were read.
    pub sources: Vec<SourceReport>,
    /// The images, place by place.
    pub images: Vec<ImageReport>,
    /// The keys that verified a signature that needed them.
    pub keys: Vec<KeyReport>,
    /// The needs that stay open, each once.
    pub open: Vec<OpenNeed>,
    /// Entries of key sources that can't be used.
    pub unusable: Vec<UnusableReport>,
    /// What the user named as a source of keys, and no signature needs.
    pub unused: Vec<UnusedReport>,
    /// Keys that two sources give differently.
    pub conflicts: Vec<ConflictReport>,
    /// Keys whose sources differ about when they were in use.
    pub windows: Vec<WindowReport>,
    /// Keys that are not taken, for they are new at a place that the pack in place has another key of (`collect`).
    pub changed: Vec<Rotation>,
    /// Counts.
    pub counts: Counts,
    /// The pack that was written, or that stands unchanged (`collect`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackReport>,
}

/// A place.
#[derive(Debug, Serialize)]
pub struct SourceReport {
    /// As the user wrote it.
    pub place: String,
    /// Manifests read.
    pub read: usize,
    /// Manifests that it names and does not hold.
    pub absent: usize,
    /// What it names but can't tell.
    pub problems: Vec<ProblemReport>,
}

/// An image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageReport {
    /// The place.
    pub source: String,
    /// The repository; empty where the place has none.
    pub repository: String,
    /// The tags.
    pub tags: Vec<String>,
    /// The digest.
    pub digest: Digest,
    /// `image`, `index`, `artifact`, `absent` or `unreadable`.
    pub kind: &'static str,
    /// The artifact type, of an artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The list that it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_of: Option<Digest>,
    /// The signatures; none: it is unsigned.
    pub signatures: Vec<SignatureReport>,
    /// What could not be read of it.
    pub problems: Vec<ProblemReport>,
    /// Its name for people.
    #[serde(skip)]
    pub label: String,
}

/// A signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureReport {
    /// `simple-signing`, `bundle`, `attestation` or `openpgp`.
    pub form: &'static str,
    /// How it was found: `tag`, `fallback-tag`, `referrers-api`, `referrer`, `untagged`, `unlisted`, `file`.
    pub found: &'static str,
    /// The manifest or file that holds it.
    pub at: String,
    /// The reference that the signer wrote into it: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The keys that it needs.
    pub needs: Vec<NeedReport>,
    /// Why it does not count, where its needs do not say so: it can't be read, is not about this image, or does not
    /// verify although its keys verify others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemReport>,
}

/// A need of one signature.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeedReport {
    /// The role of the key.
    pub role: Role,
    /// The key as the signature names it.
    pub id: String,
    /// `have`, `missing`, `unproved` (at hand, but the signature lacks another key or other evidence that the proof
    /// needs) or `refused`.
    pub state: &'static str,
    /// The key that meets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyRef>,
    /// The fingerprint of the signer key that the log entry names: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Digest>,
    /// Why it is refused: the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Why it is refused, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A key that is proved.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyReport {
    /// Role and id.
    pub key: KeyRef,
    /// Its name in keys/.
    pub name: String,
    /// What people compare.
    pub fingerprint: Fingerprint,
    /// Whether it is a GPG key whose self-signatures rest on SHA-1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub weak: bool,
    /// Who says that it is what it is for.
    pub provenance: Vec<Provenance>,
    /// Signatures that it verified in this run.
    pub proofs: usize,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemReport {
    /// The stable code.
    pub code: Code,
    /// What is true.
    pub message: String,
}

/// An entry of a key source that can't be used.
#[derive(Debug, Serialize)]
pub struct UnusableReport {
    /// The source.
    pub source: String,
    /// The entry.
    pub entry: String,
    /// The stable code.
    pub code: Code,
    /// Why.
    pub reason: String,
}

/// A source of keys that the user named and no signature needs.
#[derive(Debug, Serialize)]
pub struct UnusedReport {
    /// The source.
    pub source: String,
    /// sha256 of the document.
    pub sha256: Digest,
}

/// A key that two sources give differently.
#[derive(Debug, Serialize)]
pub struct ConflictReport {
    /// The key.
    pub key: KeyRef,
    /// The sources.
    pub sources: Vec<String>,
}

/// A key whose sources differ about when it was in use.
#[derive(Debug, Serialize)]
pub struct WindowReport {
    /// The key.
    pub key: KeyRef,
    /// The window that counts: the narrowest.
    pub used: Validity,
    /// What the sources say.
    pub stated: Vec<WindowStatement>,
}

/// What one source says about when a key was in use.
#[derive(Debug, Serialize)]
pub struct WindowStatement {
    /// The source.
    pub source: String,
    /// sha256 of the document.
    pub sha256: Digest,
    /// The window.
    pub validity: Validity,
}

/// A pack on disk.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackReport {
    /// The directory.
    pub directory: String,
    /// The lineage.
    pub name: String,
    /// The version.
    pub version: u64,
    /// The pack digest: write this one down.
    pub digest: Digest,
    /// `first`, `changed`, `refreshed` or `unchanged`.
    pub change: &'static str,
    /// The files of keys in it.
    pub keys: Vec<String>,
    /// Those that no signature of this run needed.
    pub kept: Vec<String>,
}
