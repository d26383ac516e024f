use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rustix::{
    fs::{Mode, OFlags, fstatfs, fsync, openat},
    io::Errno,
};

/// The file system type of tmpfs in statfs(2).
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Syncs the content of a file, or the names in a directory, to disk. The directory must be open for reading.
///
/// A file system without fsync is accepted; all other errors are returned.
pub fn sync(opened: impl AsFd) -> io::Result<()> {
    match fsync(opened) {
        Err(errno) if is_missing(errno) => Ok(()),
        done => Ok(done?),
    }
}

/// Does the same for a directory opened with `O_PATH`, such as a capability.
pub fn sync_directory(directory: impl AsFd) -> io::Result<()> {
    sync(reopen(directory)?)
}

/// Opens such a directory for reading, which fsync(2), flock(2) and getdents(2) require.
pub fn reopen(directory: impl AsFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(directory, c".", flags, Mode::empty())?)
}

/// Whether fsync(2) reports that this file system does not support it for this kind of file. Linux returns `EINVAL` if
/// a file system has no such operation (`vfs_fsync_range`), often for directories only; user-space and network file
/// systems pass on the other side's error.
const fn is_missing(errno: Errno) -> bool {
    matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}

/// Syncs these to disk, all at once: a journal combines simultaneous requests into one write, and each such write costs
/// some milliseconds, or many if others write too. (syncfs(2) would take minutes right after a mirror was written.
/// posix_fadvise(2) followed by syncing one at a time was measured: no better on a busy disk.)
///
/// `on` is in the same file system as all of them. One thread waits per item.
pub(super) fn sync_all<T: Sync, E: Send>(
    all: &[T],
    on: impl AsFd,
    one: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    // In memory there is nothing to wait for, and threads cost more than the calls.
    let in_memory = fstatfs(on).is_ok_and(|fs| fs.f_type == TMPFS_MAGIC);
    let helpers = if in_memory { 0 } else { all.len().saturating_sub(1) };
    let work = || {
        while let Some(item) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(item)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        // If no more threads can be started, the existing ones do the rest.
        let others: Vec<_> =
            (0..helpers).map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = work();
        for other in others {
            done = done.and(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_system_without_fsync_is_forgiven() {
        for errno in [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP] {
            assert!(is_missing(errno), "{errno:?}");
        }
        for errno in [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::BADF, Errno::STALE] {
            assert!(!is_missing(errno), "{errno:?}");
        }
    }

    #[test]
    fn the_first_failure_of_many_is_the_answer() {
        let folder = tempfile::tempdir().unwrap();
        let on = std::fs::File::open(folder.path()).unwrap();
        let items: Vec<u32> = (0..20).collect();
        assert_eq!(sync_all(&items, &on, |_| Ok::<_, u32>(())), Ok(()));
        assert_eq!(sync_all(&items, &on, |n| if *n == 7 { Err(*n) } else { Ok(()) }), Err(7));
    }
}
