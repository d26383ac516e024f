use std::collections::HashMap;

use crate::{
    discover::{FoundSignature, Image},
    oci::Digest,
};

/// The images of a walk: one list that grows in place, and where each is in it. Of a large mirror they are most of what a
/// walk holds.
pub(super) struct Images<S> {
    all: Vec<Image<S>>,
    at: HashMap<Digest, usize>,
}

/// Makes room for one more in a long list. A list that grows to twice its size each time leaves behind it holes into which it
/// never fits again.
pub(super) fn grow<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 4 + 16);
    }
}

// Of a mirror of many images these are most of the memory: a limit for what an image takes is in docs/benchmarks.md.
const _: () = assert!(size_of::<Image<u32>>() <= 224 && size_of::<FoundSignature<u32>>() <= 64);

impl<S> Images<S> {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), at: HashMap::new() }
    }

    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.at.contains_key(digest)
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<&Image<S>> {
        self.all.get(*self.at.get(digest)?)
    }

    pub(super) fn get_mut(&mut self, digest: &Digest) -> Option<&mut Image<S>> {
        self.all.get_mut(*self.at.get(digest)?)
    }

    /// The image of this digest, which `make` makes where there is none.
    pub(super) fn get_or_insert(&mut self, digest: Digest, make: impl FnOnce() -> Image<S>) -> &mut Image<S> {
        let place = *self.at.entry(digest).or_insert_with(|| {
            grow(&mut self.all);
            self.all.push(make());
            self.all.len() - 1
        });
        &mut self.all[place]
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
