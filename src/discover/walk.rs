mod carried;
mod finish;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    Form, FoundSignature, Image, Kind, Problem, Via,
    carrier::{carries_signatures, file_signature, missing},
    names::{TagName, tag_name},
    store::Store,
};
use crate::{
    content::{self, Completeness, ContentError, Listed, Name, Source},
    limits,
    oci::{Descriptor, Digest, Document},
};

/// A signature whose image is not in its own repository: place, repository, image, signature.
pub(super) type Loose = (String, String, Digest, FoundSignature);

/// A manifest that carries signatures, before it is read.
struct Carrier {
    via: Via,
    descriptor: Descriptor,
    /// The image, where the place of the carrier tells it.
    subject: Option<Digest>,
}

/// The walk through one repository.
pub(super) struct Walk<'a> {
    source: &'a dyn Source,
    store: &'a Store,
    repository: String,
    /// How messages name the place.
    place: String,
    read: AtomicUsize,
    absent: AtomicUsize,
    images: BTreeMap<Digest, Image>,
    /// Instances of lists, with the list.
    instances: BTreeMap<Digest, Digest>,
    carriers: BTreeMap<Digest, Carrier>,
    /// Lists without a tag, with what they list: an older state of a fallback tag lists referrers.
    untagged: BTreeMap<Digest, Vec<Digest>>,
    referrers: BTreeSet<Digest>,
    found: Vec<(Digest, FoundSignature)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: &'a dyn Source, repository: &str, store: &'a Store) -> Self {
        Self {
            source,
            store,
            repository: repository.to_owned(),
            place: source.place(),
            read: AtomicUsize::new(0),
            absent: AtomicUsize::new(0),
            images: BTreeMap::new(),
            instances: BTreeMap::new(),
            carriers: BTreeMap::new(),
            untagged: BTreeMap::new(),
            referrers: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    pub(super) fn list(&mut self) -> Result<(), ContentError> {
        for listed in self.source.manifests(&self.repository)? {
            match &listed.name {
                Name::Tag(tag) => match tag_name(tag) {
                    TagName::Signature(image) => self.carrier(Via::Tag, listed.descriptor, Some(image)),
                    TagName::Fallback(image) => self.fallback(image, &listed.descriptor)?,
                    TagName::Attachment => {}
                    TagName::Image => self.look(listed)?,
                },
                Name::Untagged | Name::Unlisted => self.look(listed)?,
            }
        }
        Ok(())
    }

    fn carrier(&mut self, via: Via, descriptor: Descriptor, subject: Option<Digest>) {
        // What a list says of it in annotations may be long, and is not needed.
        let descriptor = Descriptor { annotations: BTreeMap::new(), ..descriptor };
        let carrier = Carrier { via, descriptor, subject };
        self.referrers.insert(carrier.descriptor.digest);
        let known = self.carriers.entry(carrier.descriptor.digest);
        known.and_modify(|k| k.via = k.via.min(via)).or_insert(carrier);
    }

    /// Reads a manifest. What is wrong with one manifest is told and does not stop the walk; a place that can't be
    /// read at all does.
    fn read(&self, descriptor: &Descriptor) -> Result<Result<Option<Document>, Problem>, ContentError> {
        match content::fetch_manifest(self.source, &self.repository, descriptor) {
            Ok(Some((_, document))) => {
                self.read.fetch_add(1, Ordering::Relaxed);
                Ok(Ok(Some(document)))
            }
            Ok(None) => {
                self.absent.fetch_add(1, Ordering::Relaxed);
                Ok(Ok(None))
            }
            Err(e) if is_about_content(&e) => Ok(Err(Problem::from(&e))),
            Err(e) => Err(e),
        }
    }

    /// The fallback tag: an index of referrers. `cosign copy` writes the image itself there, which says nothing.
    fn fallback(&mut self, image: Digest, descriptor: &Descriptor) -> Result<(), ContentError> {
        match self.read(descriptor)? {
            Ok(Some(Document::Index(index))) => {
                for entry in index.manifests.into_iter().take(limits::SIGNATURES_PER_IMAGE) {
                    self.carrier(Via::FallbackTag, entry, Some(image));
                }
            }
            Ok(Some(Document::Manifest(manifest))) => {
                if manifest.subject.is_some() || carries_signatures(&manifest) {
                    self.carrier(Via::FallbackTag, descriptor.clone(), Some(image));
                }
            }
            Ok(None) => {
                let problem = missing(self.source, &descriptor.digest);
                self.found.push((image, unreadable(Via::FallbackTag, &descriptor.digest, problem)));
            }
            Err(problem) => {
                self.found.push((image, unreadable(Via::FallbackTag, &descriptor.digest, problem)));
            }
        }
        Ok(())
    }

    /// Looks at a manifest whose name does not tell what it is.
    fn look(&mut self, listed: Listed) -> Result<(), ContentError> {
        let Listed { descriptor, name } = listed;
        let digest = descriptor.digest;
        let via = match name {
            Name::Unlisted => Via::Unlisted,
            Name::Untagged | Name::Tag(_) => Via::Referrer,
        };
        let tag = if let Name::Tag(tag) = name { Some(tag) } else { None };
        if let (Some(image), Some(tag)) = (self.images.get_mut(&digest), &tag) {
            image.tags.push(tag.clone());
            return Ok(());
        }
        let (kind, problem) = match self.read(&descriptor)? {
            Ok(None) => match (self.source.abilities().completeness, &tag) {
                (Completeness::Whole, _) => (Kind::Unreadable, Some(missing(self.source, &digest))),
                (Completeness::Partial, _) => (Kind::Absent, None),
            },
            Err(problem) => (Kind::Unreadable, Some(problem)),
            Ok(Some(document)) => {
                if let Document::Manifest(manifest) = &document {
                    if let Some(subject) = &manifest.subject {
                        if tag.is_none() || carries_signatures(manifest) {
                            self.carrier(via, descriptor, Some(subject.digest));
                            return Ok(());
                        }
                    } else if carries_signatures(manifest) {
                        self.carrier(Via::Untagged, descriptor, None);
                        return Ok(());
                    }
                }
                if let (Document::Index(index), None) = (&document, &tag) {
                    let listed = index.manifests.iter().map(|entry| entry.digest).collect();
                    self.untagged.insert(digest, listed);
                }
                match self.kind_of(digest, document) {
                    Ok(kind) => (kind, None),
                    Err(e) if is_about_content(&e) => (Kind::Unreadable, Some(Problem::from(&e))),
                    Err(e) => return Err(e),
                }
            }
        };
        // A second entry for the same manifest, listed once with and once without a tag.
        let image = self.images.entry(digest).or_insert_with(|| Image {
            place: self.place.clone(),
            repository: self.repository.clone(),
            tags: Vec::new(),
            digest,
            kind,
            instance_of: None,
            signatures: Vec::new(),
            problems: problem.into_iter().collect(),
        });
        image.tags.extend(tag);
        Ok(())
    }

    fn kind_of(&mut self, digest: Digest, document: Document) -> Result<Kind, ContentError> {
        Ok(match document {
            Document::Index(index) => {
                self.instances_of(digest, &index.manifests, 1)?;
                Kind::Index
            }
            Document::Manifest(manifest) => manifest.artifact_type.map_or(Kind::Image, Kind::Artifact),
        })
    }

    /// Notes the instances of a list, also of lists in it. Only lists are opened: what an instance is does not
    /// matter, and a sparse mirror lawfully lacks some.
    fn instances_of(
        &mut self,
        list: Digest,
        entries: &[Descriptor],
        depth: usize,
    ) -> Result<(), ContentError> {
        for entry in entries {
            if self.instances.len() >= limits::INDEX_CHILDREN || depth > limits::INDEX_DEPTH {
                return Err(ContentError::Malformed {
                    what: format!("the index {list} in {}", self.place),
                    reason: format!(
                        "it holds more than {} manifests or indexes more than {} deep",
                        limits::INDEX_CHILDREN,
                        limits::INDEX_DEPTH
                    ),
                });
            }
            let seen = self.instances.insert(entry.digest, list).is_some();
            let is_list = [crate::oci::media::INDEX, crate::oci::media::DOCKER_LIST]
                .contains(&entry.media_type.as_str());
            if is_list
                && !seen
                && let Ok(Some(Document::Index(inner))) = self.read(entry)?
            {
                self.instances_of(list, &inner.manifests, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Asks the place itself, and takes files that lie beside the images.
    pub(super) fn follow_api(&mut self) -> Result<(), ContentError> {
        let digests: Vec<_> = self.images.keys().chain(self.instances.keys()).copied().collect();
        let abilities = self.source.abilities();
        if let Some(place) = abilities.referrers {
            // A place that knows no referrers says so at the first.
            let found = abilities
                .workers()
                .map_after_first(&digests, |digest| place.referrers(&self.repository, digest))?;
            for (digest, descriptors) in digests.iter().zip(found) {
                for descriptor in descriptors {
                    self.carrier(Via::Api, descriptor, Some(*digest));
                }
            }
        }
        if let Some(place) = abilities.sidecars {
            for digest in digests {
                let found = &mut self.found;
                place.attachments(&self.repository, &digest, &mut |file| {
                    found.push((digest, file_signature(file, self.store)));
                })?;
            }
        }
        Ok(())
    }

    /// How many manifests were read, and how many are named and not there.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.read.load(Ordering::Relaxed), self.absent.load(Ordering::Relaxed))
    }
}

/// A carrier that can't be read: it must not pass as "no signature".
fn unreadable(via: Via, at: &Digest, problem: Problem) -> FoundSignature {
    FoundSignature { via, at: at.to_string(), form: Form::Bundle, content: Err(problem) }
}

/// Whether an error is about one piece of content, so that others can still be read.
fn is_about_content(error: &ContentError) -> bool {
    matches!(
        error,
        ContentError::Blob(_)
            | ContentError::Manifest(_)
            | ContentError::TooLarge { .. }
            | ContentError::MissingBlob { .. }
            | ContentError::Malformed { .. }
    )
}
