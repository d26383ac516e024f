//! Stores the content of signatures until they are verified, up to a limit.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    diag::{Code, Diagnostic},
    limits,
    oci::{Descriptor, Digest},
    signature::{SimplePayload, UntrustedBundle},
};

/// The size of a signature in addition to its content.
const OVERHEAD: u64 = 1 << 10;

/// What one takes in a cache at least: a few thousand of the usual size are enough, for what is named again is named soon.
const SLOT: u64 = 4 << 10;

/// The content of signatures by digest: each is read once, no matter how many layers, manifests and repositories refer
/// to it.
///
/// If whole signatures are kept, all content is kept too, with a limit on the total size. A location with more is still
/// read to its end, and the remaining signatures are unreadable, which is not the same as unsigned. Otherwise content
/// is only cached.
pub(super) struct Store {
    /// Whether signatures are kept whole.
    whole: bool,
    payloads: Mutex<Cache<SimplePayload>>,
    bundles: Mutex<Cache<UntrustedBundle>>,
    small: AtomicU64,
    large: AtomicU64,
    /// Held while a large one is read: parsing takes several times its size.
    reading: Mutex<()>,
}

impl Store {
    pub(super) fn new(whole: bool) -> Self {
        Self {
            whole,
            payloads: Mutex::default(),
            bundles: Mutex::default(),
            small: AtomicU64::new(0),
            large: AtomicU64::new(0),
            reading: Mutex::new(()),
        }
    }

    /// The payload in a layer.
    pub(super) fn payload(
        &self,
        layer: &Descriptor,
        read: impl FnOnce() -> Result<SimplePayload, Diagnostic>,
    ) -> Result<SimplePayload, Diagnostic> {
        self.shared(&self.payloads, layer, read)
    }

    /// The bundle in a layer.
    pub(super) fn bundle(
        &self,
        layer: &Descriptor,
        read: impl FnOnce() -> Result<UntrustedBundle, Diagnostic>,
    ) -> Result<UntrustedBundle, Diagnostic> {
        self.shared(&self.bundles, layer, read)
    }

    fn shared<T: Clone>(
        &self,
        known: &Mutex<Cache<T>>,
        layer: &Descriptor,
        read: impl FnOnce() -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        let size = layer.size.unwrap_or(limits::SIGNATURE);
        let _alone = (size > limits::LARGE_SIGNATURE).then(|| lock(&self.reading));
        if let Some(content) = lock(known).get(&layer.digest) {
            return Ok(content);
        }
        self.keep(size)?;
        let content = read().inspect_err(|_| self.forget(size))?;
        lock(known).put(layer.digest, content.clone(), size, !self.whole);
        Ok(content)
    }

    /// Reserves room for a signature of this size.
    pub(super) fn keep(&self, size: u64) -> Result<(), Diagnostic> {
        if !self.whole {
            return Ok(());
        }
        let (kept, most) = self.room(size);
        let taken = kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |kept| {
            kept.checked_add(size)?.checked_add(OVERHEAD).filter(|sum| *sum <= most)
        });
        taken.map(|_| ()).map_err(|_| {
            let which = if size > limits::LARGE_SIGNATURE { "more" } else { "less" };
            let (than, most) = (limits::LARGE_SIGNATURE >> 10, most >> 20);
            let reason = format!(
                "signatures of {which} than {than} KiB may take {most} MiB together, and these take more"
            );
            Diagnostic::new(Code::TooLarge, reason)
        })
    }

    fn forget(&self, size: u64) {
        if !self.whole {
            return;
        }
        self.room(size).0.fetch_sub(size + OVERHEAD, Ordering::Relaxed);
    }

    const fn room(&self, size: u64) -> (&AtomicU64, u64) {
        if size > limits::LARGE_SIGNATURE {
            (&self.large, limits::LARGE_SIGNATURES)
        } else {
            (&self.small, limits::SMALL_SIGNATURES)
        }
    }
}

/// Content by digest; the least recently used is dropped if there is no more room.
struct Cache<T> {
    known: HashMap<Digest, Entry<T>>,
    /// When each was last used.
    used: BTreeMap<u64, Digest>,
    clock: u64,
    bytes: u64,
}

struct Entry<T> {
    content: T,
    size: u64,
    used: u64,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), used: BTreeMap::new(), clock: 0, bytes: 0 }
    }
}

impl<T: Clone> Cache<T> {
    fn get(&mut self, digest: &Digest) -> Option<T> {
        let entry = self.known.get_mut(digest)?;
        self.used.remove(&entry.used);
        self.clock += 1;
        entry.used = self.clock;
        self.used.insert(self.clock, *digest);
        Some(entry.content.clone())
    }

    fn put(&mut self, digest: Digest, content: T, size: u64, bounded: bool) {
        self.clock += 1;
        let size = size + SLOT;
        if let Some(old) = self.known.insert(digest, Entry { content, size, used: self.clock }) {
            self.used.remove(&old.used);
            self.bytes -= old.size;
        }
        self.used.insert(self.clock, digest);
        self.bytes += size;
        while bounded && self.bytes > limits::SIGNATURE_CACHE {
            let Some((_, oldest)) = self.used.pop_first() else { return };
            self.bytes -= self.known.remove(&oldest).map_or(0, |entry| entry.size);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(number: u64, size: u64) -> Descriptor {
        Descriptor { size: Some(size), ..Descriptor::of_digest(Digest::of(&number.to_be_bytes())) }
    }

    fn payload() -> Result<SimplePayload, Diagnostic> {
        let image = Digest::of(b"image");
        let text = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"r.test/x"}},"image":{{"docker-manifest-digest":"{image}"}},"type":"cosign container image signature"}},"optional":null}}"#
        );
        SimplePayload::parse(text.into_bytes()).map_err(|e| Diagnostic::from(&e))
    }

    #[test]
    fn what_is_named_again_is_not_read_again() {
        let store = Store::new(true);
        let mut read = 0;
        for _ in 0..1000 {
            let found = store.payload(&layer(1, limits::SIGNATURE), || {
                read += 1;
                payload()
            });
            found.unwrap();
        }
        assert_eq!(read, 1);
    }

    #[test]
    fn signatures_without_end_are_not_kept() {
        let store = Store::new(true);
        let mut kept = 0;
        for number in 0..512 {
            match store.payload(&layer(number, limits::SIGNATURE), payload) {
                Ok(_) => kept += limits::SIGNATURE,
                Err(problem) => assert_eq!(problem.code.as_str(), "too-large"),
            }
        }
        assert!(
            (limits::LARGE_SIGNATURES - 2 * limits::SIGNATURE..=limits::LARGE_SIGNATURES).contains(&kept)
        );
        // They don't use up the room for those of usual size, which is limited too.
        let usual = 6 << 10;
        let most = (0..1_000_000).take_while(|_| store.keep(usual).is_ok()).count();
        assert!((70_000..90_000).contains(&most), "{most}");
    }

    #[test]
    fn what_cannot_be_read_takes_no_room() {
        let store = Store::new(true);
        for number in 0..512 {
            let bad = store
                .payload(&layer(number, limits::SIGNATURE), || Err(Diagnostic::new(Code::TooLarge, "bad")));
            assert_eq!(bad.unwrap_err().code.as_str(), "too-large");
        }
        assert!(store.payload(&layer(1, limits::SIGNATURE), payload).is_ok());
    }

    #[test]
    fn content_that_is_not_kept_takes_no_more_than_its_cache() {
        let store = Store::new(false);
        for number in 0..512 {
            store.payload(&layer(number, limits::SIGNATURE), payload).unwrap();
            let cache = lock(&store.payloads);
            assert!(cache.bytes <= limits::SIGNATURE_CACHE && cache.known.len() == cache.used.len());
        }
        let again = store.payload(&layer(511, limits::SIGNATURE), || panic!("it was the last"));
        assert!(again.is_ok());
    }
}
