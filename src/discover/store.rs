//! What is kept of signatures until they are verified, and how much that may be.

use std::{
    collections::BTreeMap,
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

/// What a signature takes beside its content.
const OVERHEAD: u64 = 1 << 10;

/// The content of all signatures of one discovery: each is read once and kept once, whatever number of layers,
/// manifests and repositories names it, and all of them together are bounded. A place that holds more than is kept is
/// read to its end; the signatures beyond are unreadable, which is not unsigned.
#[derive(Default)]
pub(super) struct Store {
    payloads: Mutex<BTreeMap<Digest, SimplePayload>>,
    bundles: Mutex<BTreeMap<Digest, UntrustedBundle>>,
    small: AtomicU64,
    large: AtomicU64,
    /// Held while a large one is read: parsing takes several times its size.
    reading: Mutex<()>,
}

impl Store {
    /// The payload that a layer names.
    pub(super) fn payload(
        &self,
        layer: &Descriptor,
        read: impl FnOnce() -> Result<SimplePayload, Diagnostic>,
    ) -> Result<SimplePayload, Diagnostic> {
        self.shared(&self.payloads, layer, read)
    }

    /// The bundle that a layer names.
    pub(super) fn bundle(
        &self,
        layer: &Descriptor,
        read: impl FnOnce() -> Result<UntrustedBundle, Diagnostic>,
    ) -> Result<UntrustedBundle, Diagnostic> {
        self.shared(&self.bundles, layer, read)
    }

    fn shared<T: Clone>(
        &self,
        known: &Mutex<BTreeMap<Digest, T>>,
        layer: &Descriptor,
        read: impl FnOnce() -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        let size = layer.size.unwrap_or(limits::SIGNATURE);
        let _alone = (size > limits::LARGE_SIGNATURE).then(|| lock(&self.reading));
        if let Some(content) = lock(known).get(&layer.digest) {
            return Ok(content.clone());
        }
        self.keep(size)?;
        let content = read().inspect_err(|_| self.forget(size))?;
        lock(known).insert(layer.digest, content.clone());
        Ok(content)
    }

    /// Makes room for a signature of this size.
    pub(super) fn keep(&self, size: u64) -> Result<(), Diagnostic> {
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
        let store = Store::default();
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
        let store = Store::default();
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
        // They take nothing from those of usual size, which have an end too.
        let usual = 6 << 10;
        let most = (0..1_000_000).take_while(|_| store.keep(usual).is_ok()).count();
        assert!((70_000..90_000).contains(&most), "{most}");
    }

    #[test]
    fn what_cannot_be_read_takes_no_room() {
        let store = Store::default();
        for number in 0..512 {
            let bad = store
                .payload(&layer(number, limits::SIGNATURE), || Err(Diagnostic::new(Code::TooLarge, "bad")));
            assert_eq!(bad.unwrap_err().code.as_str(), "too-large");
        }
        assert!(store.payload(&layer(1, limits::SIGNATURE), payload).is_ok());
    }
}
