//! What every error becomes: what is true, what to do, a stable code and an exit code.

mod hint;

use std::process::ExitCode;

pub(crate) use hint::hint as hint_of;

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
pub struct Diagnostic {
    /// The stable code.
    pub code: &'static str,
    /// What is true.
    pub error: String,
    /// What to do.
    pub hint: String,
    /// The exit code.
    pub exit: Exit,
}

impl Diagnostic {
    /// A failure with the hint that belongs to its code.
    pub fn new(code: &'static str, error: impl Into<String>, exit: Exit) -> Self {
        Self { code, error: error.into(), hint: hint_of(code).into(), exit }
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
