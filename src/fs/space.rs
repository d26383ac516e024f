use std::{os::fd::AsFd, path::Path};

use rustix::fs::{StatVfs, fstatvfs};

use super::FsError;

/// What directories and rounding to blocks take beside the content.
const SLACK: u64 = 64 << 10;

/// Refuses to begin what the file system of `directory`, called `path`, says that it has no room for.
///
/// Only a forecast: quotas, inodes and other writers are seen when they hit.
pub fn need(directory: impl AsFd, path: &Path, content: u64) -> Result<(), FsError> {
    need_of(directory, path, |_| content.saturating_add(SLACK))
}

/// The same for what is known to the block.
pub(super) fn need_of(
    directory: impl AsFd,
    path: &Path,
    bytes: impl FnOnce(&StatVfs) -> u64,
) -> Result<(), FsError> {
    // A file system that does not say is not asked twice: the write itself will.
    let Ok(fs) = fstatvfs(directory) else { return Ok(()) };
    let (needed, free) = (bytes(&fs), fs.f_bavail.saturating_mul(fs.f_frsize));
    // One that counts no blocks reports zero of them.
    if fs.f_blocks == 0 || needed <= free {
        return Ok(());
    }
    Err(FsError::NoSpace { place: path.to_owned(), room: Some((needed, free)) })
}
