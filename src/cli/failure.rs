//! Every error becomes one of these: two sentences, a stable code, an exit code.

use std::process::ExitCode;

use super::hint::hint;
use crate::{
    config::ConfigError,
    content::{ContentError, LocationError},
    keysource::KeySourceError,
    pack::PackError,
    state::{NotAdmitted, StateError},
    write::WriteError,
};

/// The exit codes of keypack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Could not: I/O, network, nothing readable.
    CouldNot = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A pack or a key is refused: not authenticated, malformed.
    Refused = 3,
    /// Something does not verify, or a needed key is missing.
    Incomplete = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What went wrong, and what to do.
#[derive(Debug)]
pub struct Failure {
    /// The stable code.
    pub code: &'static str,
    /// What is true.
    pub error: String,
    /// What to do.
    pub hint: String,
    /// The exit code.
    pub exit: Exit,
}

impl Failure {
    /// A failure with the hint that belongs to its code.
    pub fn new(code: &'static str, error: impl Into<String>, exit: Exit) -> Self {
        Self { code, error: error.into(), hint: hint(code).into(), exit }
    }

    /// A wrong command line.
    pub fn usage(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: "usage", error: error.into(), hint: hint.into(), exit: Exit::Usage }
    }

    /// Something is missing or could not be read; the report says what.
    pub fn incomplete() -> Self {
        let error = "some needed keys are missing or not proved, or some signatures could not be read";
        Self::new("incomplete", error, Exit::Incomplete)
    }

    /// The same with another hint.
    #[must_use]
    pub fn hinting(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }

    /// The same with one more thing that can be done.
    #[must_use]
    pub fn also(mut self, hint: &str) -> Self {
        self.hint = format!("{}, or {hint}", self.hint);
        self
    }

    /// The same, saying which side it concerns.
    #[must_use]
    pub fn on(mut self, side: &str) -> Self {
        self.error = format!("{side}: {}", self.error);
        self
    }
}

impl From<ConfigError> for Failure {
    fn from(e: ConfigError) -> Self {
        // A draft is well written; that it is no decision yet is the point.
        let exit = if e.is_draft() { Exit::Refused } else { Exit::Usage };
        let failure = Self::new(e.code(), e.to_string(), exit);
        match e.advice() {
            Some(advice) => failure.hinting(advice),
            None => failure,
        }
    }
}

impl From<ContentError> for Failure {
    fn from(e: ContentError) -> Self {
        // What can't be done with a place is known from the command line; `--optional` must not hide that.
        let exit = if matches!(e, ContentError::Unsupported { .. }) { Exit::Usage } else { Exit::CouldNot };
        let hint = e.hint().unwrap_or_else(|| hint(e.code()).into());
        Self { code: e.code(), error: e.to_string(), hint, exit }
    }
}

impl From<LocationError> for Failure {
    fn from(e: LocationError) -> Self {
        let hint = e.hint().to_owned();
        Self::usage(e.to_string(), hint)
    }
}

impl From<KeySourceError> for Failure {
    fn from(e: KeySourceError) -> Self {
        let exit = match e {
            KeySourceError::Read { .. }
            | KeySourceError::NotAFile { .. }
            | KeySourceError::Net(_)
            | KeySourceError::Answer { .. }
            | KeySourceError::NotTuf { .. }
            | KeySourceError::TufAnswer { .. } => Exit::CouldNot,
            _ => Exit::Refused,
        };
        let failure = Self::new(e.code(), e.to_string(), exit);
        match e {
            KeySourceError::Net(net) => match net.hint() {
                Some(hint) => failure.hinting(&hint),
                None => failure,
            },
            _ => failure,
        }
    }
}

impl From<PackError> for Failure {
    fn from(e: PackError) -> Self {
        // A needed key is missing: nothing is refused, and nothing can be made.
        let exit = if matches!(e, PackError::Rule { .. }) { Exit::Incomplete } else { Exit::Refused };
        Self::new(e.code(), e.to_string(), exit)
    }
}

impl From<NotAdmitted> for Failure {
    fn from(e: NotAdmitted) -> Self {
        Self::new(e.code(), e.to_string(), Exit::Refused)
    }
}

impl From<StateError> for Failure {
    fn from(e: StateError) -> Self {
        Self { code: e.code(), error: e.to_string(), hint: e.hint().into(), exit: Exit::CouldNot }
    }
}

impl From<WriteError> for Failure {
    fn from(e: WriteError) -> Self {
        Self { code: e.code(), error: e.to_string(), hint: e.hint().into(), exit: Exit::CouldNot }
    }
}
