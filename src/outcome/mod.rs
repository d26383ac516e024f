//! What an operation found, as values. JSON (`schemas/report-v1.schema.json`) and text are written from the same value.
//! Nothing here prints.

mod counts;
mod diff;
mod ends;
mod images;
mod inventory;
mod label;
mod make;
mod open;
mod sheet;
mod signature;
mod standing;
mod state;
mod text;
pub mod verify;
mod vouched;

use serde::{Serialize, Serializer};

use crate::{
    content::Doubt,
    diag::{Code, Diagnostic},
    key::{Fingerprint, KeyRef, Provenance, Validity},
    oci::Digest,
    pack::{Change, Rotation},
};

pub use counts::Counts;
pub(crate) use diff::{another_key, certificate, chain_side, diff, rule};
pub(crate) use ends::{ends, ends_table};
pub use images::Images;
pub(crate) use inventory::inventory;
pub use open::OpenNeed;
pub(crate) use open::WhyMissing;
pub(crate) use sheet::{SheetFacts, sheet};
pub use signature::{NeedReport, SignatureReport};
pub(crate) use standing::Standing;
pub use state::{ImageState, NeedState, Otherwise};
#[cfg(feature = "internals")]
pub use text::{Detail, render};
#[cfg(not(feature = "internals"))]
pub(crate) use text::{Detail, render};
use vouched::{key_source, vouched_for_by};

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
    pub images: Images,
    /// The keys that verified a signature that needed them.
    pub keys: Vec<KeyReport>,
    /// The needs that stay open, each once.
    pub open: Vec<OpenNeed>,
    /// Entries of key sources that can't be used.
    pub unusable: Vec<UnusableReport>,
    /// Logs of trusted roots that do not say since when they are in use. They are used here.
    pub undated: Vec<UnusableReport>,
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
    pub problems: Vec<Diagnostic>,
    /// Images among that: not even their digest could be read. They are in the counts and not in `images`.
    pub unreadable: usize,
}

/// An image.
#[derive(Debug, Clone, Serialize)]
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
    /// What can be said of its signatures.
    #[serde(flatten)]
    pub state: ImageState,
    /// `image`, `index`, `artifact`, `absent` or `unreadable`.
    pub kind: &'static str,
    /// The artifact type, of an artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The list that it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_of: Option<Digest>,
    /// The signatures.
    pub signatures: Vec<SignatureReport>,
    /// What else belongs to it and is not a signature that keypack verifies: `notation`, `attestation`, `sbom`,
    /// `docker-schema1`, or the type of an artifact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// What could not be read of it.
    pub problems: Vec<Diagnostic>,
    /// Why an unsigned image may have signatures all the same: `list`, `login` or `source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Its name for people.
    #[serde(skip)]
    pub label: String,
}

/// Writes a diagnostic into the object of what it is about. There its text is the `reason`.
fn as_reason<S: Serializer>(problem: &Diagnostic, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Reason<'a> {
        code: Code,
        reason: &'a str,
        hint: &'a str,
    }
    Reason { code: problem.code, reason: &problem.message, hint: &problem.hint }.serialize(serializer)
}

#[allow(clippy::ref_option, reason = "serde hands it over so")]
fn as_optional_reason<S: Serializer>(problem: &Option<Diagnostic>, serializer: S) -> Result<S::Ok, S::Error> {
    match problem {
        Some(problem) => as_reason(problem, serializer),
        None => serializer.serialize_none(),
    }
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

/// An entry of a key source, with what is wrong with it.
#[derive(Debug, Serialize)]
pub struct UnusableReport {
    /// The source.
    pub source: String,
    /// The entry, unless it is the source as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Why.
    #[serde(flatten, serialize_with = "as_reason")]
    pub problem: Diagnostic,
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
    /// What is new in it.
    pub change: Change,
    /// The files of keys in it.
    pub keys: Vec<String>,
    /// Those that no signature of this run needed.
    pub kept: Vec<String>,
    /// Those of both that no signature has verified with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unproved: Vec<String>,
}
