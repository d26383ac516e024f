//! Namespaces: files by name, in a directory or in tar segments.
//!
//! A name is relative, with components joined by `/`, as in a layout: `blobs/sha256/<hex>`. A namespace never leads
//! outside its root and contains only regular files; anything else is treated as missing.

mod dir;
mod index;
mod packed;
mod scan;
mod tar;
mod window;

use std::io::Read;

pub use dir::DirFiles;
pub(super) use packed::{compare, pack, unpack};
pub(super) use scan::{Kind, scan};
pub(super) use tar::open_file;
pub use tar::{Segments, TarFiles};

use super::ContentError;

/// An open file.
pub struct OpenFile<'a> {
    /// Its length in bytes according to the namespace. The actual content may be shorter or longer.
    pub size: u64,
    /// Its bytes.
    pub reader: Box<dyn Read + 'a>,
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Child {
    /// The name, a single component.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// Files by name.
pub trait Files: Send + Sync {
    /// The name of a file of this namespace in messages.
    fn place(&self, name: &str) -> String;

    /// Whether these are the files of one or several tars.
    fn is_tar(&self) -> bool {
        false
    }

    /// Opens a regular file; `None` if it does not exist.
    fn open(&self, name: &str) -> Result<Option<OpenFile<'_>>, ContentError>;

    /// The length of a regular file; `None` if it does not exist.
    fn size(&self, name: &str) -> Result<Option<u64>, ContentError>;

    /// Every file with this name, the one that [`Files::open`] opens first, each with its name in messages: an archive
    /// set may contain several.
    fn every(&self, name: &str) -> Result<Vec<(String, OpenFile<'_>)>, ContentError> {
        Ok(self.open(name)?.map(|file| (self.place(name), file)).into_iter().collect())
    }

    /// Passes the entries of a directory to `take`, each name with whether it is a directory, in any order; none if the
    /// directory does not exist. Names that are not UTF-8 are left out, because keypack does not look for any.
    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str, bool)) -> Result<(), ContentError>;

    /// The entries of a directory, sorted by name.
    fn list(&self, directory: &str) -> Result<Vec<Child>, ContentError> {
        let mut children = Vec::new();
        self.visit(directory, &mut |name, is_dir| children.push(Child { name: name.to_owned(), is_dir }))?;
        children.sort_unstable();
        Ok(children)
    }

    /// The content of a small file. It is an error if it is longer than `limit`.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ContentError> {
        let Some(file) = self.open(name)? else { return Ok(None) };
        file.read(&|| self.place(name), limit).map(Some)
    }
}

impl OpenFile<'_> {
    /// The whole content. It is an error if it is longer than `limit`.
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
