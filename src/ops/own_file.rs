//! Files that the user names and keypack writes: one that another program or person wrote is never replaced.

use std::{
    io::{self, Read as _},
    path::Path,
};

use crate::{
    diag::{Code, Diagnostic},
    fs,
};

/// The first line is at most this long.
const BEGINNING: u64 = 4096;

/// Refuses to replace a file that keypack did not write; `is_ours` looks at its first line. Called before hosts are contacted,
/// which can take minutes.
pub(super) fn refuse_other(file: &Path, code: Code, is_ours: fn(&[u8]) -> bool) -> Result<(), Diagnostic> {
    let failed = |e: io::Error| fs::FsError::read(e, file);
    let opened = match fs::open(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    let mut beginning = Vec::new();
    opened.take(BEGINNING).read_to_end(&mut beginning).map_err(failed)?;
    if is_ours(&beginning) {
        return Ok(());
    }
    let what = format!("{} was not written by keypack, or was changed in its first line", file.display());
    Err(Diagnostic::new(code, what))
}

/// Refuses a file whose folder does not exist, before hosts are contacted: only a folder of keypack's own is created.
pub(super) fn has_parent(file: &Path) -> Result<(), Diagnostic> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    match parent {
        Some(parent) if !parent.is_dir() => {
            Err(fs::FsError::ParentMissing { target: file.to_owned(), parent: parent.to_owned() }.into())
        }
        _ => Ok(()),
    }
}
