//! Values in requests, as the user writes them.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
};

use jiff::{SignedDuration, Span, Timestamp};

use crate::{
    diag::Diagnostic,
    key::Pin,
    oci::Digest,
    pack::{self, Expiry},
    policy::rule::{KeySelector, Rule, parse_rules},
    trust::tuf::RootName,
};

/// Something that authenticates a pack and that the caller obtained out of band. If several are given, all must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorSpec {
    /// The pack digest, or the manifest digest.
    Digest(Digest),
    /// A file with a public key of the organisation. If there are several, a signature by one of them is enough.
    Key(PathBuf),
    /// How many of the keys must have signed, if more than one.
    Threshold(NonZeroUsize),
    /// A key of the pack: all pins together are the exact set of its keys.
    Pin(Pin),
    /// The root of a TUF repository, from which the chain in the pack is verified again.
    TufRoot(TufRoot),
}

/// The root of a TUF repository: `builtin`, `builtin:NAME`, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TufRoot(pub(super) RootName);

impl FromStr for TufRoot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl From<RootName> for TufRoot {
    fn from(name: RootName) -> Self {
        Self(name)
    }
}

/// Rules to override, and the reason. Exceptions are recorded in the state, with the reason.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// Accept a pack that is older than allowed.
    pub allow_stale_unsafe: bool,
    /// Accept a pack whose version or date is more than a day in the future.
    pub accept_future_unsafe: bool,
    /// Accept a pack that is older than, or differs from, the installed one.
    pub allow_rollback_unsafe: bool,
    /// The reason.
    pub reason: String,
}

impl Exceptions {
    /// The flags of the rules to override.
    pub(super) fn flags(&self) -> Vec<String> {
        [
            (self.allow_stale_unsafe, "--allow-stale-unsafe"),
            (self.accept_future_unsafe, "--accept-future-unsafe"),
            (self.allow_rollback_unsafe, "--allow-rollback-unsafe"),
        ]
        .into_iter()
        .filter(|(given, _)| *given)
        .map(|(_, flag)| flag.to_owned())
        .collect()
    }
}

/// When a pack expires: a date, a time, or a time span after its creation.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime(pub(super) Expiry);

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl From<Expiry> for Lifetime {
    fn from(expiry: Expiry) -> Self {
        Self(expiry)
    }
}

/// The organisation's rules on who must sign what.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) rules: Vec<Rule<KeySelector>>,
    /// Whether they were given for this run, so that they take effect even if nothing is signed.
    pub(super) accepted: bool,
}

impl Rules {
    /// Rules given for this run. `path` is the location of the text, used for messages and to resolve relative paths.
    pub fn accept(text: &str, path: &Path) -> Result<Self, Diagnostic> {
        Ok(Self { rules: parse_rules(text, path)?, accepted: true })
    }
}

impl From<Vec<Rule<KeySelector>>> for Rules {
    /// Rules of the configuration file.
    fn from(rules: Vec<Rule<KeySelector>>) -> Self {
        Self { rules, accepted: false }
    }
}

/// Reads a time, or the first instant of a date, in UTC.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    pack::parse_time(text)
}

/// Parses a span of weeks, days or hours.
pub(crate) fn parse_span(text: &str) -> Result<Span, String> {
    pack::parse_span(text)
}

/// Parses a time span such as `180 days`; a day has 24 hours.
pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    pack::parse_duration(text)
}

/// Parses the name of a lineage.
pub(crate) fn parse_lineage(text: &str) -> Result<String, String> {
    if pack::is_lineage(text) {
        Ok(text.to_owned())
    } else {
        Err("a name is 1 to 64 letters, digits, dots and dashes".into())
    }
}
