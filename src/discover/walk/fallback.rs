//! The tag `sha256-<hex>` of another manifest: usually a list of referrers (OCI distribution-spec, "Referrers Tag
//! Schema").

use super::{
    Found, Referrer, Walk,
    examine::{Examined, Seen, bare, unreadable},
};
use crate::{
    content::{self, ContentError},
    discover::{
        Keep, Via,
        carrier::{carries_signatures, too_many},
    },
    limits,
    oci::{Descriptor, Digest, Document, ImageIndex},
};

impl<K: Keep> Walk<'_, K> {
    /// Reads the fallback tag of `image`: the list of its referrers, a single referrer, or an image, which may be a
    /// filtered copy of a multi-arch image.
    pub(super) fn fallback(&self, image: Digest, descriptor: &Descriptor) -> Examined<K::Kept> {
        let referrer = |descriptor: &Descriptor| Referrer {
            via: Via::FallbackTag,
            descriptor: bare(descriptor),
            subject: Some(image),
        };
        let itself = || {
            let referrer = referrer(descriptor);
            let found = if self.must_wait(&referrer) { Vec::new() } else { self.referrer(&referrer, None) };
            Examined::Referrers(vec![(referrer, found)])
        };
        match self.read(descriptor) {
            Ok(Some(Document::Index(index))) => {
                if index.subject.is_none() && self.lists_images(&index.manifests) {
                    return Examined::Image(self.index(descriptor.digest, &index));
                }
                let listed = index.manifests.iter().take(limits::SIGNATURES_PER_IMAGE).map(referrer);
                let listed: Vec<_> = listed.collect();
                let not_read = self.not_read(image, descriptor, &index);
                let read = |referrer: &Referrer| {
                    if self.must_wait(referrer) { Vec::new() } else { self.referrer(referrer, None) }
                };
                let found = self.side_by_side(&listed, read);
                Examined::Referrers(listed.into_iter().zip(found).chain(not_read).collect())
            }
            Ok(Some(Document::Manifest(manifest))) => {
                if manifest.subject.is_some() || carries_signatures(&manifest) {
                    itself()
                } else {
                    Examined::Image(Seen::manifest(manifest))
                }
            }
            Ok(None) | Err(super::Unread::Problem(_)) => itself(),
            Err(unread) => Examined::Image(unread.seen()),
        }
    }

    /// The unread entries of a list of referrers: each may be a signature.
    fn not_read(
        &self,
        image: Digest,
        list: &Descriptor,
        index: &ImageIndex,
    ) -> Option<(Referrer, Found<K::Kept>)> {
        let beyond = index.manifests.len() > limits::SIGNATURES_PER_IMAGE;
        let entries = index.unreadable.iter().map(|entry| self.problem(ContentError::from(entry.clone())));
        let problems: Vec<_> = entries.chain(beyond.then(|| too_many(&list.digest))).collect();
        let evidence = |problem| (image, unreadable(Via::FallbackTag, list.digest, problem));
        // It represents the list itself and need not be read, so it does not wait.
        let referrer = Referrer { via: Via::FallbackTag, descriptor: bare(list), subject: None };
        (!problems.is_empty()).then(|| (referrer, problems.into_iter().map(evidence).collect()))
    }

    /// Whether an index on a fallback tag contains images: one of its manifests can be read, and none refers to
    /// another.
    fn lists_images(&self, entries: &[Descriptor]) -> bool {
        let mut any = false;
        for entry in entries.iter().take(limits::SIGNATURES_PER_IMAGE) {
            // It is read again as what it is, and counted then.
            let fetched = content::fetch_manifest(self.route.source, &self.home.repository, entry);
            let Ok(Some((_, document))) = fetched else { continue };
            let carries = matches!(&document, Document::Manifest(manifest) if carries_signatures(manifest));
            if carries || document.subject().is_some() {
                return false;
            }
            any = true;
        }
        any
    }
}
