use std::path::Path;

use super::error::{WriteError, display};
use crate::{
    fs::{Entry, Existing, FsError, Kind, MODE_DIRECTORY, MODE_FILE},
    limits,
    tree::{OutFile, SafeName},
};

/// The contents of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its regular files, by name.
    pub files: Vec<OutFile>,
    /// Entries that keypack can't have written, by name.
    pub foreign: Vec<Foreign>,
}

/// An entry of a directory that keypack can't have written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreign {
    /// Its name, with control characters escaped.
    pub name: String,
    /// What it is.
    pub kind: ForeignKind,
}

/// Why an entry is foreign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForeignKind {
    /// keys/ has no subdirectories.
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

/// The name, if keypack could have written it and the entry is a regular file.
pub(super) fn plain_name(entry: &Entry) -> Option<SafeName> {
    if entry.kind != Kind::RegularFile {
        return None;
    }
    SafeName::new(entry.name.to_str()?).ok()
}

/// The name, escaped for display.
pub(super) fn shown(entry: &Entry) -> String {
    crate::display::shown(&entry.name.to_string_lossy())
}

fn foreign(entry: &Entry) -> Option<ForeignKind> {
    match entry.kind {
        Kind::Directory => Some(ForeignKind::Directory),
        Kind::Symlink => Some(ForeignKind::Symlink),
        Kind::RegularFile if plain_name(entry).is_none() => Some(ForeignKind::Name),
        Kind::RegularFile if entry.size > limits::PACK_FILE => Some(ForeignKind::TooLarge),
        Kind::RegularFile => None,
        _ => Some(ForeignKind::Special),
    }
}

/// The entries of a directory, by name. More than a pack may have is an error: it is probably the wrong directory.
pub(super) fn list(existing: &Existing, path: &Path) -> Result<Vec<Entry>, WriteError> {
    // The limit is for files of a pack; a few foreign ones in addition should still be listed by name.
    let entries = existing.entries(limits::PACK_FILES + 100).map_err(|e| FsError::read(e, path))?;
    entries.ok_or_else(|| too_many(path))
}

/// Reads all files of a directory that may be keypack's, within the limits; the rest is listed as foreign.
pub(super) fn contents(existing: &Existing, path: &Path) -> Result<Contents, WriteError> {
    let mut contents = Contents { files: Vec::new(), foreign: Vec::new() };
    let mut total = 0;
    for entry in list(existing, path)? {
        let (Some(name), None) = (plain_name(&entry), foreign(&entry)) else {
            let kind = foreign(&entry).unwrap_or(ForeignKind::Name);
            contents.foreign.push(Foreign { name: shown(&entry), kind });
            continue;
        };
        let bytes = bytes(existing, &name, path)?;
        total += bytes.len() as u64;
        if contents.files.len() >= limits::PACK_FILES {
            return Err(too_many(path));
        }
        if total > limits::PACK_TOTAL {
            let what = format!("the content of {}, in bytes,", display(path));
            return Err(WriteError::TooLarge { what, limit: limits::PACK_TOTAL });
        }
        contents.files.push(OutFile::new(name, bytes));
    }
    Ok(contents)
}

/// Whether the directory contains exactly these files, with exactly the modes that keypack sets.
pub(super) fn same(existing: &Existing, entries: &[Entry], files: &[OutFile], path: &Path) -> bool {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    existing.mode == MODE_DIRECTORY
        && entries.len() == files.len()
        && entries.iter().zip(files).all(|(entry, file)| {
            plain_name(entry).as_ref() == Some(&file.name)
                && entry.mode == MODE_FILE
                && entry.size == file.bytes.len() as u64
                // An unreadable file counts as different; the writer then reports the error, if there is one.
                && bytes(existing, &file.name, path).is_ok_and(|bytes| bytes == file.bytes)
        })
}

/// The bytes of one regular file, at most [`limits::PACK_FILE`].
fn bytes(existing: &Existing, name: &SafeName, path: &Path) -> Result<Vec<u8>, WriteError> {
    let path = path.join(name.as_str());
    let bytes = existing.read(name.as_str(), limits::PACK_FILE).map_err(|e| FsError::read(e, &path))?;
    bytes.ok_or_else(|| {
        let what = format!("{}, in bytes,", display(&path));
        WriteError::TooLarge { what, limit: limits::PACK_FILE }
    })
}

fn too_many(path: &Path) -> WriteError {
    let what = format!("the number of files in {}", display(path));
    WriteError::TooLarge { what, limit: limits::PACK_FILES as u64 }
}
