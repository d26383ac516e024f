use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Fault;
use crate::diag::{Code, Diagnostic};

/// The first problem with a file that the user wrote for keypack.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}{place}: {what}", path = path.display(), place = at.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default())]
pub struct FileError {
    path: PathBuf,
    at: Option<(u64, u64)>,
    what: String,
    /// A hint for this particular problem, if there is a better one than the code's.
    hint: Option<String>,
    draft: bool,
}

impl FileError {
    pub(crate) fn new(path: &Path, fault: Fault) -> Self {
        Self { path: path.into(), at: fault.at, what: fault.what, hint: fault.hint, draft: false }
    }

    pub(crate) fn draft(path: &Path, fault: Fault) -> Self {
        Self { draft: true, ..Self::new(path, fault) }
    }

    /// The line and the column, from 1, if the problem has a position.
    pub const fn at(&self) -> Option<(u64, u64)> {
        self.at
    }

    /// The stable code of this error.
    pub fn code(&self) -> Code {
        if self.draft { Code::RulesAreDraft } else { Code::ConfigMalformed }
    }
}

impl From<FileError> for Diagnostic {
    fn from(e: FileError) -> Self {
        let failure = Self::new(e.code(), e.to_string());
        match e.hint {
            Some(hint) => failure.hinting(hint),
            None => failure,
        }
    }
}
