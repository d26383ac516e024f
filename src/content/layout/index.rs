//! index.json (OCI image-spec v1.1, image-layout.md) as a stream, because that of a large mirror exceeds the limit for
//! manifests.

mod dto;
#[cfg(test)]
mod tests;
mod utf8;

use std::{
    cmp::Ordering,
    io::{BufReader, Read},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use self::{
    dto::{Entries, EntryDto, IndexDto},
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
    /// At most [`u32::MAX`], which is far too long for any manifest.
    size: u32,
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
        let names = entry.annotations.unwrap_or_default();
        let whole =
            names.whole.filter(|whole| whole.contains('/') && Some(whole) != names.reference.as_ref());
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
        // An image with both names is listed under both.
        for name in [names.reference, whole.clone()] {
            let (name, length) = match name {
                Some(name) => self.keep(&name)?,
                None if whole.is_none() => (NO_NAME, 0),
                None => continue,
            };
            self.entries.push(Entry {
                digest,
                size: entry.size.try_into().unwrap_or(u32::MAX),
                name,
                length,
                media_type,
            });
            if whole.is_none() {
                break;
            }
        }
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
            size: Some(entry.size.into()),
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
