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
/// It is a lock on an empty file beside the target. A leftover file blocks no one; the next writer takes it over and
/// removes it. The parent directory can't serve as the lock, because any user who may read a shared parent could hold
/// it forever. Nor can the target: it may not exist yet, and every exchange replaces it.
pub(super) struct TargetLock<'a> {
    target: &'a Target,
    name: OsString,
    file: OwnedFd,
    /// Whether the lock is held, or the file system has no locks.
    pub(super) state: Lock,
    /// Whether the file is empty, as created by keypack, and so should be removed.
    ours: bool,
}

impl<'a> TargetLock<'a> {
    /// Takes the lock, waiting for another holder.
    pub(super) fn take(target: &'a Target) -> Result<Self, FsError> {
        let name = target.sibling("lock");
        let failed = |errno| FsError::of(errno, &target.path, "take the lock");
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let create = flags | OFlags::CREATE | OFlags::EXCL;
        let until = Instant::now() + WAIT;
        loop {
            // O_CREAT alone does not work: in a sticky directory it is refused for another user's file, even to root
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
                // A file that was just created can't be held by another process.
                if new {
                    let _ = unlinkat(&target.parent, name.as_os_str(), AtFlags::empty());
                }
            })?;
            let mine = fstat(&file).map_err(failed)?;
            // A file of that name that is not empty belongs to someone; it serves as a lock, but is not removed.
            let ours = FileType::from_raw_mode(mine.st_mode) == FileType::RegularFile && mine.st_size == 0;
            // The previous holder may have removed the file between our open and our lock. This lock is then useless,
            // and another process may hold the new one.
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
            // Removed while the lock is still held; a leftover file is harmless.
            let _ = unlinkat(&self.target.parent, self.name.as_os_str(), AtFlags::empty());
        }
        // Unlock explicitly: a child that another thread has just forked still has the descriptor open.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}
