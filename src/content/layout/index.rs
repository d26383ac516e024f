//! index.json (OCI image-spec v1.1, image-layout.md) as a stream, because that of a large mirror exceeds the limit for
//! manifests.

mod dto;
mod utf8;

use std::{
    cmp::Ordering,
    io::{BufReader, Read},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use self::{
    dto::{Entries, EntryDto, IndexDto, RefName},
    utf8::Utf8,
};

use crate::{
    content::{
        ContentError, Name, OpenFile,
        files::{compare, pack, unpack},
    },
    limits,
    oci::{Descriptor, Digest, DigestError},
};

/// The entries of an index.json, reduced to the necessary data.
pub(super) struct Index {
    /// Sorted by name, those without one last, then by digest.
    entries: Vec<Entry>,
    /// The names, packed.
    names: Vec<u8>,
    /// The entries sorted by digest.
    by_digest: Vec<u32>,
    /// Media types, interned because most entries share a few.
    types: Vec<Box<str>>,
    /// The errors of entries that are left out.
    pub(super) problems: Vec<EntryError>,
}

/// The error of an entry.
#[derive(Debug, Clone)]
pub(super) enum EntryError {
    /// Its digest is invalid.
    Digest(DigestError),
    /// It is not a descriptor.
    Form(String),
}

#[derive(Clone, Copy)]
struct Entry {
    digest: Digest,
    size: u64,
    /// Where its name begins; [`NO_NAME`] where it has none.
    name: u32,
    /// How long its name is.
    length: u16,
    media_type: u16,
}

const NO_NAME: u32 = u32::MAX;

impl Index {
    /// Reads an index.json. `place` is its name in messages.
    pub(super) fn read(file: OpenFile<'_>, place: &str) -> Result<Self, ContentError> {
        if file.size > limits::INDEX_JSON {
            return Err(ContentError::TooLong { what: place.to_owned(), limit: limits::INDEX_JSON });
        }
        let malformed = |reason: String| ContentError::Malformed { what: place.to_owned(), reason };
        let mut text = Utf8::new(file.reader.take(limits::INDEX_JSON));
        let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, &mut text));
        let read = IndexDto::deserialize(&mut json).and_then(|index| json.end().map(|()| index));
        drop(json);
        let index = match read {
            Ok(index) => index,
            Err(_) if text.is_not_text => return Err(malformed("it is not UTF-8".to_owned())),
            Err(e) if e.is_io() => return Err(ContentError::read(place, e.into())),
            Err(e) => return Err(malformed(e.to_string())),
        };
        index.check().map_err(|reason| malformed(reason.to_owned()))?;
        let mut index = index.manifests.map(|Entries(index)| index).unwrap_or_default();
        index.finish();
        Ok(index)
    }

    /// Sorts, and takes out what is listed twice.
    fn finish(&mut self) {
        let Self { entries, names, by_digest, .. } = self;
        entries.sort_unstable_by(|a, b| {
            by_name(name_of(names, a), name_of(names, b)).then(a.digest.cmp(&b.digest))
        });
        entries.dedup_by(|a, b| {
            let same = (a.digest, a.size, a.media_type) == (b.digest, b.size, b.media_type);
            same && name_of(names, a) == name_of(names, b)
        });
        entries.shrink_to_fit();
        names.shrink_to_fit();
        *by_digest = (0..).take(entries.len()).collect();
        by_digest.sort_by_key(|at| entries[*at as usize].digest);
    }

    fn push(&mut self, raw: &RawValue) {
        if let Err(e) = self.add(raw)
            && self.problems.len() < limits::UNREADABLE_ENTRIES
        {
            self.problems.push(e);
        }
    }

    fn add(&mut self, raw: &RawValue) -> Result<(), EntryError> {
        let entry: EntryDto = serde_json::from_str(raw.get()).map_err(|e| EntryError::Form(e.to_string()))?;
        let digest = entry.digest.parse().map_err(EntryError::Digest)?;
        let (name, length) = match entry.annotations.and_then(|RefName(name)| name) {
            None => (NO_NAME, 0),
            Some(name) => self.keep(&name)?,
        };
        let media_type = entry.media_type.unwrap_or_default();
        let known = self.types.iter().position(|known| **known == *media_type);
        let number = known.unwrap_or_else(|| {
            // The types of entries are not needed: a manifest states its own.
            if self.types.len() == TYPES {
                0
            } else {
                self.types.push(media_type.into());
                self.types.len() - 1
            }
        });
        let media_type = u16::try_from(number).unwrap_or_default();
        self.entries.push(Entry { digest, size: entry.size, name, length, media_type });
        Ok(())
    }

    /// Keeps a name; where it begins, and its length.
    fn keep(&mut self, name: &str) -> Result<(u32, u16), EntryError> {
        let start = self.names.len();
        let is_name = pack(name.as_bytes(), &mut self.names);
        let length = u16::try_from(self.names.len() - start).ok().filter(|_| is_name);
        match (u32::try_from(start), length) {
            (Ok(start), Some(length)) if start != NO_NAME => Ok((start, length)),
            _ => {
                self.names.truncate(start);
                Err(EntryError::Form("its name holds a NUL byte or is longer than any tag".to_owned()))
            }
        }
    }

    fn descriptor(&self, entry: &Entry) -> Descriptor {
        Descriptor {
            media_type: self
                .types
                .get(usize::from(entry.media_type))
                .map(ToString::to_string)
                .unwrap_or_default(),
            size: Some(entry.size),
            ..Descriptor::of_digest(entry.digest)
        }
    }

    /// All entries, tags first, sorted by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Descriptor, Name)> {
        self.entries.iter().map(|entry| {
            let name = name_of(&self.names, entry);
            let name = name.map(|name| String::from_utf8_lossy(&unpack(name)).into_owned());
            (self.descriptor(entry), name.map_or(Name::Untagged, Name::Tag))
        })
    }

    /// The entry with this digest.
    pub(super) fn by_digest(&self, digest: &Digest) -> Option<Descriptor> {
        let entry = |at: &u32| &self.entries[*at as usize];
        let first = self.by_digest.partition_point(|at| entry(at).digest < *digest);
        let found = self.by_digest.get(first).map(entry).filter(|entry| entry.digest == *digest);
        found.map(|entry| self.descriptor(entry))
    }

    /// The entries with this name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = Descriptor> {
        let mut packed = Vec::new();
        // What can't be packed is no entry's name.
        let wanted = pack(name.as_bytes(), &mut packed).then_some(packed);
        let is_before = |entry: &Entry| by_name(name_of(&self.names, entry), wanted.as_deref()).is_lt();
        let first =
            if wanted.is_some() { self.entries.partition_point(is_before) } else { self.entries.len() };
        let is_named = move |entry: &&Entry| name_of(&self.names, entry) == wanted.as_deref();
        self.entries[first..].iter().take_while(is_named).map(|entry| self.descriptor(entry))
    }
}

fn name_of<'a>(names: &'a [u8], entry: &Entry) -> Option<&'a [u8]> {
    let start = usize::try_from(entry.name).ok().filter(|_| entry.name != NO_NAME)?;
    names.get(start..start + usize::from(entry.length))
}

/// The order of names; what has none comes last.
fn by_name(a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        _ => a.is_none().cmp(&b.is_none()),
    }
}

impl Default for Index {
    fn default() -> Self {
        // The first type is for entries without one.
        Self {
            entries: Vec::new(),
            names: Vec::new(),
            by_digest: Vec::new(),
            types: vec!["".into()],
            problems: Vec::new(),
        }
    }
}

/// The maximum number of media types stored.
const TYPES: usize = 64;

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const D: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn read(text: &[u8]) -> Result<Index, ContentError> {
        Index::read(OpenFile { size: text.len() as u64, reader: Box::new(text) }, "index.json")
    }

    #[test]
    fn an_entry_that_can_not_be_checked_does_not_hide_the_others() {
        let sha512 = format!("sha512:{}", "a".repeat(128));
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"digest":"{sha512}","size":1}},{{"mediaType":"m","digest":"{D}","size":2,
            "annotations":{{"x":"y","org.opencontainers.image.ref.name":"a"}}}}]}}"#
        );
        let index = read(text.as_bytes()).unwrap();
        assert_eq!(index.problems.len(), 1, "{:?}", index.problems);
        let all: Vec<_> = index.iter().collect();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].0.media_type.as_str(), &all[0].1), ("m", &Name::Tag("a".into())));
        assert_eq!(index.named("a").count(), 1);
        assert_eq!(index.named("b").count(), 0);
        assert_eq!(index.by_digest(&D.parse().unwrap()), Some(all[0].0.clone()));
        assert_eq!(index.by_digest(&Digest::of(b"x")), None);
    }

    #[test]
    fn an_entry_that_is_no_descriptor_does_not_hide_the_others() {
        let good = format!(r#"{{"mediaType":"m","digest":"{D}","size":2}}"#);
        for odd in ["1", "null", "{}", r#"{"digest":1,"size":1}"#, r#"{"digest":"md5:00","size":-1}"#] {
            let text = format!(r#"{{"schemaVersion":2,"manifests":[{odd},{good}]}}"#);
            let index = read(text.as_bytes()).unwrap();
            assert_eq!((index.iter().count(), index.problems.len()), (1, 1), "{odd}");
        }
        // A large number of entries is not accepted either.
        let many = vec!["1"; 100_000].join(",");
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{many},{good}]}}"#);
        let index = read(text.as_bytes()).unwrap();
        assert_eq!((index.iter().count(), index.problems.len()), (1, limits::UNREADABLE_ENTRIES));
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_where_they_are_not_read_too() {
        let text = r#"{"schemaVersion":2,"x":"€?","manifests":null}"#;
        assert!(read(text.as_bytes()).is_ok());
        let mut bytes = text.as_bytes().to_vec();
        let at = bytes.iter().position(|b| *b == b'?').unwrap();
        bytes[at] = 0xe2;
        let error = read(&bytes).map(|_| ()).unwrap_err();
        assert_eq!((error.code().as_str(), error.to_string().contains("UTF-8")), ("malformed", true));
        // A character that is split between two reads.
        let one_by_one = OneByOne(text.as_bytes());
        let file = OpenFile { size: text.len() as u64, reader: Box::new(one_by_one) };
        assert!(Index::read(file, "index.json").is_ok());
    }

    struct OneByOne<'a>(&'a [u8]);

    impl Read for OneByOne<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(into.len()).min(1);
            self.0.read(&mut into[..count])
        }
    }

    #[test]
    fn what_is_not_an_index_is_refused() {
        for text in [
            "{}",
            r#"{"schemaVersion":2}"#,
            r#"{"manifests":[]}"#,
            r#"{"schemaVersion":1,"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#,
            r#"{"schemaVersion":2,"manifests":[]}x"#,
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#,
        ] {
            assert_eq!(read(text.as_bytes()).map(|_| ()).unwrap_err().code().as_str(), "malformed", "{text}");
        }
    }

    #[test]
    fn names_are_kept_as_they_are_and_in_their_order() {
        let hex = &D["sha256:".len()..];
        let long = "n".repeat(usize::from(u16::MAX) + 1);
        let mut names = [
            format!("sha256-{hex}.sig"),
            format!("sha256-{hex}"),
            "v1".into(),
            "sha256-x".into(),
            String::new(),
        ];
        let entry = |name: &str| {
            format!(
                r#"{{"digest":"{D}","size":2,"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}"#
            )
        };
        let all: Vec<_> =
            names.iter().map(String::as_str).chain([long.as_str(), "a\\u0000b"]).map(entry).collect();
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{0},{0}]}}"#, all.join(","));
        let index = read(text.as_bytes()).unwrap();
        names.sort_unstable();
        let found: Vec<_> = index.iter().map(|(_, name)| name).collect();
        assert_eq!(found, names.clone().map(Name::Tag), "each once");
        assert!(names.iter().all(|name| index.named(name).count() == 1));
        assert_eq!(index.named("a\0b").chain(index.named(&long)).chain(index.named(hex)).count(), 0);
        assert_eq!(index.problems.len(), 4, "{:?}", index.problems);
    }
}
