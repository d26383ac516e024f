use std::{
    ffi::{OsStr, OsString},
    io,
    os::{fd::OwnedFd, unix::ffi::OsStringExt as _},
};

pub use rustix::fs::FileType as Kind;
use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags, fstat, openat, statat},
    io::Errno,
};

use crate::fs::read;

/// Device and inode: identify a directory, whatever its name.
pub(super) type Id = (u64, u64);

/// The directory currently at a target.
pub struct Existing {
    /// Open for reading.
    pub(super) fd: OwnedFd,
    pub(super) id: Id,
    pub(super) owner: u32,
    /// Its permission bits.
    pub mode: u32,
}

/// One entry as lstat(2) describes it.
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: Kind,
    /// Its permission bits.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
}

impl Existing {
    /// The entries, sorted by name; `None` if there are more than `most`.
    pub fn entries(&self, most: usize) -> io::Result<Option<Vec<Entry>>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
            if name == "." || name == ".." {
                continue;
            }
            if entries.len() >= most {
                return Ok(None);
            }
            let stat = match statat(&self.fd, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
                // It was removed in the meantime: another keypack has exchanged the directory and is cleaning up.
                Err(Errno::NOENT) => continue,
                other => other?,
            };
            entries.push(Entry {
                name,
                kind: Kind::from_raw_mode(stat.st_mode),
                mode: stat.st_mode & 0o7777,
                size: u64::try_from(stat.st_size).unwrap_or(0),
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(entries))
    }

    /// A directory in it. Links are not followed.
    pub fn below(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let fd = openat(&self.fd, name.as_ref(), super::target::DIR, Mode::empty())?;
        let stat = fstat(&fd)?;
        let (id, owner) = ((stat.st_dev, stat.st_ino), stat.st_uid);
        Ok(Self { fd, id, owner, mode: stat.st_mode & 0o7777 })
    }

    /// The bytes of a regular file; `None` if it is longer than `limit`. Anything that is not (or no longer) a regular
    /// file is [`io::ErrorKind::InvalidInput`].
    pub fn read(&self, name: impl AsRef<OsStr>, limit: u64) -> io::Result<Option<Vec<u8>>> {
        // O_NONBLOCK: opening a pipe that has replaced the file must not hang; it has no effect on a regular file.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = openat(&self.fd, name.as_ref(), flags, Mode::empty())?;
        if Kind::from_raw_mode(fstat(&fd)?.st_mode) != Kind::RegularFile {
            return Err(crate::fs::special("no plain file"));
        }
        read(fd.into(), limit)
    }
}
