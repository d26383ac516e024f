//! Who may sign: the keys, and the expected signers.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    display::{count, shown},
    oci::Digest,
    outcome::RevokedKey,
};

/// The keys of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysReport {
    /// Whether they are from an authenticated pack; if not, the user who named the files vouches for them.
    pub authenticated: bool,
    /// What authenticated them.
    pub by: Vec<String>,
    /// When this host authenticated them, if that is in its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The directory, or the files.
    pub from: Vec<String>,
    /// The pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackIdentity>,
    /// The number of keys.
    pub count: usize,
    /// The keys of the pack that were revoked on this host, and do not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revoked_here: Vec<RevokedKey>,
}

/// Identifies a pack by what people compare.
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
    /// Its age in days.
    pub days: i64,
}

/// The expected signers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedReport {
    /// `rules`, `identity`, or `signer-keys` if the pack has no rules.
    pub by: &'static str,
    /// The number of rules in the pack.
    pub rules: usize,
    /// The identity given on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The issuer given on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl ExpectedReport {
    /// Who is expected to sign, in words.
    pub(in crate::outcome) fn summary(&self) -> String {
        match (&self.identity, self.rules) {
            (Some(identity), _) => {
                let issuer = self
                    .issuer
                    .as_deref()
                    .map_or_else(|| "a private CA".to_owned(), |issuer| format!("issuer {}", shown(issuer)));
                format!("{}, {issuer}, for every image", shown(identity))
            }
            (None, 0) => "those of the signer keys; there are no rules".into(),
            (None, rules) => {
                format!("as {} of the pack say; elsewhere its signer keys", count(rules, "rule"))
            }
        }
    }
}
