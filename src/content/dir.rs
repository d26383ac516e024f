use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
};

use super::{
    Abilities, Attachment, ContentError, Files, Listed, Name, Sidecars, Source, files::join, found::holding,
};
use crate::{
    limits,
    oci::{Blob, Descriptor, Digest},
};

/// Images in skopeo's `dir:` format: a single one, or a tree of them as written by `skopeo sync`.
///
/// A single image has one repository, the empty string. In a tree the folders above an image are its repository, and
/// the part of its own folder's name after the last colon is its tag: `registry.example/ns/app:v1/manifest.json`.
pub struct DirImages<F> {
    place: String,
    files: F,
    repositories: BTreeMap<String, Vec<Image>>,
}

/// One folder with a `manifest.json`.
struct Image {
    folder: String,
    name: Name,
}

const MANIFEST: &str = "manifest.json";
const VERSION: &str = "version";
const UNPACKED: &str = "it is an unpacked docker-archive: make an OCI one of its tar with `skopeo copy docker-archive:… oci-archive:…`";

impl<F: Files> DirImages<F> {
    /// Finds the images. `place` is the folder's name in messages.
    pub fn open(place: impl Into<String>, files: F) -> Result<Self, ContentError> {
        let mut images = Self { place: place.into(), files, repositories: BTreeMap::new() };
        images.find("", 0)?;
        if images.repositories.is_empty() {
            let reason = format!("no folder has a manifest.json; it holds {}", holding(&images.files));
            return Err(ContentError::wrong_place(
                Path::new(&images.place),
                "an image of skopeo's dir: form",
                reason,
            ));
        }
        Ok(images)
    }

    fn find(&mut self, folder: &str, depth: usize) -> Result<(), ContentError> {
        let children = self.files.list(folder)?;
        if children.iter().any(|child| child.name == MANIFEST && !child.is_dir) {
            self.check_version(folder)?;
            let (repository, name) = name_of(folder);
            self.repositories.entry(repository).or_default().push(Image { folder: folder.to_owned(), name });
        } else if depth < limits::TREE_DEPTH {
            for child in children.iter().filter(|child| child.is_dir) {
                self.find(&join(folder, &child.name), depth + 1)?;
            }
        }
        Ok(())
    }

    /// Some images have no version file, for example in containers/image's own test data.
    fn check_version(&self, folder: &str) -> Result<(), ContentError> {
        let path = join(folder, VERSION);
        match self.files.read(&path, limits::LINK)? {
            Some(text) if !text.starts_with(b"Directory Transport Version: 1.") => {
                Err(ContentError::Malformed {
                    what: self.files.place(&path),
                    reason: format!("keypack does not read {:?}", String::from_utf8_lossy(text.trim_ascii())),
                })
            }
            // The folder of a docker-archive has a file of this name too, with a list in it.
            None if folder.is_empty() => {
                let manifest = self.files.read(MANIFEST, limits::MANIFEST)?;
                if manifest.is_some_and(|text| text.trim_ascii_start().starts_with(b"[")) {
                    let place = Path::new(&self.place);
                    return Err(ContentError::wrong_place(place, "an image of skopeo's dir: form", UNPACKED));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn images(&self, repository: &str) -> &[Image] {
        self.repositories.get(repository).map_or(&[], Vec::as_slice)
    }

    fn manifest(&self, image: &Image) -> Result<Blob, ContentError> {
        let path = join(&image.folder, MANIFEST);
        match self.files.read(&path, limits::MANIFEST)? {
            Some(bytes) => Ok(Blob::new(bytes)),
            None => Err(ContentError::Malformed {
                what: self.files.place(&path),
                reason: "it is not a regular file".to_owned(),
            }),
        }
    }
}

/// Repository and name of the image in `folder`.
fn name_of(folder: &str) -> (String, Name) {
    // If `skopeo sync` was given a digest, it contains a colon too.
    if let Some((repository, digest)) = folder.rsplit_once('@')
        && digest.parse::<Digest>().is_ok()
    {
        return (repository.to_owned(), Name::Untagged);
    }
    match folder.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), Name::Tag(tag.to_owned())),
        _ => (folder.to_owned(), Name::Untagged),
    }
}

fn descriptor(blob: &Blob) -> Descriptor {
    Descriptor { size: Some(blob.size()), ..Descriptor::of_digest(blob.digest()) }
}

impl<F: Files> Source for DirImages<F> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn repositories(&self) -> Result<Vec<String>, ContentError> {
        Ok(self.repositories.keys().cloned().collect())
    }

    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        let mut listed = Vec::new();
        for image in self.images(repository) {
            match self.manifest(image) {
                Ok(blob) => listed.push(Listed { descriptor: descriptor(&blob), name: image.name.clone() }),
                Err(problem) => take(Err(problem)),
            }
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name).then(a.descriptor.digest.cmp(&b.descriptor.digest)));
        for listed in listed {
            take(Ok(listed));
        }
        Ok(())
    }

    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError> {
        let digest = reference.parse::<Digest>().ok();
        for image in self.images(repository) {
            if matches!(&image.name, Name::Tag(tag) if tag == reference) {
                return Ok(Some(descriptor(&self.manifest(image)?)));
            }
            let Some(digest) = digest else { continue };
            if let Some(size) =
                self.files.size(&join(&image.folder, &format!("{}.{MANIFEST}", digest.hex())))?
            {
                return Ok(Some(Descriptor { size: Some(size), ..Descriptor::of_digest(digest) }));
            }
            let blob = self.manifest(image)?;
            if blob.digest() == digest {
                return Ok(Some(descriptor(&blob)));
            }
        }
        Ok(None)
    }

    fn open(&self, repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError> {
        let hex = blob.digest.hex();
        for image in self.images(repository) {
            for name in [hex.clone(), format!("{hex}.{MANIFEST}")] {
                if let Some(file) = self.files.open(&join(&image.folder, &name))? {
                    return Ok(Some(file.reader));
                }
            }
        }
        // The manifest's file is not named after its digest. An unreadable one is reported separately.
        let is_it = |image: &&Image| self.manifest(image).is_ok_and(|found| found.digest() == blob.digest);
        let Some(image) = self.images(repository).iter().find(is_it) else { return Ok(None) };
        Ok(self.files.open(&join(&image.folder, MANIFEST))?.map(|file| file.reader))
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities { sidecars: Some(self), ..Abilities::default() }
    }
}

impl<F: Files> Sidecars for DirImages<F> {
    fn attachments(
        &self,
        repository: &str,
        digest: &Digest,
        take: &mut dyn FnMut(Attachment),
    ) -> Result<(), ContentError> {
        let mut seen = BTreeSet::new();
        for image in self.images(repository) {
            let instance = format!("{}.", digest.hex());
            let prefix = match self.files.size(&join(&image.folder, &format!("{instance}{MANIFEST}")))? {
                Some(_) => instance,
                None if self.manifest(image).is_ok_and(|blob| blob.digest() == *digest) => String::new(),
                None => continue,
            };
            for number in 1.. {
                let path = join(&image.folder, &format!("{prefix}signature-{number}"));
                if number > limits::SIGNATURES_PER_IMAGE && self.files.size(&path)?.is_some() {
                    return Err(ContentError::TooManySignatures { what: self.files.place(&image.folder) });
                }
                let Some(bytes) = self.files.read(&path, limits::SIGNATURE)? else { break };
                if seen.insert(Digest::of(&bytes)) {
                    take(Attachment { name: path, bytes });
                }
            }
        }
        Ok(())
    }
}
