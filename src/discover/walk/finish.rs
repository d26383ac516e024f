use super::{Loose, Walk};
use crate::{
    discover::{Image, Kind},
    oci::Digest,
};

impl Walk<'_> {
    /// What was found. The carriers are read by now.
    pub(in crate::discover) fn finish(mut self) -> (Vec<Image>, Vec<Loose>) {
        let mut loose = Vec::new();
        for (digest, signature) in std::mem::take(&mut self.found) {
            if let Some(image) = self.images.get_mut(&digest) {
                image.signatures.push(signature);
            } else if let Some(list) = self.instances.get(&digest) {
                // An instance is listed only if it has a signature of its own.
                let tags = self.images.get(list).map(|l| l.tags.clone()).unwrap_or_default();
                self.images.insert(
                    digest,
                    Image {
                        place: self.place.clone(),
                        repository: self.repository.clone(),
                        tags,
                        digest,
                        kind: Kind::Image,
                        instance_of: Some(*list),
                        signatures: vec![signature],
                        problems: Vec::new(),
                    },
                );
            } else {
                loose.push((self.place.clone(), self.repository.clone(), digest, signature));
            }
        }
        // Registry storage lists the instances of a list as revisions of their own, and what a fallback tag named before
        // its last signature: unsigned ones are not images by themselves.
        let (instances, referrers) = (self.instances, self.referrers);
        let of_referrers = |listed: &Vec<Digest>| {
            !listed.is_empty() && listed.iter().all(|digest| referrers.contains(digest))
        };
        let part = |digest: &Digest| {
            instances.contains_key(digest) || self.untagged.get(digest).is_some_and(of_referrers)
        };
        let mut images: Vec<_> = self
            .images
            .into_values()
            .filter(|i| !(i.tags.is_empty() && i.signatures.is_empty() && part(&i.digest)))
            .collect();
        images.sort_by(|a, b| (&a.tags, a.digest).cmp(&(&b.tags, b.digest)));
        (images, loose)
    }
}
