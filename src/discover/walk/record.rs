//! Records what was examined.

use super::{
    Evidence, Found, Referrer, Walk,
    examine::{Examined, Seen},
};
use crate::{
    content::{Listed, Name},
    discover::{
        Image, Keep,
        keep::push,
        names::{TagName, tag_name},
    },
    oci::Digest,
};

impl<K: Keep> Walk<'_, K> {
    /// Records a listed manifest.
    pub(super) fn note(&mut self, listed: &Listed, examined: Examined<K::Kept>) {
        let digest = listed.descriptor.digest;
        let tag = match &listed.name {
            Name::Tag(tag) => Some(tag),
            Name::Untagged | Name::Unlisted => None,
        };
        match examined {
            Examined::Known => {
                let names_image =
                    |tag: &&String| matches!(tag_name(tag), TagName::Digest(_) | TagName::Image);
                if let (Some(image), Some(tag)) = (self.images.get_mut(&digest), tag.filter(names_image)) {
                    push(&mut image.tags, tag.clone());
                }
            }
            Examined::Image(seen) => self.note_image(digest, tag, seen),
            Examined::Referrers(all) => {
                for (referrer, found) in all {
                    self.note_referrer(referrer, found);
                }
            }
            Examined::Other(image, other) => self.found.push(image, Evidence::Other(other)),
        }
    }

    fn note_image(&mut self, digest: Digest, tag: Option<&String>, seen: Seen) {
        if tag.is_none() && !seen.instances.is_empty() {
            self.untagged.insert(digest, seen.instances.clone());
        }
        self.instances.extend(seen.instances.into_iter().map(|instance| (instance, digest)));
        if let Some((image, other)) = seen.refers {
            self.found.push(image, Evidence::Other(other));
        }
        // A second entry for the same manifest, listed once with and once without a tag.
        let home = &self.home;
        let image = self.images.get_or_insert(digest, || Image {
            others: seen.other.into_iter().collect(),
            problems: seen.problem.into_iter().collect(),
            ..Image::new(home, digest, seen.kind)
        });
        if let Some(tag) = tag {
            push(&mut image.tags, tag.clone());
        }
    }

    /// Records a referrer with its findings, or keeps it until the selected image is known.
    pub(super) fn note_referrer(&mut self, referrer: Referrer, found: Found<K::Kept>) {
        let digest = referrer.descriptor.digest;
        if self.found.contains(&digest) {
            return;
        }
        if self.must_wait(&referrer) {
            self.found.add(digest, Vec::new());
            self.waiting.push(referrer);
        } else {
            self.found.add(digest, found);
        }
    }
}
