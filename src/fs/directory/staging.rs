use std::{
    collections::BTreeMap,
    ffi::OsString,
    hash::{BuildHasher as _, Hasher as _},
    io::Write as _,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, fchmod, fstat, mkdirat, openat, renameat, unlinkat},
    io::Errno,
};

use super::{
    File, MODE_DIRECTORY, MODE_FILE,
    target::{DIR, Target},
    wrapper::{self, KEPT, MARKER, MARKER_TEXT, NEW},
};
use crate::fs::{FsError, space, sync, sync::sync_all};

/// What is brought to the disk at once, at most: as many threads wait and as many files are open.
const TOGETHER: usize = 32;

/// What was changed and may not be on the disk yet.
pub(super) enum Unsynced<'a> {
    File(&'a str, std::fs::File),
    Directory(&'a OwnedFd),
}

/// A new directory, complete and on disk, beside the target but not yet in its place.
///
/// It lies in a wrapper `.keys.keypack-<random>` (mode 0700, so that nobody meets it half done) as `new`; the
/// wrapper's marker makes it recognisable at every instant, which a bare directory that later takes the target's
/// place could not be. Dropped, it is removed, whatever it holds by then: the half-made or the replaced one.
pub(super) struct Staging<'a> {
    target: &'a Target,
    name: OsString,
    /// The wrapper.
    pub(super) wrapper: OwnedFd,
    removed: bool,
}

impl<'a> Staging<'a> {
    /// Writes `files` beside the target: exact modes whatever the umask, each file and directory synced.
    pub(super) fn prepare(target: &'a Target, files: &[File<'_>]) -> Result<Self, FsError> {
        let failed = |errno| FsError::of(errno, &target.path, "create a temporary directory");
        let name = loop {
            let name = target.sibling(&random());
            match mkdirat(&target.parent, name.as_os_str(), Mode::RWXU) {
                Err(Errno::EXIST) => {}
                other => break other.map(|()| name).map_err(failed)?,
            }
        };
        let opened = openat(&target.parent, name.as_os_str(), DIR, Mode::empty());
        let wrapper = opened.map_err(|errno| {
            let _ = unlinkat(&target.parent, name.as_os_str(), AtFlags::REMOVEDIR);
            failed(errno)
        })?;
        let staging = Self { target, name, wrapper, removed: false };
        staging.mode(&staging.wrapper, 0o700)?;
        staging.fill(files)?;
        Ok(staging)
    }

    fn fill(&self, files: &[File<'_>]) -> Result<(), FsError> {
        // The marker comes first, so that whatever a killed run leaves is recognised.
        let marker = self.file(&self.wrapper, MARKER, MARKER_TEXT.as_bytes())?;
        let mut folders = BTreeMap::from([("", self.folder(&self.wrapper, NEW)?)]);
        let mut unsynced = vec![Unsynced::File(MARKER, marker)];
        for file in files {
            let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", file.path));
            self.folders(&mut folders, folder)?;
            unsynced.push(Unsynced::File(file.path, self.file(&folders[folder], name, file.bytes)?));
            if unsynced.len() >= TOGETHER {
                self.sync_all(&unsynced)?;
                unsynced.clear();
            }
        }
        // The exchange may reach the disk before the names it needs unless these are there first.
        unsynced
            .extend(folders.values().chain([&self.wrapper, &self.target.parent]).map(Unsynced::Directory));
        self.sync_all(&unsynced)
    }

    /// Makes the folders on the way to `path` that are not there.
    fn folders<'p>(&self, made: &mut BTreeMap<&'p str, OwnedFd>, path: &'p str) -> Result<(), FsError> {
        let mut above = "";
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let this = &path[..end];
            if !made.contains_key(this) {
                let name = this.rsplit('/').next().unwrap_or_default();
                let folder = self.folder(&made[above], name)?;
                made.insert(this, folder);
            }
            above = this;
        }
        Ok(())
    }

    /// One folder, new, open to all: the wrapper around it is not.
    fn folder(&self, above: &OwnedFd, name: &str) -> Result<OwnedFd, FsError> {
        let failed = |errno| FsError::of(errno, &self.target.path, "prepare the new directory");
        mkdirat(above, name, Mode::RWXU).map_err(failed)?;
        let folder = openat(above, name, DIR, Mode::empty()).map_err(failed)?;
        self.mode(&folder, MODE_DIRECTORY)?;
        Ok(folder)
    }

    /// Brings these to the disk, all at once.
    pub(super) fn sync_all(&self, unsynced: &[Unsynced<'_>]) -> Result<(), FsError> {
        let path = &self.target.path;
        sync_all(unsynced, &self.target.parent, |one| match one {
            Unsynced::Directory(dir) => {
                sync(dir).map_err(|error| FsError::of(error, path, "bring the directory to the disk"))
            }
            Unsynced::File(name, file) => {
                sync(file).map_err(|error| FsError::of(error, path, &format!("write {name}")))
            }
        })
    }

    /// One file, new, with this content, mode 0644, not yet on disk.
    fn file(&self, dir: &OwnedFd, name: &str, bytes: &[u8]) -> Result<std::fs::File, FsError> {
        let failed = |error: std::io::Error| FsError::of(error, &self.target.path, &format!("write {name}"));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(dir, name, flags, Mode::RUSR | Mode::WUSR);
        let mut file = std::fs::File::from(fd.map_err(|errno| failed(errno.into()))?);
        file.write_all(bytes).map_err(failed)?;
        self.mode(&file, MODE_FILE)?;
        Ok(file)
    }

    /// Sets the mode and looks whether it was kept: FAT refuses or ignores what it can't store, and the umask
    /// must have no say (open(2): the mode given at creation is masked).
    fn mode(&self, of: impl AsFd, mode: u32) -> Result<(), FsError> {
        let not_kept = || FsError::ModesNotKept { target: self.target.path.clone() };
        let failed = |errno| match errno {
            // We created it, so it is ours; the file system has no such mode.
            Errno::PERM | Errno::OPNOTSUPP => not_kept(),
            _ => FsError::of(errno, &self.target.path, "set permissions"),
        };
        fchmod(&of, Mode::from_raw_mode(mode)).map_err(failed)?;
        let stat = fstat(&of).map_err(failed)?;
        if stat.st_mode & 0o7777 == mode { Ok(()) } else { Err(not_kept()) }
    }

    /// Leaves the wrapper for a person to look at: what was taken out could not be put back, and may be somebody's.
    pub(super) fn keep(mut self) -> PathBuf {
        self.removed = true;
        // Under a name that no later run tidies up.
        let _ = renameat(&self.wrapper, NEW, &self.wrapper, KEPT);
        self.path()
    }

    /// The wrapper's path, for messages.
    fn path(&self) -> PathBuf {
        self.target.sibling_path(&self.name)
    }

    /// Removes the wrapper and what it holds; its path, if something of it stays.
    pub(super) fn remove(mut self) -> Option<PathBuf> {
        self.removed = true;
        let gone = wrapper::remove(self.target, &self.name);
        (!gone).then(|| self.path())
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.removed {
            wrapper::remove(self.target, &self.name);
        }
    }
}

/// Refuses a file whose path is not made of names, and so might lie elsewhere.
pub(super) fn refuse_other_paths(target: &Target, files: &[File<'_>]) -> Result<(), FsError> {
    let is_name = |part: &str| !["", ".", ".."].contains(&part);
    if files.iter().all(|file| file.path.split('/').all(is_name)) {
        return Ok(());
    }
    let reason = "a file in it would have a path that is not made of names";
    Err(FsError::Unusable { path: target.path.clone(), reason })
}

/// Refuses when the file system says ahead that the files can't fit.
pub(super) fn refuse_without_room(target: &Target, files: &[File<'_>]) -> Result<(), FsError> {
    space::need_of(&target.parent, &target.path, |fs| {
        let block = fs.f_frsize.max(1);
        // A block each for the marker and the two directories.
        let blocks = 3 + files.iter().map(|f| (f.bytes.len() as u64).div_ceil(block)).sum::<u64>();
        blocks.saturating_mul(block)
    })
}

/// Sixteen hexadecimal digits that nobody can foretell. mkdir(2) fails on a name that exists, so this need not be
/// cryptographic; the hasher's keys come from the system's random numbers.
fn random() -> String {
    format!("{:016x}", std::hash::RandomState::new().build_hasher().finish())
}
