#![allow(clippy::disallowed_types, reason = "content writes files: this writes a tar beside another")]

use std::{
    fs::{File, Permissions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    ops::Range,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use ::tar::{Builder, Header};
use cap_std::{ambient_authority, fs::Dir};
use rustix::fs::{Gid, Mode, Uid, fchown, ioctl_ficlone};

use crate::{
    content::{
        ContentError,
        files::{Kind, scan},
    },
    events::Progress,
    fs::{self, NewFile, sync_directory},
};

/// A file of the new tar.
pub(super) struct Entry {
    name: String,
    bytes: Vec<u8>,
}

impl Entry {
    pub(super) fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }

    /// Its size in a tar.
    const fn size(&self) -> u64 {
        BLOCK + (self.bytes.len() as u64).next_multiple_of(BLOCK)
    }
}

const BLOCK: u64 = 512;
/// The number of bytes copied between progress updates.
const PIECE: u64 = 32 << 20;
/// Two blocks of zeros.
const END: u64 = 2 * BLOCK;

/// The existing tar, and the ranges of it to keep.
pub(super) struct Old<'a> {
    file: &'a File,
    keep: Vec<Range<u64>>,
}

impl<'a> Old<'a> {
    /// Keeps all of it except the files that are added again.
    pub(super) fn new(file: &'a File, path: &Path, add: &[Entry]) -> Result<Self, ContentError> {
        let (mut keep, mut from) = (Vec::new(), 0);
        let end = scan(file, path, &mut |found| {
            if found.kind == Kind::File && add.iter().any(|entry| entry.name.as_bytes() == found.name) {
                keep.push(from..found.start);
                from = found.end();
            }
            Ok(())
        })?;
        keep.push(from..end);
        keep.retain(|range| !range.is_empty());
        Ok(Self { file, keep })
    }

    /// Shares the blocks of the first range with the new file, if the file system supports it.
    fn share(&mut self, new: &mut File) -> io::Result<()> {
        if let Some(end) = self.keep.first().filter(|first| first.start == 0).map(|first| first.end)
            && ioctl_ficlone(&*new, self.file).is_ok()
        {
            self.keep.remove(0);
            new.set_len(end)?;
            new.seek(SeekFrom::Start(end))?;
        }
        Ok(())
    }

    fn left(&self) -> u64 {
        self.keep.iter().map(|range| range.end - range.start).sum()
    }

    fn copy(&self, new: &mut File, meter: &Progress) -> io::Result<()> {
        let mut file = self.file;
        let mut transfer = meter.begin(self.left());
        for range in &self.keep {
            let mut left = range.end - range.start;
            file.seek(SeekFrom::Start(range.start))?;
            while left > 0 {
                // The standard library lets the kernel copy between files.
                let copied = io::copy(&mut file.take(left.min(PIECE)), new)?;
                if copied == 0 {
                    let reason = "the old archive became shorter while it was copied";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
                }
                transfer.pass(copied);
                left -= copied;
            }
        }
        Ok(())
    }

    /// Gives the new file the permissions of the old one, and its owner if this user is allowed to.
    fn take_over(&self, new: &File) -> io::Result<()> {
        let data = self.file.metadata()?;
        let _ = fchown(new, Some(Uid::from_raw(data.uid())), Some(Gid::from_raw(data.gid())));
        new.set_permissions(Permissions::from_mode(data.mode() & 0o7777))
    }
}

/// Writes a tar next to `target`: the kept parts of the old one, then `add`. It is renamed to `target` once it is
/// completely on disk.
pub(super) fn rewrite(
    target: &Path,
    mut old: Option<Old<'_>>,
    add: &[Entry],
    meter: &Progress,
) -> Result<(), ContentError> {
    let failed = |e| ContentError::write(target.display().to_string(), e);
    let name = target.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let above = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = Dir::open_ambient_dir(above, ambient_authority()).map_err(failed)?;
    let mut temp = NewFile::create(&directory, Mode::from_raw_mode(0o644)).map_err(failed)?;
    if let Some(old) = &mut old {
        old.share(temp.file()).map_err(failed)?;
    }
    let needed = old.as_ref().map_or(0, Old::left) + add.iter().map(Entry::size).sum::<u64>() + END;
    fs::need(&directory, above, needed)?;
    match &old {
        Some(old) => {
            old.copy(temp.file(), meter).and_then(|()| append(temp.file(), add)).map_err(failed)?;
            old.take_over(temp.file()).and_then(|()| temp.commit(name)).map_err(failed)?;
        }
        None => append(temp.file(), add).and_then(|()| temp.commit_new(name)).map_err(failed)?,
    }
    sync_directory(&directory).map_err(failed)
}

/// Appends files and the end marker. The headers differ only in name and size.
pub(super) fn append(new: impl Write, add: &[Entry]) -> io::Result<()> {
    let mut tar = Builder::new(BufWriter::new(new));
    for entry in add {
        let mut header = Header::new_ustar();
        header.set_path(&entry.name)?;
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        tar.append(&header, entry.bytes.as_slice())?;
    }
    tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
}
