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

/// A file in the directory where it will get its name. It vanishes unless it is [committed](NewFile::commit), and
/// where the file system has files without a name, by a crash too; elsewhere one that a crash left is in nobody's
/// way.
pub struct NewFile<'d> {
    directory: BorrowedFd<'d>,
    file: File,
    /// The name that it has for now, if any.
    name: Option<String>,
}

/// How the names of such files begin.
pub const PREFIX: &str = ".keypack-";

/// Whether a name is one that a killed run may have left.
pub fn is_left_over(name: &str) -> bool {
    name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(".tmp")).is_some()
}

/// Where a file without a name can be got hold of to give it one.
const DESCRIPTORS: &str = "/proc/self/fd";

impl<'d> NewFile<'d> {
    /// Makes one, with this mode as far as the umask allows.
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

    /// The file, to write to.
    pub const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it its name, its bytes being on the disk first; replaces what has that name. The name itself is on
    /// the disk after [`sync`] of the directory.
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

    /// Like [`NewFile::commit`], but where the name is taken by now nothing is replaced.
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
        // The second name is the one that stays: the first goes when this is dropped.
        match linkat(self.directory, old, self.directory, name, AtFlags::empty()) {
            // A file system without hard links too, such as some in user space: what it can't do is not asked of it.
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

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Nothing better can be done about a failure, and the file does no harm.
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
