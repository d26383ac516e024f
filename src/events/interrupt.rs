//! What is true if the program ends now, and which steps must not be interrupted.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    thread::sleep,
    time::Duration,
};

/// What an interruption leaves behind. Clones share one state: an operation sets what is true, and a signal handler, if
/// the program has one, reads it.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<Mutex<String>>);

impl Default for Interrupt {
    fn default() -> Self {
        Self(Arc::new(Mutex::new("nothing was written".into())))
    }
}

impl Interrupt {
    /// Sets what is true from now on.
    pub(crate) fn leaves(&self, text: impl Into<String>) {
        *self.lock() = text.into();
    }

    /// Runs a short step that must not be interrupted; `text` is true afterwards. [`Self::settled`] waits for it.
    pub(crate) fn whole<T, E>(
        &self,
        text: impl Into<String>,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.lock();
        let done = work()?;
        *state = text.into();
        Ok(done)
    }

    /// What is true once a step that must not be interrupted is done. It waits for 5 seconds at most, because such a
    /// step may itself wait for another keypack.
    pub fn settled(&self) -> String {
        for _ in 0..50 {
            match self.0.try_lock() {
                Ok(text) => return text.clone(),
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner().clone(),
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(100)),
            }
        }
        "the directory is as it was, or replaced as a whole; run the same command again to be sure".into()
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
