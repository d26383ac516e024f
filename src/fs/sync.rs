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

/// statfs(2): what tmpfs calls itself.
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Brings the content of a file, or the names in a directory, to the disk. The directory must be open for reading.
///
/// A file system without fsync is taken as it is; every other error is one.
pub fn sync(opened: impl AsFd) -> io::Result<()> {
    match fsync(opened) {
        Err(errno) if is_missing(errno) => Ok(()),
        done => Ok(done?),
    }
}

/// The same for a directory that is open for its path alone (`O_PATH`), as a capability is.
pub fn sync_directory(directory: impl AsFd) -> io::Result<()> {
    sync(reopen(directory)?)
}

/// Such a directory, opened for reading: fsync(2), flock(2) and getdents(2) need that.
pub fn reopen(directory: impl AsFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(directory, c".", flags, Mode::empty())?)
}

/// Whether fsync(2) says that this file system does not have it, for this kind of file. Linux answers `EINVAL` where a
/// file system brings no such operation (`vfs_fsync_range`), often for directories alone; those in user space and behind
/// a network pass on what the other side says.
const fn is_missing(errno: Errno) -> bool {
    matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}

/// Brings these to the disk, all at once: a journal writes what many ask for in one go, and each such write costs some
/// milliseconds, many where others write too. (Not syncfs(2): behind a mirror that was just written, that takes minutes.
/// posix_fadvise(2) and waiting for one after the other was measured: no better on a busy disk.)
///
/// `on` lies in the file system of all of them. As many threads wait as there are items.
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
        // Where no more threads can be had, those that are there do the rest.
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
