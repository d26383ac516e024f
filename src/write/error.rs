use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Foreign;
use crate::{
    diag::{Code, Diagnostic},
    display::shown,
    fs::FsError,
};

/// Why a directory of keys was not written, or not read.
///
/// Its text says what is true; [`code`](Self::code) names it for programs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file system.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The target holds what keypack did not write.
    #[error("{} holds what keypack did not write: {}", display(target), first(names, *count))]
    ForeignFiles {
        /// The target.
        target: PathBuf,
        /// The first five names, control characters escaped.
        names: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// More or larger files than a pack may have.
    #[error("{what} is more than keypack handles ({limit})")]
    TooLarge {
        /// What was counted.
        what: String,
        /// The bound that it exceeds.
        limit: u64,
    },
}

impl WriteError {
    /// A directory that holds these entries, which keypack did not write.
    pub fn foreign(target: &Path, entries: &[Foreign]) -> Self {
        Self::not_ours(target, entries.iter().map(|e| e.name.clone()).collect())
    }

    /// The target holds files with these names, and keypack wrote none of them.
    pub fn not_ours(target: &Path, mut names: Vec<String>) -> Self {
        let count = names.len();
        names.truncate(5);
        Self::ForeignFiles { target: target.to_owned(), names, count }
    }

    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Fs(e) => e.code(),
            Self::ForeignFiles { .. } => Code::TargetHasForeignFiles,
            Self::TooLarge { .. } => Code::TooLarge,
        }
    }
}

/// A path as it may be shown on a terminal.
pub(super) fn display(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

fn first(names: &[String], count: usize) -> String {
    let more = match count.saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.join(", ") + &more
}

impl From<WriteError> for Diagnostic {
    fn from(e: WriteError) -> Self {
        let diagnostic = Self::new(e.code(), e.to_string());
        match e {
            WriteError::TooLarge { .. } => diagnostic.hinting("check that this is the directory you mean"),
            _ => diagnostic,
        }
    }
}
