use std::convert::Infallible;

use super::{Carrier, Walk, unreadable};
use crate::{
    discover::{
        FoundSignature, Problem,
        carrier::{Layers, missing, signatures},
    },
    oci::{Digest, Document},
};

impl Walk<'_> {
    /// Reads the signatures, or only those that may be of the one image that is meant: others need not take part of what
    /// may be kept.
    pub(in crate::discover) fn read_carriers(&mut self, only: Option<&str>) {
        let mut carriers: Vec<_> = std::mem::take(&mut self.carriers).into_values().collect();
        if let Some(only) = only {
            carriers.retain(|carrier| carrier.subject.is_none_or(|image| self.is_meant(&image, only)));
        }
        let read = |carrier: &Carrier| Ok::<_, Infallible>(self.carried(carrier));
        let Ok(found) = self.source.abilities().workers().map(&carriers, read);
        self.found.extend(found.into_iter().flatten());
    }

    /// Whether this image, or the list that it is an instance of, has this tag or digest.
    fn is_meant(&self, image: &Digest, only: &str) -> bool {
        [Some(image), self.instances.get(image)].into_iter().flatten().any(|image| {
            let tags = self.images.get(image).map_or(&[][..], |image| &image.tags);
            tags.iter().any(|tag| tag == only) || image.to_string() == only
        })
    }

    /// The signatures of one carrier, each with its image.
    fn carried(&self, carrier: &Carrier) -> Vec<(Digest, FoundSignature)> {
        let (digest, named, via) = (carrier.descriptor.digest, carrier.subject, carrier.via);
        let problem = match self.read(&carrier.descriptor) {
            Ok(Ok(Some(Document::Manifest(manifest)))) => {
                let layers = Layers { source: self.source, repository: &self.repository, store: self.store };
                let found = signatures(&layers, digest, &manifest, via).into_iter();
                return found
                    .filter_map(|signature| {
                        let content = signature.content.as_ref().ok();
                        let claimed = content.and_then(|s| s.claimed_images().first().copied());
                        Some((named.or(claimed)?, signature))
                    })
                    .collect();
            }
            Ok(Ok(Some(Document::Index(_)))) => return Vec::new(),
            Ok(Ok(None)) => missing(self.source, &digest),
            Ok(Err(problem)) => problem,
            Err(e) => Problem::from(&e),
        };
        named.into_iter().map(|image| (image, unreadable(via, &digest, problem.clone()))).collect()
    }
}
