//! What a request names, as a person writes it.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
};

use jiff::{SignedDuration, Span};

use crate::{
    diag::Diagnostic,
    key::Pin,
    oci::Digest,
    pack::{self, Expiry},
    policy::rule::{KeySelector, Rule, parse_rules},
    trust::tuf::RootName,
};

/// Something that authenticates a pack, and reached the caller out of band. All kinds that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorSpec {
    /// The pack digest, or the manifest digest.
    Digest(Digest),
    /// A file with a public key of the organisation: a signature by one of several is enough.
    Key(PathBuf),
    /// How many of the keys must have signed, where one is not enough.
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

/// Rules that the caller sets aside, and why. What is accepted is logged in the state, with the reason.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// Take a pack that is older than allowed.
    pub allow_stale_unsafe: bool,
    /// Take a pack whose version or date is more than a day ahead of the clock.
    pub accept_future_unsafe: bool,
    /// Take a pack that is older than, or differs from, the one that was installed.
    pub allow_rollback_unsafe: bool,
    /// Why.
    pub reason: String,
}

impl Exceptions {
    /// The flags of those that are set aside.
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

/// When a pack should no longer be taken: a date, a time, or a span of time after it was made.
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

/// What must sign what, as the organisation wrote it.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) rules: Vec<Rule<KeySelector>>,
    /// Whether they are given for this run, so that they count even where nothing is signed.
    pub(super) accepted: bool,
}

impl Rules {
    /// Rules that are given for this run. `path` is where the text lies: for messages, and for what its relative paths
    /// mean.
    pub fn accept(text: &str, path: &Path) -> Result<Self, Diagnostic> {
        Ok(Self { rules: parse_rules(text, path)?, accepted: true })
    }
}

impl From<Vec<Rule<KeySelector>>> for Rules {
    /// Rules of the setting.
    fn from(rules: Vec<Rule<KeySelector>>) -> Self {
        Self { rules, accepted: false }
    }
}

/// Reads a span of weeks, days or hours.
pub(crate) fn parse_span(text: &str) -> Result<Span, String> {
    pack::parse_span(text)
}

/// Reads a span of time such as `180 days`; a day has 24 hours.
pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    pack::parse_duration(text)
}

/// Reads the name of a lineage.
pub(crate) fn parse_lineage(text: &str) -> Result<String, String> {
    if pack::is_lineage(text) {
        Ok(text.to_owned())
    } else {
        Err("a name is 1 to 64 letters, digits, dots and dashes".into())
    }
}
