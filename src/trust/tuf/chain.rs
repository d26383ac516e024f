use std::{collections::BTreeMap, fmt};

use super::{Instance, TufError};
use crate::{
    key::{origin_of, slug},
    limits,
    oci::Digest,
};

/// The path of a file in a repository: `15.root.json`, `targets/dir/<sha256>.name`. It can't leave the repository, and
/// is safe to use in an address, in a tar and on a terminal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryPath(String);

/// The files of a repository from which its keys are derived, as served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    files: BTreeMap<RepositoryPath, Vec<u8>>,
}

impl RepositoryPath {
    /// Accepts `path` if it is safe and fits into USTAR: 100 bytes, or up to 155 more before a slash. A hash and
    /// `fulcio_intermediate_v1.crt.pem` alone have 95.
    pub fn new(path: &str) -> Result<Self, TufError> {
        let part = |part: &str| {
            !part.is_empty()
                && !part.starts_with(['.', '-'])
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+@=%~".contains(&b))
        };
        let fits = path.len() <= 100
            || path.match_indices('/').any(|(at, _)| at <= 155 && path.len() - at - 1 <= 100);
        let shown = || path.chars().take(200).collect();
        match path.split('/').all(part) {
            true if fits => Ok(Self(path.to_owned())),
            true => Err(TufError::LongName(shown())),
            false => Err(TufError::Name(shown())),
        }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Chain {
    /// Adds a file. The total size is limited.
    pub fn insert(&mut self, path: RepositoryPath, bytes: Vec<u8>) -> Result<(), TufError> {
        self.files.insert(path, bytes);
        if self.files.len() > limits::TUF_FILES {
            return Err(TufError::TooLarge(format!("more than {} files", limits::TUF_FILES)));
        }
        let total: usize = self.files.values().map(Vec::len).sum();
        if total as u64 > limits::TUF_CHAIN {
            return Err(TufError::TooLarge(format!("more than {} bytes", limits::TUF_CHAIN)));
        }
        Ok(())
    }

    /// A file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        let path = RepositoryPath::new(path).ok()?;
        self.files.get(&path).map(Vec::as_slice)
    }

    /// All files, by path.
    pub fn files(&self) -> impl Iterator<Item = (&RepositoryPath, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path, bytes.as_slice()))
    }

    /// The roots, oldest first.
    pub fn roots(&self) -> Vec<(u64, &[u8])> {
        let version = |path: &RepositoryPath| path.0.strip_suffix(".root.json")?.parse::<u64>().ok();
        let mut roots: Vec<_> =
            self.files().filter_map(|(path, bytes)| Some((version(path)?, bytes))).collect();
        roots.sort_unstable_by_key(|(version, _)| *version);
        roots
    }

    /// The name of its file in keys/: a short one if one of its roots is built in, otherwise made from the first digits
    /// of its oldest root, and from its location if known.
    pub fn name(&self, place: Option<&str>) -> String {
        let roots = self.roots();
        if let Some(instance) = roots.iter().find_map(|(_, bytes)| Instance::of(bytes)) {
            return format!("tuf-{}", instance.name());
        }
        let oldest = roots.first().map(|(_, bytes)| Digest::of(bytes).hex()).unwrap_or_default();
        let host = place.map(|place| slug(&origin_of(place))).unwrap_or_default();
        // "tuf-tuf-…" adds nothing to "tuf-…".
        let host = host.strip_prefix("tuf-").unwrap_or(&host);
        let id = oldest.chars().take(8).collect::<String>();
        if host.is_empty() { format!("tuf-{id}") } else { format!("tuf-{host}-{id}") }
    }

    /// Whether the other has the same content, except for a newly signed timestamp and snapshot: these are renewed
    /// every few days even if nothing else changes.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let lasting = |chain: &Self| -> BTreeMap<RepositoryPath, Vec<u8>> {
            let renewed = |path: &str| {
                path == "timestamp.json" || path == "snapshot.json" || path.ends_with(".snapshot.json")
            };
            chain.files.clone().into_iter().filter(|(path, _)| !renewed(&path.0)).collect()
        };
        lasting(self) == lasting(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let (hundred, folders) = ("a".repeat(100), "b".repeat(155));
        let (split, far) = (format!("targets/{hundred}"), format!("{folders}/{hundred}"));
        let good = ["timestamp.json", "15.root.json", "targets/dir/ab.rekor.pub", "3.a%2Fb.json"];
        for good in good.into_iter().chain([hundred.as_str(), &split, &far]) {
            assert_eq!(RepositoryPath::new(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(101);
        for bad in [long.clone(), format!("targets/{long}"), format!("b{folders}/{hundred}")] {
            assert_eq!(RepositoryPath::new(&bad).unwrap_err().code().as_str(), "tuf-name-long", "{bad:?}");
        }
        let evil = format!("../{long}");
        for bad in
            ["", "/x", "../x", "a/../b", "a//b", "a/", ".x", "a/.b", "-x", "a b", "a\\b", "ä", "a\n", &evil]
        {
            assert_eq!(RepositoryPath::new(bad).unwrap_err().code().as_str(), "tuf-name-unsafe", "{bad:?}");
        }
    }

    #[test]
    fn a_chain_is_bounded() {
        let mut chain = Chain::default();
        let half = vec![0; usize::try_from(limits::TUF_CHAIN).unwrap() / 2 + 1];
        chain.insert(RepositoryPath::new("a").unwrap(), half.clone()).unwrap();
        let full = chain.insert(RepositoryPath::new("b").unwrap(), half).unwrap_err();
        assert_eq!(full.code().as_str(), "tuf-too-large");
        let mut many = Chain::default();
        for n in 0..limits::TUF_FILES {
            many.insert(RepositoryPath::new(&format!("{n}.root.json")).unwrap(), vec![]).unwrap();
        }
        let full = many.insert(RepositoryPath::new("x").unwrap(), vec![]).unwrap_err();
        assert_eq!(full.code().as_str(), "tuf-too-large");
    }

    fn chain(files: &[(&str, &[u8])]) -> Chain {
        let mut chain = Chain::default();
        for (path, bytes) in files {
            chain.insert(RepositoryPath::new(path).unwrap(), bytes.to_vec()).unwrap();
        }
        chain
    }

    #[test]
    fn roots_are_in_the_order_of_their_numbers() {
        let chain = chain(&[
            ("10.root.json", b"c"),
            ("9.root.json", b"b"),
            ("2.root.json", b"a"),
            ("x.root.json", b""),
            ("targets/3.root.json.x", b""),
        ]);
        assert_eq!(chain.roots(), [(2, &b"a"[..]), (9, b"b"), (10, b"c")]);
    }

    #[test]
    fn a_chain_is_called_after_its_place_and_its_oldest_root() {
        let digits = &Digest::of(b"a").hex()[..8];
        for instance in Instance::ALL {
            let root = instance.root().unwrap();
            let builtin = chain(&[("1.root.json", b"a"), ("16.root.json", root.bytes())]);
            assert_eq!(builtin.name(Some("https://mirror.example.com")), format!("tuf-{}", instance.name()));
        }
        let chain = chain(&[("10.root.json", b"c"), ("9.root.json", b"a")]);
        assert_eq!(chain.name(None), format!("tuf-{digits}"));
        assert_eq!(
            chain.name(Some("https://tuf-default.example.com/x")),
            format!("tuf-default-example-com-{digits}")
        );
        assert_eq!(chain.name(Some("https://trust.example.com")), format!("tuf-trust-example-com-{digits}"));
    }

    #[test]
    fn what_is_signed_anew_all_the_time_is_no_change() {
        let was = chain(&[("1.root.json", b"r"), ("7.snapshot.json", b"s"), ("timestamp.json", b"t")]);
        for (path, same) in [
            ("8.snapshot.json", true),
            ("snapshot.json", true),
            ("timestamp.json", true),
            ("2.root.json", false),
            ("1.targets.json", false),
            ("1.d.json", false),
            ("targets/rekor.pub", false),
        ] {
            let is = chain(&[("1.root.json", b"r"), (path, b"new")]);
            assert_eq!((was.says_the_same(&is), is.says_the_same(&was)), (same, same), "{path}");
        }
        assert!(!was.says_the_same(&chain(&[("1.root.json", b"x")])));
    }
}
