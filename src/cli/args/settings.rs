//! Words that `keypack.yaml` and the command line share.

use clap::{Args, ValueEnum, builder::PossibleValue};

use crate::{
    config::{IncludeKeys, OnFailure, When},
    ops::push::Form,
};

/// What a failure of the connected side means.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Forgive {
    /// What to do when keys are missing, or when a place can't be read or written [default: fail].
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(in crate::cli) on_failure: Option<OnFailure>,
    /// The same as --on-failure warn: a warning, and exit code 0. Keys never block the mirroring of images.
    #[arg(long, conflicts_with = "on_failure")]
    optional: bool,
}

impl Forgive {
    /// Whether "could not" and "incomplete" are warnings.
    pub(in crate::cli) fn warns(&self) -> bool {
        self.optional || self.on_failure == Some(OnFailure::Warn)
    }

    /// What the setting says counts where the command line says nothing.
    pub(in crate::cli) fn under(&mut self, setting: Option<OnFailure>) {
        if !self.optional {
            self.on_failure = self.on_failure.or(setting);
        }
    }
}

impl ValueEnum for OnFailure {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Fail, Self::Warn]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Fail => PossibleValue::new("fail").help("Exit codes 1 and 4"),
            Self::Warn => PossibleValue::new("warn").help("A warning, and exit code 0"),
        })
    }
}

impl ValueEnum for When {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => PossibleValue::new("auto").help("Only when signatures were mirrored"),
            Self::Always => PossibleValue::new("always")
                .help("Always, with every key of the sources (implies --include all)"),
            Self::Never => PossibleValue::new("never").help("Never: look and report, write nothing"),
        })
    }
}

impl ValueEnum for IncludeKeys {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Needed, Self::Instance, Self::All]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Needed => {
                PossibleValue::new("needed").help("Keys that a signature needs and that verified it")
            }
            Self::Instance => PossibleValue::new("instance")
                .help("These, and all others of the trusted roots that they came from"),
            Self::All => PossibleValue::new("all").help("Every key of every source"),
        })
    }
}

impl ValueEnum for Form {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Image, Self::Artifact]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Image => {
                PossibleValue::new("image").help("A scratch image with one layer: survives every tool")
            }
            Self::Artifact => PossibleValue::new("artifact")
                .help("One layer per file: plain files for `oras pull` and `podman artifact extract`"),
        })
    }
}
