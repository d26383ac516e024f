mod index;

use std::{io::Read, path::Path};

use index::{EntryError, Index};
use serde::Deserialize;

use super::{ContentError, Files, Listed, Name, Source, found::holding};
use crate::{
    limits,
    oci::{Blob, Descriptor, Digest, DigestError, Document},
};

/// An OCI layout in a directory or a tar. It has one repository, the empty string.
pub struct Layout<F> {
    place: String,
    files: F,
    index: Index,
}

/// The marker file of a layout.
pub(super) const MARKER: &str = "oci-layout";
/// The list of a layout's images.
pub(super) const INDEX: &str = "index.json";
/// The directory with its blobs.
pub(super) const BLOBS: &str = "blobs/sha256";

/// The marker has only a few dozen bytes.
const MARKER_LIMIT: u64 = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl<F: Files> Layout<F> {
    /// Reads the marker and index.json. `place` is the layout's name in messages.
    pub fn open(place: impl Into<String>, files: F) -> Result<Self, ContentError> {
        let place = place.into();
        check_marker(&place, &files)?;
        let file = files.open(INDEX)?.ok_or_else(|| lacks(&place, &files, INDEX))?;
        let index = Index::read(file, &files.place(INDEX))?;
        Ok(Self { place, files, index })
    }

    /// The manifests with a `subject` among the blobs that are not in index.json.
    fn unlisted(&self, take: &mut dyn FnMut(Result<Listed, ContentError>)) -> Result<(), ContentError> {
        let mut others = Vec::new();
        self.files.visit(BLOBS, &mut |name, is_dir| {
            others.extend(
                Digest::from_hex(name)
                    .ok()
                    .filter(|digest| !is_dir && self.index.by_digest(digest).is_none()),
            );
        })?;
        others.sort_unstable();
        for digest in others {
            let found = self.referrer(digest).transpose();
            if let Some(found) = found {
                take(found.map(|descriptor| Listed { descriptor, name: Name::Unlisted }));
            }
        }
        Ok(())
    }

    /// The descriptor of a blob, if it is a manifest with a `subject`.
    fn referrer(&self, digest: Digest) -> Result<Option<Descriptor>, ContentError> {
        let path = blob_path(&digest);
        let Some(mut file) = self.files.open(&path)?.filter(|f| f.size <= limits::MANIFEST) else {
            return Ok(None);
        };
        let read = |e| ContentError::read(self.files.place(&path), e);
        let mut bytes = Vec::new();
        file.reader.by_ref().take(1).read_to_end(&mut bytes).map_err(read)?;
        if bytes != b"{" {
            return Ok(None);
        }
        file.reader.take(limits::MANIFEST).read_to_end(&mut bytes).map_err(read)?;
        // Skip blobs that don't match their name; most JSON blobs are configs.
        let Ok(blob) = Blob::checked(digest, bytes) else { return Ok(None) };
        let Ok(document) = Document::parse(&blob) else { return Ok(None) };
        let size = Some(blob.size());
        Ok(document.subject().map(|_| Descriptor { size, ..Descriptor::of_digest(digest) }))
    }
}

impl<F: Files> Source for Layout<F> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn repositories(&self) -> Result<Vec<String>, ContentError> {
        Ok(vec![String::new()])
    }

    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        if !repository.is_empty() {
            return Ok(());
        }
        for (descriptor, name) in self.index.iter() {
            take(Ok(Listed { descriptor, name }));
        }
        for entry in &self.index.problems {
            let what = self.files.place(INDEX);
            take(Err(match entry.clone() {
                EntryError::Digest(source) if matches!(source, DigestError::Algorithm(_)) => {
                    ContentError::UncheckedEntry { what, source }
                }
                EntryError::Digest(e) => malformed_entry(what, &e),
                EntryError::Form(e) => malformed_entry(what, &e),
            }));
        }
        self.unlisted(take)
    }

    /// A tag that index.json assigns to several manifests (as `docker save` of two repositories does) refers to none of
    /// them: the error asks for the digest.
    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError> {
        if !repository.is_empty() {
            return Ok(None);
        }
        if let Ok(digest) = reference.parse::<Digest>() {
            if let Some(found) = self.index.by_digest(&digest) {
                return Ok(Some(found));
            }
            let size = self.files.size(&blob_path(&digest))?;
            return Ok(size.map(|size| Descriptor { size: Some(size), ..Descriptor::of_digest(digest) }));
        }
        let mut named = self.index.named(reference);
        let first = named.next();
        if first.as_ref().is_some_and(|first| named.any(|other| other.digest != first.digest)) {
            return Err(ContentError::Malformed {
                what: self.files.place(INDEX),
                reason: format!(
                    "it names more than one manifest {reference:?}: name the one you mean by its digest"
                ),
            });
        }
        Ok(first)
    }

    fn open(&self, _repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError> {
        Ok(self.files.open(&blob_path(&blob.digest))?.map(|file| file.reader))
    }
}

fn malformed_entry(what: String, error: &dyn std::fmt::Display) -> ContentError {
    ContentError::Malformed { what, reason: format!("an entry is left out: {error}") }
}

/// The path of a blob in a layout.
pub(super) fn blob_path(digest: &Digest) -> String {
    format!("{BLOBS}/{}", digest.hex())
}

/// Checks that `oci-layout` exists and has a supported version.
pub(super) fn check_marker(place: &str, files: &impl Files) -> Result<(), ContentError> {
    let bytes = files.read(MARKER, MARKER_LIMIT)?.ok_or_else(|| lacks(place, files, MARKER))?;
    let malformed = |reason| ContentError::Malformed { what: files.place(MARKER), reason };
    let marker: Marker = serde_json::from_slice(&bytes).map_err(|e| malformed(e.to_string()))?;
    if marker.image_layout_version.starts_with("1.") {
        Ok(())
    } else {
        Err(malformed(format!("keypack does not read layouts of version {:?}", marker.image_layout_version)))
    }
}

/// A description of a tar with a `manifest.json` but no `oci-layout`.
pub(super) const DOCKER_ARCHIVE: &str =
    "it is a docker-archive: make an OCI one of it with `skopeo copy docker-archive:… oci-archive:…`";

/// The error for a missing file `name`: this is not a layout.
pub(super) fn lacks(place: &str, files: &impl Files, name: &str) -> ContentError {
    let reason = if files.is_tar() && matches!(files.size("manifest.json"), Ok(Some(_))) {
        DOCKER_ARCHIVE.to_owned()
    } else {
        format!("{name} is missing; it holds {}", holding(files))
    };
    ContentError::wrong_place(Path::new(place), "an OCI layout", reason)
}
