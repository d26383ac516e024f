//! Namespaces: files by their names, in a directory or in tar segments.
//!
//! A name is relative, its parts joined by `/`, as it stands in a layout: `blobs/sha256/<hex>`. A namespace never
//! leads out of its root and holds regular files only; everything else is not there.

mod dir;
mod index;
mod scan;
mod tar;
mod window;

use std::io::Read;

pub use dir::DirFiles;
pub(super) use scan::{Kind, scan};
pub(super) use tar::open_file;
pub use tar::{Segments, TarFiles};

use super::ContentError;

/// An open file.
pub struct OpenFile<'a> {
    /// Its length in bytes, as the namespace knows it. Reading may still end earlier or go on.
    pub size: u64,
    /// Its bytes.
    pub reader: Box<dyn Read + 'a>,
}

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Child {
    /// The name, one part.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// Files by their names.
pub trait Files: Send + Sync {
    /// How messages name a file of this namespace.
    fn place(&self, name: &str) -> String;

    /// Whether these are the files of a tar, or of several.
    fn is_tar(&self) -> bool {
        false
    }

    /// Opens a regular file; `None` where there is none.
    fn open(&self, name: &str) -> Result<Option<OpenFile<'_>>, ContentError>;

    /// The length of a regular file; `None` where there is none.
    fn size(&self, name: &str) -> Result<Option<u64>, ContentError>;

    /// Every file of this name, the one that [`Files::open`] opens first, each with how messages name it: an archive
    /// set may hold several.
    fn every(&self, name: &str) -> Result<Vec<(String, OpenFile<'_>)>, ContentError> {
        Ok(self.open(name)?.map(|file| (self.place(name), file)).into_iter().collect())
    }

    /// Hands over what a directory holds, each name with whether it is a directory, in any order; nothing where there is
    /// none. Names that are not UTF-8 are left out: nothing that keypack looks for has one.
    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str, bool)) -> Result<(), ContentError>;

    /// What a directory holds, in name order.
    fn list(&self, directory: &str) -> Result<Vec<Child>, ContentError> {
        let mut children = Vec::new();
        self.visit(directory, &mut |name, is_dir| children.push(Child { name: name.to_owned(), is_dir }))?;
        children.sort_unstable();
        Ok(children)
    }

    /// A small file, whole: longer than `limit` is an error.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ContentError> {
        let Some(file) = self.open(name)? else { return Ok(None) };
        file.read(&|| self.place(name), limit).map(Some)
    }
}

impl OpenFile<'_> {
    /// All of it: longer than `limit` is an error.
    pub(super) fn read(self, place: &dyn Fn() -> String, limit: u64) -> Result<Vec<u8>, ContentError> {
        let too_long = || ContentError::TooLong { what: place(), limit };
        if self.size > limit {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        let read = self.reader.take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|source| ContentError::read(place(), source))?;
        if bytes.len() as u64 > limit { Err(too_long()) } else { Ok(bytes) }
    }
}

/// `directory/name`, where either may be the empty string.
pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() || name.is_empty() {
        format!("{directory}{name}")
    } else {
        format!("{directory}/{name}")
    }
}
