//! The only layer of the image form: `keys/` and its files as a tar.

use std::io::Read;

use flate2::{Compression, GzBuilder, bufread::GzDecoder};
use tar::{Archive, Builder, EntryType, Header};

use super::{PackError, zstd};
use crate::{
    limits,
    tree::{OutFile, SafeName},
};

/// The directory in the tar, and the title with which oras unpacks it.
pub(super) const DIRECTORY: &str = "keys";

/// The tar: USTAR, owner 0, time 0, `keys/` first, then the files in order. `tar::Builder` ends it with exactly two
/// zero blocks; with more, oras refuses the layer, because Go's reader does not hash padding.
pub(super) fn write(files: &[OutFile]) -> std::io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    tar.append(&header(&format!("{DIRECTORY}/"), EntryType::Directory, 0o755, 0)?, std::io::empty())?;
    for file in files {
        let path = format!("{DIRECTORY}/{}", file.name);
        let header = header(&path, EntryType::Regular, 0o644, file.bytes.len() as u64)?;
        tar.append(&header, file.bytes.as_slice())?;
    }
    tar.into_inner()
}

/// A header without information about its maker.
pub(super) fn header(path: &str, kind: EntryType, mode: u32, size: u64) -> std::io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// Compresses without storing a name or a time.
pub(super) fn gzip(tar: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).read(tar, Compression::best());
    let mut bytes = Vec::new();
    encoder.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Decompresses the layer whatever its compression: tools recompress with zstd or not at all, and the media type is not
/// always correct. The size is limited; data after the compressed stream is refused.
pub(super) fn decompress(layer: &[u8]) -> Result<Vec<u8>, PackError> {
    let wrong = |e: &dyn std::fmt::Display| PackError::Layer(e.to_string());
    let bound = limits::PACK_TOTAL + 1;
    let mut tar = Vec::new();
    if layer.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = GzDecoder::new(layer);
        decoder.by_ref().take(bound).read_to_end(&mut tar).map_err(|e| wrong(&e))?;
        if tar.len() as u64 <= limits::PACK_TOTAL && !decoder.into_inner().is_empty() {
            return Err(PackError::Layer("bytes follow its gzip stream".into()));
        }
    } else if layer.starts_with(&zstd::MAGIC) {
        zstd::decompress(layer, limits::PACK_TOTAL, &mut tar)?;
    } else {
        tar = layer.to_vec();
    }
    if tar.len() as u64 > limits::PACK_TOTAL {
        return Err(PackError::TooLarge(format!("it unpacks to more than {} bytes", limits::PACK_TOTAL)));
    }
    Ok(tar)
}

/// Reads the files of `keys/`. Anything but that directory and regular files directly in it is refused, and so are
/// headers that give an entry another name or size.
pub(super) fn read(tar: &[u8]) -> Result<Vec<OutFile>, PackError> {
    let wrong = |e: std::io::Error| PackError::Layer(e.to_string());
    let mut files = Vec::new();
    let mut overridden = false;
    // Raw entries: extension headers are checked here instead of being applied by the reader.
    let mut archive = Archive::new(tar);
    for entry in archive.entries().map_err(wrong)?.raw(true) {
        let mut entry = entry.map_err(wrong)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refuse = |reason: &str| PackError::Entry { entry: name.clone(), reason: reason.into() };
        match entry.header().entry_type() {
            EntryType::XHeader | EntryType::XGlobalHeader => {
                let mut records = Vec::new();
                entry.by_ref().take(limits::TAR_EXTENSION + 1).read_to_end(&mut records).map_err(wrong)?;
                if records.len() as u64 > limits::TAR_EXTENSION || overrides(&records) {
                    return Err(refuse("an extension header that changes names or sizes"));
                }
                overridden = true;
            }
            EntryType::Directory if name.trim_start_matches("./").trim_end_matches('/') == DIRECTORY => {
                overridden = false;
            }
            EntryType::Regular | EntryType::Continuous => {
                overridden = false;
                let inner = name
                    .strip_prefix("./")
                    .unwrap_or(&name)
                    .strip_prefix(DIRECTORY)
                    .and_then(|rest| rest.strip_prefix('/'))
                    .ok_or_else(|| refuse("it is not in keys/"))?;
                let safe = SafeName::new(inner)?;
                let size = entry.header().entry_size().map_err(wrong)?;
                if size > limits::PACK_FILE {
                    return Err(PackError::TooLarge(format!("{safe} has {size} bytes")));
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(wrong)?;
                if bytes.len() as u64 != size {
                    return Err(PackError::Layer(format!("it ends in the middle of {safe}")));
                }
                files.push(OutFile::new(safe, bytes));
                if files.len() > limits::PACK_FILES {
                    return Err(PackError::TooLarge(format!(
                        "it has more than {} files",
                        limits::PACK_FILES
                    )));
                }
            }
            EntryType::Directory => return Err(refuse("a folder other than keys/")),
            EntryType::Symlink | EntryType::Link => return Err(refuse("a link")),
            EntryType::Char | EntryType::Block | EntryType::Fifo => return Err(refuse("a device or pipe")),
            _ => return Err(refuse("an entry of a kind that no pack holds")),
        }
    }
    // A reader that continues after the end marker (GNU tar's --ignore-zeros) would see other files.
    if archive.into_inner().iter().any(|byte| *byte != 0) {
        return Err(PackError::Layer("bytes follow the end of its tar".into()));
    }
    if overridden {
        return Err(PackError::Layer("it ends after an extension header".into()));
    }
    if files.is_empty() {
        return Err(PackError::Empty);
    }
    Ok(files)
}

/// Whether PAX records (POSIX.1-2001 pax, "pax Extended Header") change the entry's name or size. Unparsable records
/// count as such.
fn overrides(records: &[u8]) -> bool {
    tar::PaxExtensions::new(records).any(|record| match record.as_ref().map(tar::PaxExtension::key) {
        Ok(Ok(key)) => {
            matches!(key, "path" | "linkpath" | "size" | "hdrcharset") || key.starts_with("GNU.sparse")
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: &[u8]) -> OutFile {
        OutFile::new(SafeName::new(name).unwrap(), bytes)
    }

    #[test]
    fn reads_what_it_writes_and_ends_with_two_zero_blocks() {
        let files = [file("a.pub", b"one"), file("keypack.json", b"{}\n")];
        let tar = write(&files).unwrap();
        assert_eq!(tar.len(), 512 * (1 + 2 + 2 + 2));
        assert_eq!(read(&decompress(&gzip(&tar).unwrap()).unwrap()).unwrap(), files);
        assert_eq!(gzip(&tar).unwrap()[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    }

    #[test]
    fn a_bomb_and_bytes_behind_the_stream_are_refused() {
        let bomb = gzip(&vec![0; usize::try_from(limits::PACK_TOTAL).unwrap() + 10]).unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(decompress(&bomb).unwrap_err().code().as_str(), "too-large");
        let mut trailing = gzip(&write(&[file("a", b"x")]).unwrap()).unwrap();
        trailing.extend(b"more");
        assert_eq!(decompress(&trailing).unwrap_err().code().as_str(), "pack-layer-malformed");
    }
}
