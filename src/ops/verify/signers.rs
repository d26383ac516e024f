//! Who made the good signatures of a run.

use std::collections::{BTreeMap, HashSet};

use crate::{
    oci::Digest,
    outcome::verify::{ImageVerdict, SignatureState, SignerCount, SignerReport},
};

/// The signers of good signatures, each with what is by it.
#[derive(Default)]
pub(super) struct Signers(BTreeMap<(bool, SignerReport), Signed>);

/// What is by one signer.
#[derive(Default)]
struct Signed {
    images: HashSet<Digest>,
    logged: usize,
    unlogged: usize,
}

impl Signers {
    pub(super) fn add(&mut self, image: &ImageVerdict) {
        for signature in &image.signatures {
            let expected = signature.state == SignatureState::Good;
            let Some(signer) = &signature.signer else { continue };
            let signed = self.0.entry((!expected, signer.clone())).or_default();
            signed.images.insert(image.digest);
            *if signature.logged == Some(true) { &mut signed.logged } else { &mut signed.unlogged } += 1;
        }
    }

    pub(super) fn counts(self) -> Vec<SignerCount> {
        let counts = self.0.into_iter().map(|((unexpected, signer), signed)| SignerCount {
            signer,
            expected: !unexpected,
            images: signed.images.len(),
            logged: signed.logged,
            unlogged: signed.unlogged,
        });
        let mut counts: Vec<_> = counts.collect();
        counts.sort_by_key(|signer| std::cmp::Reverse((signer.expected, signer.images)));
        counts
    }
}
