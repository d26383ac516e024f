//! The result of `verify`, as a value from which JSON (`schemas/verify-v1.schema.json`) and text are generated.
//!
//! The word "verified" is used only for a whole run in which everything could be read and nothing is refused. For an
//! image, the text says that its signature is good.

mod counts;
mod images;
mod keys;
mod text;

use jiff::Timestamp;
use serde::Serialize;

use super::{ConsumerReport, SourceReport, WrittenReport};
use crate::{diag::Diagnostic, key::Fingerprint, oci::Digest};

pub use counts::VerifyCounts;
pub use images::Images;
pub(crate) use images::{Change, MakeVerdict, Row};
pub use keys::{ExpectedReport, KeysReport, PackIdentity};
pub(crate) use text::render;

/// The result of a run of `verify`, schema version 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Always 1.
    pub schema_version: u32,
    /// `verify`.
    pub command: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Diagnostic>,
    /// The keys used for verification.
    pub keys: KeysReport,
    /// The expected signers.
    pub expected: ExpectedReport,
    /// The locations that were read.
    pub sources: Vec<SourceReport>,
    /// The images, location by location.
    pub images: Images,
    /// The signers of valid signatures.
    pub signers: Vec<SignerCount>,
    /// Counts.
    pub counts: VerifyCounts,
    /// Which consumer could verify which images (`--for`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<ConsumerReport>,
    /// The report that was written, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<WrittenReport>,
}

/// The verdict on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything could be read, at least one image has a signature that counts, and nothing is refused.
    Verified,
    /// Something is refused, or a signature is missing.
    Refused,
    /// Nothing is refused, but not everything could be read.
    Incomplete,
}

/// An image, or the instance of an index for one platform.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageVerdict {
    /// The location.
    pub source: String,
    /// The repository; empty if the location has none.
    pub repository: String,
    /// The tags.
    pub tags: Vec<String>,
    /// The digest.
    pub digest: Digest,
    /// `image`, `index`, `artifact`, `absent` or `unreadable`.
    pub kind: &'static str,
    /// The index that it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_of: Option<Digest>,
    /// Its platform, if it is an instance whose index states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The name that it was mirrored from, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The verdict.
    pub state: VerifyState,
    /// The rule or flag that applies to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Its signatures, all of which were judged.
    pub signatures: Vec<SignatureVerdict>,
    /// Signed statements about it that are not signatures.
    pub attestations: Vec<SignatureVerdict>,
    /// Its other artifacts: `notation`, `sbom`, ….
    pub others: Vec<String>,
    /// Why it is refused or unreadable, and other problems.
    pub problems: Vec<Diagnostic>,
    /// Its display name.
    #[serde(skip)]
    pub label: String,
}

/// The verdict on an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyState {
    /// It has a valid signature by an expected signer.
    Good,
    /// It is covered by the index that it is an instance of, or by its own instances.
    GoodByList,
    /// It has an invalid signature and no valid one, or a signature is required and none counts.
    Refused,
    /// Its signatures are valid, but none is by an expected signer.
    Unexpected,
    /// It was read, and has no signatures.
    Unsigned,
    /// It, or a possible signature of it, could not be read.
    Unreadable,
    /// It is signed in another way: Notation, attestations, Docker schema 1.
    SignedOtherwise,
    /// The location lists it but does not contain it.
    NotHere,
}

/// A signature that was judged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureVerdict {
    /// `simple-signing`, `bundle`, `attestation` or `openpgp`.
    pub form: &'static str,
    /// How it was found.
    pub found: &'static str,
    /// The manifest or file that contains it.
    pub at: String,
    /// The verdict.
    pub state: SignatureState,
    /// The signer, if it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerReport>,
    /// The claimed signer, if it is not: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The clock this time is from: `log`, `timestamp`, or `host` if nothing dates it and it was judged as of now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<&'static str>,
    /// Whether it is in a transparency log, if it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<bool>,
    /// The reference that the signer wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The predicate type, for a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// The first check that failed, or a remark on a valid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Diagnostic>,
}

/// The verdict on a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// Valid, by an expected signer.
    Good,
    /// Valid, but not by an expected signer.
    Unexpected,
    /// It does not verify.
    Refused,
    /// It could not be read, or was not judged.
    Unreadable,
}

/// A signer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignerReport {
    /// The file of the key; for a certificate, that of its CA.
    pub key: String,
    /// The fingerprint of that key.
    pub fingerprint: Fingerprint,
    /// The name in the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Its kind: `email`, `uri` or `dns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// The OIDC issuer in the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// A signer with their valid signatures.
#[derive(Debug, Serialize)]
pub struct SignerCount {
    /// The signer.
    #[serde(flatten)]
    pub signer: SignerReport,
    /// Whether the signer is expected for all of these images.
    pub expected: bool,
    /// The number of images signed.
    pub images: usize,
    /// The number of signatures in a transparency log.
    pub logged: usize,
    /// The number of signatures in none.
    pub unlogged: usize,
}

impl VerifyState {
    /// The word in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::GoodByList => "good-by-list",
            Self::Refused => "refused",
            Self::Unexpected => "unexpected",
            Self::Unsigned => "unsigned",
            Self::Unreadable => "unreadable",
            Self::SignedOtherwise => "signed-otherwise",
            Self::NotHere => "not-here",
        }
    }

    /// Whether it has a signature that counts.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::GoodByList)
    }
}

impl ImageVerdict {
    /// What is wrong with it, or else with a signature of it.
    pub(super) fn first_problem(&self) -> Option<&Diagnostic> {
        let of_signatures = || self.signatures.iter().filter_map(|s| s.problem.as_ref());
        self.problems.first().or_else(|| of_signatures().next())
    }
}

impl SignerReport {
    /// The display name: the key, or the identity with its issuer.
    pub fn name(&self) -> String {
        match (&self.identity, &self.issuer) {
            (Some(identity), Some(issuer)) => format!("{identity}, issuer {issuer}"),
            (Some(identity), None) => format!("{identity}, certified by {}", self.key),
            (None, _) => self.key.clone(),
        }
    }
}
