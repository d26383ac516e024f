//! Determines what a listed manifest is. Nothing is recorded yet, because several are examined at once.

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

/// The result of examining a listed manifest.
pub(super) enum Examined<S> {
    /// Nothing new: its digest was seen before.
    Known,
    /// An image.
    Image(Seen),
    /// Manifests that refer to images, with the findings in them.
    Referrers(Vec<(Referrer, Found<S>)>),
    /// An artifact of an image, known only from its tag.
    Other(Digest, Other),
}

/// An image that was read.
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) problem: Option<Diagnostic>,
    pub(super) other: Option<Other>,
    /// The image that it refers to, and its kind as that image's artifact.
    pub(super) refers: Option<(Digest, Other)>,
    /// The entries of an index, including those of nested indexes.
    pub(super) instances: Vec<Digest>,
}

impl Seen {
    fn of(kind: Kind) -> Self {
        Self { kind, problem: None, other: None, refers: None, instances: Vec::new() }
    }

    /// A manifest that is an image or an artifact.
    pub(super) fn manifest(manifest: ImageManifest) -> Self {
        Self::of(manifest.artifact_type.map_or(Kind::Image, |kind| Kind::Artifact(kind.into())))
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

    /// Examines a manifest whose name does not show what it is.
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
                // A tagged manifest that refers to an image is reported for that image, and also listed by its tag.
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
                    self.home.place,
                    limits::INDEX_CHILDREN,
                    limits::INDEX_DEPTH
                ),
            ));
        }
        let problem = unreadable.into_iter().next().map(|entry| problem(ContentError::from(entry)));
        Seen { problem, instances, ..Seen::of(Kind::Index) }
    }

    /// Collects the instances of an index, including those of nested indexes. Only indexes are opened: it does not
    /// matter what an instance is, and a sparse mirror may legitimately lack some. `false` if there are too many.
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

    /// Reads a manifest that refers to an image, unless the selected image has to be known first.
    fn refer(&self, referrer: Referrer, manifest: Option<&ImageManifest>) -> Examined<K::Kept> {
        let found = if self.must_wait(&referrer) { Vec::new() } else { self.referrer(&referrer, manifest) };
        Examined::Referrers(vec![(referrer, found)])
    }

    /// Whether only one image is selected, and this referrer may be for another.
    pub(super) fn must_wait(&self, referrer: &Referrer) -> bool {
        self.route.only.is_some() && referrer.subject.is_some()
    }

    /// The findings in a manifest that refers to an image: signatures, or the name of another artifact. An unreadable
    /// one must not count as "no signature".
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
            // An index, or a schema 1 manifest, contains no signature; the tag for signatures says that there is one.
            _ if via == Via::Tag => {
                let what = "the tag for its signatures names a manifest that can't contain any";
                unreadable(via, digest, Diagnostic::new(Code::SignatureMalformed, what))
            }
            _ => return Vec::new(),
        };
        subject.map(|image| (image, evidence)).into_iter().collect()
    }

    fn held(&self, referrer: &Referrer, manifest: &ImageManifest) -> Found<K::Kept> {
        let (digest, subject, via) = (referrer.descriptor.digest, referrer.subject, referrer.via);
        if !carries_signatures(manifest) {
            // The tag for signatures may have been used for an ordinary image, or be empty.
            let is_other = via != Via::Tag || !manifest.layers.is_empty();
            let other =
                subject.filter(|_| is_other).map(|image| (image, Evidence::Other(Other::of(manifest))));
            return other.into_iter().collect();
        }
        let layers =
            Layers { source: self.route.source, repository: &self.home.repository, store: self.route.store };
        let found = signatures(&layers, digest, manifest, via);
        let claimed = |signature: &FoundSignature| {
            signature.content.as_ref().ok().and_then(|s| s.claimed_images().first().copied())
        };
        // An unreadable one is presumably for the same image as the others.
        let first = subject.or_else(|| found.iter().find_map(claimed)).unwrap_or(digest);
        let image = |signature: &FoundSignature| subject.or_else(|| claimed(signature)).unwrap_or(first);
        let found = found.into_iter().map(|signature| (image(&signature), signature));
        let kept = kept(self.route.keep, found.collect());
        kept.into_iter().map(|(image, signature)| (image, Evidence::Signature(signature))).collect()
    }
}

impl Unread {
    /// An image that is not read.
    pub(super) fn seen(self) -> Seen {
        match self {
            Self::Schema1 => Seen { other: Some(Other::Schema1), ..Seen::of(Kind::Image) },
            Self::Problem(problem) => Seen::unreadable(problem),
        }
    }
}

/// A descriptor without the annotations of an index, which may be long and are not needed.
pub(super) fn bare(descriptor: &Descriptor) -> Descriptor {
    Descriptor {
        media_type: descriptor.media_type.clone(),
        size: descriptor.size,
        ..Descriptor::of_digest(descriptor.digest)
    }
}

/// An unreadable referrer: it must not count as "no signature".
pub(super) fn unreadable<S>(via: Via, at: Digest, problem: Diagnostic) -> Evidence<S> {
    Evidence::Signature(FoundSignature::unreadable(via, at, problem))
}
