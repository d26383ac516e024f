//! `keypack inspect`.

use clap::Args;

use super::{Cache, Registry, State};

#[derive(Debug, Args)]
pub(in crate::cli) struct Inspect {
    /// A keys/ directory, or a place that holds a pack.
    #[arg(value_name = "KEYS|SOURCE")]
    pub(in crate::cli) place: String,
    /// Print only one page that two people compare, sign and file: digests, fingerprints, who vouches for each key.
    #[arg(long)]
    pub(in crate::cli) sheet: bool,
    /// On that page, what changed since this keys/ directory or pack.
    #[arg(long, value_name = "OLD", requires = "sheet")]
    pub(in crate::cli) since: Option<String>,
    /// Print only when everything in it expires, in order.
    #[arg(long, conflicts_with = "sheet")]
    pub(in crate::cli) ages: bool,
    /// Exit with 4 if something has expired or expires within 30 days, and print --ages.
    #[arg(long, conflicts_with = "sheet")]
    pub(in crate::cli) fail_on_stale: bool,
    #[command(flatten)]
    pub(in crate::cli) state: State,
    #[command(flatten)]
    pub(in crate::cli) cache: Cache,
    #[command(flatten)]
    pub(in crate::cli) registry: Registry,
}
