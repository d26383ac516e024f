use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use super::RegistryError;

/// After this many consecutive requests without an answer, `/v2/` is requested, and if that fails too, the registry is
/// given up: retrying for all of its content could take days.
const MOST: u32 = 3;

/// Requests that a registry did not answer.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// The number of consecutive ones.
    requests: AtomicU32,
    /// Why no more requests are sent.
    gone: OnceLock<String>,
}

impl Silence {
    /// Why no more requests are sent, if the registry was given up.
    pub(super) fn gone(&self) -> Option<String> {
        self.gone.get().cloned()
    }

    /// Counts an answer, or the failure of a request. As long as `front` gets an answer, a failure says nothing about
    /// other content.
    pub(super) fn count<T>(
        &self,
        failure: Option<&RegistryError>,
        front: impl FnOnce() -> Result<T, RegistryError>,
    ) {
        if !failure.is_some_and(is_silence) {
            self.requests.store(0, Ordering::Relaxed);
        } else if (self.requests.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(MOST)
            && let Err(e) = front()
            && is_silence(&e)
        {
            self.gone.get_or_init(|| e.to_string());
        }
    }
}

fn is_silence(failure: &RegistryError) -> bool {
    matches!(failure, RegistryError::Http(e) if e.is_transient())
}
