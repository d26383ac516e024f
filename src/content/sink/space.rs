#![allow(clippy::disallowed_types, reason = "content writes files: this asks for room first")]

use std::{os::fd::AsFd, path::Path};

use rustix::fs::fstatvfs;

use crate::content::ContentError;

/// What directories and rounding to blocks take beside the content.
const SLACK: u64 = 64 << 10;

/// Refuses to begin what the file system at `directory` has no room for.
pub(super) fn check(directory: impl AsFd, path: &Path, content: u64) -> Result<(), ContentError> {
    // A file system that does not tell is not asked twice: the write itself will.
    let Ok(told) = fstatvfs(directory) else { return Ok(()) };
    let (needed, free) = (content.saturating_add(SLACK), told.f_bavail.saturating_mul(told.f_frsize));
    if told.f_blocks == 0 || needed <= free {
        Ok(())
    } else {
        Err(ContentError::NoSpace { path: path.to_owned(), needed, free })
    }
}
