use std::{ffi::OsString, os::fd::OwnedFd, time::Instant};

use rustix::{
    fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, flock, fstat, openat, statat, unlinkat},
    io::Errno,
};

use super::target::Target;
use crate::fs::{
    FsError,
    lock::{Lock, WAIT, lock_until},
};

/// The right to write one target, held until dropped.
///
/// A lock on an empty file beside the target. A file that was left behind locks nobody out; the next writer takes it
/// over and removes it. Not on the parent itself: anybody who may read a shared parent could hold that for ever. Not on
/// the target: it may not exist yet, and it is another directory after each exchange.
pub(super) struct TargetLock<'a> {
    target: &'a Target,
    name: OsString,
    file: OwnedFd,
    /// Whether it is held, or the file system has none.
    pub(super) state: Lock,
    /// The file is an empty one, as keypack makes it: it is removed.
    ours: bool,
}

impl<'a> TargetLock<'a> {
    /// Takes the lock; another holder is waited for.
    pub(super) fn take(target: &'a Target) -> Result<Self, FsError> {
        let name = target.sibling("lock");
        let failed = |errno| FsError::of(errno, &target.path, "take the lock");
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let create = flags | OFlags::CREATE | OFlags::EXCL;
        let until = Instant::now() + WAIT;
        loop {
            // Not O_CREAT alone: in a sticky directory that is refused for another user's file, even to root
            // (proc_sys_fs(5), protected_regular).
            let created = openat(&target.parent, name.as_os_str(), create, Mode::RUSR | Mode::WUSR);
            let new = created.is_ok();
            let opened = match created {
                Err(Errno::EXIST) => openat(&target.parent, name.as_os_str(), flags, Mode::empty()),
                other => other,
            };
            let file = match opened {
                // Another writer finished in between.
                Err(Errno::NOENT) if Instant::now() < until => continue,
                other => other.map_err(failed)?,
            };
            let state = lock_until(&file, &target.path, until).inspect_err(|_| {
                // Nobody else can hold a file that was just made.
                if new {
                    let _ = unlinkat(&target.parent, name.as_os_str(), AtFlags::empty());
                }
            })?;
            let mine = fstat(&file).map_err(failed)?;
            // A file of that name that is not an empty file is somebody's; it serves as a lock, but stays.
            let ours = FileType::from_raw_mode(mine.st_mode) == FileType::RegularFile && mine.st_size == 0;
            // The former holder may have removed the file between our open and our lock; then this is a lock on
            // nothing, and somebody else may hold the new one.
            match statat(&target.parent, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(named) if (named.st_dev, named.st_ino) == (mine.st_dev, mine.st_ino) => {
                    return Ok(Self { target, name, file, state, ours });
                }
                Ok(_) | Err(Errno::NOENT) if Instant::now() < until => {}
                Ok(_) | Err(Errno::NOENT) => return Err(FsError::Busy { target: target.path.clone() }),
                Err(errno) => return Err(failed(errno)),
            }
        }
    }
}

impl Drop for TargetLock<'_> {
    fn drop(&mut self) {
        if self.ours {
            // While still held; a file that stays behind is harmless.
            let _ = unlinkat(&self.target.parent, self.name.as_os_str(), AtFlags::empty());
        }
        // Not by closing alone: a child process that another thread has just forked still holds the descriptor.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}
