//! `keypack inspect`.

use clap::{Args, ValueEnum, builder::PossibleValue};

use super::{Cache, Registry, State};
use crate::outcome::SheetForm;

#[derive(Debug, Args)]
pub(in crate::cli) struct Inspect {
    /// A keys/ directory, or a place that holds a pack.
    #[arg(value_name = "KEYS|SOURCE")]
    pub(in crate::cli) place: String,
    /// Print only one page that two people compare, sign and file: digests, fingerprints, who vouches for each key.
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(in crate::cli) sheet: Option<SheetForm>,
    /// On that page, what changed since the last sheet: the keys/ directory or the pack that it was about.
    #[arg(long, value_name = "OLD", requires = "sheet")]
    pub(in crate::cli) since: Option<String>,
    /// Print only when everything in it expires, in order.
    #[arg(long, conflicts_with = "sheet")]
    pub(in crate::cli) ages: bool,
    /// In that table also the logs and authorities that the signatures of these images need and this keys/ directory
    /// lacks, because they are newer.
    #[arg(long, value_name = "SOURCE", conflicts_with = "sheet")]
    pub(in crate::cli) images: Option<String>,
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

impl ValueEnum for SheetForm {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Html]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Text => PossibleValue::new("text").help("For a terminal and a printer of lines [default]"),
            Self::Html => {
                PossibleValue::new("html").help("One self-contained file, for a browser that prints it on A4")
            }
        })
    }
}
