#![allow(clippy::disallowed_types, reason = "content writes files: this rewrites an archive")]

use std::{fs::File, io, os::unix::fs::MetadataExt, path::PathBuf};

use super::{
    MARKER_BYTES, blobs,
    index_json::{EMPTY, IndexJson},
    missing,
    rewrite::{Entry, Old, rewrite},
};
use crate::{
    content::{
        Artifact, ContentError, Files, Segments, Sink, Stored, TarFiles,
        files::open_file,
        layout::{INDEX, MARKER, blob_path, check_marker, lacks},
    },
    events::Progress,
    fs::{self, Lock},
    limits,
    oci::Blob,
};

/// An oci-archive to which an artifact is added, next to the images in it; created if it does not exist.
///
/// The archive is rewritten next to the old one and renamed at the end: everything is copied byte for byte, headers
/// included, except for the changed index.json. On a file system that can share blocks (XFS, btrfs) nothing before that
/// index.json is copied, which is why keypack writes it last. If the path is a symbolic link, its target is rewritten,
/// and the link stays.
pub struct ArchiveSink {
    place: String,
    path: PathBuf,
    meter: Progress,
}

/// An existing archive, open and locked.
struct Existing {
    file: File,
    path: PathBuf,
    lock: Lock,
}

impl ArchiveSink {
    /// An archive at this path. Nothing is changed before [`Sink::put`]. `place` is its name in messages.
    pub fn new(place: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { place: place.into(), path: path.into(), meter: Progress::default() }
    }

    /// Sets the counter for bytes copied from the old archive.
    #[must_use]
    pub fn metered(self, meter: Progress) -> Self {
        Self { meter, ..self }
    }

    /// Opens the archive and waits for other pushes, each of which replaces the file.
    fn existing(&self) -> Result<Option<Existing>, ContentError> {
        let read = |e| ContentError::read(self.path.display().to_string(), e);
        loop {
            match std::fs::symlink_metadata(&self.path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                found => found.map_err(read)?,
            };
            let path = self.path.canonicalize().map_err(read)?;
            let file = open_file(&path)?;
            let lock = fs::lock(&file, &path)?;
            let locked = file.metadata().map_err(read)?;
            if std::fs::metadata(&path)
                .is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino()))
            {
                return Ok(Some(Existing { file, path, lock }));
            }
        }
    }

    /// Creates a new archive.
    fn create(&self, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError> {
        rewrite(&self.path, None, &archive_of(&self.place, artifact, tag)?, &self.meter)?;
        Ok(Stored {
            digest: artifact.manifest.digest(),
            written: blobs(artifact).len(),
            tagged: true,
            warning: None,
        })
    }

    /// Adds to the existing archive.
    fn extend(&self, old: &Existing, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError> {
        let Existing { file, path, lock } = old;
        let files = TarFiles::open(std::slice::from_ref(path), Segments::One)?;
        check_marker(&self.place, &files)?;
        let index =
            files.read(INDEX, limits::INDEX_JSON)?.ok_or_else(|| lacks(&self.place, &files, INDEX))?;
        let index = edit(&self.place, &index, artifact, tag)?;
        let missing = missing(&files, artifact)?;
        let stored = Stored {
            digest: artifact.manifest.digest(),
            written: missing.len(),
            tagged: index.is_some(),
            warning: lock.warning(&self.place),
        };
        let mut add: Vec<_> = missing.iter().map(|blob| entry(blob)).collect();
        add.extend(index.map(|index| Entry::new(INDEX, index)));
        if !add.is_empty() {
            let old = Old::new(file, path, &add)?;
            rewrite(path, Some(old), &add, &self.meter)?;
        }
        Ok(stored)
    }
}

/// The files of an archive with this artifact alone.
pub(super) fn archive_of(place: &str, artifact: &Artifact, tag: &str) -> Result<Vec<Entry>, ContentError> {
    let mut files = vec![Entry::new(MARKER, MARKER_BYTES)];
    files.extend(blobs(artifact).into_iter().map(entry));
    files.extend(edit(place, EMPTY.as_bytes(), artifact, tag)?.map(|index| Entry::new(INDEX, index)));
    Ok(files)
}

/// The index.json with the new entry, or `None` if it already has it.
fn edit(place: &str, index: &[u8], artifact: &Artifact, tag: &str) -> Result<Option<Vec<u8>>, ContentError> {
    IndexJson::parse(index)
        .and_then(|index| index.with(tag, &artifact.manifest, &artifact.media_type))
        .map_err(|reason| ContentError::Malformed { what: format!("{INDEX} in {place}"), reason })
}

fn entry(blob: &Blob) -> Entry {
    Entry::new(blob_path(&blob.digest()), blob.bytes())
}

impl Sink for ArchiveSink {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn put(&self, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError> {
        match self.existing()? {
            Some(old) => self.extend(&old, artifact, tag),
            None => self.create(artifact, tag),
        }
    }
}
