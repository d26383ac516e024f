//! Findings outside the list: from the location's own list of referrers, and from files.

use super::{AT_ONCE, Evidence, Referrer, Walk, examine::bare};
use crate::{
    content::{ContentError, Referrers},
    discover::{Keep, Via, carrier::file_signature, keep::kept},
    oci::Digest,
};

impl<K: Keep> Walk<'_, K> {
    /// The images and the instances of indexes.
    fn subjects(&self) -> Vec<Digest> {
        let mut all: Vec<_> = self.images.digests().chain(self.instances.keys().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Queries the location, and the signature repository, for the referrers of each image.
    pub(super) fn ask_for_referrers(&mut self) {
        let subjects = self.subjects();
        if let Some(place) = self.abilities.referrers {
            self.ask(place, Via::Api, &subjects);
        }
        if let Some(repository) = self.abilities.signatures {
            let only = self.route.only;
            let meant = |image: &Digest| only.is_none_or(|only| self.is_meant(image, only));
            let subjects: Vec<_> = subjects.into_iter().filter(meant).collect();
            self.ask(repository, Via::SignatureRepository, &subjects);
        }
    }

    /// If it does not answer at all, it is not queried for the other images.
    fn ask(&mut self, place: &dyn Referrers, via: Via, subjects: &[Digest]) {
        for images in subjects.chunks(AT_ONCE) {
            let ask = |image: &Digest| {
                Ok::<_, std::convert::Infallible>(place.referrers(&self.home.repository, image))
            };
            // A location that does not support referrers fails at the first query.
            let Ok(answers) = self.abilities.workers().map_after_first(images, ask);
            let silent = answers.iter().all(Result::is_err);
            let mut new = Vec::new();
            for (image, answer) in images.iter().zip(answers) {
                match answer {
                    Ok(entries) => {
                        for entry in entries {
                            match entry {
                                Ok(descriptor) => new.push(Referrer {
                                    via,
                                    descriptor: bare(&descriptor),
                                    subject: Some(*image),
                                }),
                                Err(e) => {
                                    let problem = self.problem(e);
                                    self.found.push(*image, Evidence::Problem(Box::new(problem)));
                                }
                            }
                        }
                    }
                    Err(e) if silent => {
                        self.silent(e, via);
                        return;
                    }
                    Err(e) => {
                        let problem = self.problem(e);
                        self.found.push(*image, Evidence::Problem(Box::new(problem)));
                    }
                }
            }
            let mut first = std::collections::HashSet::new();
            new.retain(|r| !self.found.contains(&r.descriptor.digest) && first.insert(r.descriptor.digest));
            self.read_referrers(new);
            (self.route.progress)();
        }
    }

    /// Records that nothing is known about any image: one without a signature may have signatures after all.
    fn silent(&mut self, error: ContentError, via: Via) {
        let problem = self.problem(error);
        if via == Via::SignatureRepository {
            let problem = Box::new(problem);
            for image in self.images.digests() {
                self.found.push(image, Evidence::Problem(problem.clone()));
            }
        } else {
            self.unasked = Some(problem);
        }
    }

    fn read_referrers(&mut self, referrers: Vec<Referrer>) {
        let read = |referrer: &Referrer| {
            if self.must_wait(referrer) { Vec::new() } else { self.referrer(referrer, None) }
        };
        let found = self.side_by_side(&referrers, read);
        for (referrer, found) in referrers.into_iter().zip(found) {
            self.note_referrer(referrer, found);
        }
    }

    /// Reads the files next to the images.
    pub(super) fn read_sidecars(&mut self) {
        let Some(place) = self.abilities.sidecars else { return };
        for image in self.subjects() {
            let mut files = Vec::new();
            let result = place.attachments(&self.home.repository, &image, &mut |file| {
                files.extend(kept(self.route.keep, vec![(image, file_signature(file))]));
            });
            for (image, file) in files {
                self.found.push(image, Evidence::Signature(file));
            }
            if let Err(e) = result {
                let problem = self.problem(e);
                self.found.push(image, Evidence::Problem(Box::new(problem)));
            }
        }
    }

    /// Reads the waiting referrers that may be for the selected image: others must not use up the limits.
    pub(super) fn read_waiting(&mut self) {
        let Some(only) = self.route.only else { return };
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|referrer| referrer.subject.is_none_or(|image| self.is_meant(&image, only)));
        for some in waiting.chunks(AT_ONCE) {
            let found = self.side_by_side(some, |referrer| self.referrer(referrer, None));
            for (image, evidence) in found.into_iter().flatten() {
                self.found.push(image, evidence);
            }
        }
    }

    /// Whether this image, or the index that it is an instance of, has this tag or digest.
    fn is_meant(&self, image: &Digest, only: &str) -> bool {
        [Some(image), self.instances.get(image)].into_iter().flatten().any(|image| {
            let tags = self.images.get(image).map_or(&[][..], |image| &image.tags);
            tags.iter().any(|tag| tag == only) || image.to_string() == only
        })
    }
}
