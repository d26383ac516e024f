use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::{
    discover::{FoundSignature, Image},
    oci::Digest,
};

/// The images of a walk: one list that grows in place, and the position of each by its digest. In a large mirror they are
/// most of what a walk holds.
pub(super) struct Images<S> {
    all: Vec<Image<S>>,
    /// Positions alone: the digests are in the list.
    at: HashTable<u32>,
    hasher: RandomState,
}

/// Makes room for one more in a long list. A list that grows to twice its size each time leaves behind it holes into which it
/// never fits again.
pub(super) fn grow<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 4 + 16);
    }
}

// Of a mirror of many images these are most of the memory: a limit for what an image takes is in docs/benchmarks.md.
const _: () = assert!(size_of::<Image<u32>>() <= 112 && size_of::<FoundSignature<u32>>() <= 64);

impl<S> Images<S> {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), at: HashTable::new(), hasher: RandomState::new() }
    }

    fn position(&self, digest: &Digest) -> Option<usize> {
        let is_it = |at: &u32| self.all[*at as usize].digest == *digest;
        self.at.find(self.hasher.hash_one(digest), is_it).map(|at| *at as usize)
    }

    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.position(digest).is_some()
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<&Image<S>> {
        self.position(digest).map(|at| &self.all[at])
    }

    pub(super) fn get_mut(&mut self, digest: &Digest) -> Option<&mut Image<S>> {
        self.position(digest).map(|at| &mut self.all[at])
    }

    /// The image of this digest, which `make` makes where there is none.
    pub(super) fn get_or_insert(&mut self, digest: Digest, make: impl FnOnce() -> Image<S>) -> &mut Image<S> {
        let at = self.position(&digest).unwrap_or_else(|| {
            let at = self.all.len();
            grow(&mut self.all);
            self.all.push(make());
            let (all, hasher) = (&self.all, &self.hasher);
            let rehash = |at: &u32| hasher.hash_one(all[*at as usize].digest);
            let number = u32::try_from(at).expect("a walk ends long before four billion images");
            self.at.insert_unique(hasher.hash_one(digest), number, rehash);
            at
        });
        &mut self.all[at]
    }

    pub(super) fn digests(&self) -> impl Iterator<Item = Digest> {
        self.all.iter().map(|image| image.digest)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Image<S>> {
        self.all.iter_mut()
    }

    pub(super) fn into_all(self) -> Vec<Image<S>> {
        self.all
    }
}
