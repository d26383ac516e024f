//! What authenticates a pack, what this host remembers, and the rules that a person may set aside.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

use crate::{
    cli::{digest::DigestArg, heading},
    config::Config,
    key::Pin,
    ops::{self, AnchorSpec, TufRoot},
};

/// Rules that the user sets aside, with the reason.
#[derive(Debug, Args)]
pub(in crate::cli) struct Exceptions {
    /// Accept a pack that is older than --max-age; needs --reason.
    #[arg(help_heading = heading::STATE, long, requires = "reason")]
    pub(in crate::cli) allow_stale_unsafe: bool,
    /// Accept a pack whose version or date is more than a day ahead of this host's clock; needs --reason.
    #[arg(help_heading = heading::STATE, long, requires = "reason")]
    pub(in crate::cli) accept_future_unsafe: bool,
    /// Accept a pack that is older than, or differs from, the one that was installed; needs --reason.
    #[arg(help_heading = heading::STATE, long, requires = "reason")]
    pub(in crate::cli) allow_rollback_unsafe: bool,
    /// Why, for the log in the state.
    #[arg(help_heading = heading::STATE, long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) reason: Option<String>,
}

impl From<&Exceptions> for ops::Exceptions {
    fn from(args: &Exceptions) -> Self {
        Self {
            allow_stale_unsafe: args.allow_stale_unsafe,
            accept_future_unsafe: args.accept_future_unsafe,
            allow_rollback_unsafe: args.allow_rollback_unsafe,
            reason: args.reason.clone().unwrap_or_default(),
        }
    }
}

/// What authenticates a pack. Several kinds together must all hold.
#[derive(Debug, Args)]
pub(in crate::cli) struct Anchors {
    /// The pack digest, or the manifest digest, with or without `sha256:` and in either case; with -, it is asked for on the terminal, and may be typed in groups.
    #[arg(help_heading = heading::ANCHORS, long, value_name = "sha256:…|-")]
    pub(in crate::cli) digest: Option<DigestArg>,
    /// The organisation's public key; a signature by one of several is enough, unless --threshold says how many
    /// [repeatable].
    #[arg(help_heading = heading::ANCHORS, long, value_name = "FILE")]
    pub(in crate::cli) verify_key: Vec<PathBuf>,
    /// How many different keys of --verify-key must have signed [default: 1].
    #[arg(help_heading = heading::ANCHORS, long, value_name = "N")]
    pub(in crate::cli) threshold: Option<NonZeroUsize>,
    /// A key of the pack, as `keypack inspect` prints it; all of them: one that is not pinned refuses the pack
    /// [repeatable].
    #[arg(help_heading = heading::ANCHORS, long, value_name = "ROLE:FINGERPRINT")]
    pub(in crate::cli) pin: Vec<Pin>,
    /// The root of a TUF repository: the chain in the pack is verified again from it; `builtin` is sigstore's public one
    /// [repeatable].
    #[arg(help_heading = heading::ANCHORS, long, value_name = "FILE|builtin[:NAME]")]
    pub(in crate::cli) tuf_root: Vec<TufRoot>,
    /// The settings, where some of them may be from.
    #[arg(skip)]
    pub(in crate::cli) settings: Vec<PathBuf>,
    /// Whether all of them are.
    #[arg(skip)]
    pub(in crate::cli) are_of_setting: bool,
    /// What this host's setting enforces in addition.
    #[arg(skip)]
    pub(in crate::cli) enforced: Vec<AnchorSpec>,
}

impl Anchors {
    /// The anchors of a setting, kind by kind where the command line names none of that kind.
    pub(in crate::cli) fn under(&mut self, config: Config, files: Vec<PathBuf>) {
        self.settings = files;
        self.are_of_setting = self.digest.is_none() && self.specs().is_empty();
        if self.pin.is_empty() {
            self.pin = config.pins.unwrap_or_default();
        }
        if self.verify_key.is_empty() {
            let keys = config.verify_keys.unwrap_or_default();
            self.verify_key = keys.keys;
            self.threshold = self.threshold.or(keys.threshold);
        }
        if self.tuf_root.is_empty() {
            self.tuf_root = config.tuf_roots.into_iter().flatten().map(TufRoot::from).collect();
        }
    }

    /// Takes out those of settings: the host enforces its own.
    pub(in crate::cli) fn forget(&mut self) {
        (self.pin, self.verify_key, self.tuf_root, self.threshold) = Default::default();
    }

    /// Whether the command line names one.
    pub(in crate::cli) fn are_given(&self) -> bool {
        !self.are_of_setting && !self.specs().is_empty()
    }

    /// All of them that are given, as the request names them.
    pub(in crate::cli) fn specs(&self) -> Vec<AnchorSpec> {
        let digest = self.digest.and_then(|digest| match digest {
            DigestArg::Given(digest) => Some(AnchorSpec::Digest(digest)),
            DigestArg::Ask => None,
        });
        let keys = self.verify_key.iter().cloned().map(AnchorSpec::Key);
        let threshold = self.threshold.map(AnchorSpec::Threshold);
        let pins = self.pin.iter().cloned().map(AnchorSpec::Pin);
        let roots = self.tuf_root.iter().cloned().map(AnchorSpec::TufRoot);
        digest.into_iter().chain(keys).chain(threshold).chain(pins).chain(roots).collect()
    }
}

/// What this host remembers.
#[derive(Debug, Args)]
pub(in crate::cli) struct State {
    /// Where this host records what it authenticated [default: $XDG_STATE_HOME/keypack, ~/.local/state/keypack].
    #[arg(help_heading = heading::STATE, long = "state", value_name = "DIR")]
    pub(in crate::cli) dir: Option<PathBuf>,
}

impl State {
    /// What the setting says counts where the command line says nothing.
    pub(in crate::cli) fn under(&mut self, setting: Option<PathBuf>) {
        self.dir = self.dir.take().or(setting);
    }
}
