use std::{io, path::PathBuf};

use crate::diag::{Diagnostic, Exit};
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
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "state-malformed",
            Self::Schema { .. } => "state-schema-unknown",
            Self::Exposed { .. } => "state-exposed",
            Self::Busy { .. } => "state-busy",
            Self::NoLocks { .. } => "state-without-locks",
            Self::Read { .. } => "state-read-failed",
            Self::Write { .. } => "state-write-failed",
        }
    }

    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => {
                "restore it from a backup; if you move it away, this host no longer notices an older pack: then give \
                 --min-version with the version that is installed"
            }
            Self::Schema { .. } => "use the newer keypack that wrote it",
            Self::Exposed { .. } => {
                "it must belong to the user who runs keypack or to root, as a plain file that nobody else can write; \
                 look at it, then chown and chmod go-w, or name another directory with --state"
            }
            Self::Busy { .. } => "wait until the other keypack is done, then run this again",
            Self::NoLocks { .. } => {
                "name a directory on a local disk with --state: without locks, two runs at once could make this host \
                 forget a version, and an older pack could come back"
            }
            Self::Read { .. } => "check who may read it, or name another directory with --state",
            Self::Write { .. } => {
                "check who may write there and that the disk is not full, or name another directory with --state"
            }
        }
    }
}

impl From<StateError> for Diagnostic {
    fn from(e: StateError) -> Self {
        Self { code: e.code(), error: e.to_string(), hint: e.hint().into(), exit: Exit::CouldNot }
    }
}
