use std::{io, path::PathBuf};

use crate::diag::{Code, Diagnostic};
use thiserror::Error;

/// Why the state could not be read or written. It is never reset in silence: a host that forgets can be rolled back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file is not a state that keypack wrote.
    #[error("the state {path:?} is malformed: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A newer keypack wrote it.
    #[error("the state {path:?} has schema version {found}, and this keypack knows {known}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u64,
        /// The newest that is known here.
        known: u32,
    },
    /// Others could change what this host remembers.
    #[error("the state {path:?} can't be trusted: {reason}")]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Who could change it.
        reason: &'static str,
    },
    /// Another keypack holds it.
    #[error("another keypack has held the state {path:?} for more than ten seconds")]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// The file system has no locks, so that two runs at once could make this host forget.
    #[error("the state {path:?} lies on a file system without locks: {source}")]
    NoLocks {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading failed.
    #[error("could not read the state {path:?}: {source}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed; what was remembered before still is.
    #[error("could not write the state {path:?}: {source}")]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl StateError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Malformed { .. } => Code::StateMalformed,
            Self::Schema { .. } => Code::StateSchemaUnknown,
            Self::Exposed { .. } => Code::StateExposed,
            Self::Busy { .. } => Code::StateBusy,
            Self::NoLocks { .. } => Code::StateWithoutLocks,
            Self::Read { .. } => Code::StateReadFailed,
            Self::Write { .. } => Code::StateWriteFailed,
        }
    }
}

impl From<StateError> for Diagnostic {
    fn from(e: StateError) -> Self {
        Self::new(e.code(), e.to_string())
    }
}
