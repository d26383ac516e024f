//! `keypack.yaml`: parsed, then validated, as types. Nothing here reads a file or knows a flag: the text and its path
//! come in, and who asked for it puts the flags above what comes out.
//!
//! A field that is not known, a field twice, an empty value, a wrong type or value: each is an error with its line and
//! column. Paths in the file are relative to the file.

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

/// The setting, as far as the file says something. What it leaves out is `None` or empty.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// When keys are written.
    pub when: Option<When>,
    /// What a failure of the connected side means.
    pub on_failure: Option<OnFailure>,
    /// The lineage.
    pub name: Option<String>,
    /// When a pack should no longer be taken.
    pub expires: Option<Expiry>,
    /// Which keys go in.
    pub include: Option<IncludeKeys>,
    /// Where keys come from.
    pub sources: Sources,
    /// Whether hosts may be asked.
    pub network: Option<bool>,
    /// What must sign what, all of it; without it, the rules of the pack in place stay.
    pub rules: Option<Vec<Rule<KeySelector>>>,
    /// The exact set of keys that a pack must have.
    pub pins: Option<Vec<Pin>>,
    /// Keys of the organisation.
    pub verify_keys: Option<VerifyKeys>,
    /// Roots of TUF repositories.
    pub tuf_roots: Option<Vec<RootName>>,
    /// Keys that must not be trusted any more.
    pub revoked: Vec<Revocation>,
    /// Which images are meant: a list, or a place.
    pub images: Option<String>,
    /// The repository that holds signatures apart from their images.
    pub signature_repository: Option<String>,
    /// Hosts that may see a registry's credentials.
    pub allow_realms: Vec<String>,
    /// Where this host remembers what it authenticated.
    pub state: Option<PathBuf>,
    /// Whether to refuse where this host remembers nothing of the lineage and the anchor.
    pub require_state: Option<bool>,
    /// How old a pack may be.
    pub max_age: Option<SignedDuration>,
    /// How long after it was made a pack may end.
    pub max_expires: Option<SignedDuration>,
    /// What the command line can't weaken; only in [`HOST_SETTING`].
    pub enforce: Option<Enforce>,
}

/// Where keys come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files `trusted_root.json`.
    pub trusted_roots: Vec<PathBuf>,
    /// Files with keys or chains, each with its role where it is given.
    pub keys: Vec<KeyFile>,
    /// A `policy.json`.
    pub from_policy: Option<PathBuf>,
    /// Rekors, by address or by a file with the key.
    pub rekor: Vec<String>,
    /// TUF repositories.
    pub tuf: Vec<Tuf>,
}

/// A TUF repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuf {
    /// Its address or directory.
    pub repository: String,
    /// The root that it begins with, where that is not built in.
    pub root: Option<RootName>,
}

/// Keys of the organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyKeys {
    /// Their files.
    pub keys: Vec<PathBuf>,
    /// How many of them must have signed; without it, one.
    pub threshold: Option<NonZeroUsize>,
}

/// A key that must not be trusted any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Why.
    pub reason: String,
    /// Since when; without it, since it is collected.
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
    /// Never: look and report.
    Never,
}

/// Which keys go in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncludeKeys {
    /// Keys that a signature needs and that verified it.
    #[default]
    Needed,
    /// These, and all others of the trusted roots that they came from.
    Instance,
    /// Every key of every source.
    All,
}

/// What it means that keys are missing, or that a place can't be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Exit codes 1 and 4.
    #[default]
    Fail,
    /// A warning, and exit code 0: images are never blocked by their keys.
    Warn,
}

impl Config {
    /// Reads a setting. `path` is where it lies: for messages, and for what its relative paths mean.
    pub fn parse(text: &str, path: &Path) -> Result<Self, FileError> {
        let base = path.parent().unwrap_or(Path::new(""));
        yaml::read(text)
            .and_then(|file| validate::file(file, base))
            .map_err(|fault| FileError::new(path, fault))
    }
}
