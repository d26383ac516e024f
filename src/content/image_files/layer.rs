use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

use tar::{Archive, Entry, EntryType};

use super::{
    ContentError, ImageFiles, Source,
    unpack::{Allowance, Limited, unpack},
};
use crate::{
    limits,
    oci::{BlobError, Descriptor, Hashed},
};

/// What a layer says about paths.
#[derive(Default)]
pub(super) struct Seen<'p> {
    /// Those that it has.
    pub(super) files: ImageFiles<'p>,
    /// Those that it removes from the layers below.
    pub(super) hidden: BTreeSet<&'p str>,
}

/// The bytes of a tar header with all that belongs to it.
const HEADER: u64 = limits::TAR_EXTENSION + (16 << 10);
const BLOCK: u64 = 512;

/// Reads a layer to its end. Its digest is checked before anything that it holds is returned.
pub(super) fn read_layer<'p>(
    source: &dyn Source,
    repository: &str,
    layer: &Descriptor,
    paths: &[&'p str],
    unpacked: &Cell<u64>,
) -> Result<Seen<'p>, ContentError> {
    let opened = source.open(repository, layer)?;
    let opened =
        opened.ok_or_else(|| ContentError::MissingBlob { place: source.place(), digest: layer.digest })?;
    let most = layer.size.unwrap_or(limits::IMAGE_UNPACKED);
    let mut blob = Hashed::new(opened.take(most.saturating_add(1)));
    let seen = scan(&mut blob, paths, unpacked);
    io::copy(&mut blob, &mut io::sink())
        .map_err(|e| ContentError::read(format!("the layer {}", layer.digest), e))?;
    let (digest, actual) = blob.finish();
    if let Some(expected) = layer.size.filter(|expected| *expected != actual) {
        return Err(BlobError::Size { digest: layer.digest, expected, actual }.into());
    }
    if digest != layer.digest {
        return Err(BlobError::Digest { expected: layer.digest, actual: digest }.into());
    }
    let what = || format!("the layer {}", layer.digest);
    seen.map_err(|fault| match fault {
        _ if unpacked.get() == 0 => ContentError::TooLong {
            what: format!("an image whose layers are unpacked ({})", what()),
            limit: limits::IMAGE_UNPACKED,
        },
        Fault::Io(e) => ContentError::Malformed { what: what(), reason: e.to_string() },
        Fault::Entry { path, is } => {
            ContentError::Malformed { what: what(), reason: format!("its entry {path:?} {is}") }
        }
        Fault::Large(path) => {
            ContentError::TooLong { what: format!("{path} in {}", what()), limit: limits::IMAGE_FILE }
        }
    })
}

enum Fault {
    Io(io::Error),
    Entry { path: String, is: &'static str },
    Large(String),
}

impl From<io::Error> for Fault {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// What a layer has at a path: of several entries the last counts.
enum Last {
    File(Vec<u8>),
    Other(&'static str),
}

fn scan<'p>(blob: impl Read, paths: &[&'p str], unpacked: &Cell<u64>) -> Result<Seen<'p>, Fault> {
    let next = Cell::new(HEADER);
    let allowance = Allowance { unpacked, next: &next };
    let mut archive = Archive::new(Limited::new(unpack(blob)?, &allowance));
    let (mut seen, mut last) = (Seen::default(), BTreeMap::new());
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        // What a sparse file is said to be long is not what is stored of it.
        let stored = if kind.is_gnu_sparse() { entry.header().entry_size()? } else { entry.size() };
        next.set(stored.saturating_add(BLOCK + HEADER));
        let raw = entry.path_bytes().into_owned();
        let name = normal(&raw)?;
        for path in paths {
            if name == *path {
                last.insert(*path, content(&mut entry, path)?);
            } else if is_below(path, &name) && !is_folder(kind, &raw) {
                return Err(Fault::Entry { path: name, is: "is not a folder" });
            } else if removes(&name, path) {
                seen.hidden.insert(*path);
            }
        }
    }
    for (path, what) in last {
        match what {
            Last::File(bytes) => _ = seen.files.insert(path, bytes),
            Last::Other(is) => return Err(Fault::Entry { path: path.to_owned(), is }),
        }
    }
    Ok(seen)
}

fn content(entry: &mut Entry<'_, impl Read>, path: &str) -> Result<Last, Fault> {
    Ok(match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => {
            let (size, mut bytes) = (entry.size(), Vec::new());
            entry.take(limits::IMAGE_FILE + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > limits::IMAGE_FILE {
                return Err(Fault::Large(path.to_owned()));
            }
            if bytes.len() as u64 != size {
                return Err(Fault::Entry { path: path.to_owned(), is: "is cut short" });
            }
            Last::File(bytes)
        }
        EntryType::Symlink => Last::Other("is a symbolic link, which keypack does not follow"),
        EntryType::Link => Last::Other("is a hard link, which keypack does not follow"),
        EntryType::Directory => Last::Other("is a folder"),
        _ => Last::Other("is not a regular file"),
    })
}

fn is_folder(kind: EntryType, raw: &[u8]) -> bool {
    // Before USTAR a folder was a file with a name that ends in a slash.
    kind.is_dir() || (kind.is_file() && raw.ends_with(b"/"))
}

/// The name as it is below the root of the image.
fn normal(raw: &[u8]) -> Result<String, Fault> {
    let text = String::from_utf8_lossy(raw);
    let parts: Vec<_> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Fault::Entry { path: text.chars().take(200).collect(), is: "leads out of its folder" });
    }
    Ok(parts.join("/"))
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether an entry is a whiteout that removes a path.
fn removes(name: &str, path: &str) -> bool {
    let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
    match last.strip_prefix(".wh.") {
        Some(".wh..opq") => is_below(path, folder),
        Some(removed) => {
            let removed = if folder.is_empty() { removed.to_owned() } else { format!("{folder}/{removed}") };
            removed == path || is_below(path, &removed)
        }
        None => false,
    }
}

#[cfg(test)]
#[path = "layer_tests.rs"]
mod tests;
