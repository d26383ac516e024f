#![allow(clippy::disallowed_types, reason = "content writes files: this adds to a layout")]

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, MetadataExt},
};
use rustix::fs::{Mode, fchmod};

use super::{
    MARKER_BYTES,
    index_json::{EMPTY, IndexJson},
    missing,
};
use crate::{
    content::{
        Artifact, ContentError, DirFiles, Files, Sink, Stored,
        found::holding,
        layout::{BLOBS, INDEX, MARKER, check_marker},
    },
    fs::{self, NewFile, PREFIX, sync_directory},
    limits,
    oci::Blob,
};

/// The mode of a new file, subject to the umask.
const MODE: Mode = Mode::from_raw_mode(0o644);

/// An OCI layout directory to which an artifact is added, next to the images in it; created if it does not exist.
///
/// At every moment index.json is either the old or the new one, and everything that it refers to exists. A new layout
/// is complete with its first index.json; if it was interrupted before, the next push completes it.
pub struct LayoutSink {
    place: String,
    path: PathBuf,
}

impl LayoutSink {
    /// A layout at this path. Nothing is changed before [`Sink::put`]. `place` is its name in messages.
    pub fn new(place: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { place: place.into(), path: path.into() }
    }

    fn write_error(&self, name: &str, error: io::Error) -> ContentError {
        ContentError::write(self.path.join(name).display().to_string(), error)
    }

    /// Opens the directory, and creates it if it is missing.
    fn directory(&self) -> Result<Dir, ContentError> {
        let failed = |e| self.write_error("", e);
        match Dir::open_ambient_dir(&self.path, ambient_authority()) {
            Err(e) if e.kind() == io::ErrorKind::NotADirectory && self.path.exists() => {
                let reason = "it is a file; for a tar write oci-archive:FILE:TAG";
                return Err(ContentError::wrong_place(&self.path, "an OCI layout", reason));
            }
            Err(_) if !self.path.exists() => {
                Dir::create_ambient_dir_all(&self.path, ambient_authority()).map_err(failed)?;
                let above =
                    self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let above = Dir::open_ambient_dir(above, ambient_authority()).map_err(failed)?;
                sync_directory(&above).map_err(failed)?;
            }
            _ => {}
        }
        Dir::open_ambient_dir(&self.path, ambient_authority()).map_err(failed)
    }

    /// Checks that this is a layout, or can become one without mixing with other files.
    fn prepare(&self, directory: &Dir, files: &DirFiles) -> Result<(), ContentError> {
        if files.size(MARKER)?.is_some() {
            return check_marker(&self.place, files);
        }
        if files.list("")?.iter().any(|child| !child.name.starts_with(PREFIX)) {
            let reason = format!(
                "it has no oci-layout and holds {}; a new layout needs a new or empty directory",
                holding(files)
            );
            return Err(ContentError::wrong_place(&self.path, "an OCI layout", reason));
        }
        self.write(directory, MARKER, MARKER_BYTES)
    }

    fn write(&self, directory: &Dir, name: &str, bytes: &[u8]) -> Result<(), ContentError> {
        let write = || {
            let mut temp = NewFile::create(directory, MODE)?;
            temp.file().write_all(bytes)?;
            if let Ok(old) = directory.metadata(name) {
                fchmod(temp.file(), Mode::from_raw_mode(old.mode()))?;
            }
            temp.commit(name)?;
            sync_directory(directory)
        };
        write().map_err(|e| self.write_error(name, e))
    }

    fn write_blobs(&self, directory: &Dir, blobs: &[&Blob]) -> Result<(), ContentError> {
        let write = || {
            directory.create_dir_all(BLOBS)?;
            let folder = directory.open_dir(BLOBS)?;
            for blob in blobs {
                let mut temp = NewFile::create(&folder, MODE)?;
                temp.file().write_all(blob.bytes())?;
                temp.commit(blob.digest().hex())?;
            }
            sync_directory(&folder)?;
            sync_directory(directory.open_dir("blobs")?)?;
            sync_directory(directory)
        };
        write().map_err(|e| self.write_error(BLOBS, e))
    }
}

impl Sink for LayoutSink {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn put(&self, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError> {
        let directory = self.directory()?;
        let opened = fs::reopen(&directory).map_err(|e| self.write_error("", e))?;
        // Other pushes wait until this is closed.
        let lock = fs::lock(&opened, &self.path)?;
        let files = DirFiles::of(directory.try_clone().map_err(|e| self.write_error("", e))?, &self.path);
        self.prepare(&directory, &files)?;
        let old = files.read(INDEX, limits::INDEX_JSON)?.unwrap_or_else(|| EMPTY.as_bytes().to_vec());
        let new = IndexJson::parse(&old)
            .and_then(|index| index.with(tag, &artifact.manifest, &artifact.media_type))
            .map_err(|reason| ContentError::Malformed { what: files.place(INDEX), reason })?;
        let blobs = missing(&files, artifact)?;
        let index_size = new.as_ref().map_or(0, Vec::len) as u64;
        fs::need(&directory, &self.path, blobs.iter().map(|b| b.size()).sum::<u64>() + index_size)?;
        if !blobs.is_empty() {
            self.write_blobs(&directory, &blobs)?;
        }
        if let Some(index) = &new {
            self.write(&directory, INDEX, index)?;
        }
        Ok(Stored {
            digest: artifact.manifest.digest(),
            written: blobs.len(),
            tagged: new.is_some(),
            warning: lock.warning(&self.place),
        })
    }
}
