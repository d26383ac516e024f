use std::path::PathBuf;

use clap::Args;

use super::{Anchors, Cache, Exceptions, Registry, SOURCES, State, Ticket};
use crate::{
    cli::heading,
    config::Revocation,
    ops::{parse_duration, parse_lineage},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Pull {
    /// Where the pack is.
    #[arg(value_name = "SOURCE", long_help = SOURCES)]
    pub(in crate::cli) source: String,
    /// The directory to write; it is replaced as a whole [default: keys, or keys/ in the oc-mirror:DIR that is read].
    #[arg(short, long, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) anchors: Anchors,
    /// The lineage that the pack must have [default: that of the directory in place, if this host collected or
    /// authenticated it, or "default"].
    #[arg(long, value_name = "NAME", value_parser = parse_lineage)]
    pub(in crate::cli) name: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) ticket: Ticket,
    #[command(flatten)]
    pub(in crate::cli) state: State,
    /// Refuse if this host has no record of the lineage and the anchor: without one it can't detect an older pack.
    #[arg(help_heading = heading::STATE, long)]
    pub(in crate::cli) require_state: bool,
    /// Refuse versions below this one.
    #[arg(help_heading = heading::STATE, long, value_name = "N")]
    pub(in crate::cli) min_version: Option<u64>,
    /// Refuse packs older than this, and warn about those half as old [default: 180 days].
    #[arg(help_heading = heading::STATE, long, value_name = "SPAN", value_parser = parse_duration)]
    pub(in crate::cli) max_age: Option<jiff::SignedDuration>,
    /// Refuse packs that do not expire, or expire later than this after they were made.
    #[arg(help_heading = heading::STATE, long, value_name = "SPAN", value_parser = parse_duration)]
    pub(in crate::cli) max_expires: Option<jiff::SignedDuration>,
    #[command(flatten)]
    pub(in crate::cli) except: Exceptions,
    /// Keys that the setting says must not be trusted any more.
    #[arg(skip)]
    pub(in crate::cli) revoked: Vec<Revocation>,
    #[command(flatten)]
    pub(in crate::cli) cache: Cache,
    #[command(flatten)]
    pub(in crate::cli) registry: Registry,
}
