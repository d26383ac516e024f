//! Processes signatures as they are found.

use std::collections::BTreeMap;

use thin_vec::ThinVec;

use super::FoundSignature;
use crate::{oci::Digest, signature::UntrustedSignature};

/// Takes each signature when it is found, so that a walk through a large mirror need not store all of them.
pub trait Keep: Sync {
    /// Whether the whole signature is kept, so that the total size must be limited.
    const WHOLE: bool;

    /// The data kept for a signature.
    type Kept: Send + Sync;

    /// Takes signatures that were found together for an image; returns the data kept for each, in the same order.
    fn keep(&self, image: &Digest, signatures: &[UntrustedSignature]) -> Vec<Self::Kept>;
}

/// Keeps the signatures themselves.
pub struct Whole;

impl Keep for Whole {
    const WHOLE: bool = true;

    type Kept = UntrustedSignature;

    fn keep(&self, _image: &Digest, signatures: &[UntrustedSignature]) -> Vec<UntrustedSignature> {
        signatures.to_vec()
    }
}

/// Adds to a list of which most have one entry: the first takes no more room than it needs.
pub(super) fn push<T>(list: &mut ThinVec<T>, item: T) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(item);
}

/// Passes on the readable signatures, image by image.
pub(super) fn kept<K: Keep>(
    keep: &K,
    found: Vec<(Digest, FoundSignature)>,
) -> Vec<(Digest, FoundSignature<K::Kept>)> {
    let mut by_image: BTreeMap<Digest, (Vec<usize>, Vec<UntrustedSignature>)> = BTreeMap::new();
    let mut done = Vec::with_capacity(found.len());
    for (place, (image, FoundSignature { via, at, form, content })) in found.into_iter().enumerate() {
        let content = match content {
            Ok(signature) => {
                let (places, signatures) = by_image.entry(image).or_default();
                places.push(place);
                signatures.push(signature);
                None
            }
            Err(problem) => Some(Err(problem)),
        };
        done.push((image, via, at, form, content));
    }
    for (image, (places, signatures)) in by_image {
        for (place, kept) in places.into_iter().zip(keep.keep(&image, &signatures)) {
            done[place].4 = Some(Ok(kept));
        }
    }
    let found = done.into_iter().filter_map(|(image, via, at, form, content)| {
        Some((image, FoundSignature { via, at, form, content: content? }))
    });
    found.collect()
}
