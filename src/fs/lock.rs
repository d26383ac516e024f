//! Locks between keypack processes on one host, or on several hosts that share a file system: flock(2), which the
//! kernel releases when the holder dies for any reason.

use std::{
    io,
    os::fd::AsFd,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::FsError;

/// How long to wait for another holder of any lock: work under a lock takes milliseconds, except when a large archive
/// is copied, and a run that waits forever can't be distinguished from one that hangs.
pub const WAIT: Duration = Duration::from_secs(10);

/// The pause between two attempts.
const STEP: Duration = Duration::from_millis(10);

/// The result of asking for a lock. A lock lasts until its file is closed.
#[derive(Debug)]
#[must_use]
pub enum Lock {
    /// The lock is held exclusively.
    Held,
    /// The file system has no locks; the error from the system. Another keypack may be writing at the same time.
    Missing(io::Error),
}

impl Lock {
    /// The warning for a user who writes to `place` without a lock.
    pub fn warning(&self, place: &str) -> Option<String> {
        let Self::Missing(error) = self else { return None };
        Some(format!(
            "the file system of {place} has no locks ({error}): make sure that no other keypack writes there at the same time"
        ))
    }
}

/// Locks an open file or directory; `path` is its name in messages. [`FsError::Busy`] if another process still holds
/// the lock after [`WAIT`].
pub fn lock(opened: impl AsFd, path: &Path) -> Result<Lock, FsError> {
    lock_until(opened, path, Instant::now() + WAIT)
}

pub(super) fn lock_until(opened: impl AsFd, path: &Path, until: Instant) -> Result<Lock, FsError> {
    loop {
        match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock::Held),
            Err(errno) if is_missing(errno) => return Ok(Lock::Missing(errno.into())),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < until => thread::sleep(STEP),
            Err(Errno::WOULDBLOCK | Errno::INTR) => return Err(FsError::Busy { target: path.to_owned() }),
            Err(errno) => return Err(FsError::of(errno, path, "take the lock")),
        }
    }
}

/// Whether flock(2) reports that this file system has no locks: `ENOLCK` from NFS without a lock service, `EBADF` from
/// an NFS that locks only files open for writing, which a directory never is.
const fn is_missing(errno: Errno) -> bool {
    matches!(errno, Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::BADF)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn only_a_file_system_without_locks_is_forgiven() {
        for errno in [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::BADF] {
            assert!(is_missing(errno), "{errno:?}");
        }
        for errno in [Errno::WOULDBLOCK, Errno::INTR, Errno::IO, Errno::STALE, Errno::INVAL] {
            assert!(!is_missing(errno), "{errno:?}");
        }
    }

    #[test]
    fn a_holder_is_waited_for_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (first, second) = (File::create(&path).unwrap(), File::open(&path).unwrap());
        assert!(matches!(lock(&first, &path), Ok(Lock::Held)));
        let begun = Instant::now();
        let busy = lock_until(&second, &path, begun + STEP * 3).unwrap_err();
        assert!(matches!(busy, FsError::Busy { .. }) && begun.elapsed() >= STEP * 3, "{busy}");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lock(&second, &path));
            thread::sleep(STEP * 5);
            assert!(!waiting.is_finished());
            drop(first);
            assert!(matches!(waiting.join().unwrap(), Ok(Lock::Held)));
        });
    }
}
