use std::{
    ffi::OsString,
    fs::File,
    hash::{BuildHasher as _, Hasher as _},
    io::Write as _,
    os::fd::{AsFd, OwnedFd},
    panic::resume_unwind,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rustix::{
    fs::{
        AtFlags, Mode, OFlags, fchmod, fstat, fstatfs, fstatvfs, fsync, mkdirat, openat, renameat, unlinkat,
    },
    io::Errno,
};

use super::{
    error::WriteError,
    listing::{DIR_MODE, FILE_MODE},
    place::{DIR, Place},
    wrapper::{KEPT, MARKER, MARKER_TEXT, NEW, OLD, remove_wrapper},
};
use crate::tree::OutFile;

/// What is brought to the disk at once, at most: as many threads wait and as many files are open.
const TOGETHER: usize = 32;

/// statfs(2): what tmpfs calls itself.
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// What was changed and may not be on the disk yet.
pub(super) enum Unsynced<'a> {
    File(&'a str, File),
    Directory(&'a OwnedFd),
}

/// A new directory, complete and on disk, beside the target but not yet in its place.
///
/// It lies in a wrapper `.keys.keypack-<random>` (mode 0700, so that nobody meets it half done) as `new`; the
/// wrapper's marker makes it recognisable at every instant, which a bare directory that later takes the target's
/// place could not be. Dropped, it is removed, whatever it holds by then: the half-made or the replaced one.
pub(super) struct Staging<'a> {
    place: &'a Place,
    name: OsString,
    /// The wrapper.
    pub(super) wrapper: OwnedFd,
    removed: bool,
}

impl<'a> Staging<'a> {
    /// Writes `files` beside the target: exact modes whatever the umask, each file and directory synced.
    pub(super) fn prepare(place: &'a Place, files: &[OutFile]) -> Result<Self, WriteError> {
        let failed = |errno| WriteError::of(errno, &place.path, "create a temporary directory");
        let name = loop {
            let name = place.sibling(&random());
            match mkdirat(&place.parent, name.as_os_str(), Mode::RWXU) {
                Err(Errno::EXIST) => {}
                other => break other.map(|()| name).map_err(failed)?,
            }
        };
        let opened = openat(&place.parent, name.as_os_str(), DIR, Mode::empty());
        let wrapper = opened.map_err(|errno| {
            let _ = unlinkat(&place.parent, name.as_os_str(), AtFlags::REMOVEDIR);
            failed(errno)
        })?;
        let staging = Self { place, name, wrapper, removed: false };
        staging.mode(&staging.wrapper, 0o700)?;
        staging.fill(files)?;
        Ok(staging)
    }

    fn fill(&self, files: &[OutFile]) -> Result<(), WriteError> {
        let failed = |errno| WriteError::of(errno, &self.place.path, "prepare the new directory");
        let wrapper = self.wrapper.as_fd();
        // The marker comes first, so that whatever a killed run leaves is recognised.
        let marker = self.file(&self.wrapper, MARKER, MARKER_TEXT.as_bytes())?;
        mkdirat(wrapper, NEW, Mode::RWXU).map_err(failed)?;
        let new = openat(wrapper, NEW, DIR, Mode::empty()).map_err(failed)?;
        // Already open to all: the wrapper around it is not.
        self.mode(&new, DIR_MODE)?;
        let mut unsynced = vec![Unsynced::File(MARKER, marker)];
        for file in files {
            let name = file.name.as_str();
            unsynced.push(Unsynced::File(name, self.file(&new, name, &file.bytes)?));
            if unsynced.len() >= TOGETHER {
                self.sync_all(&unsynced)?;
                unsynced.clear();
            }
        }
        // The exchange may reach the disk before the names it needs unless these are there first.
        unsynced.extend([&new, &self.wrapper, &self.place.parent].map(Unsynced::Directory));
        self.sync_all(&unsynced)
    }

    /// Brings these to the disk, all at once: a journal writes what many ask for in one go, and each such write costs
    /// some milliseconds, many where others write too. (Not syncfs(2): behind a mirror that was just written, that takes
    /// minutes. posix_fadvise(2) and waiting for one after the other was measured: no better on a busy disk.)
    pub(super) fn sync_all(&self, unsynced: &[Unsynced<'_>]) -> Result<(), WriteError> {
        let next = AtomicUsize::new(0);
        // In memory there is nothing to wait for, and threads cost more than the calls.
        let in_memory = fstatfs(&self.place.parent).is_ok_and(|fs| fs.f_type == TMPFS_MAGIC);
        let helpers = if in_memory { 0 } else { unsynced.len().saturating_sub(1) };
        let work = || {
            while let Some(one) = unsynced.get(next.fetch_add(1, Ordering::Relaxed)) {
                match one {
                    Unsynced::Directory(dir) => self.sync(dir)?,
                    Unsynced::File(name, file) => fsync(file)
                        .map_err(|errno| WriteError::of(errno, &self.place.path, &format!("write {name}")))?,
                }
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

    /// One file, new, with this content, mode 0644, not yet on disk.
    fn file(&self, dir: &OwnedFd, name: &str, bytes: &[u8]) -> Result<File, WriteError> {
        let failed = |errno| WriteError::of(errno, &self.place.path, &format!("write {name}"));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(dir, name, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        let mut file = File::from(fd);
        file.write_all(bytes).map_err(|e| match Errno::from_io_error(&e) {
            Some(errno) => failed(errno),
            None => WriteError::Write { what: format!("write {name}"), source: e },
        })?;
        self.mode(&file, FILE_MODE)?;
        Ok(file)
    }

    /// Sets the mode and looks whether it was kept: FAT refuses or ignores what it can't store, and the umask
    /// must have no say (open(2): the mode given at creation is masked).
    fn mode(&self, of: impl AsFd, mode: u32) -> Result<(), WriteError> {
        let not_kept = || WriteError::ModesNotKept { target: self.place.path.clone() };
        let failed = |errno| match errno {
            // We created it, so it is ours; the file system has no such mode.
            Errno::PERM | Errno::OPNOTSUPP => not_kept(),
            _ => WriteError::of(errno, &self.place.path, "set permissions"),
        };
        fchmod(&of, Mode::from_raw_mode(mode)).map_err(failed)?;
        let stat = fstat(&of).map_err(failed)?;
        if stat.st_mode & 0o7777 == mode { Ok(()) } else { Err(not_kept()) }
    }

    /// Syncs a directory.
    fn sync(&self, dir: &OwnedFd) -> Result<(), WriteError> {
        match fsync(dir) {
            // fsync(2): "fd is bound to a special file which does not support synchronization"; some network and
            // user-space file systems say so of directories, and write them at once.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(errno) => Err(WriteError::of(errno, &self.place.path, "bring the directory to the disk")),
        }
    }

    /// Leaves the wrapper for a person to look at: what was taken out could not be put back, and may be somebody's.
    pub(super) fn keep(mut self) -> PathBuf {
        self.removed = true;
        // Under a name that no later run tidies up; but what a later run will put back stays what it is.
        if !self.place.is_missing() {
            let _ = renameat(&self.wrapper, OLD, &self.wrapper, KEPT)
                .or_else(|_| renameat(&self.wrapper, NEW, &self.wrapper, KEPT));
        }
        self.path()
    }

    /// The wrapper's path, for messages.
    pub(super) fn path(&self) -> PathBuf {
        self.place.sibling_path(&self.name)
    }

    /// Removes the wrapper and what it holds; its path, if something of it stays.
    pub(super) fn remove(mut self) -> Option<PathBuf> {
        self.removed = true;
        let gone = remove_wrapper(self.place, &self.name);
        (!gone).then(|| self.path())
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.removed {
            remove_wrapper(self.place, &self.name);
        }
    }
}

/// Refuses when the file system says ahead that the files can't fit.
///
/// Only a forecast: quotas, inodes and other writers are seen when they hit. A file system that counts no blocks
/// reports zero of them and is asked no further.
pub(super) fn refuse_without_room(place: &Place, files: &[OutFile]) -> Result<(), WriteError> {
    let Ok(fs) = fstatvfs(&place.parent) else { return Ok(()) };
    let block = fs.f_frsize.max(1);
    // A block each for the marker and the two directories.
    let blocks = 3 + files.iter().map(|f| (f.bytes.len() as u64).div_ceil(block)).sum::<u64>();
    if fs.f_blocks == 0 || blocks <= fs.f_bavail {
        return Ok(());
    }
    let room = Some((blocks.saturating_mul(block), fs.f_bavail.saturating_mul(block)));
    Err(WriteError::NoSpace { place: place.path.clone(), room })
}

/// Sixteen hexadecimal digits that nobody can foretell. mkdir(2) fails on a name that exists, so this need not be
/// cryptographic; the hasher's keys come from the system's random numbers.
fn random() -> String {
    format!("{:016x}", std::hash::RandomState::new().build_hasher().finish())
}
