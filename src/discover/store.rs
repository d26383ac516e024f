//! What is kept of signatures until they are verified, and how much that may be.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::Problem;
use crate::{
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
        read: impl FnOnce() -> Result<SimplePayload, Problem>,
    ) -> Result<SimplePayload, Problem> {
        self.shared(&self.payloads, layer, read)
    }

    /// The bundle that a layer names.
    pub(super) fn bundle(
        &self,
        layer: &Descriptor,
        read: impl FnOnce() -> Result<UntrustedBundle, Problem>,
    ) -> Result<UntrustedBundle, Problem> {
        self.shared(&self.bundles, layer, read)
    }

    fn shared<T: Clone>(
        &self,
        known: &Mutex<BTreeMap<Digest, T>>,
        layer: &Descriptor,
        read: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
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
    pub(super) fn keep(&self, size: u64) -> Result<(), Problem> {
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
            Problem::new("too-large", &reason)
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
