use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{Read, State, Ticket};
use crate::{
    config::{IncludeKeys, When},
    key::Fingerprint,
    ops::{Lifetime, Rules, parse_lineage, parse_span},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Collect {
    #[command(flatten)]
    pub(in crate::cli) read: Read,
    /// The directory to write; its keys stay, because collecting is cumulative [default: keys, or keys/ in the
    /// oc-mirror:DIR that is read].
    #[arg(short, long, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// The lineage of the pack [default: that of the directory in place, or "default"].
    #[arg(long, value_name = "NAME", value_parser = parse_lineage)]
    pub(in crate::cli) name: Option<String>,
    /// When the pack expires: a date, a time span such as "180 days", or never [default: as the
    /// directory in place says].
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) expires: Option<Lifetime>,
    /// Who collects; recorded in the pack [default: what the directory in place says].
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) collected_by: Option<String>,
    /// Who gave the key files that are new in this run; recorded with their keys.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) given_by: Option<String>,
    /// The time of creation [default: now; SOURCE_DATE_EPOCH is honoured].
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) created: Option<Timestamp>,
    /// Which keys go in [default: needed].
    #[arg(long, value_enum)]
    pub(in crate::cli) include: Option<IncludeKeys>,
    /// Whether to write keys/ when nothing is signed [default: auto].
    #[arg(long, value_enum)]
    pub(in crate::cli) when: Option<When>,
    /// Leave out keys that only the existing directory has.
    #[arg(long)]
    pub(in crate::cli) prune: bool,
    /// Write a new version of an unchanged pack once it is this old.
    #[arg(long, value_name = "SPAN", default_value = "30 days", value_parser = parse_span)]
    pub(in crate::cli) refresh_after: jiff::Span,
    /// Record that this key must no longer be trusted, by the fingerprint that `keypack inspect` prints for the
    /// key or for one of its certificates; needs --reason [repeatable].
    #[arg(long, value_name = "FINGERPRINT", requires = "reason")]
    pub(in crate::cli) revoke: Vec<String>,
    /// Accept this key although the directory in place has a different key from the same address or file
    /// [repeatable].
    #[arg(long, value_name = "FINGERPRINT")]
    pub(in crate::cli) accept_change: Vec<Fingerprint>,
    /// Rules that the organisation wrote, or a draft of `discover --draft-rules` that a person reviewed: from now on
    /// they are the pack's rules, all of them.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) accept_rules: Option<PathBuf>,
    /// These, or those of the setting, once they are read.
    #[arg(skip)]
    pub(in crate::cli) rules: Option<Rules>,
    /// Why a key is revoked.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) reason: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) ticket: Ticket,
    #[command(flatten)]
    pub(in crate::cli) state: State,
}
