use std::{
    collections::BTreeMap,
    ffi::OsString,
    hash::{BuildHasher as _, Hasher as _},
    io::Write as _,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, fchmod, fstat, mkdirat, openat, renameat, statat, unlinkat},
    io::Errno,
};

use super::{
    Existing, File, MODE_DIRECTORY, MODE_FILE,
    target::{DIR, Target},
    wrapper::{self, KEPT, MARKER, MARKER_TEXT, NEW},
};
use crate::fs::{FsError, space, sync, sync::sync_all};

/// The maximum number of items synced at once, which is also the number of waiting threads and open files.
const TOGETHER: usize = 32;

/// Something that was changed and may not be on disk yet.
pub(super) enum Unsynced<'a> {
    File(&'a str, std::fs::File),
    Directory(&'a OwnedFd),
}

/// A new directory, complete and on disk, beside the target but not yet in its place.
///
/// It is created as `new` inside a wrapper `.keys.keypack-<random>` (mode 0700, so that no other user sees it half
/// done). The wrapper's marker makes it recognisable at all times, which is impossible for a bare directory that later
/// takes the target's place. On drop it is removed with all its contents, whether the unfinished directory or the
/// replaced one.
pub(super) struct Staging<'a> {
    target: &'a Target,
    name: OsString,
    /// The wrapper.
    pub(super) wrapper: OwnedFd,
    removed: bool,
}

impl<'a> Staging<'a> {
    /// Writes `files` beside the target, with exact modes whatever the umask, each file and directory synced.
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
        // The marker comes first, so that anything left by a killed run is recognisable.
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
        // Sync the names first: otherwise the exchange may reach the disk before them.
        unsynced
            .extend(folders.values().chain([&self.wrapper, &self.target.parent]).map(Unsynced::Directory));
        self.sync_all(&unsynced)
    }

    /// Creates the missing directories on the way to `path`.
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

    /// A new directory, accessible to all; the wrapper around it is not.
    fn folder(&self, above: &OwnedFd, name: &str) -> Result<OwnedFd, FsError> {
        let failed = |errno| FsError::of(errno, &self.target.path, "prepare the new directory");
        mkdirat(above, name, Mode::RWXU).map_err(failed)?;
        let folder = openat(above, name, DIR, Mode::empty()).map_err(failed)?;
        self.mode(&folder, MODE_DIRECTORY)?;
        Ok(folder)
    }

    /// Syncs these to disk, all at once.
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

    /// A new file with this content and mode 0644, not yet on disk.
    fn file(&self, dir: &OwnedFd, name: &str, bytes: &[u8]) -> Result<std::fs::File, FsError> {
        let failed = |error: std::io::Error| FsError::of(error, &self.target.path, &format!("write {name}"));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(dir, name, flags, Mode::RUSR | Mode::WUSR);
        let mut file = std::fs::File::from(fd.map_err(|errno| failed(errno.into()))?);
        file.write_all(bytes).map_err(failed)?;
        self.mode(&file, MODE_FILE)?;
        Ok(file)
    }

    /// Sets the mode and checks that it was stored: FAT refuses or ignores modes it can't store. The umask must not
    /// affect it (open(2): the mode given at creation is masked).
    fn mode(&self, of: impl AsFd, mode: u32) -> Result<(), FsError> {
        let not_kept = || FsError::ModesNotKept { target: self.target.path.clone() };
        let failed = |errno| match errno {
            // We created it, so it is ours: the file system does not support such a mode.
            Errno::PERM | Errno::OPNOTSUPP => not_kept(),
            _ => FsError::of(errno, &self.target.path, "set permissions"),
        };
        fchmod(&of, Mode::from_raw_mode(mode)).map_err(failed)?;
        let stat = fstat(&of).map_err(failed)?;
        if stat.st_mode & 0o7777 == mode { Ok(()) } else { Err(not_kept()) }
    }

    /// Refuses to take the place of another user's directory: who may write its parent could otherwise replace newer keys
    /// by older ones, because each user has a state of their own. The owner is compared with that of the new directory,
    /// not with this process: some file systems (FAT, NFS with squashed ids) give everything to one user.
    pub(super) fn refuse_another_owner(&self, existing: &Existing) -> Result<(), FsError> {
        let new = statat(&self.wrapper, NEW, AtFlags::SYMLINK_NOFOLLOW);
        let new = new.map_err(|errno| FsError::read(errno, &self.target.path))?;
        if new.st_uid == existing.owner {
            return Ok(());
        }
        Err(FsError::OfAnotherUser { target: self.target.path.clone(), owner: existing.owner })
    }

    /// Keeps the wrapper for inspection: a directory moved out could not be put back, and may belong to someone else.
    pub(super) fn keep(mut self) -> PathBuf {
        self.removed = true;
        // Use a name that no later run removes.
        let _ = renameat(&self.wrapper, NEW, &self.wrapper, KEPT);
        self.path()
    }

    /// The wrapper's path, for messages.
    fn path(&self) -> PathBuf {
        self.target.sibling_path(&self.name)
    }

    /// Removes the wrapper with its contents. Returns its path if some of it remains.
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

/// Refuses a file whose path has components other than names, and so might end up elsewhere.
pub(super) fn refuse_other_paths(target: &Target, files: &[File<'_>]) -> Result<(), FsError> {
    let is_name = |part: &str| !["", ".", ".."].contains(&part);
    if files.iter().all(|file| file.path.split('/').all(is_name)) {
        return Ok(());
    }
    let reason = "a file in it would have a path that is not made of names";
    Err(FsError::Unusable { path: target.path.clone(), reason })
}

/// Refuses if the file system reports too little space for the files.
pub(super) fn refuse_without_room(target: &Target, files: &[File<'_>]) -> Result<(), FsError> {
    space::need_of(&target.parent, &target.path, |fs| {
        let block = fs.f_frsize.max(1);
        // One block each for the marker and the two directories.
        let blocks = 3 + files.iter().map(|f| (f.bytes.len() as u64).div_ceil(block)).sum::<u64>();
        blocks.saturating_mul(block)
    })
}

/// Sixteen unpredictable hexadecimal digits. mkdir(2) fails on a name that exists, so they need not be
/// cryptographically random; the hasher's keys come from the system's random numbers.
fn random() -> String {
    format!("{:016x}", std::hash::RandomState::new().build_hasher().finish())
}
