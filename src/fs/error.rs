use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use rustix::io::Errno;
use thiserror::Error;

use crate::{
    diag::{Code, Diagnostic},
    display::shown,
};

/// Why something could not be written or read. Except after [`NotUndone`](Self::NotUndone), the target is unchanged.
///
/// The message states the facts; [`code`](Self::code) identifies the error for programs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FsError {
    /// The path has no final name to exchange: `.`, `..`, `/`, or a name that is too long.
    #[error("{} can't be the target: {reason}", Shown(path))]
    Unusable {
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The parent directory of the target does not exist.
    #[error("{}, the parent of {}, is not an existing directory", Shown(parent), Shown(target))]
    ParentMissing {
        /// The target.
        target: PathBuf,
        /// Its parent.
        parent: PathBuf,
    },
    /// The target is a symbolic link.
    #[error("{} is a symbolic link, and keypack does not write through symbolic links", Shown(target))]
    Symlink {
        /// The target.
        target: PathBuf,
    },
    /// The target is not a directory but a file, a device or a socket.
    #[error("{} exists and is not a directory", Shown(target))]
    NotADirectory {
        /// The target.
        target: PathBuf,
    },
    /// The target is a mount point of another file system, or of another part of this one.
    #[error("{} is a mount point, which can't be exchanged as a whole", Shown(target))]
    MountPoint {
        /// The target.
        target: PathBuf,
    },
    /// The target belongs to another user: what they wrote is not replaced.
    #[error("{} belongs to another user (uid {owner}), and keypack does not replace it", Shown(target))]
    OfAnotherUser {
        /// The target.
        target: PathBuf,
        /// Who owns it.
        owner: u32,
    },
    /// Permissions or a read-only file system forbid it.
    #[error("{} can't be written: {source}", Shown(place))]
    NotWritable {
        /// The directory that refused.
        place: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file system is full, or the quota is used up.
    #[error("the file system of {} has too little room{}", Shown(place), Room(*room))]
    NoSpace {
        /// The target.
        place: PathBuf,
        /// Bytes needed and bytes free, if known.
        room: Option<(u64, u64)>,
    },
    /// Another keypack is writing this target.
    #[error("another keypack is writing {}", Shown(target))]
    Busy {
        /// The target.
        target: PathBuf,
    },
    /// Another program changed the target between the check and the exchange; the target is left as that program made
    /// it.
    #[error("{} was changed by another program meanwhile", Shown(target))]
    Changed {
        /// The target.
        target: PathBuf,
    },
    /// The new directory is in place, but it or the old one was not as expected, and undoing the exchange failed too.
    #[error("{source}. Undoing this failed: the previous content is in {}", Shown(old))]
    NotUndone {
        /// The target.
        target: PathBuf,
        /// The path of the old directory.
        old: PathBuf,
        /// The first error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file system can't exchange two directories atomically.
    #[error("the file system of {} can't exchange two directories atomically: {source}", Shown(target))]
    NoExchange {
        /// The target.
        target: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file system does not store permissions, so it can't restrict who may change the keys.
    #[error("the file system of {} does not keep file permissions", Shown(target))]
    ModesNotKept {
        /// The target.
        target: PathBuf,
    },
    /// Reading failed.
    #[error("could not read {}: {source}", Shown(place))]
    Read {
        /// What was read.
        place: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed for another reason.
    #[error("could not {what}: {source}")]
    Write {
        /// The attempted operation.
        what: String,
        /// Why.
        source: io::Error,
    },
}

impl FsError {
    /// The error for a failed system call while writing, by its cause.
    pub(super) fn of(error: impl Into<io::Error>, place: &Path, doing: &str) -> Self {
        Self::sorted(error.into(), place, |place| format!("{doing} for {place}"))
    }

    /// A failed write of one file.
    pub(super) fn writing(error: impl Into<io::Error>, file: &Path) -> Self {
        Self::sorted(error.into(), file, |file| format!("write {file}"))
    }

    fn sorted(source: io::Error, place: &Path, what: impl Fn(Shown<'_>) -> String) -> Self {
        let place = place.to_owned();
        match Errno::from_io_error(&source) {
            // errno(3): EDQUOT is a full quota, which to the user means a full disk.
            Some(Errno::NOSPC | Errno::DQUOT) => Self::NoSpace { place, room: None },
            Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Self::NotWritable { place, source },
            _ => Self::Write { what: what(Shown(&place)), source },
        }
    }

    /// A failed system call of reading.
    pub fn read(error: impl Into<io::Error>, place: &Path) -> Self {
        Self::Read { place: place.to_owned(), source: error.into() }
    }

    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Unusable { .. } => Code::TargetUnusable,
            Self::ParentMissing { .. } => Code::ParentMissing,
            Self::Symlink { .. } => Code::TargetIsSymlink,
            Self::NotADirectory { .. } => Code::TargetNotADirectory,
            Self::MountPoint { .. } => Code::TargetIsMountPoint,
            Self::OfAnotherUser { .. } => Code::TargetOfAnotherUser,
            Self::NotWritable { .. } => Code::TargetNotWritable,
            Self::NoSpace { .. } => Code::NoSpace,
            Self::Busy { .. } => Code::TargetBusy,
            Self::Changed { .. } => Code::TargetChanged,
            Self::NotUndone { .. } => Code::NotUndone,
            Self::NoExchange { .. } => Code::ExchangeUnsupported,
            Self::ModesNotKept { .. } => Code::ModesNotKept,
            Self::Read { .. } => Code::ReadFailed,
            Self::Write { .. } => Code::WriteFailed,
        }
    }
}

/// A path for display on a terminal: control characters and bidirectional marks are escaped.
struct Shown<'a>(&'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0.to_string_lossy()))
    }
}

struct Room(Option<(u64, u64)>);

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some((needed, free)) => write!(f, ": {needed} bytes are needed and {free} are free"),
        }
    }
}

impl From<&FsError> for Diagnostic {
    fn from(e: &FsError) -> Self {
        Self::new(e.code(), e.to_string())
    }
}

impl From<FsError> for Diagnostic {
    fn from(e: FsError) -> Self {
        Self::from(&e)
    }
}
