//! `tuf-<name>.tar`: the files of a TUF repository from which keys in the pack are derived, as served. Once unpacked it
//! is a repository again: `cosign initialize --mirror` and `keypack collect --tuf` can read it.

use std::io::Read;

use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType};

use super::{Draft, PackError, layer::header};
use crate::{
    key::{Candidate, private_key},
    limits,
    trust::tuf::{Chain, Evidence, RepositoryPath, TufError, describe},
};

/// The record of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TufRecord {
    /// Its name: the file's name without the extension.
    pub name: String,
    /// The file that holds it.
    pub file: String,
    /// The repository's address, or the name of the directory that it was read from.
    pub repository: String,
}

/// A chain to include in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncludeChain {
    /// Its name, which starts with `tuf-`.
    pub name: String,
    /// The repository.
    pub repository: String,
    /// The files.
    pub chain: Chain,
    /// Its keys, which also update the descriptions of retained keys.
    pub items: Vec<Candidate>,
}

/// Whether a name is valid for a chain.
pub(super) fn is_name(name: &str) -> bool {
    name.strip_prefix("tuf-").is_some_and(|rest| {
        (1..=80).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

/// USTAR, owner 0, time 0, sorted by path; ends with two zero blocks.
pub(super) fn write(chain: &Chain) -> std::io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (path, bytes) in chain.files() {
        tar.append(&header(path.as_str(), EntryType::Regular, 0o644, bytes.len() as u64)?, bytes)?;
    }
    tar.into_inner()
}

/// Reads a chain, up to a limit. A tar that is not byte for byte what keypack would write is refused: links, devices,
/// extension headers, duplicate files, paths that lead outside, another order.
pub(super) fn read(name: &str, tar: &[u8]) -> Result<Chain, PackError> {
    let refuse = |reason: String| PackError::Chain { name: name.to_owned(), reason };
    let wrong = |e: std::io::Error| refuse(e.to_string());
    let unsafe_file = |e: TufError| refuse(e.to_string());
    let mut chain = Chain::default();
    for entry in Archive::new(tar).entries().map_err(wrong)?.raw(true) {
        let mut entry = entry.map_err(wrong)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type() != EntryType::Regular {
            return Err(refuse(format!("its entry {path:?} is not a plain file")));
        }
        let path = RepositoryPath::new(&path).map_err(unsafe_file)?;
        if chain.get(path.as_str()).is_some() {
            return Err(refuse(format!("it holds {path} twice")));
        }
        // The size in the header may be anything; the actual content is limited by the tar, which is limited itself.
        let mut bytes = Vec::new();
        entry.by_ref().take(limits::TUF_CHAIN + 1).read_to_end(&mut bytes).map_err(wrong)?;
        if let Some(label) = private_key(&bytes) {
            return Err(PackError::PrivateKey(format!("{name}: {path} ({label})")));
        }
        chain.insert(path, bytes).map_err(unsafe_file)?;
    }
    if write(&chain).map_err(wrong)? != tar {
        return Err(refuse("it is not laid out as keypack writes it".into()));
    }
    Ok(chain)
}

impl Draft {
    /// The chains with their records.
    pub fn chains(&self) -> impl Iterator<Item = (&TufRecord, &Chain)> {
        self.inventory().tuf.iter().zip(self.chain_files())
    }

    /// The contents of each chain, unverified.
    pub fn described(&self) -> Vec<(&TufRecord, Result<Evidence, TufError>)> {
        self.chains().map(|(record, chain)| (record, describe(chain))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(files: &[(&str, &[u8])]) -> Chain {
        let mut chain = Chain::default();
        for (path, bytes) in files {
            chain.insert(RepositoryPath::new(path).unwrap(), bytes.to_vec()).unwrap();
        }
        chain
    }

    fn refused(tar: &[u8], why: &str) {
        let error = read("tuf-x.tar", tar).unwrap_err();
        assert_eq!(error.code().as_str(), "tuf-tar-refused");
        assert!(error.to_string().contains(why), "{error}");
    }

    fn tar(entries: &[(&str, EntryType, u64, &[u8])]) -> Vec<u8> {
        let mut tar = Builder::new(Vec::new());
        for (path, kind, size, bytes) in entries {
            let mut header = header("x", *kind, 0o644, *size).unwrap();
            // Written as an attacker would: the checked function refuses such paths.
            header.as_mut_bytes()[..100].fill(0);
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        }
        tar.into_inner().unwrap()
    }

    #[test]
    fn reads_what_it_writes() {
        let chain =
            chain(&[("1.root.json", b"{}"), ("targets/a/b.rekor.pub", b"key"), ("timestamp.json", b"")]);
        let bytes = write(&chain).unwrap();
        assert_eq!(read("tuf-x.tar", &bytes).unwrap(), chain);
        assert_eq!(bytes.len(), 512 * (2 + 2 + 1 + 2));
    }

    #[test]
    fn what_leaves_or_lies_is_refused() {
        let file = EntryType::Regular;
        for path in ["../x", "/etc/passwd", "targets/../../x", "a//b", ".hidden", "a\u{1b}b"] {
            refused(&tar(&[(path, file, 1, b"x")]), "not safe to keep");
        }
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Directory,
            EntryType::Fifo,
            EntryType::Char,
            EntryType::XHeader,
            EntryType::XGlobalHeader,
            EntryType::GNULongName,
            EntryType::GNUSparse,
        ] {
            refused(&tar(&[("1.root.json", kind, 0, b"")]), "is not a plain file");
        }
        refused(&tar(&[("a.json", file, 1, b"x"), ("a.json", file, 1, b"y")]), "twice");
        refused(&tar(&[("b.json", file, 1, b"x"), ("a.json", file, 1, b"y")]), "laid out");
        refused(&tar(&[("a.json", file, u64::from(u32::MAX), b"x")]), "");
        let mut behind = tar(&[("a.json", file, 1, b"x")]);
        behind.extend([0; 512]);
        refused(&behind, "laid out");
        behind.truncate(700);
        refused(&behind, "");
        refused(b"not a tar", "");
    }

    #[test]
    fn a_bomb_is_refused() {
        let many: Vec<(String, u64)> =
            (0..=limits::TUF_FILES).map(|n| (format!("{n}.root.json"), 0)).collect();
        let entries: Vec<_> =
            many.iter().map(|(p, s)| (p.as_str(), EntryType::Regular, *s, &b""[..])).collect();
        refused(&tar(&entries), "more than");
        let size = limits::TUF_CHAIN + 1;
        let large = vec![b' '; usize::try_from(size).unwrap()];
        refused(&tar(&[("timestamp.json", EntryType::Regular, size, &large)]), "more than");
    }
}
