#![allow(
    clippy::disallowed_types,
    reason = "content writes files: this is how one appears whole or not at all"
)]

use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::Path,
};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::{
    fs::{
        AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags, flock, fsync, linkat, openat, renameat_with,
    },
    io::Errno,
};

/// A file in the directory where it will get its name. It vanishes unless it is [committed](Temp::commit), and
/// where the file system has files without a name, by a crash too; elsewhere one that a crash left is in nobody's
/// way.
pub(super) struct Temp<'d> {
    directory: &'d Dir,
    file: File,
    /// The name that it has for now, if any.
    name: Option<String>,
}

/// How the names of such files begin.
pub(super) const PREFIX: &str = ".keypack-";

/// Whether a name is one that a killed run may have left.
pub(super) fn is_left_over(name: &str) -> bool {
    name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(".tmp")).is_some()
}

/// Where a file without a name can be got hold of to give it one.
const DESCRIPTORS: &str = "/proc/self/fd";

impl<'d> Temp<'d> {
    /// Makes one.
    pub(super) fn create(directory: &'d Dir) -> io::Result<Self> {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match openat(directory, c".", flags, Mode::from_raw_mode(0o644)) {
            Ok(file) if Path::new(DESCRIPTORS).is_dir() => {
                Ok(Self { directory, file: file.into(), name: None })
            }
            _ => Self::create_named(directory),
        }
    }

    fn create_named(directory: &'d Dir) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o644);
        let (name, file) = first_free(|name| directory.open_with(name, &options))?;
        Ok(Self { directory, file: file.into_std(), name: Some(name) })
    }

    /// The file, to write to.
    pub(super) const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it its name, its bytes being on the disk first; replaces what has that name. The name itself is on
    /// the disk after [`sync`].
    pub(super) fn commit(mut self, name: impl AsRef<Path>) -> io::Result<()> {
        self.file.sync_all()?;
        let old = match self.name.clone() {
            Some(name) => name,
            None => first_free(|name| self.link(name))?.0,
        };
        self.name = Some(old.clone());
        self.directory.rename(old, self.directory, name)?;
        self.name = None;
        Ok(())
    }

    /// Like [`Temp::commit`], but where the name is taken by now nothing is replaced.
    pub(super) fn commit_new(mut self, name: impl AsRef<Path>) -> io::Result<()> {
        self.file.sync_all()?;
        let Some(old) = self.name.as_deref() else { return self.link(name) };
        match renameat_with(self.directory, old, self.directory, name.as_ref(), RenameFlags::NOREPLACE) {
            // A file system without this rename, such as NFS.
            Err(Errno::INVAL | Errno::NOSYS) => return self.commit(name),
            done => done?,
        }
        self.name = None;
        Ok(())
    }

    fn link(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let this = format!("{DESCRIPTORS}/{}", self.file.as_raw_fd());
        Ok(linkat(CWD, this, self.directory, name.as_ref(), AtFlags::SYMLINK_FOLLOW)?)
    }
}

/// Tries names of temporary files until one is not taken.
fn first_free<T>(make: impl Fn(&str) -> io::Result<T>) -> io::Result<(String, T)> {
    let mut number = 0u32;
    loop {
        let name = format!("{PREFIX}{}-{number}.tmp", std::process::id());
        match make(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            done => return done.map(|made| (name, made)),
        }
    }
}

impl Drop for Temp<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Nothing better can be done about a failure, and the file does no harm.
            let _ = self.directory.remove_file(name);
        }
    }
}

/// Puts the names of a directory on the disk.
pub(super) fn sync(directory: &Dir) -> io::Result<()> {
    match fsync(reopen(directory)?) {
        // A file system that has nothing to do for it.
        Err(Errno::INVAL) => Ok(()),
        done => Ok(done?),
    }
}

/// Waits until no other keypack writes to this directory. The lock ends with the value.
pub(super) fn lock_directory(directory: &Dir) -> io::Result<OwnedFd> {
    let opened = reopen(directory)?;
    lock(&opened)?;
    Ok(opened)
}

/// Waits until no other keypack writes to this file. The lock ends when it is closed.
pub(super) fn lock(file: impl AsFd) -> io::Result<()> {
    loop {
        match flock(&file, FlockOperation::LockExclusive) {
            Err(Errno::INTR) => {}
            // A network file system without such locks, or one (NFS) that locks only what is open for writing.
            Err(Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK | Errno::BADF) => return Ok(()),
            done => return Ok(done?),
        }
    }
}

/// A [`Dir`] stands for a path; what works on an open directory needs one opened for reading.
fn reopen(directory: &Dir) -> io::Result<OwnedFd> {
    Ok(openat(directory, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        for create in [Temp::create, Temp::create_named] {
            let made = |text: &[u8]| {
                let mut temp = create(&directory).unwrap();
                temp.file().write_all(text).unwrap();
                temp
            };
            drop(made(b"dropped"));
            made(b"first").commit_new("a").unwrap();
            let taken = made(b"second").commit_new("a").unwrap_err();
            assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(directory.read("a").unwrap(), b"first");
            made(b"third").commit("a").unwrap();
            assert_eq!(directory.read("a").unwrap(), b"third");
            assert_eq!(directory.entries().unwrap().count(), 1, "nothing is left over");
            directory.remove_file("a").unwrap();
        }
    }
}
