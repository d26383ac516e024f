use std::os::fd::OwnedFd;

use rustix::{
    fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, flock, fstat, openat, statat, unlinkat},
    io::Errno,
};

use super::{error::WriteError, place::Place};

/// The right to write one target, held until dropped.
///
/// flock(2) on an empty file beside the target. The kernel frees it when its holder dies, however it dies, so a
/// lock file that was left behind locks nobody out; the next writer takes it over and removes it. Not on the
/// parent itself: anybody who may read a shared parent could hold that for ever. Not on the target: it may not
/// exist yet, and it is another directory after each exchange.
pub(super) struct Lock<'a> {
    place: &'a Place,
    held: OwnedFd,
    ours: bool,
}

impl<'a> Lock<'a> {
    /// Takes the lock, or says at once that another has it.
    pub(super) fn take(place: &'a Place) -> Result<Self, WriteError> {
        let name = place.sibling("lock");
        let failed = |errno| WriteError::of(errno, &place.path, "lock the parent directory");
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let create = flags | OFlags::CREATE | OFlags::EXCL;
        // Each round lost means that another writer finished in between.
        for _ in 0..100 {
            // Not O_CREAT alone: in a sticky directory that is refused for another user's file, even to root
            // (proc_sys_fs(5), protected_regular).
            let created = openat(&place.parent, name.as_os_str(), create, Mode::RUSR | Mode::WUSR);
            let new = created.is_ok();
            let opened = match created {
                Err(Errno::EXIST) => openat(&place.parent, name.as_os_str(), flags, Mode::empty()),
                other => other,
            };
            let fd = match opened {
                Err(Errno::NOENT) => continue,
                other => other.map_err(failed)?,
            };
            match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Err(WriteError::Busy { target: place.path.clone() }),
                Err(errno) => {
                    // A file system without locks (ENOLCK, ENOSYS): nobody else holds one on this file either.
                    if new {
                        let _ = unlinkat(&place.parent, name.as_os_str(), AtFlags::empty());
                    }
                    return Err(failed(errno));
                }
                Ok(()) => {}
            }
            // The former holder may have removed the file between our open and our lock; then this is a lock on
            // nothing, and somebody else may hold the new one.
            let mine = fstat(&fd).map_err(failed)?;
            match statat(&place.parent, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(named) if (named.st_dev, named.st_ino) == (mine.st_dev, mine.st_ino) => {}
                Ok(_) | Err(Errno::NOENT) => continue,
                Err(errno) => return Err(failed(errno)),
            }
            // A file of that name that is not an empty file is somebody's; it serves as a lock, but stays.
            let ours = FileType::from_raw_mode(mine.st_mode) == FileType::RegularFile && mine.st_size == 0;
            return Ok(Self { place, held: fd, ours });
        }
        Err(WriteError::Busy { target: place.path.clone() })
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if self.ours {
            // While still held; a file that stays behind is harmless.
            let _ = unlinkat(&self.place.parent, self.place.sibling("lock").as_os_str(), AtFlags::empty());
        }
        // Not by closing alone: a child process that another thread has just forked still holds the descriptor.
        let _ = flock(&self.held, FlockOperation::Unlock);
    }
}
