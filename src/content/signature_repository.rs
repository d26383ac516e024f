//! A location of images whose signatures are in another repository, as written by cosign with `COSIGN_REPOSITORY`.

use std::{
    collections::HashSet,
    io::{Cursor, Read},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Abilities, ContentError, Doubt, Listed, Referrers, RegistrySource, Remote, Selection, Source};
use crate::{
    limits,
    oci::{Blob, Descriptor, Digest, Document},
    registry::{RegistryError, RegistryRef},
    workers::WorkerPool,
};

/// The images of one location, with their signatures in a repository of a registry.
///
/// Such a repository contains the signatures of many repositories, so it is queried for each image by digest, under the
/// names that cosign uses (`cosign triangulate`): the tag `sha256-<hex>.sig`, the fallback tag `sha256-<hex>`, and the
/// referrers API. Signatures next to the images count as well.
pub struct SignatureRepository {
    images: Box<dyn Source>,
    registry: RegistrySource,
    repository: String,
    /// Content to read from that repository instead of from the images' location: manifests and their blobs.
    digests: Mutex<HashSet<Digest>>,
}

impl SignatureRepository {
    /// Combines a location of images with the signatures in `repository`. `registry` is a client for its registry; no
    /// request is sent yet.
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

    /// The manifests listed by the fallback tag (OCI distribution-spec, "Referrers Tag Schema"), or the tagged manifest
    /// itself.
    fn fallback(&self, tag: &str, subject: &Digest) -> Result<Entries, ContentError> {
        let Some((descriptor, blob)) = self.manifest(tag)? else { return Ok(Vec::new()) };
        match Document::parse(&blob) {
            // The image itself, which oc-mirror v2 tags this way.
            _ if descriptor.digest == *subject => Ok(Vec::new()),
            Ok(Document::Index(index)) if index.manifests.len() > limits::REFERRERS => {
                Err(ContentError::Registry(RegistryError::Endless {
                    place: self.registry.place(),
                    what: format!("the list of referrers {tag}"),
                    reason: format!("it has more than {} entries", limits::REFERRERS),
                }))
            }
            Ok(Document::Index(index)) => Ok(index.entries().map(|entry| Ok(entry?)).collect()),
            // An unreadable one is reported when its content is read.
            _ => Ok(vec![Ok(descriptor)]),
        }
    }
}

/// Manifests that refer to an image, with the errors of unreadable entries.
type Entries = Vec<Result<Descriptor, ContentError>>;

impl Referrers for SignatureRepository {
    /// If only some of the names can be read, the others are returned as errors; `Err` if none can be.
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

    fn doubt(&self, repository: &str) -> Option<Doubt> {
        self.images.doubt(repository)
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
            // It may be in both, so it is an error only if both lack it.
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
