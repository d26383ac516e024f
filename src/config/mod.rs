//! `keypack.yaml`: parsed, then validated into types. This module reads no files and knows no flags: it is given the
//! text and its path, and the caller applies the flags on top of the result.
//!
//! An unknown or duplicate field, an empty value, and a wrong type or value are errors with line and column. Paths in
//! the file are relative to the file.

mod enforce;
mod layers;
mod validate;
mod wire;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

pub use enforce::{Enforce, HOST_SETTING};

use crate::{
    key::Fingerprint,
    keysource::KeyFile,
    pack::{Expiry, Pin},
    policy::rule::{KeySelector, Rule},
    trust::tuf::RootName,
    yaml::{self, FileError},
};

/// The configuration, as far as the file sets it. Omitted values are `None` or empty.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// When keys are written.
    pub when: Option<When>,
    /// How failures on the connected side are treated.
    pub on_failure: Option<OnFailure>,
    /// The lineage.
    pub name: Option<String>,
    /// When a pack expires.
    pub expires: Option<Expiry>,
    /// Which keys to include.
    pub include: Option<IncludeKeys>,
    /// Where keys come from.
    pub sources: Sources,
    /// Whether network access is allowed.
    pub network: Option<bool>,
    /// The complete set of rules on who must sign what; if omitted, the rules of the existing pack are kept.
    pub rules: Option<Vec<Rule<KeySelector>>>,
    /// The exact set of keys that a pack must contain.
    pub pins: Option<Vec<Pin>>,
    /// The organisation's keys.
    pub verify_keys: Option<VerifyKeys>,
    /// TUF root files.
    pub tuf_roots: Option<Vec<RootName>>,
    /// Revoked keys.
    pub revoked: Vec<Revocation>,
    /// The images: a list, or a location.
    pub images: Option<String>,
    /// The repository with signatures that are stored separately from their images.
    pub signature_repository: Option<String>,
    /// Hosts that may receive a registry's credentials.
    pub allow_realms: Vec<String>,
    /// The directory in which this host records what it has authenticated.
    pub state: Option<PathBuf>,
    /// Whether to refuse if this host has no state for the lineage and the anchor.
    pub require_state: Option<bool>,
    /// The maximum age of a pack.
    pub max_age: Option<SignedDuration>,
    /// The maximum time between a pack's creation and its expiry.
    pub max_expires: Option<SignedDuration>,
    /// Requirements that the command line can't weaken; only in [`HOST_SETTING`].
    pub enforce: Option<Enforce>,
}

/// Where keys come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// `trusted_root.json` files.
    pub trusted_roots: Vec<PathBuf>,
    /// Files with keys or chains, each with its role if given.
    pub keys: Vec<KeyFile>,
    /// A `policy.json`.
    pub from_policy: Option<PathBuf>,
    /// Rekor logs, by address or by a file with the key.
    pub rekor: Vec<String>,
    /// TUF repositories.
    pub tuf: Vec<Tuf>,
}

/// A TUF repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuf {
    /// Its address or directory.
    pub repository: String,
    /// The initial root, if it is not built in.
    pub root: Option<RootName>,
}

/// The organisation's keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyKeys {
    /// Their files.
    pub keys: Vec<PathBuf>,
    /// How many of them must have signed; one if omitted.
    pub threshold: Option<NonZeroUsize>,
}

/// A revoked key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The reason.
    pub reason: String,
    /// Since when; the time of collection if omitted.
    pub date: Option<Timestamp>,
}

/// When keys are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// When signatures were mirrored.
    #[default]
    Auto,
    /// Always, with every key of the sources.
    Always,
    /// Never: only inspect and report.
    Never,
}

/// Which keys to include.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncludeKeys {
    /// Keys that a signature needs and that verified it.
    #[default]
    Needed,
    /// The needed keys, and all other keys of the trusted roots that they came from.
    Instance,
    /// Every key of every source.
    All,
}

/// How missing keys and unreadable locations are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Exit codes 1 and 4.
    #[default]
    Fail,
    /// A warning, and exit code 0: keys never block images.
    Warn,
}

impl Config {
    /// Parses a configuration file. `path` is its location, used for messages and to resolve relative paths.
    pub fn parse(text: &str, path: &Path) -> Result<Self, FileError> {
        let base = path.parent().unwrap_or(Path::new(""));
        yaml::read(text)
            .and_then(|file| validate::file(file, base))
            .map_err(|fault| FileError::new(path, fault))
    }
}
