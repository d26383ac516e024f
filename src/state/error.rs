use std::{io, path::PathBuf};

use crate::diag::{Code, Diagnostic};
use thiserror::Error;

/// Why the state could not be read or written. It is never reset silently, because a host without state can be rolled
/// back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file is not a state written by keypack.
    #[error("the state {path:?} is malformed: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It was written by a newer keypack.
    #[error("the state {path:?} has schema version {found}, and this keypack knows {known}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u64,
        /// The newest supported version.
        known: u32,
    },
    /// Other users could change the state.
    #[error("the state {path:?} can't be trusted: {reason}")]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Which users could change it.
        reason: &'static str,
    },
    /// Another keypack holds the lock.
    #[error("another keypack has held the state {path:?} for more than ten seconds")]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// The file system has no locks, so two simultaneous runs could lose state.
    #[error("the state {path:?} is on a file system without locks: {source}")]
    NoLocks {
        /// The lock file.
        path: PathBuf,
        /// The system's error.
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
    /// Writing failed; the previous state is unchanged.
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
