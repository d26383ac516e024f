use super::packed::{compare, first_part, pack, unpack};
use crate::limits;

/// Names and positions of all files in a set of tar segments: one arena of packed names, and a 24-byte record per entry.
#[derive(Default)]
pub(super) struct Index {
    names: Vec<u8>,
    records: Vec<Record>,
}

#[derive(Clone, Copy)]
struct Record {
    name: u32,
    length: u16,
    segment: u16,
    at: At,
}

/// The position of a file's content in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub(super) content: u64,
    pub(super) size: u64,
}

/// The set has more entries, names or segments than an index can hold.
#[derive(Debug)]
pub(super) struct Full;

impl Index {
    /// Adds a file. Call [`Index::finish`] after the last one.
    pub(super) fn push(&mut self, segment: usize, name: &[u8], at: At) -> Result<(), Full> {
        if self.records.len() >= limits::TAR_ENTRIES {
            return Err(Full);
        }
        let start = self.names.len();
        if !pack(name, &mut self.names) {
            return Ok(());
        }
        self.records.push(Record {
            name: u32::try_from(start).map_err(|_| Full)?,
            length: u16::try_from(self.names.len() - start).map_err(|_| Full)?,
            segment: u16::try_from(segment).map_err(|_| Full)?,
            at,
        });
        Ok(())
    }

    /// Sorts the index. If several files have the same name, the one added last is used; returns the first such name.
    pub(super) fn finish(&mut self) -> Option<String> {
        let names = &self.names;
        // The arena contains the names in the order in which they were added.
        self.records
            .sort_unstable_by(|a, b| compare(name_of(names, a), name_of(names, b)).then(b.name.cmp(&a.name)));
        let mut pairs =
            self.records.windows(2).map(|pair| (name_of(names, &pair[0]), name_of(names, &pair[1])));
        let twice = pairs.find(|(one, next)| one == next);
        let twice = twice.map(|(name, _)| String::from_utf8_lossy(&unpack(name)).into_owned());
        self.records.shrink_to_fit();
        self.names.shrink_to_fit();
        twice
    }

    /// The records from this name on.
    fn from(&self, packed: &[u8]) -> &[Record] {
        let first = self.records.partition_point(|r| compare(name_of(&self.names, r), packed).is_lt());
        &self.records[first..]
    }

    /// The position of a file: its segment, and the position in it.
    pub(super) fn find(&self, name: &[u8]) -> Option<(usize, At)> {
        self.every(name).next()
    }

    /// The positions of all files with this name, the one that is used first.
    pub(super) fn every(&self, name: &[u8]) -> impl Iterator<Item = (usize, At)> {
        let mut packed = Vec::new();
        let records = if pack(name, &mut packed) { self.from(&packed) } else { &[] };
        let same = records.iter().take_while(move |record| name_of(&self.names, record) == packed);
        same.map(|record| (record.segment.into(), record.at))
    }

    /// The first components of all names under `prefix` (`dir/`, or nothing), and whether more follow. A name is
    /// returned twice if it is both a file and a directory.
    pub(super) fn children(&self, prefix: &[u8]) -> impl Iterator<Item = (Vec<u8>, bool)> {
        let mut under = Vec::new();
        let mut records = if pack(prefix, &mut under) { self.from(&under) } else { &[] };
        std::iter::from_fn(move || {
            let name = name_of(&self.names, records.first()?);
            let (part, rest) = first_part(name.strip_prefix(under.as_slice())?);
            // Skip others with its name, or everything under it: `0` follows `/` in ASCII.
            let after =
                if rest.is_empty() { [name, b"\x01"].concat() } else { [&under, part, b"0"].concat() };
            let skipped = records.partition_point(|r| compare(name_of(&self.names, r), &after).is_lt());
            records = &records[skipped..];
            Some((unpack(part), !rest.is_empty()))
        })
    }
}

fn name_of<'a>(names: &'a [u8], record: &Record) -> &'a [u8] {
    let start = record.name as usize;
    &names[start..start + usize::from(record.length)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(size: u64) -> At {
        At { content: 512, size }
    }

    #[test]
    fn finds_and_lists() {
        let mut index = Index::default();
        for (n, name) in ["b/c/d", "b/c-x", "b/c/e", "a", "b/f"].iter().enumerate() {
            index.push(0, name.as_bytes(), at(n as u64)).unwrap();
        }
        assert_eq!(index.finish(), None);
        assert_eq!(index.find(b"b/c/e"), Some((0, at(2))));
        assert_eq!(index.find(b"b"), None);
        let listed = |directory: &str| -> Vec<_> {
            let children = index.children(directory.as_bytes());
            children.map(|(name, is_dir)| (String::from_utf8(name).unwrap(), is_dir)).collect()
        };
        assert_eq!(listed(""), [("a".into(), false), ("b".into(), true)]);
        assert_eq!(listed("b/"), [("c-x".into(), false), ("c".into(), true), ("f".into(), false)]);
        assert_eq!(index.children(b"x/").count(), 0);
    }

    #[test]
    fn names_with_digests_are_found_and_listed() {
        let hex = |text: &str| crate::oci::Digest::of(text.as_bytes()).hex();
        let (a, b) = (hex("a"), hex("b"));
        let mut index = Index::default();
        let names = [format!("r/{a}/link"), format!("r/{a}.sig"), format!("r/{b}"), format!("r/{}", &a[1..])];
        for (n, name) in names.iter().enumerate() {
            index.push(0, name.as_bytes(), at(n as u64)).unwrap();
        }
        assert_eq!(index.finish(), None);
        for (n, name) in names.iter().enumerate() {
            assert_eq!(index.find(name.as_bytes()), Some((0, at(n as u64))), "{name}");
        }
        let mut expected =
            [(format!("{a}.sig"), false), (a.clone(), true), (b, false), (a[1..].into(), false)];
        expected.sort_unstable_by_key(|(name, _)| name.clone() + "/");
        let found: Vec<_> =
            index.children(b"r/").map(|(name, is_dir)| (String::from_utf8(name).unwrap(), is_dir)).collect();
        assert_eq!(found, expected);
        // What is packed is no name: nobody asks for it.
        let packed = [b"r/\0", crate::oci::Digest::of(b"b").as_bytes().as_slice()].concat();
        assert_eq!(index.find(&packed), None);
        assert_eq!(index.children(&[b"r/\0", a.as_bytes()].concat()).count(), 0);
    }

    #[test]
    fn an_entry_of_a_mirror_takes_less_than_two_hundred_bytes() {
        const ENTRIES: usize = 3000;
        let mut index = Index::default();
        for n in 0..ENTRIES / 3 {
            let hex = crate::oci::Digest::of(&n.to_be_bytes()).hex();
            let repository = format!("docker/registry/v2/repositories/openshift/release-images-{}", n / 100);
            for path in [
                format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]),
                format!("{repository}/_manifests/revisions/sha256/{hex}/link"),
                format!("{repository}/_manifests/tags/sha256-{hex}.sig/index/sha256/{hex}/link"),
            ] {
                index.push(0, path.as_bytes(), at(1)).unwrap();
            }
        }
        index.finish();
        let bytes = index.names.capacity() + index.records.capacity() * size_of::<Record>();
        // With digits they took 206 bytes.
        assert!(bytes < 150 * ENTRIES, "{}", bytes / ENTRIES);
    }

    #[test]
    fn of_one_name_the_last_counts_and_the_others_are_known() {
        let mut index = Index::default();
        for (segment, size) in [(0, 1), (1, 2), (2, 3)] {
            index.push(segment, b"a/b", at(size)).unwrap();
        }
        assert_eq!(index.finish().as_deref(), Some("a/b"));
        assert_eq!(index.find(b"a/b"), Some((2, at(3))));
        assert_eq!(index.every(b"a/b").map(|(segment, _)| segment).collect::<Vec<_>>(), [2, 1, 0]);
        assert_eq!(index.children(b"a/").collect::<Vec<_>>(), [(b"b".to_vec(), false)]);
    }
}
