//! How far transfers are: counted where bytes are transferred, read by a display.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts the bytes of the transfers in progress. Clones count together; the default counts nothing.
#[derive(Debug, Clone, Default)]
pub struct Progress(Option<Arc<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    expected: AtomicU64,
    passed: AtomicU64,
}

impl Progress {
    /// Progress that counts.
    pub fn counting() -> Self {
        Self(Some(Arc::default()))
    }

    /// A transfer of so many bytes begins. It counts for as long as the returned value lives: one that failed and
    /// starts over does not count twice, and one that is done makes room for the next.
    pub(crate) fn begin(&self, bytes: u64) -> Transfer {
        if let Some(counts) = &self.0 {
            counts.expected.fetch_add(bytes, Ordering::Relaxed);
        }
        Transfer { progress: self.clone(), expected: bytes, passed: 0 }
    }

    /// For all transfers in progress: the bytes transferred so far, and the bytes expected in total.
    pub fn state(&self) -> (u64, u64) {
        self.0.as_ref().map_or((0, 0), |counts| {
            let expected = counts.expected.load(Ordering::Relaxed);
            // A transfer may end between the two loads.
            (counts.passed.load(Ordering::Relaxed).min(expected), expected)
        })
    }
}

/// A transfer in progress; see [`Progress::begin`].
#[derive(Debug)]
#[must_use]
pub(crate) struct Transfer {
    progress: Progress,
    expected: u64,
    passed: u64,
}

impl Transfer {
    /// Counts transferred bytes, but never more than were expected: bytes sent a second time are not progress.
    pub(crate) fn pass(&mut self, bytes: u64) {
        let bytes = bytes.min(self.expected - self.passed);
        self.passed += bytes;
        if let Some(counts) = &self.progress.0 {
            counts.passed.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if let Some(counts) = &self.progress.0 {
            counts.passed.fetch_sub(self.passed, Ordering::Relaxed);
            counts.expected.fetch_sub(self.expected, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_counts_and_never_more_than_all() {
        let progress = Progress::counting();
        let mut one = progress.begin(5);
        let mut other = progress.clone().begin(10);
        one.pass(3);
        other.pass(1);
        assert_eq!(progress.state(), (4, 15));
        one.pass(9);
        assert_eq!(progress.state(), (6, 15));
        drop(one);
        assert_eq!(progress.state(), (1, 10));
        drop(other);
        assert_eq!(progress.state(), (0, 0));
    }

    #[test]
    fn without_a_listener_nothing_is_counted() {
        let silent = Progress::default();
        let mut transfer = silent.begin(5);
        transfer.pass(2);
        assert_eq!(silent.state(), (0, 0));
    }
}
