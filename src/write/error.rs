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
/// The message states the facts; [`code`](Self::code) identifies the error for programs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A file system error.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The target contains files that keypack did not write.
    #[error("{} holds files that keypack did not write: {}", display(target), first(names, *count))]
    ForeignFiles {
        /// The target.
        target: PathBuf,
        /// The first five names, with control characters escaped.
        names: Vec<String>,
        /// The number of such files.
        count: usize,
    },
    /// More or larger files than a pack may have.
    #[error("{what} is more than keypack handles ({limit})")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
    },
}

impl WriteError {
    /// The error for a directory with these entries, which keypack did not write.
    pub fn foreign(target: &Path, entries: &[Foreign]) -> Self {
        Self::not_ours(target, entries.iter().map(|e| e.name.clone()).collect())
    }

    /// The error for a target with files of these names, none of which keypack wrote.
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

/// A path, escaped for a terminal.
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
