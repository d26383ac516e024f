//! The tag `sha256-<hex>` of another manifest: a list of referrers, as a rule (OCI distribution-spec, "Referrers Tag
//! Schema").

use super::{
    Referrer, Walk,
    examine::{Examined, Seen},
};
use crate::{
    content,
    discover::{Keep, Via, carrier::carries_signatures},
    limits,
    oci::{Descriptor, Digest, Document},
};

impl<K: Keep> Walk<'_, K> {
    /// Reads what lies behind the fallback tag of `image`: the list of its referrers, one referrer itself, or an image, of
    /// which a filtered copy of a multi-arch image is one.
    pub(super) fn fallback(&self, image: Digest, descriptor: &Descriptor) -> Examined<K::Kept> {
        let referrer = |descriptor: &Descriptor| Referrer {
            via: Via::FallbackTag,
            descriptor: super::examine::bare(descriptor),
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
                let read = |referrer: &Referrer| {
                    if self.must_wait(referrer) { Vec::new() } else { self.referrer(referrer, None) }
                };
                let found = self.side_by_side(&listed, read);
                Examined::Referrers(listed.into_iter().zip(found).collect())
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

    /// Whether a list on a fallback tag holds images: one of its manifests can be read, and none refers to another.
    fn lists_images(&self, entries: &[Descriptor]) -> bool {
        let mut any = false;
        for entry in entries.iter().take(limits::SIGNATURES_PER_IMAGE) {
            // It is read again as what it is, and counted then.
            let fetched = content::fetch_manifest(self.route.source, &self.repository, entry);
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
