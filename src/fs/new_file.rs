use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    path::Path,
};

use rustix::{
    fs::{
        AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, openat, renameat, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use super::{lacks_rename_flag, sync};

/// A file in the directory in which it will get its name. It is removed unless it is [committed](NewFile::commit), even
/// after a crash if the file system supports unnamed files; elsewhere a crash leaves a harmless file.
pub struct NewFile<'d> {
    directory: BorrowedFd<'d>,
    file: File,
    /// The temporary name, if any.
    name: Option<String>,
}

/// The prefix of temporary names.
pub const PREFIX: &str = ".keypack-";

/// Whether a name may belong to a file left by a killed run.
pub fn is_left_over(name: &str) -> bool {
    name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(".tmp")).is_some()
}

/// The directory through which an unnamed file can be linked to a name.
const DESCRIPTORS: &str = "/proc/self/fd";

impl<'d> NewFile<'d> {
    /// Creates a file with this mode, subject to the umask.
    pub fn create(directory: &'d impl AsFd, mode: Mode) -> io::Result<Self> {
        let directory = directory.as_fd();
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match openat(directory, c".", flags, mode) {
            Ok(file) if Path::new(DESCRIPTORS).is_dir() => {
                Ok(Self { directory, file: file.into(), name: None })
            }
            _ => Self::create_named(directory, mode),
        }
    }

    fn create_named(directory: BorrowedFd<'d>, mode: Mode) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (name, file) = first_free(|name| Ok(openat(directory, name, flags, mode)?))?;
        Ok(Self { directory, file: file.into(), name: Some(name) })
    }

    /// The file to write to.
    pub const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives the file its name once its bytes are on disk; replaces an existing file of that name. The name itself is
    /// on disk after [`sync`] of the directory.
    pub fn commit(mut self, name: impl AsRef<Path>) -> io::Result<()> {
        sync(&self.file)?;
        let old = match self.name.clone() {
            Some(name) => name,
            None => first_free(|name| self.link(name.as_ref()))?.0,
        };
        self.name = Some(old.clone());
        renameat(self.directory, old, self.directory, name.as_ref())?;
        self.name = None;
        Ok(())
    }

    /// Like [`NewFile::commit`], but fails if the name is already taken.
    pub fn commit_new(mut self, name: impl AsRef<Path>) -> io::Result<()> {
        let name = name.as_ref();
        sync(&self.file)?;
        let Some(old) = self.name.as_deref() else { return self.link(name) };
        match renameat_with(self.directory, old, self.directory, name, RenameFlags::NOREPLACE) {
            Err(errno) if lacks_rename_flag(errno) => {}
            done => {
                done?;
                self.name = None;
                return Ok(());
            }
        }
        // The second name is the permanent one: the first is removed on drop.
        match linkat(self.directory, old, self.directory, name, AtFlags::empty()) {
            // A file system without hard links either, such as some in user space: settle for a check and a plain
            // rename.
            Err(Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => {
                match statat(self.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Err(Errno::EXIST.into()),
                    Err(_) => self.commit(name),
                }
            }
            done => Ok(done?),
        }
    }

    fn link(&self, name: &Path) -> io::Result<()> {
        let this = format!("{DESCRIPTORS}/{}", self.file.as_raw_fd());
        Ok(linkat(CWD, this, self.directory, name, AtFlags::SYMLINK_FOLLOW)?)
    }
}

/// Tries temporary names until one is free.
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

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // A failure can't be handled any better, and the file does no harm.
            let _ = unlinkat(self.directory, name.as_str(), AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let directory = File::open(folder.path()).unwrap();
        let mode = Mode::from_raw_mode(0o644);
        for named in [false, true] {
            let made = |text: &[u8]| {
                let temp = if named {
                    NewFile::create_named(directory.as_fd(), mode)
                } else {
                    NewFile::create(&directory, mode)
                };
                let mut temp = temp.unwrap();
                temp.file().write_all(text).unwrap();
                temp
            };
            drop(made(b"dropped"));
            made(b"first").commit_new("a").unwrap();
            let taken = made(b"second").commit_new("a").unwrap_err();
            assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(at("a")).unwrap(), b"first");
            made(b"third").commit("a").unwrap();
            assert_eq!(fs::read(at("a")).unwrap(), b"third");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
            fs::remove_file(at("a")).unwrap();
        }
    }
}
