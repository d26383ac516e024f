//! A place of images whose signatures live in another repository, as cosign writes them with `COSIGN_REPOSITORY`.

use std::{
    collections::HashSet,
    io::{Cursor, Read},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Abilities, ContentError, Listed, Referrers, RegistrySource, Remote, Selection, Source};
use crate::{
    limits,
    oci::{Blob, Descriptor, Digest, Document},
    registry::{RegistryError, RegistryRef},
    workers::WorkerPool,
};

/// The images of one place, with the signatures that a repository of a registry holds for them.
///
/// Such a repository holds the signatures of many repositories, so it is asked for each image by its digest, under the
/// names that cosign gives (`cosign triangulate`): the tag `sha256-<hex>.sig`, the fallback tag `sha256-<hex>`, and the
/// referrers API. Signatures beside the images count as well.
pub struct SignatureRepository {
    images: Box<dyn Source>,
    registry: RegistrySource,
    repository: String,
    /// What is read there and not where the images are: manifests, and what they hold.
    digests: Mutex<HashSet<Digest>>,
}

impl SignatureRepository {
    /// Puts the signatures of `repository` beside the images of a place. `registry` is a client of its registry; nothing
    /// is asked yet.
    pub fn new(images: Box<dyn Source>, registry: &RegistrySource, repository: &RegistryRef) -> Self {
        let name = repository.repository.clone();
        let registry = registry.with_selection(Selection::Repositories(vec![name.clone()]));
        Self { images, registry, repository: name, digests: Mutex::default() }
    }

    fn digests(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn manifest(&self, tag: &str) -> Result<Option<(Descriptor, Blob)>, ContentError> {
        Ok(self.registry.registry().manifest(&self.repository, tag)?)
    }

    /// What the fallback tag lists (OCI distribution-spec, "Referrers Tag Schema"), or is.
    fn fallback(&self, tag: &str, subject: &Digest) -> Result<Entries, ContentError> {
        let Some((descriptor, blob)) = self.manifest(tag)? else { return Ok(Vec::new()) };
        match Document::parse(&blob) {
            // The image itself, which oc-mirror v2 tags like this.
            _ if descriptor.digest == *subject => Ok(Vec::new()),
            Ok(Document::Index(index)) if index.manifests.len() > limits::REFERRERS => {
                Err(ContentError::Registry(RegistryError::Endless {
                    place: self.registry.place(),
                    what: format!("the list of referrers {tag}"),
                    reason: format!("it has more than {} entries", limits::REFERRERS),
                }))
            }
            Ok(Document::Index(index)) => Ok(index.entries().map(|entry| Ok(entry?)).collect()),
            // One that can't be read shows when it is read as what it is.
            _ => Ok(vec![Ok(descriptor)]),
        }
    }
}

/// Manifests that refer to an image, and entries that can't be read.
type Entries = Vec<Result<Descriptor, ContentError>>;

impl Referrers for SignatureRepository {
    /// What a name can't tell is an error beside what the others tell; `Err` where none tells anything.
    fn referrers(&self, _: &str, subject: &Digest) -> Result<Entries, ContentError> {
        let tag = format!("sha256-{}", subject.hex());
        let signatures = self.manifest(&format!("{tag}.sig"));
        let asked = [
            signatures.map(|found| found.into_iter().map(|(descriptor, _)| Ok(descriptor)).collect()),
            self.fallback(&tag, subject),
            self.registry.referrers(&self.repository, subject),
        ];
        if asked.iter().all(Result::is_err) {
            let [first, ..] = asked;
            return first;
        }
        let mut entries: Entries =
            asked.into_iter().flat_map(|a| a.unwrap_or_else(|e| vec![Err(e)])).collect();
        let mut seen = HashSet::new();
        entries.retain(|entry| entry.as_ref().map_or(true, |descriptor| seen.insert(descriptor.digest)));
        self.digests().extend(seen);
        Ok(entries)
    }
}

impl Source for SignatureRepository {
    fn place(&self) -> String {
        self.images.place()
    }

    fn repositories(&self) -> Result<Vec<String>, ContentError> {
        self.images.repositories()
    }

    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        self.images.list(repository, take)
    }

    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError> {
        self.images.resolve(repository, reference)
    }

    fn open(&self, repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError> {
        if !self.digests().contains(&blob.digest) {
            return self.images.open(repository, blob);
        }
        let Some(mut reader) = self.registry.open(&self.repository, blob)? else {
            // It may be in both: what one of them lacks is no fault where the other has it.
            let beside = self.images.open(repository, blob)?;
            let (place, digest) = (self.registry.place(), blob.digest);
            return beside
                .map_or(Err(ContentError::MissingBlob { place, digest }), |reader| Ok(Some(reader)));
        };
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|e| ContentError::read(self.registry.place(), e))?;
        let read = Blob::new(bytes);
        if let Ok(Document::Manifest(manifest)) = Document::parse(&read) {
            self.digests().extend(manifest.layers.iter().map(|layer| layer.digest));
        }
        Ok(Some(Box::new(Cursor::new(read.into_bytes()))))
    }

    fn abilities(&self) -> Abilities<'_> {
        let images = self.images.abilities();
        Abilities { signatures: Some(self), remote: images.remote.or(Some(self)), ..images }
    }
}

impl Remote for SignatureRepository {
    fn workers(&self) -> &WorkerPool {
        Remote::workers(&self.registry)
    }
}
