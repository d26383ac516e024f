use std::{os::fd::AsFd, path::Path};

use rustix::fs::{StatVfs, fstatvfs};

use super::FsError;

/// Space for directories and for rounding to blocks, in addition to the content.
const SLACK: u64 = 64 << 10;

/// Refuses to start if the file system of `directory`, called `path` in messages, reports too little space.
///
/// This is only an estimate: quotas, inodes and other writers are noticed when they cause a failure.
pub fn need(directory: impl AsFd, path: &Path, content: u64) -> Result<(), FsError> {
    need_of(directory, path, |_| content.saturating_add(SLACK))
}

/// Does the same for a size that is exact to the block.
pub(super) fn need_of(
    directory: impl AsFd,
    path: &Path,
    bytes: impl FnOnce(&StatVfs) -> u64,
) -> Result<(), FsError> {
    // If the file system does not report it, the write itself will.
    let Ok(fs) = fstatvfs(directory) else { return Ok(()) };
    let (needed, free) = (bytes(&fs), fs.f_bavail.saturating_mul(fs.f_frsize));
    // A file system that does not count blocks reports zero of them.
    if fs.f_blocks == 0 || needed <= free {
        return Ok(());
    }
    Err(FsError::NoSpace { place: path.to_owned(), room: Some((needed, free)) })
}
