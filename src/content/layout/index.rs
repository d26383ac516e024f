//! index.json (OCI image-spec v1.1, image-layout.md) as a stream, because that of a large mirror exceeds the limit for
//! manifests.

mod dto;
mod utf8;

use std::io::{BufReader, Read};

use serde::Deserialize;
use serde_json::value::RawValue;

use self::{
    dto::{Entries, EntryDto, IndexDto, RefName},
    utf8::Utf8,
};

use crate::{
    content::{ContentError, Name, OpenFile},
    limits,
    oci::{Descriptor, Digest, DigestError},
};

/// The entries of an index.json, reduced to the necessary data.
pub(super) struct Index {
    /// Sorted by name, those without one last, then by digest.
    entries: Vec<Entry>,
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

#[derive(PartialEq, Eq)]
struct Entry {
    digest: Digest,
    size: u64,
    media_type: u16,
    name: Option<Box<str>>,
}

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
        index.entries.sort_by(|a, b| {
            (a.name.is_none(), &a.name, a.digest).cmp(&(b.name.is_none(), &b.name, b.digest))
        });
        index.entries.dedup();
        index.entries.shrink_to_fit();
        Ok(index)
    }

    fn push(&mut self, raw: &RawValue) {
        let read = serde_json::from_str::<EntryDto>(raw.get()).map_err(|e| EntryError::Form(e.to_string()));
        let read = read.and_then(|entry| match entry.digest.parse::<Digest>() {
            Ok(digest) => Ok((entry, digest)),
            Err(e) => Err(EntryError::Digest(e)),
        });
        let (entry, digest) = match read {
            Ok(read) => read,
            Err(e) => {
                if self.problems.len() < limits::UNREADABLE_ENTRIES {
                    self.problems.push(e);
                }
                return;
            }
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
        self.entries.push(Entry {
            digest,
            size: entry.size,
            media_type: u16::try_from(number).unwrap_or_default(),
            name: entry.annotations.and_then(|RefName(name)| name),
        });
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
            let name = entry.name.as_deref().map_or(Name::Untagged, |name| Name::Tag(name.to_owned()));
            (self.descriptor(entry), name)
        })
    }

    /// The digests of all entries.
    pub(super) fn digests(&self) -> impl Iterator<Item = Digest> {
        self.entries.iter().map(|entry| entry.digest)
    }

    /// The entry with this digest.
    pub(super) fn by_digest(&self, digest: &Digest) -> Option<Descriptor> {
        self.entries.iter().find(|entry| entry.digest == *digest).map(|entry| self.descriptor(entry))
    }

    /// The entries with this name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = Descriptor> {
        let first = self.entries.partition_point(|entry| entry.name.as_deref().is_some_and(|n| n < name));
        let named = self.entries[first..].iter().take_while(move |e| e.name.as_deref() == Some(name));
        named.map(|entry| self.descriptor(entry))
    }
}

impl Default for Index {
    fn default() -> Self {
        // The first type is for entries without one.
        Self { entries: Vec::new(), types: vec!["".into()], problems: Vec::new() }
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
}
