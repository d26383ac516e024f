use crate::limits;

/// Names and positions of all files in a set of tar segments: one arena of names, and a 24-byte record per entry.
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
        let record = Record {
            name: u32::try_from(self.names.len()).map_err(|_| Full)?,
            length: u16::try_from(name.len()).map_err(|_| Full)?,
            segment: u16::try_from(segment).map_err(|_| Full)?,
            at,
        };
        self.names.extend_from_slice(name);
        self.records.push(record);
        Ok(())
    }

    /// Sorts the index. If several files have the same name, the one added last is used; returns the first such name.
    pub(super) fn finish(&mut self) -> Option<String> {
        let names = &self.names;
        // The arena contains the names in the order in which they were added.
        self.records
            .sort_unstable_by(|a, b| name_of(names, a).cmp(name_of(names, b)).then(b.name.cmp(&a.name)));
        let mut pairs =
            self.records.windows(2).map(|pair| (name_of(names, &pair[0]), name_of(names, &pair[1])));
        let twice = pairs.find(|(one, next)| one == next);
        let twice = twice.map(|(name, _)| String::from_utf8_lossy(name).into_owned());
        self.records.shrink_to_fit();
        self.names.shrink_to_fit();
        twice
    }

    /// The position of a file: its segment, and the position in it.
    pub(super) fn find(&self, name: &[u8]) -> Option<(usize, At)> {
        self.every(name).next()
    }

    /// The positions of all files with this name, the one that is used first.
    pub(super) fn every(&self, name: &[u8]) -> impl Iterator<Item = (usize, At)> {
        let first = self.records.partition_point(|r| name_of(&self.names, r) < name);
        let same = self.records[first..].iter().take_while(move |r| name_of(&self.names, r) == name);
        same.map(|record| (record.segment.into(), record.at))
    }

    /// The first components of all names under `prefix` (`dir/`, or nothing), and whether more follow. A name is
    /// returned twice if it is both a file and a directory.
    pub(super) fn children<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a [u8], bool)> {
        let mut at = self.records.partition_point(|r| name_of(&self.names, r) < prefix);
        std::iter::from_fn(move || {
            let name = name_of(&self.names, self.records.get(at)?);
            let rest = name.strip_prefix(prefix)?;
            let part = rest.split(|b| *b == b'/').next().unwrap_or_default();
            if part.len() == rest.len() {
                at += self.records[at..].partition_point(|r| name_of(&self.names, r) == name);
                return Some((part, false));
            }
            // Skip everything under it: `0` follows `/` in ASCII.
            let after = [prefix, part, b"0"].concat();
            at += self.records[at..].partition_point(|r| name_of(&self.names, r) < after.as_slice());
            Some((part, true))
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
        let root: Vec<_> = index.children(b"").collect();
        assert_eq!(root, [(&b"a"[..], false), (b"b", true)]);
        let b: Vec<_> = index.children(b"b/").collect();
        assert_eq!(b, [(&b"c-x"[..], false), (b"c", true), (b"f", false)]);
        assert_eq!(index.children(b"x/").count(), 0);
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
        assert_eq!(index.children(b"a/").collect::<Vec<_>>(), [(&b"b"[..], false)]);
    }
}
