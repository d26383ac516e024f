#![allow(clippy::disallowed_types, reason = "content reads files: this reads an archive's headers")]

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use ::tar::{Archive, EntryType, PaxExtensions};

use super::window::{Watch, Window};
use crate::{content::ContentError, limits};

/// One entry of a tar, according to its headers.
#[derive(Debug, Clone, Copy)]
pub(in crate::content) struct Scanned<'a> {
    /// The name, without `./` and empty components; never absolute, never with `..`.
    pub(in crate::content) name: &'a [u8],
    /// The kind of entry.
    pub(in crate::content) kind: Kind,
    /// The position of its headers, including extensions.
    pub(in crate::content) start: u64,
    /// The position of its content.
    pub(in crate::content) content: u64,
    /// The length of its content.
    pub(in crate::content) size: u64,
}

impl Scanned<'_> {
    /// The position of the next entry's headers.
    pub(in crate::content) const fn end(&self) -> u64 {
        self.content + self.size.next_multiple_of(BLOCK)
    }
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::content) enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A header with information about the following entries, such as git's commit id.
    Note,
    /// A link, a device, a fifo, a sparse file…: the reason why an OCI archive must not contain it.
    Foreign(&'static str),
}

const BLOCK: u64 = 512;
const ZEROS: [u8; 512] = [0; 512];

/// Reads all headers of a tar, in order, without reading content. Returns the position of the end marker.
///
/// The archive is refused if two tar readers could interpret it differently: duplicate fields, a link with content,
/// extensions that contradict the entry.
pub(in crate::content) fn scan(
    file: &File,
    path: &Path,
    visit: &mut dyn FnMut(Scanned<'_>) -> Result<(), ContentError>,
) -> Result<u64, ContentError> {
    let io_error = |e| ContentError::read(path.display().to_string(), e);
    let damaged = |at: u64, reason: &str| ContentError::ArchiveDamaged {
        file: path.to_owned(),
        reason: format!("{reason} (at byte {at})"),
    };
    let length = file.metadata().map_err(io_error)?.len();
    let watch = Watch::default();
    watch.allow_entry();
    let mut archive = Archive::new(Window::new(file, &watch));
    let mut entries = archive.entries_with_seek().map_err(io_error)?;
    let (mut start, mut name) = (0, Vec::new());
    loop {
        watch.allow_entry();
        let mut entry = match entries.next() {
            None => break,
            Some(Ok(entry)) => entry,
            Some(Err(e)) if e.raw_os_error().is_some() => return Err(io_error(e)),
            Some(Err(e)) if start >= length => return Err(damaged(length, &format!("it ends early: {e}"))),
            // The reader's message about such a header quotes arbitrary bytes.
            Some(Err(_)) if start == 0 => return Err(damaged(0, "it does not begin as a tar does")),
            Some(Err(e)) => return Err(damaged(start, &e.to_string())),
        };
        let raw = entry.path_bytes().into_owned();
        let unsafe_entry = |reason| ContentError::ArchiveUnsafe {
            file: path.to_owned(),
            entry: String::from_utf8_lossy(&raw).chars().take(200).collect(),
            reason,
        };
        let mut kind = kind(entry.header().entry_type(), &raw);
        let (content, size) = (entry.raw_file_position(), entry.size());
        if size > 0 && matches!(kind, Kind::Directory | LINK | HARD_LINK | DEVICE | FIFO) {
            return Err(unsafe_entry("it has content, which its type can't have"));
        }
        if let Some(extensions) = entry.pax_extensions().map_err(|e| damaged(start, &e.to_string()))? {
            match check_pax(extensions, &raw, size) {
                Ok(sparse) if sparse => kind = SPARSE,
                Ok(_) => {}
                Err(Pax::Malformed) => return Err(damaged(start, "a PAX header is malformed")),
                Err(Pax::Contradicts) => {
                    return Err(unsafe_entry("its PAX header says its name or size twice, or another one"));
                }
            }
        }
        if kind == Kind::Note {
            name.clear();
        } else {
            normalise(&raw, &mut name).map_err(unsafe_entry)?;
        }
        if kind == Kind::File && name.is_empty() {
            return Err(unsafe_entry("it has no name"));
        }
        let scanned = Scanned { name: &name, kind, start, content, size };
        if kind != SPARSE && content.checked_add(size).is_none_or(|end| end > length) {
            return Err(damaged(length, &format!("it ends within {:?}", String::from_utf8_lossy(&name))));
        }
        start = scanned.end();
        visit(scanned)?;
    }
    if watch.ended.get() {
        return Err(damaged(
            length,
            "it ends without the end marker of a tar, so its last entries may be missing",
        ));
    }
    // Some archives lack the second block of the marker; anything else in its place is damage.
    let (end, mut second) = (watch.position.get(), ZEROS);
    let read = file.read_at(&mut second, end).map_err(io_error)?;
    if second[..read] != ZEROS[..read] {
        return Err(damaged(end, "content follows a lone block of zeros"));
    }
    Ok(end - BLOCK)
}

const SPARSE: Kind = Kind::Foreign("it is a sparse file");
const LINK: Kind = Kind::Foreign("it is a symbolic link");
const HARD_LINK: Kind = Kind::Foreign("it is a hard link");
const DEVICE: Kind = Kind::Foreign("it is a device");
const FIFO: Kind = Kind::Foreign("it is a fifo");

fn kind(entry: EntryType, raw_name: &[u8]) -> Kind {
    match entry {
        // Before USTAR a directory was a file with a name ending in a slash.
        EntryType::Regular if raw_name.ends_with(b"/") => Kind::Directory,
        EntryType::Regular => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::XGlobalHeader => Kind::Note,
        EntryType::GNUSparse => SPARSE,
        EntryType::Symlink => LINK,
        EntryType::Link => HARD_LINK,
        EntryType::Char | EntryType::Block => DEVICE,
        EntryType::Fifo => FIFO,
        _ => Kind::Foreign("its type is unknown"),
    }
}

enum Pax {
    Malformed,
    Contradicts,
}

/// Checks that there is no other interpretation than the tar reader's. Returns whether the file is sparse.
fn check_pax(extensions: PaxExtensions<'_>, name: &[u8], size: u64) -> Result<bool, Pax> {
    let (mut names, mut sizes, mut sparse) = (0, 0, false);
    for extension in extensions {
        let extension = extension.map_err(|_| Pax::Malformed)?;
        match extension.key_bytes() {
            b"path" => {
                names += 1;
                if extension.value_bytes() != name {
                    return Err(Pax::Contradicts);
                }
            }
            b"size" => {
                sizes += 1;
                if extension.value().ok().and_then(|v| v.parse().ok()) != Some(size) {
                    return Err(Pax::Contradicts);
                }
            }
            key => sparse |= key.starts_with(b"GNU.sparse."),
        }
    }
    if names > 1 || sizes > 1 { Err(Pax::Contradicts) } else { Ok(sparse) }
}

/// Writes the name without `./` and empty components.
fn normalise(raw: &[u8], name: &mut Vec<u8>) -> Result<(), &'static str> {
    name.clear();
    if raw.len() > limits::TAR_NAME {
        return Err("its name is longer than any file system allows");
    }
    if raw.starts_with(b"/") {
        return Err("its name is absolute");
    }
    if raw.contains(&0) {
        return Err("its name holds a NUL byte");
    }
    for part in raw.split(|b| *b == b'/').filter(|part| !part.is_empty() && part != b".") {
        if part == b".." {
            return Err("its name leads out of the archive");
        }
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend_from_slice(part);
    }
    Ok(())
}

/// Refuses an archive that is compressed as a whole, because it is not seekable, and suggests how to decompress it.
pub(in crate::content) fn refuse_compressed(file: &File, path: &Path) -> Result<(), ContentError> {
    let mut magic = [0; 6];
    let read = file
        .read_at(&mut magic, 0)
        .map_err(|e: io::Error| ContentError::read(path.display().to_string(), e))?;
    let reason = match &magic[..read] {
        [0x1f, 0x8b, ..] => "it is compressed: gunzip it first",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "it is compressed: unzstd it first",
        [0xfd, b'7', b'z', b'X', b'Z', 0] => "it is compressed: unxz it first",
        [b'B', b'Z', b'h', ..] => "it is compressed: bunzip2 it first",
        [b'P', b'K', 3, 4, ..] => "it is a zip file: unzip it first",
        [] => {
            return Err(ContentError::ArchiveDamaged {
                file: path.to_owned(),
                reason: "it is empty".to_owned(),
            });
        }
        _ => return Ok(()),
    };
    Err(ContentError::wrong_place(path, "a tar archive", reason))
}
