//! The results of operations, as values from which JSON (`schemas/report-v1.schema.json`) and text are generated.
//! Nothing here prints.

pub mod admission;
mod consumers;
mod counts;
mod diff;
mod ends;
pub mod export;
mod html;
mod images;
mod inventory;
mod label;
mod lines;
mod make;
mod open;
pub(crate) mod plan;
mod report_file;
pub mod revocation;
mod revoked_here;
mod sheet;
mod signature;
mod standing;
mod state;
mod text;
pub mod verify;
mod vouched;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    content::Doubt,
    diag::{Code, Diagnostic},
    display::shown,
    key::{Fingerprint, KeyRef, Provenance, Validity},
    oci::Digest,
    pack::{Change, Rotation},
};

pub(crate) use consumers::consumers;
pub use consumers::{CannotReport, ConsumerReport};
pub use counts::Counts;
pub(crate) use diff::{another_key, certificate, chain_side, diff, rule};
pub(crate) use ends::{End, ends, ends_table};
pub use images::Images;
pub(crate) use inventory::{InventoryFacts, inventory};
pub use open::OpenNeed;
pub(crate) use open::WhyMissing;
pub(crate) use report_file::{
    Before, Beside, Clock, Facts, Found, Handled, Input, PackPart, ReportAgainst, ReportFile, ReportForm,
    is_report,
};
pub use revoked_here::RevokedKey;
pub use sheet::SheetForm;
pub(crate) use sheet::{SheetFacts, Since, sheet};
pub use signature::{NeedReport, SignatureReport};
pub(crate) use standing::Standing;
pub use state::{ImageState, NeedState, Otherwise};
#[cfg(feature = "internals")]
pub use text::{Detail, render};
#[cfg(not(feature = "internals"))]
pub(crate) use text::{Detail, render};
pub use vouched::KeyStanding;

/// The result of a run, schema version 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always 1.
    pub schema_version: u32,
    /// `discover` or `collect`.
    pub command: &'static str,
    /// The locations that were read.
    pub sources: Vec<SourceReport>,
    /// The images, location by location.
    pub images: Images,
    /// The keys that verified a signature that needed them.
    pub keys: Vec<KeyReport>,
    /// The unmet needs, each once.
    pub open: Vec<OpenNeed>,
    /// Entries of key sources that can't be used.
    pub unusable: Vec<UnusableReport>,
    /// Logs in trusted roots without a start date. They are used here.
    pub undated: Vec<UnusableReport>,
    /// Key sources named by the user that no signature needs.
    pub unused: Vec<UnusedReport>,
    /// Keys on which two sources conflict.
    pub conflicts: Vec<ConflictReport>,
    /// Keys whose sources disagree on when they were in use.
    pub windows: Vec<WindowReport>,
    /// Keys that were not included because they are new at a place from which the existing pack has another key
    /// (`collect`).
    pub changed: Vec<Rotation>,
    /// Which consumer could verify which images (`discover --for`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<ConsumerReport>,
    /// Counts.
    pub counts: Counts,
    /// The pack that was written, or the unchanged existing one (`collect`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackReport>,
}

/// A location.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// The location as the user wrote it.
    pub place: String,
    /// The number of manifests read.
    pub read: usize,
    /// The number of manifests that it lists but does not contain.
    pub absent: usize,
    /// Problems with its entries.
    pub problems: Vec<Diagnostic>,
    /// The number of images, among these problems, for which not even the digest could be read. They are counted, but
    /// not in `images`.
    pub unreadable: usize,
}

/// A report that was written to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenReport {
    /// As the user named it.
    pub file: String,
    /// Its digest.
    pub sha256: Digest,
}

impl fmt::Display for WrittenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Report   {}, {}", shown(&self.file), self.sha256)
    }
}

/// An image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageReport {
    /// The location.
    pub source: String,
    /// The repository; empty if the location has none.
    pub repository: String,
    /// The tags.
    pub tags: Vec<String>,
    /// The digest.
    pub digest: Digest,
    /// The state of its signatures.
    #[serde(flatten)]
    pub state: ImageState,
    /// `image`, `index`, `artifact`, `absent` or `unreadable`.
    pub kind: &'static str,
    /// The artifact type, for an artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The index that it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_of: Option<Digest>,
    /// The signatures.
    pub signatures: Vec<SignatureReport>,
    /// Other artifacts of the image that are not signatures which keypack verifies: `notation`, `attestation`, `sbom`,
    /// `docker-schema1`, or the type of an artifact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Problems while reading it.
    pub problems: Vec<Diagnostic>,
    /// Why an image without signatures may have some nevertheless: `list`, `login` or `source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Its display name.
    #[serde(skip)]
    pub label: String,
}

/// Serialises a diagnostic as a part of the object that it concerns. Its message is then the `reason`.
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

/// A proved key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyReport {
    /// Role and id.
    pub key: KeyRef,
    /// Its name in keys/.
    pub name: String,
    /// The value that people compare.
    pub fingerprint: Fingerprint,
    /// Whether it is a GPG key whose self-signatures all use SHA-1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub weak: bool,
    /// Its sources.
    pub provenance: Vec<Provenance>,
    /// The number of signatures that it verified in this run.
    pub proofs: usize,
    /// Who gave the file that it is from (`collect`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_by: Option<String>,
}

/// An entry of a key source that can't be used.
#[derive(Debug, Serialize)]
pub struct UnusableReport {
    /// The source.
    pub source: String,
    /// The entry; `None` for the whole source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Why.
    #[serde(flatten, serialize_with = "as_reason")]
    pub problem: Diagnostic,
}

/// A key source named by the user that no signature needs.
#[derive(Debug, Serialize)]
pub struct UnusedReport {
    /// The source.
    pub source: String,
    /// sha256 of the document.
    pub sha256: Digest,
}

/// A key on which two sources conflict.
#[derive(Debug, Serialize)]
pub struct ConflictReport {
    /// The key.
    pub key: KeyRef,
    /// The sources.
    pub sources: Vec<String>,
}

/// A key whose sources disagree on when it was in use.
#[derive(Debug, Serialize)]
pub struct WindowReport {
    /// The key.
    pub key: KeyRef,
    /// The period that is used: the narrowest.
    pub used: Validity,
    /// The periods stated by the sources.
    pub stated: Vec<WindowStatement>,
}

/// The period of use that one source states for a key.
#[derive(Debug, Serialize)]
pub struct WindowStatement {
    /// The source.
    pub source: String,
    /// sha256 of the document.
    pub sha256: Digest,
    /// The period.
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
    /// The pack digest: the one to write down.
    pub digest: Digest,
    /// How it differs from the previous one.
    pub change: Change,
    /// The names of its key files.
    pub keys: Vec<String>,
    /// Key files that no signature in this run needed.
    pub kept: Vec<String>,
    /// Key files, of both kinds, with which no signature has verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unproved: Vec<String>,
}
