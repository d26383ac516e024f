use std::{collections::BTreeSet, io::Read, path::Path};

use super::{
    Abilities, Completeness, ContentError, Files, Listed, Name, Source, files::join, found::holding,
};
use crate::{
    limits,
    oci::{Descriptor, Digest},
    registry::{is_part, is_tag},
};

/// The storage of a registry (distribution's `filesystem` driver), in a directory or in tar segments: a registry's data
/// directory, oc-mirror's cache, oc-mirror's archives.
pub struct Storage<F> {
    place: String,
    files: F,
    /// The directory of `blobs` and `repositories` in `files`.
    base: String,
}

/// Possible paths of the storage under the directory given to a registry, longest first.
pub(super) const BASES: [&str; 4] = ["docker/registry/v2", "registry/v2", "v2", ""];

impl<F: Files> Storage<F> {
    /// Finds the storage in a namespace. `place` is its name in messages.
    pub fn open(place: impl Into<String>, files: F) -> Result<Self, ContentError> {
        let place = place.into();
        for base in BASES {
            if is_storage(&files, base)? {
                return Ok(Self { place, files, base: base.to_owned() });
            }
        }
        let reason = format!("docker/registry/v2/repositories is missing; it holds {}", holding(&files));
        Err(ContentError::wrong_place(Path::new(&place), "a registry's storage", reason))
    }

    fn manifests_of(&self, repository: &str) -> String {
        format!("{}/{repository}/_manifests", join(&self.base, "repositories"))
    }

    fn blob_path(&self, digest: &Digest) -> String {
        let hex = digest.hex();
        format!("{}/{}/{hex}/data", join(&self.base, "blobs/sha256"), &hex[..2])
    }

    /// Reads a link file, which contains only a digest. A trailing newline, left by an editor, is tolerated.
    fn link(&self, path: &str) -> Result<Option<Digest>, ContentError> {
        let Some(bytes) = self.files.read(path, limits::LINK)? else { return Ok(None) };
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let malformed = |reason| ContentError::Malformed { what: self.files.place(path), reason };
        if text.is_empty() {
            return Err(malformed(
                "it is empty; the registry was probably stopped while it wrote".to_owned(),
            ));
        }
        let digest = String::from_utf8_lossy(text).parse().map_err(|e| malformed(format!("{e}")))?;
        Ok(Some(digest))
    }

    fn descriptor(&self, digest: Digest) -> Result<Descriptor, ContentError> {
        let size = self.files.size(&self.blob_path(&digest))?;
        Ok(Descriptor { size, ..Descriptor::of_digest(digest) })
    }

    fn tag(&self, repository: &str, tag: &str) -> Result<Option<Digest>, ContentError> {
        self.link(&format!("{}/tags/{tag}/current/link", self.manifests_of(repository)))
    }

    fn revision(&self, repository: &str, hex: &str) -> Result<Option<Digest>, ContentError> {
        let path = format!("{}/revisions/sha256/{hex}/link", self.manifests_of(repository));
        match self.link(&path)? {
            Some(digest) if digest.hex() != hex => Err(ContentError::Malformed {
                what: self.files.place(&path),
                reason: format!("it names {digest}"),
            }),
            found => Ok(found),
        }
    }

    fn tags(
        &self,
        repository: &str,
        tagged: &mut BTreeSet<Digest>,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        let folder = format!("{}/tags", self.manifests_of(repository));
        for child in self.files.list(&folder)?.into_iter().filter(|child| is_tag(&child.name)) {
            let found = self.tag(repository, &child.name).and_then(|digest| {
                digest.ok_or_else(|| ContentError::Malformed {
                    what: format!("the tag {}:{}", repository, child.name),
                    reason: "its current/link is missing, so it names nothing".to_owned(),
                })
            });
            let listed = found.and_then(|digest| {
                tagged.insert(digest);
                let name = Name::Tag(child.name.clone());
                Ok(Listed { descriptor: self.descriptor(digest)?, name })
            });
            take(listed.map_err(|e| e.of_name(&child.name)));
        }
        Ok(())
    }

    fn revisions(
        &self,
        repository: &str,
        tagged: &BTreeSet<Digest>,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        let folder = format!("{}/revisions/sha256", self.manifests_of(repository));
        for child in self.files.list(&folder)? {
            match self.revision(repository, &child.name) {
                Ok(Some(digest)) if !tagged.contains(&digest) => take(
                    self.descriptor(digest).map(|descriptor| Listed { descriptor, name: Name::Untagged }),
                ),
                // A revision without a link was deleted.
                Ok(_) => {}
                Err(problem) => take(Err(problem)),
            }
        }
        Ok(())
    }

    fn find_repositories(
        &self,
        name: &str,
        depth: usize,
        found: &mut Vec<String>,
    ) -> Result<(), ContentError> {
        let children = self.files.list(&join(&join(&self.base, "repositories"), name))?;
        for child in children.into_iter().filter(|child| child.is_dir) {
            if child.name == "_manifests" && !name.is_empty() {
                found.push(name.to_owned());
            } else if is_part(&child.name) && depth < limits::TREE_DEPTH {
                self.find_repositories(&join(name, &child.name), depth + 1, found)?;
            }
        }
        Ok(())
    }
}

/// Whether there is a registry's storage at `base`.
pub(super) fn is_storage(files: &impl Files, base: &str) -> Result<bool, ContentError> {
    // An OCI layout has `blobs` too.
    Ok(files.list(base)?.iter().any(|child| child.is_dir && child.name == "repositories"))
}

fn is_repository(name: &str) -> bool {
    name.split('/').all(is_part)
}

impl<F: Files> Source for Storage<F> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn repositories(&self) -> Result<Vec<String>, ContentError> {
        let mut found = Vec::new();
        self.find_repositories("", 0, &mut found)?;
        found.sort_unstable();
        Ok(found)
    }

    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        if !is_repository(repository) {
            return Ok(());
        }
        let mut tagged = BTreeSet::new();
        self.tags(repository, &mut tagged, take)?;
        self.revisions(repository, &tagged, take)
    }

    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError> {
        if !is_repository(repository) {
            return Ok(None);
        }
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => self.revision(repository, &digest.hex())?,
            Err(_) if is_tag(reference) => self.tag(repository, reference)?,
            Err(_) => None,
        };
        digest.map(|digest| self.descriptor(digest)).transpose()
    }

    fn open(&self, _repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError> {
        Ok(self.files.open(&self.blob_path(&blob.digest))?.map(|file| file.reader))
    }

    /// An incremental archive refers to the whole cache but contains only what is new.
    fn abilities(&self) -> Abilities<'_> {
        Abilities { completeness: Completeness::Partial, ..Abilities::default() }
    }
}
