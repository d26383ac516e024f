//! What each version of a consumer can verify, as data: `consumers/*.json`. What a consumer can do is a matter of the library that
//! it is built with, so features belong to versions of libraries, and a consumer's version is a row that names its library's.
//! Each row has its source.

mod table;

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::Deserialize;

pub use table::{Table, TableError, digest};

/// A version: `5.33.0`, `4.22`, `9`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u32>);

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        parts
            .ok()
            .filter(|parts| is_plain && (1..=3).contains(&parts.len()))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a version"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

impl Version {
    /// Whether it is one of those that a shorter version stands for: `9.4` of `9`.
    fn is_of(&self, shorter: &Self) -> bool {
        self.0.starts_with(&shorter.0)
    }
}

/// Something that a library learned in some version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// GPG signatures beside images.
    SimpleSigning,
    /// Several files with GPG keys.
    SeveralGpgFiles,
    /// Signatures at the tag `sha256-<hex>.sig`.
    TagSignatures,
    /// Entries of a Rekor v1 log.
    Rekor,
    /// Several keys, any of which may sign.
    SeveralKeys,
    /// Several logs, any of which may hold the entry.
    SeveralLogs,
    /// Certificates of Fulcio with an e-mail address.
    FulcioEmail,
    /// Certificates of Fulcio with any identity, also compared with a regular expression.
    FulcioIdentity,
    /// Certificates of a private CA.
    Pki,
    /// Sigstore bundles, found as referrers or at the tag `sha256-<hex>`.
    Bundles,
    /// The same, but only of signers with a certificate of Fulcio.
    KeylessBundles,
    /// Entries of a Rekor v2 log.
    RekorV2,
    /// A trusted root of the user's, with which it asks no network for keys.
    TrustedRoot,
    /// Bundles without being told to look for them.
    BundlesByDefault,
    /// The timestamp of a certificate whose log entry has no time, without being told to look at it.
    TimestampsByDefault,
}

/// One version of a consumer, with what it can verify.
#[derive(Debug, Clone)]
pub struct Target {
    /// `podman`.
    pub consumer: &'static str,
    /// As the user wrote it.
    pub version: Version,
    /// The version of the row that describes it: the newest one, where this is newer than all that the table knows.
    pub row: Version,
    /// `containers/image 5.33.0`.
    pub library: String,
    /// Where the row is from.
    pub source: &'static str,
    features: BTreeSet<Feature>,
    /// What OpenShift's API takes.
    pub openshift: Option<&'static OpenShiftApi>,
}

/// ClusterImagePolicy and ImagePolicy in one release of OpenShift.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenShiftApi {
    version: String,
    /// `v1` or `v1alpha1`, of config.openshift.io.
    pub api_version: String,
    /// Whether the cluster must be set to TechPreviewNoUpgrade for it.
    pub tech_preview: bool,
    /// Whether policyType PKI is on by default.
    pub pki: bool,
    /// The most characters of a key, in base64.
    pub key_data: usize,
    /// The most scopes of an object.
    pub scopes: usize,
    /// The most characters of a scope.
    pub scope: usize,
    source: String,
}

impl Target {
    /// Whether it can do this.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// Whether policy.json and registries.d decide what it admits.
    pub fn reads_policy_json(&self) -> bool {
        self.library.starts_with("containers/image ") && self.openshift.is_none()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.consumer, self.version)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let table = Table::built_in().map_err(|e| e.to_string())?;
        let Some((consumer, version)) = text.split_once('@') else {
            return Err(format!(
                "write CONSUMER@VERSION; the consumers are {}",
                table.consumers().join(", ")
            ));
        };
        table.target(consumer, &version.parse()?)
    }
}

#[cfg(test)]
mod tests;
