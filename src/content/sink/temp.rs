#![allow(
    clippy::disallowed_types,
    reason = "content writes files: this is how one appears whole or not at all"
)]

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::{
    fs::{FlockOperation, Mode, OFlags, RenameFlags, flock, fsync, openat, renameat_with},
    io::Errno,
};

/// A file under a name that nobody looks for, in the directory where it will get its own. It vanishes unless it is
/// [committed](Temp::commit); one that a crash left behind is in nobody's way.
pub(super) struct Temp<'d> {
    directory: &'d Dir,
    name: String,
    file: File,
    committed: bool,
}

/// How the names of such files begin.
pub(super) const PREFIX: &str = ".keypack-";

impl<'d> Temp<'d> {
    /// Makes one.
    pub(super) fn create(directory: &'d Dir) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o644);
        let mut number = 0u32;
        loop {
            let name = format!("{PREFIX}{}-{number}.tmp", std::process::id());
            match directory.open_with(&name, &options) {
                Ok(file) => return Ok(Self { directory, name, file: file.into_std(), committed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The file, to write to.
    pub(super) const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it its name, its bytes being on the disk first; replaces what has that name. The name itself is on
    /// the disk after [`sync`].
    pub(super) fn commit(mut self, name: impl AsRef<Path>) -> io::Result<()> {
        self.file.sync_all()?;
        self.directory.rename(&self.name, self.directory, name)?;
        self.committed = true;
        Ok(())
    }

    /// Like [`Temp::commit`], but where the name is taken by now nothing is replaced.
    pub(super) fn commit_new(mut self, name: impl AsRef<Path>) -> io::Result<()> {
        self.file.sync_all()?;
        match renameat_with(self.directory, &self.name, self.directory, name.as_ref(), RenameFlags::NOREPLACE)
        {
            // A file system without this rename, such as NFS.
            Err(Errno::INVAL | Errno::NOSYS) => return self.commit(name),
            done => done?,
        }
        self.committed = true;
        Ok(())
    }
}

impl Drop for Temp<'_> {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing better can be done about it, and it does no harm.
            let _ = self.directory.remove_file(&self.name);
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
