use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use hashbrown::HashTable;

use super::{Evidence, Found, images::grow};
use crate::{
    discover::{At, FoundSignature},
    oci::Digest,
};

/// What a walk found, each with its image, and the manifests that it was found in. Most of these are in the findings
/// already, so that only their position is kept.
pub(super) struct Findings<S> {
    all: Found<S>,
    /// The position of the first finding of each manifest.
    at: HashTable<u32>,
    /// Manifests without a finding that names them.
    silent: HashSet<Digest>,
    hasher: RandomState,
}

impl<S> Findings<S> {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), at: HashTable::new(), silent: HashSet::new(), hasher: RandomState::new() }
    }

    /// Adds what was found without a manifest.
    pub(super) fn push(&mut self, image: Digest, evidence: Evidence<S>) {
        grow(&mut self.all);
        self.all.push((image, evidence));
    }

    /// Adds what was found in a manifest.
    pub(super) fn add(&mut self, manifest: Digest, found: Found<S>) {
        let first = self.all.len();
        for (image, evidence) in found {
            self.push(image, evidence);
        }
        match u32::try_from(first) {
            Ok(number) if self.all.get(first).and_then(container) == Some(manifest) => {
                let (all, hasher) = (&self.all, &self.hasher);
                let rehash = |at: &u32| hasher.hash_one(container(&all[*at as usize]));
                self.at.insert_unique(hasher.hash_one(Some(manifest)), number, rehash);
            }
            _ => {
                self.silent.insert(manifest);
            }
        }
    }

    /// Whether this manifest was read.
    pub(super) fn contains(&self, manifest: &Digest) -> bool {
        let is_it = |at: &u32| container(&self.all[*at as usize]) == Some(*manifest);
        self.silent.contains(manifest) || self.at.find(self.hasher.hash_one(Some(*manifest)), is_it).is_some()
    }

    /// The manifests that were read.
    pub(super) fn manifests(&self) -> HashSet<Digest> {
        let found = self.at.iter().filter_map(|at| container(&self.all[*at as usize]));
        self.silent.iter().copied().chain(found).collect()
    }

    pub(super) fn into_all(self) -> Found<S> {
        self.all
    }
}

/// The manifest that a finding is from, if it says so.
fn container<S>((_, evidence): &(Digest, Evidence<S>)) -> Option<Digest> {
    match evidence {
        Evidence::Signature(FoundSignature { at: At::Manifest(digest), .. })
        | Evidence::Elsewhere(_, digest) => Some(*digest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Via;

    #[test]
    fn every_manifest_that_was_read_is_known_again() {
        let digest = |n: u32| Digest::of(&n.to_le_bytes());
        let mut findings = Findings::<()>::new();
        // So many that the table grows; every third says nothing, and one is about another manifest.
        for n in 0..100 {
            let found = match n % 3 {
                0 => Vec::new(),
                _ => vec![(digest(1000 + n), Evidence::Elsewhere(Via::File, digest(n)))],
            };
            findings.add(digest(n), found);
        }
        findings.add(digest(500), vec![(digest(1), Evidence::Elsewhere(Via::File, digest(501)))]);
        findings.push(digest(1), Evidence::Elsewhere(Via::File, digest(600)));
        assert!((0..100).all(|n| findings.contains(&digest(n))));
        assert!(findings.contains(&digest(500)));
        assert!(![501, 600, 1001].iter().any(|n| findings.contains(&digest(*n))));
        let all = (0..100).chain([500]).map(digest).collect();
        assert_eq!(findings.manifests(), all);
        assert_eq!(findings.into_all().len(), 66 + 2);
    }
}
