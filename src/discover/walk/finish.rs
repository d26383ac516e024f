//! Assigns the findings to their images.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
};

use super::{Evidence, Loose, Walk, Walked, findings::Findings};
use crate::{
    discover::{
        At, FoundSignature, Image, Keep, Kind, Via,
        carrier::missing,
        keep::push,
        names::{TagName, tag_name},
    },
    oci::{Descriptor, Digest},
};

/// After so much of what was found its room is given back.
const GIVEN_BACK: usize = 4096;

impl<K: Keep> Walk<'_, K> {
    /// The result of the walk.
    pub(super) fn finish(mut self) -> Walked<K::Kept> {
        let mut loose = Vec::new();
        let found = std::mem::replace(&mut self.found, Findings::new());
        // An old state of a fallback tag lists referrers alone.
        let referrers = if self.untagged.is_empty() { HashSet::new() } else { found.manifests() };
        let mut found = found.into_all();
        found.reverse();
        while let Some((digest, evidence)) = found.pop() {
            // What is found becomes part of the images, and takes its room twice no longer than it must.
            if found.len().is_multiple_of(GIVEN_BACK) {
                found.shrink_to_fit();
            }
            // If the image itself is elsewhere, its signatures are too.
            if matches!(evidence, Evidence::Elsewhere(..)) && !self.is_here(digest) {
                continue;
            }
            if self.image(digest).is_some() {
                self.attach(digest, evidence);
            } else if let Evidence::Signature(signature) = evidence {
                loose.push((Arc::clone(&self.home), digest, signature));
            } else if let Evidence::Problem(problem) = evidence {
                self.problems.push(*problem);
            }
        }
        self.note_unasked();
        loose.sort_by(|(.., a): &Loose<_>, (.., b)| order(a).cmp(&order(b)));
        let (problems, unreadable) = (std::mem::take(&mut self.problems), self.unreadable);
        let failure = self.failure.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        Walked { images: self.into_images(&referrers), loose, problems, unreadable, failure }
    }

    /// Adds what could not be asked to the images without a signature; if there are none, to the problems of the location.
    fn note_unasked(&mut self) {
        let Some(problem) = self.unasked.take() else { return };
        let is_open = |image: &&mut Image<K::Kept>| {
            image.signatures.is_empty() && matches!(image.kind, Kind::Image | Kind::Index)
        };
        let mut any = false;
        for image in self.images.iter_mut().filter(is_open) {
            image.problems.push(problem.clone());
            any = true;
        }
        if !any {
            self.problems.push(problem);
        }
    }

    /// The image with this digest. An instance of an index becomes an image once there is a finding about it.
    fn image(&mut self, digest: Digest) -> Option<&mut Image<K::Kept>> {
        if !self.images.contains(&digest) {
            let list = *self.instances.get(&digest)?;
            let tags = self.images.get(&list).map(|list| list.tags.clone()).unwrap_or_default();
            let instance = Image {
                tags,
                instance_of: Some(Box::new(list)),
                ..Image::new(&self.home, digest, Kind::Image)
            };
            self.images.get_or_insert(digest, || instance);
        }
        self.images.get_mut(&digest)
    }

    fn attach(&mut self, digest: Digest, evidence: Evidence<K::Kept>) {
        let Some(image) = self.images.get_mut(&digest) else { return };
        match evidence {
            Evidence::Signature(signature) => push(&mut image.signatures, signature),
            Evidence::Other(other) if !image.others.contains(&other) => image.others.push(other),
            Evidence::Other(_) => {}
            Evidence::Elsewhere(via, at) => {
                let problem = missing(self.route.source, &at);
                push(&mut image.signatures, FoundSignature::unreadable(via, at, problem));
            }
            Evidence::Problem(problem) => image.problems.push(*problem),
        }
    }

    fn is_here(&self, digest: Digest) -> bool {
        match self.images.get(&digest) {
            Some(image) if image.instance_of.is_none() => image.kind != Kind::Absent,
            None if !self.instances.contains_key(&digest) => false,
            _ => {
                let descriptor = Descriptor::of_digest(digest);
                matches!(self.route.source.open(&self.home.repository, &descriptor), Ok(Some(_)))
            }
        }
    }

    fn into_images(self, referrers: &HashSet<Digest>) -> Vec<Image<K::Kept>> {
        let doubt = self.route.source.doubt(&self.home.repository);
        // Registry storage lists the instances of an index as separate revisions, and so too the manifests to which a
        // fallback tag referred before its last signature: unsigned ones are not images by themselves.
        let instances = self.instances;
        let of_referrers = |listed: &Vec<Digest>| {
            !listed.is_empty() && listed.iter().all(|digest| referrers.contains(digest))
        };
        let part = |digest: &Digest| {
            instances.contains_key(digest) || self.untagged.get(digest).is_some_and(of_referrers)
        };
        let is_bare = |image: &Image<K::Kept>| {
            image.tags.is_empty()
                && image.signatures.is_empty()
                && image.others.is_empty()
                && part(&image.digest)
        };
        let mut images = self.images.into_all();
        images.retain(|image| !is_bare(image));
        images.shrink_to_fit();
        for image in &mut images {
            image.signatures.sort_by(|a, b| order(a).cmp(&order(b)));
            // A tag that is a digest is not informative, so it comes last.
            image.tags.sort_by_key(|tag| matches!(tag_name(tag), TagName::Digest(_)));
            if image.signatures.is_empty() && matches!(image.kind, Kind::Image | Kind::Index) {
                image.doubt = doubt;
            }
        }
        images.sort_unstable_by(|a, b| (&a.tags, a.digest).cmp(&(&b.tags, b.digest)));
        images
    }
}

/// Files come first, then signatures in manifests, by digest.
fn order<S>(signature: &FoundSignature<S>) -> (bool, &At) {
    (signature.via != Via::File, &signature.at)
}
