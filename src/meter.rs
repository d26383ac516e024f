//! How far a transfer is: counted where bytes move, looked at by whoever shows it.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Counts bytes of transfers. Clones count together; the default counts for nobody.
#[derive(Debug, Clone, Default)]
pub struct Meter(Option<Arc<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    expected: AtomicU64,
    passed: AtomicU64,
}

impl Meter {
    /// A meter that somebody looks at.
    pub fn counting() -> Self {
        Self(Some(Arc::default()))
    }

    /// So many bytes will pass.
    pub fn expect(&self, bytes: u64) {
        if let Some(counts) = &self.0 {
            counts.expected.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// So many bytes passed.
    pub fn pass(&self, bytes: u64) {
        if let Some(counts) = &self.0 {
            counts.passed.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Bytes that passed, and bytes that are expected to pass in all.
    pub fn state(&self) -> (u64, u64) {
        self.0.as_ref().map_or((0, 0), |counts| {
            let expected = counts.expected.load(Ordering::Relaxed);
            // What is sent a second time after a failure passes twice.
            (counts.passed.load(Ordering::Relaxed).min(expected), expected)
        })
    }

    /// A reader whose bytes are counted as they pass.
    pub fn reading<R>(&self, reader: R) -> Metered<R> {
        Metered { reader, meter: self.clone() }
    }
}

/// See [`Meter::reading`].
#[derive(Debug)]
pub struct Metered<R> {
    reader: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf)?;
        self.meter.pass(n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_counted_and_never_more_than_all() {
        let meter = Meter::counting();
        meter.expect(5);
        let mut out = Vec::new();
        meter.reading(&b"abc"[..]).read_to_end(&mut out).unwrap();
        assert_eq!((out.as_slice(), meter.state()), (&b"abc"[..], (3, 5)));
        meter.clone().pass(3);
        assert_eq!(meter.state(), (5, 5));
        let nobody = Meter::default();
        nobody.expect(5);
        assert_eq!(nobody.state(), (0, 0));
    }
}
