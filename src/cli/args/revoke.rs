//! `keypack revoke`, and the ticket that other commands take too.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{Cache, Registry, SOURCES, State};
use crate::ops::parse_time;

/// A number in somebody's ticket system.
#[derive(Debug, Args)]
pub(in crate::cli) struct Ticket {
    /// The ticket under which this is done, for the log in the state.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) ticket: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Revoke {
    /// The whole fingerprint that `keypack inspect` prints for the key or for one of its certificates or subkeys.
    #[arg(value_name = "FINGERPRINT")]
    pub(in crate::cli) fingerprint: String,
    /// Why, for the state, its log and whoever looks at keys/.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) reason: String,
    /// Still count its signatures that a log or a timestamp authority dates before this: a date, or a time. No others do. A later
    /// one than before is not taken.
    #[arg(long, value_name = "WHEN", value_parser = parse_time)]
    pub(in crate::cli) since: Option<Timestamp>,
    /// The directory to take the key out of [default: keys, or keys/ in the oc-mirror:DIR that --images names].
    #[arg(short = 'o', long, value_name = "DIR")]
    pub(in crate::cli) keys_dir: Option<PathBuf>,
    /// List the images of this place that only this key verifies: they are verified with it and without it.
    #[arg(long, value_name = "SOURCE", long_help = SOURCES)]
    pub(in crate::cli) images: Option<String>,
    /// Undo the revocation, and put the key back into keys/.
    #[arg(long, conflicts_with_all = ["since", "images"])]
    pub(in crate::cli) undo_unsafe: bool,
    #[command(flatten)]
    pub(in crate::cli) ticket: Ticket,
    #[command(flatten)]
    pub(in crate::cli) state: State,
    #[command(flatten)]
    pub(in crate::cli) cache: Cache,
    #[command(flatten)]
    pub(in crate::cli) registry: Registry,
}
