//! What every failure and every finding is reported as: what is true, what to do, a stable code and an exit code.

mod code;
mod table;

use std::{borrow::Cow, process::ExitCode};

use serde::{Serialize, Serializer, ser::SerializeStruct};

pub use table::Code;

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

/// What went wrong, and what to do: the failure of a command, or a problem that its report lists.
///
/// Code decides on [`Diagnostic::code`] or, better, on the error that became the diagnostic; never on its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// What is true.
    pub message: String,
    /// What to do: what the code says, unless the situation needs another hint.
    pub hint: Cow<'static, str>,
    /// The exit code, where a command fails with it: what the code says, unless the situation needs another one.
    pub exit: Exit,
}

impl Diagnostic {
    /// A diagnostic with the hint and the exit code that belong to its code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: Cow::Borrowed(code.hint()), exit: code.exit() }
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Usage, message).hinting(hint)
    }

    /// Something is missing or could not be read; the report says what.
    pub fn incomplete() -> Self {
        Self::new(
            Code::Incomplete,
            "some needed keys are missing or not proved, or some signatures could not be read",
        )
    }

    /// The same with another hint.
    #[must_use]
    pub fn hinting(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same with one more thing that can be done.
    #[must_use]
    pub fn also(mut self, hint: &str) -> Self {
        self.hint = format!("{}, or {hint}", self.hint).into();
        self
    }

    /// The same, saying which side it concerns.
    #[must_use]
    pub fn on(mut self, side: &str) -> Self {
        self.message = format!("{side}: {}", self.message);
        self
    }

    /// The same with another exit code.
    #[must_use]
    pub const fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Diagnostic", 3)?;
        object.serialize_field("code", &self.code)?;
        object.serialize_field("message", &self.message)?;
        object.serialize_field("hint", &self.hint)?;
        object.end()
    }
}
