use std::{
    ffi::OsString,
    fs::File,
    io::Read as _,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStringExt as _,
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, statat},
    io::Errno,
};

use super::{error::WriteError, place::Existing};
use crate::{
    limits,
    tree::{OutFile, SafeName},
};

/// The mode of every file that keypack writes, and of the directory.
pub(super) const FILE_MODE: u32 = 0o644;
pub(super) const DIR_MODE: u32 = 0o755;

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its plain files, by name.
    pub files: Vec<OutFile>,
    /// What keypack can't have written, by name.
    pub foreign: Vec<Foreign>,
}

/// An entry of a directory that keypack can't have written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreign {
    /// Its name, control characters escaped.
    pub name: String,
    /// What it is.
    pub kind: ForeignKind,
}

/// Why an entry is foreign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForeignKind {
    /// keys/ is flat.
    Directory,
    /// keys/ has no links.
    Symlink,
    /// A pipe, a socket, a device.
    Special,
    /// A hidden file, or a name that keypack never writes.
    Name,
    /// Larger than any file of a pack.
    TooLarge,
}

/// One entry as lstat(2) tells it.
pub(super) struct Entry {
    pub(super) name: OsString,
    pub(super) kind: FileType,
    pub(super) mode: u32,
    pub(super) size: u64,
}

impl Entry {
    /// The name, if it is one that keypack could have written and the entry is a plain file.
    pub(super) fn plain_name(&self) -> Option<SafeName> {
        if self.kind != FileType::RegularFile {
            return None;
        }
        SafeName::new(self.name.to_str()?).ok()
    }

    /// The name as it may be shown.
    pub(super) fn shown(&self) -> String {
        crate::display::shown(&self.name.to_string_lossy())
    }

    fn foreign(&self) -> Option<ForeignKind> {
        match self.kind {
            FileType::Directory => Some(ForeignKind::Directory),
            FileType::Symlink => Some(ForeignKind::Symlink),
            FileType::RegularFile if self.plain_name().is_none() => Some(ForeignKind::Name),
            FileType::RegularFile if self.size > limits::PACK_FILE => Some(ForeignKind::TooLarge),
            FileType::RegularFile => None,
            _ => Some(ForeignKind::Special),
        }
    }
}

/// The entries of `dir`, by name. More than a pack may have is an error: somebody named the wrong directory.
pub(super) fn list(dir: BorrowedFd<'_>, path: &Path) -> Result<Vec<Entry>, WriteError> {
    let read = |errno| WriteError::read(errno, path);
    let mut entries = Vec::new();
    for entry in Dir::read_from(dir).map_err(read)? {
        let name = OsString::from_vec(entry.map_err(read)?.file_name().to_bytes().to_vec());
        if name == "." || name == ".." {
            continue;
        }
        // The limit is for files; a few foreign ones beside a full pack shall still be told by name.
        if entries.len() >= limits::PACK_FILES + 100 {
            return Err(too_many(path));
        }
        let stat = match statat(dir, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
            // Removed since: another keypack has exchanged the directory and tidies up.
            Err(Errno::NOENT) => continue,
            other => other.map_err(read)?,
        };
        entries.push(Entry {
            name,
            kind: FileType::from_raw_mode(stat.st_mode),
            mode: stat.st_mode & 0o7777,
            size: u64::try_from(stat.st_size).unwrap_or(0),
        });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// All of a directory that can be keypack's, read within the limits; the rest is listed as foreign.
pub(super) fn contents(existing: &Existing, path: &Path) -> Result<Contents, WriteError> {
    let mut contents = Contents { files: Vec::new(), foreign: Vec::new() };
    let mut total = 0;
    for entry in list(existing.fd.as_fd(), path)? {
        let (Some(name), None) = (entry.plain_name(), entry.foreign()) else {
            let kind = entry.foreign().unwrap_or(ForeignKind::Name);
            contents.foreign.push(Foreign { name: entry.shown(), kind });
            continue;
        };
        let bytes = bytes(existing.fd.as_fd(), &name, path)?;
        total += bytes.len() as u64;
        if contents.files.len() >= limits::PACK_FILES {
            return Err(too_many(path));
        }
        if total > limits::PACK_TOTAL {
            let what = format!("the content of {}, in bytes,", super::error::Shown(path));
            return Err(WriteError::TooLarge { what, limit: limits::PACK_TOTAL });
        }
        contents.files.push(OutFile::new(name, bytes));
    }
    Ok(contents)
}

/// Whether the directory holds exactly these files, with exactly the modes that keypack gives.
pub(super) fn same(existing: &Existing, entries: &[Entry], files: &[OutFile], path: &Path) -> bool {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    existing.mode == DIR_MODE
        && entries.len() == files.len()
        && entries.iter().zip(files).all(|(entry, file)| {
            entry.plain_name().as_ref() == Some(&file.name)
                && entry.mode == FILE_MODE
                && entry.size == file.bytes.len() as u64
                // Unreadable is not the same; the writer then says what is wrong, if anything is.
                && bytes(existing.fd.as_fd(), &file.name, path).is_ok_and(|bytes| bytes == file.bytes)
        })
}

/// The bytes of one plain file, at most [`limits::PACK_FILE`].
fn bytes(dir: BorrowedFd<'_>, name: &SafeName, path: &Path) -> Result<Vec<u8>, WriteError> {
    let path = path.join(name.as_str());
    // O_NONBLOCK: opening a pipe that has taken the file's place must not hang; on a plain file it means nothing.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = openat(dir, name.as_str(), flags, Mode::empty()).map_err(|e| WriteError::read(e, &path))?;
    let stat = fstat(&fd).map_err(|errno| WriteError::read(errno, &path))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(WriteError::Changed { target: path });
    }
    let mut bytes = Vec::new();
    File::from(fd)
        .take(limits::PACK_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| WriteError::Read { place: path.clone(), source })?;
    if bytes.len() as u64 > limits::PACK_FILE {
        let what = format!("{}, in bytes,", super::error::Shown(&path));
        return Err(WriteError::TooLarge { what, limit: limits::PACK_FILE });
    }
    Ok(bytes)
}

fn too_many(path: &Path) -> WriteError {
    let what = format!("the number of files in {}", super::error::Shown(path));
    WriteError::TooLarge { what, limit: limits::PACK_FILES as u64 }
}
