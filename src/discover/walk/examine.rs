//! What a listed manifest is. It is read, and nothing is noted yet: several are examined at once.

use super::{Evidence, Found, Referrer, Unread, Walk};
use crate::{
    content::{Completeness, ContentError, Listed, Name},
    diag::{Code, Diagnostic},
    discover::{
        FoundSignature, Keep, Kind, Other, Via,
        carrier::{Layers, carries_signatures, missing, signatures},
        keep::kept,
        names::{TagName, tag_name},
        problem,
    },
    limits,
    oci::{self, Descriptor, Digest, Document, ImageIndex, ImageManifest},
};

/// What a listed manifest turned out to be.
pub(super) enum Examined<S> {
    /// Nothing new: its digest was met before.
    Known,
    /// An image.
    Image(Seen),
    /// Manifests that refer to images, with what was found in them.
    Referrers(Vec<(Referrer, Found<S>)>),
    /// Something about an image that is known by the tag alone.
    Other(Digest, Other),
}

/// An image as it was read.
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) problem: Option<Diagnostic>,
    pub(super) other: Option<Other>,
    /// The image that it refers to, and what it is for that.
    pub(super) refers: Option<(Digest, Other)>,
    /// What a list holds, lists in it included.
    pub(super) instances: Vec<Digest>,
}

impl Seen {
    fn of(kind: Kind) -> Self {
        Self { kind, problem: None, other: None, refers: None, instances: Vec::new() }
    }

    /// A manifest that is an image or an artifact.
    pub(super) fn manifest(manifest: ImageManifest) -> Self {
        Self::of(manifest.artifact_type.map_or(Kind::Image, Kind::Artifact))
    }

    fn unreadable(problem: Diagnostic) -> Self {
        Self { problem: Some(problem), ..Self::of(Kind::Unreadable) }
    }
}

impl<K: Keep> Walk<'_, K> {
    pub(super) fn examine(&self, listed: &Listed) -> Examined<K::Kept> {
        let descriptor = &listed.descriptor;
        let Name::Tag(tag) = &listed.name else { return self.look(descriptor, &listed.name) };
        match tag_name(tag) {
            TagName::Signature(image) => self
                .refer(Referrer { via: Via::Tag, descriptor: bare(descriptor), subject: Some(image) }, None),
            TagName::Attestation(image) => Examined::Other(image, Other::Attestation),
            TagName::Sbom(image) => Examined::Other(image, Other::Sbom),
            TagName::Digest(image) if image != descriptor.digest => self.fallback(image, descriptor),
            TagName::Digest(_) | TagName::Image => self.look(descriptor, &listed.name),
        }
    }

    /// Looks at a manifest whose name does not tell what it is.
    fn look(&self, descriptor: &Descriptor, name: &Name) -> Examined<K::Kept> {
        let via = if *name == Name::Unlisted { Via::Unlisted } else { Via::Referrer };
        let has_tag = matches!(name, Name::Tag(_));
        let document = match self.read(descriptor) {
            Ok(Some(document)) => document,
            Ok(None) => return Examined::Image(self.absent(descriptor.digest)),
            Err(unread) => return Examined::Image(unread.seen()),
        };
        match document {
            Document::Index(index) => Examined::Image(self.index(descriptor.digest, &index)),
            Document::Manifest(manifest) => {
                let carries = carries_signatures(&manifest);
                let subject = manifest.subject.as_ref().map(|subject| subject.digest);
                let via = if subject.is_some() { via } else { Via::Untagged };
                if carries || (subject.is_some() && !has_tag) {
                    let referrer = Referrer { via, descriptor: bare(descriptor), subject };
                    return self.refer(referrer, Some(&manifest));
                }
                // What refers to an image and has a tag of its own is told of that image too, and listed by its tag.
                let refers = subject.map(|image| (image, Other::of(&manifest)));
                Examined::Image(Seen { refers, ..Seen::manifest(manifest) })
            }
        }
    }

    fn absent(&self, digest: Digest) -> Seen {
        match self.abilities.completeness {
            Completeness::Whole => Seen::unreadable(missing(self.route.source, &digest)),
            Completeness::Partial => Seen::of(Kind::Absent),
        }
    }

    pub(super) fn index(&self, digest: Digest, index: &ImageIndex) -> Seen {
        let (mut instances, mut unreadable) = (Vec::new(), index.unreadable.clone());
        if !self.instances_of(&index.manifests, 1, &mut instances, &mut unreadable) {
            return Seen::unreadable(Diagnostic::new(
                Code::Malformed,
                format!(
                    "the index {digest} in {} is malformed: it holds more than {} manifests or indexes more than {} deep",
                    self.place,
                    limits::INDEX_CHILDREN,
                    limits::INDEX_DEPTH
                ),
            ));
        }
        let problem = unreadable.into_iter().next().map(|entry| problem(ContentError::from(entry)));
        Seen { problem, instances, ..Seen::of(Kind::Index) }
    }

    /// Collects the instances of a list, also of lists in it. Only lists are opened: what an instance is does not
    /// matter, and a sparse mirror lawfully lacks some. `false`: there are too many.
    fn instances_of(
        &self,
        entries: &[Descriptor],
        depth: usize,
        instances: &mut Vec<Digest>,
        unreadable: &mut Vec<oci::ManifestError>,
    ) -> bool {
        if depth > limits::INDEX_DEPTH {
            return entries.is_empty();
        }
        for entry in entries {
            if instances.len() >= limits::INDEX_CHILDREN {
                return false;
            }
            let is_list = [oci::media::INDEX, oci::media::DOCKER_LIST].contains(&entry.media_type.as_str());
            let known = is_list && instances.contains(&entry.digest);
            instances.push(entry.digest);
            if is_list
                && !known
                && let Ok(Some(Document::Index(inner))) = self.read(entry)
            {
                unreadable.extend(inner.unreadable.into_iter().next());
                if !self.instances_of(&inner.manifests, depth + 1, instances, unreadable) {
                    return false;
                }
            }
        }
        true
    }

    /// Reads a manifest that refers to an image, unless it must wait until it is known which image is meant.
    fn refer(&self, referrer: Referrer, manifest: Option<&ImageManifest>) -> Examined<K::Kept> {
        let found = if self.must_wait(&referrer) { Vec::new() } else { self.referrer(&referrer, manifest) };
        Examined::Referrers(vec![(referrer, found)])
    }

    /// Whether only one image is meant, and this may be about another.
    pub(super) fn must_wait(&self, referrer: &Referrer) -> bool {
        self.route.only.is_some() && referrer.subject.is_some()
    }

    /// What a manifest that refers to an image holds: signatures, or something else that is named. What can't be read must
    /// not pass as "no signature".
    pub(super) fn referrer(&self, referrer: &Referrer, manifest: Option<&ImageManifest>) -> Found<K::Kept> {
        let (digest, subject, via) = (referrer.descriptor.digest, referrer.subject, referrer.via);
        let evidence = match (manifest, manifest.is_none().then(|| self.read(&referrer.descriptor))) {
            (Some(manifest), _) => return self.held(referrer, manifest),
            (_, Some(Ok(Some(Document::Manifest(manifest))))) => return self.held(referrer, &manifest),
            (_, Some(Ok(None))) => match self.abilities.completeness {
                Completeness::Partial => Evidence::Elsewhere(via, digest),
                Completeness::Whole => unreadable(via, digest, missing(self.route.source, &digest)),
            },
            (_, Some(Err(Unread::Problem(problem)))) => unreadable(via, digest, problem),
            // A list that refers to an image, or a schema 1 manifest, holds no signature.
            _ => return Vec::new(),
        };
        subject.map(|image| (image, evidence)).into_iter().collect()
    }

    fn held(&self, referrer: &Referrer, manifest: &ImageManifest) -> Found<K::Kept> {
        let (digest, subject, via) = (referrer.descriptor.digest, referrer.subject, referrer.via);
        if !carries_signatures(manifest) {
            // The tag of signatures may hold an image that somebody put there, or nothing.
            let is_other = via != Via::Tag || !manifest.layers.is_empty();
            let other =
                subject.filter(|_| is_other).map(|image| (image, Evidence::Other(Other::of(manifest))));
            return other.into_iter().collect();
        }
        let layers =
            Layers { source: self.route.source, repository: &self.repository, store: self.route.store };
        let found = signatures(&layers, digest, manifest, via);
        let claimed = |signature: &FoundSignature| {
            signature.content.as_ref().ok().and_then(|s| s.claimed_images().first().copied())
        };
        // One that can't be read is for the image of the others, as far as anybody can tell.
        let first = subject.or_else(|| found.iter().find_map(claimed)).unwrap_or(digest);
        let image = |signature: &FoundSignature| subject.or_else(|| claimed(signature)).unwrap_or(first);
        let found = found.into_iter().map(|signature| (image(&signature), signature));
        let kept = kept(self.route.keep, found.collect());
        kept.into_iter().map(|(image, signature)| (image, Evidence::Signature(signature))).collect()
    }
}

impl Unread {
    /// The image that is not read.
    pub(super) fn seen(self) -> Seen {
        match self {
            Self::Schema1 => Seen { other: Some(Other::Schema1), ..Seen::of(Kind::Image) },
            Self::Problem(problem) => Seen::unreadable(problem),
        }
    }
}

/// What a list says of a manifest in annotations may be long, and is not needed.
pub(super) fn bare(descriptor: &Descriptor) -> Descriptor {
    Descriptor {
        media_type: descriptor.media_type.clone(),
        size: descriptor.size,
        ..Descriptor::of_digest(descriptor.digest)
    }
}

/// A referrer that can't be read: it must not pass as "no signature".
pub(super) fn unreadable<S>(via: Via, at: Digest, problem: Diagnostic) -> Evidence<S> {
    Evidence::Signature(FoundSignature::unreadable(via, at, problem))
}
