//! What `verify` found, as a value: JSON (`schemas/verify-v1.schema.json`) and text are written from it.
//!
//! The word "verified" is said of a whole run alone, and only where everything could be read and nothing is refused: of an image
//! it is said that its signature is good.

mod counts;
mod text;

use jiff::Timestamp;
use serde::Serialize;

use super::SourceReport;
use crate::{diag::Diagnostic, key::Fingerprint, oci::Digest};

pub use counts::VerifyCounts;
pub(crate) use text::render;

/// What a run of `verify` found, schema version 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Always 1.
    pub schema_version: u32,
    /// `verify`.
    pub command: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it did not end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Diagnostic>,
    /// The keys that everything was verified with.
    pub keys: KeysReport,
    /// Who was expected to sign.
    pub expected: ExpectedReport,
    /// The places that were read.
    pub sources: Vec<SourceReport>,
    /// The images, place by place.
    pub images: Vec<ImageVerdict>,
    /// Who made good signatures.
    pub signers: Vec<SignerCount>,
    /// Counts.
    pub counts: VerifyCounts,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything could be read, at least one image has a signature that counts, and nothing is refused.
    Verified,
    /// Something is refused, or a signature is missing.
    Refused,
    /// Nothing is refused, and not everything could be read.
    Incomplete,
}

/// The keys of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysReport {
    /// Whether they are from an authenticated pack; else whoever named the files vouches for them.
    pub authenticated: bool,
    /// What authenticated them.
    pub by: Vec<String>,
    /// When this host did, where it remembers that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The directory, or the files.
    pub from: Vec<String>,
    /// The pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackIdentity>,
    /// How many there are.
    pub count: usize,
}

/// A pack, by what people compare.
#[derive(Debug, Serialize)]
pub struct PackIdentity {
    /// The lineage.
    pub name: String,
    /// The version.
    pub version: u64,
    /// The pack digest.
    pub digest: Digest,
    /// When it was made.
    pub created: Timestamp,
    /// How old it is, in days.
    pub days: i64,
}

/// Who was expected to sign.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedReport {
    /// `rules`, `identity`, or `signer-keys` where the pack has no rules.
    pub by: &'static str,
    /// How many rules the pack has.
    pub rules: usize,
    /// The identity of the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The issuer of the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// An image, or the instance of a list for one platform.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageVerdict {
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
    /// The list that it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_of: Option<Digest>,
    /// Its platform, of an instance whose list says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The name that it was mirrored from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was found.
    pub state: VerifyState,
    /// The rule or flag that it is held to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Its signatures, each of which was judged.
    pub signatures: Vec<SignatureVerdict>,
    /// Signed statements about it that are no signatures.
    pub attestations: Vec<SignatureVerdict>,
    /// What else belongs to it: `notation`, `sbom`, ….
    pub others: Vec<String>,
    /// Why it is refused or unreadable, and what else is wrong.
    pub problems: Vec<Diagnostic>,
    /// Its name for people.
    #[serde(skip)]
    pub label: String,
}

/// What was found of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyState {
    /// A signature by an expected signer is good.
    Good,
    /// It is good by the list that it is an instance of, or by the instances that it lists.
    GoodByList,
    /// A signature is wrong and none is good, or a signature is required and none counts.
    Refused,
    /// Its signatures are good, and by nobody who is expected.
    Unexpected,
    /// It was read, and nothing signs it.
    Unsigned,
    /// It, or what may be its signature, could not be read.
    Unreadable,
    /// What signs it is of another kind: Notation, attestations, Docker schema 1.
    SignedOtherwise,
    /// The place names it and does not hold it.
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
    /// The manifest or file that holds it.
    pub at: String,
    /// What it was found to be.
    pub state: SignatureState,
    /// Who signed, where it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerReport>,
    /// Who it says that signed, where it is not: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Whose clock says so: `log`, `timestamp`, or `host` where nothing dates it and it was judged as of now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<&'static str>,
    /// Whether a transparency log holds it, where it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<bool>,
    /// The reference that the signer wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The predicate type, of a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// The first check that failed, or what is worth knowing of a good one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Diagnostic>,
}

/// What a signature was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// Good, by an expected signer.
    Good,
    /// Good, and not by an expected signer.
    Unexpected,
    /// It does not verify.
    Refused,
    /// It could not be read, or was not judged.
    Unreadable,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignerReport {
    /// The file of the key; of a certificate, that of its CA.
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

/// A signer with the good signatures by it.
#[derive(Debug, Serialize)]
pub struct SignerCount {
    /// Who.
    #[serde(flatten)]
    pub signer: SignerReport,
    /// Whether it is expected for all of these.
    pub expected: bool,
    /// Images that it signed.
    pub images: usize,
    /// Signatures that a transparency log holds.
    pub logged: usize,
    /// Signatures that none does.
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

    /// Whether a signature counts for it.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::GoodByList)
    }
}

impl SignerReport {
    /// For people: the key, or the identity with its issuer.
    pub fn name(&self) -> String {
        match (&self.identity, &self.issuer) {
            (Some(identity), Some(issuer)) => format!("{identity}, issuer {issuer}"),
            (Some(identity), None) => format!("{identity}, certified by {}", self.key),
            (None, _) => self.key.clone(),
        }
    }
}
