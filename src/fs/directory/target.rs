use std::{
    ffi::{OsStr, OsString},
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, StatxAttributes, StatxFlags, fstat, openat, statat, statx},
    io::Errno,
};

use super::Existing;
use crate::{fs::FsError, limits};

/// The flags for opening a directory: for reading, because fsync(2) and getdents(2) refuse an `O_PATH` descriptor.
pub(super) const DIR: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The location of the target: its parent, opened once, and its name in it.
///
/// All operations are relative to this one descriptor and never follow a link, so that no one with write access to a
/// path component can redirect them between check and use. Links in the parent's path are up to the caller.
pub(super) struct Target {
    /// The path as it was given, for messages.
    pub(super) path: PathBuf,
    /// The directory that holds the target.
    pub(super) parent: OwnedFd,
    /// The target's name in it.
    pub(super) name: OsString,
}

impl Target {
    /// Finds the parent of `target`, which need not exist itself.
    pub(super) fn open(target: &Path) -> Result<Self, FsError> {
        let unusable = |reason| Err(FsError::Unusable { path: target.to_owned(), reason });
        // `components` drops a trailing slash and inner `.`: keys, keys/, ./keys and keys/. are the same target.
        let name = match target.components().next_back() {
            Some(Component::Normal(name)) => name.to_owned(),
            None => return unusable("it is empty"),
            Some(Component::RootDir | Component::Prefix(_)) => {
                return unusable("the root directory can't be exchanged");
            }
            Some(Component::CurDir | Component::ParentDir) => {
                return unusable(
                    "it does not name a directory in a parent, and only such a directory can be replaced as a whole",
                );
            }
        };
        if name.len() > limits::NAME {
            return unusable("its name is longer than 200 bytes");
        }
        let parent_path = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = openat(CWD, parent_path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR => {
                FsError::ParentMissing { target: target.to_owned(), parent: parent_path.to_owned() }
            }
            Errno::ACCESS => FsError::of(errno, parent_path, "open the parent directory"),
            _ => FsError::read(errno, parent_path),
        })?;
        Ok(Self { path: target.to_owned(), parent, name })
    }

    /// The directory at the target. A link, or anything but a directory, is refused.
    pub(super) fn look(&self) -> Result<Option<Existing>, FsError> {
        let stat = match statat(&self.parent, self.name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            other => other.map_err(|errno| FsError::read(errno, &self.path))?,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {}
            FileType::Symlink => return Err(FsError::Symlink { target: self.path.clone() }),
            _ => return Err(FsError::NotADirectory { target: self.path.clone() }),
        }
        let fd = openat(&self.parent, self.name.as_os_str(), DIR, Mode::empty()).map_err(|errno| {
            match errno {
                // It was a directory a moment ago.
                Errno::NOENT | Errno::NOTDIR | Errno::LOOP => FsError::Changed { target: self.path.clone() },
                _ => FsError::read(errno, &self.path),
            }
        })?;
        let stat = fstat(&fd).map_err(|errno| FsError::read(errno, &self.path))?;
        let (id, owner) = ((stat.st_dev, stat.st_ino), stat.st_uid);
        Ok(Some(Existing { fd, id, owner, mode: stat.st_mode & 0o7777 }))
    }

    /// Refuses a target that is the root of a mount.
    ///
    /// A device other than the parent's is one sign (also of a btrfs subvolume); a bind mount of the same file system
    /// shows only in `STATX_ATTR_MOUNT_ROOT` (statx(2), Linux 5.8). On older kernels the rename itself fails with
    /// EBUSY, which means the same.
    pub(super) fn refuse_mount_point(&self, existing: &Existing) -> Result<(), FsError> {
        let parent = fstat(&self.parent).map_err(|errno| FsError::read(errno, &self.path))?;
        let mounted = match statx(&existing.fd, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS) {
            Ok(stat) => {
                (stat.stx_attributes & stat.stx_attributes_mask).contains(StatxAttributes::MOUNT_ROOT)
            }
            // No statx (Linux before 4.11, or a sandbox that forbids it).
            Err(_) => false,
        };
        if mounted || parent.st_dev != existing.id.0 {
            return Err(FsError::MountPoint { target: self.path.clone() });
        }
        Ok(())
    }

    /// The name of a sibling of the target that belongs to keypack: `.keys.keypack-…`.
    pub(super) fn sibling(&self, suffix: &str) -> OsString {
        let mut name = OsString::from(".");
        name.push(&self.name);
        name.push(".keypack-");
        name.push(suffix);
        name
    }

    /// The part after `.keys.keypack-` in the name of a sibling, if it is one.
    pub(super) fn sibling_suffix<'a>(&self, name: &'a OsStr) -> Option<&'a str> {
        let rest = name.as_bytes().strip_prefix(self.sibling("").as_bytes())?;
        std::str::from_utf8(rest).ok()
    }

    /// The path, escaped for a terminal.
    pub(super) fn shown(&self) -> String {
        crate::display::shown(&self.path.to_string_lossy())
    }

    /// The path of a sibling, for messages.
    pub(super) fn sibling_path(&self, name: &OsStr) -> PathBuf {
        match self.path.parent() {
            Some(parent) => parent.join(name),
            None => PathBuf::from(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> Result<OsString, &'static str> {
        match Target::open(Path::new(path)) {
            Ok(target) => Ok(target.name),
            Err(e) => Err(e.code().as_str()),
        }
    }

    #[test]
    fn every_spelling_of_a_directory_is_its_name() {
        for path in ["keys", "keys/", "./keys", "keys/.", "src/../keys", "src/..//keys//", "/keys"] {
            assert_eq!(name(path), Ok("keys".into()), "{path}");
        }
    }

    #[test]
    fn what_has_no_name_in_a_parent_is_refused() {
        for path in ["", ".", "./", "/", "//", "..", "../", "src/..", "keys/.."] {
            assert_eq!(name(path), Err("target-unusable"), "{path}");
        }
        assert_eq!(name(&"k".repeat(201)), Err("target-unusable"));
        assert_eq!(name(&"k".repeat(200)), Ok("k".repeat(200).into()));
    }

    #[test]
    fn a_parent_must_be_an_existing_directory() {
        assert_eq!(name("no-such-directory/keys"), Err("parent-missing"));
        assert_eq!(name("Cargo.toml/keys"), Err("parent-missing"));
    }

    #[test]
    fn siblings_are_told_by_their_whole_prefix() {
        let target = Target::open(Path::new("keys")).unwrap();
        assert_eq!(target.sibling_suffix(OsStr::new(".keys.keypack-lock")), Some("lock"));
        assert_eq!(target.sibling_suffix(OsStr::new(".keys2.keypack-lock")), None);
        assert_eq!(target.sibling_suffix(OsStr::new("keys.keypack-lock")), None);
    }
}
