//! `keypack state`.

use clap::{Args, Subcommand};

use super::{State, Ticket};
use crate::ops::parse_lineage;

#[derive(Debug, Args)]
pub(in crate::cli) struct StateVerb {
    #[command(subcommand)]
    pub(in crate::cli) command: StateCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StateCommand {
    /// Show the lineages: highest versions, packs, the last pull and how it was authenticated, revocations.
    Show(State),
    /// Print the log, one line of JSON for each run that reached a pack.
    Log(State),
    /// Forget what was collected and pulled for a lineage; the highest versions and the revocations stay. It is logged.
    ForgetUnsafe(Forget),
}

impl StateCommand {
    /// Which state.
    pub(in crate::cli) const fn state(&mut self) -> &mut State {
        match self {
            Self::Show(state) | Self::Log(state) => state,
            Self::ForgetUnsafe(args) => &mut args.state,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Forget {
    /// The lineage.
    #[arg(value_name = "LINEAGE", value_parser = parse_lineage)]
    pub(in crate::cli) lineage: String,
    /// Why, for the log.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) reason: String,
    /// Forget the highest versions and the revocations too: then older packs and revoked keys can come back.
    #[arg(long)]
    pub(in crate::cli) all: bool,
    #[command(flatten)]
    pub(in crate::cli) ticket: Ticket,
    #[command(flatten)]
    pub(in crate::cli) state: State,
}
