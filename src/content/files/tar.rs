#![allow(clippy::disallowed_types, reason = "content reads files: these are tar segments as a namespace")]

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{
    Files, OpenFile,
    index::{At, Full, Index},
    scan::{Kind, refuse_compressed, scan},
};
use crate::{
    content::{
        ContentError,
        found::no_such_place,
        layout::{DOCKER_ARCHIVE, INDEX, MARKER},
    },
    fs,
};

/// One or more tar segments as a namespace: indexed by their headers once, never extracted, read by seeking.
pub struct TarFiles {
    segments: Vec<(PathBuf, File)>,
    index: Index,
}

/// How the segments of a [`TarFiles`] are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segments {
    /// One archive written by one tool in one go: duplicate names, links and devices are refused.
    One,
    /// A set as written by oc-mirror: of duplicate names the last one is used, in the order of the segments; anything
    /// but regular files is ignored.
    Set,
}

impl TarFiles {
    /// Indexes tar files. The order of `paths` is the order of the segments.
    pub fn open(paths: &[PathBuf], segments: Segments) -> Result<Self, ContentError> {
        let mut files = Self { segments: Vec::new(), index: Index::default() };
        let mut refused = None;
        for path in paths {
            refused = files.add_file(open_file(path)?, path)?.or(refused);
        }
        let twice = files.index.finish();
        files.check(paths.first().map_or(Path::new(""), PathBuf::as_path), segments, refused, twice)?;
        Ok(files)
    }

    /// Refuses content that no single tool would have written into an OCI archive. A docker-archive, whose layers are
    /// links in that format, is identified as such in the error.
    fn check(
        &self,
        path: &Path,
        segments: Segments,
        foreign: Option<(String, &'static str)>,
        twice: Option<String>,
    ) -> Result<(), ContentError> {
        let twice = twice.map(|entry| (entry, "the archive holds two entries of this name"));
        let Some((entry, reason)) = foreign.or(twice).filter(|_| segments == Segments::One) else {
            return Ok(());
        };
        let has = |name: &str| self.find(name).is_some();
        if has("manifest.json") && !has(MARKER) && !has(INDEX) {
            return Err(ContentError::wrong_place(path, "an OCI archive", DOCKER_ARCHIVE));
        }
        Err(ContentError::ArchiveUnsafe { file: path.to_owned(), entry, reason })
    }

    /// Indexes an archive in memory. `name` is its name in messages.
    pub(in crate::content) fn of_bytes(name: &str, bytes: &[u8]) -> Result<Self, ContentError> {
        let failed = |e| ContentError::read(name, e);
        let memory = rustix::fs::memfd_create("keypack", rustix::fs::MemfdFlags::CLOEXEC);
        let file = File::from(memory.map_err(|e| failed(e.into()))?);
        file.write_all_at(bytes, 0).map_err(failed)?;
        let mut files = Self { segments: Vec::new(), index: Index::default() };
        let foreign = files.add_file(file, Path::new(name))?;
        files.index.finish();
        files.check(Path::new(name), Segments::One, foreign, None)?;
        Ok(files)
    }

    /// Adds a segment. Returns the first entry in it that is neither a file nor a directory, and its kind.
    fn add_file(&mut self, file: File, path: &Path) -> Result<Option<(String, &'static str)>, ContentError> {
        refuse_compressed(&file, path)?;
        let (number, index, mut foreign) = (self.segments.len(), &mut self.index, None);
        scan(&file, path, &mut |entry| match entry.kind {
            Kind::File => index
                .push(number, entry.name, At { content: entry.content, size: entry.size })
                .map_err(|Full| {
                    ContentError::wrong_place(path, "an archive keypack can index", "it has too many entries")
                }),
            Kind::Foreign(reason) => {
                foreign.get_or_insert_with(|| (String::from_utf8_lossy(entry.name).into_owned(), reason));
                Ok(())
            }
            Kind::Directory | Kind::Note => Ok(()),
        })?;
        self.segments.push((path.to_owned(), file));
        Ok(foreign)
    }

    fn find(&self, name: &str) -> Option<(&File, At)> {
        let (segment, at) = self.index.find(name.as_bytes())?;
        Some((&self.segments.get(segment)?.1, at))
    }

    fn place_in(&self, name: &str, segment: usize) -> String {
        match self.segments.get(segment) {
            Some((path, _)) => format!("{name} in {}", path.display()),
            None => name.to_owned(),
        }
    }
}

fn section(file: &File, At { content, size }: At) -> OpenFile<'_> {
    OpenFile { size, reader: Box::new(Section { file, next: content, end: content + size }) }
}

/// Opens a regular file, without blocking on a fifo.
pub(in crate::content) fn open_file(path: &Path) -> Result<File, ContentError> {
    let read = |e| ContentError::read(path.display().to_string(), e);
    let data = std::fs::metadata(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => no_such_place(path),
        _ => read(e),
    })?;
    if !data.is_file() {
        let is = if data.is_dir() {
            "it is a directory; for a layout, write oci:DIR"
        } else {
            "it is not a regular file"
        };
        return Err(ContentError::wrong_place(path, "a tar archive", is));
    }
    fs::open(path).map_err(read)
}

impl Files for TarFiles {
    fn is_tar(&self) -> bool {
        true
    }

    fn place(&self, name: &str) -> String {
        self.place_in(name, self.index.find(name.as_bytes()).map_or(0, |(segment, _)| segment))
    }

    fn open(&self, name: &str) -> Result<Option<OpenFile<'_>>, ContentError> {
        Ok(self.find(name).map(|(file, at)| section(file, at)))
    }

    fn every(&self, name: &str) -> Result<Vec<(String, OpenFile<'_>)>, ContentError> {
        let found = self.index.every(name.as_bytes()).filter_map(|(segment, at)| {
            let (_, file) = self.segments.get(segment)?;
            Some((self.place_in(name, segment), section(file, at)))
        });
        Ok(found.collect())
    }

    fn size(&self, name: &str) -> Result<Option<u64>, ContentError> {
        Ok(self.find(name).map(|(_, at)| at.size))
    }

    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str, bool)) -> Result<(), ContentError> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        for (name, is_dir) in self.index.children(prefix.as_bytes()) {
            if let Ok(name) = str::from_utf8(&name) {
                take(name, is_dir);
            }
        }
        Ok(())
    }
}

/// The content of one entry.
struct Section<'a> {
    file: &'a File,
    next: u64,
    end: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX).min(into.len());
        let count = self.file.read_at(&mut into[..left], self.next)?;
        if count == 0 && left > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive became shorter"));
        }
        self.next += count as u64;
        Ok(count)
    }
}
