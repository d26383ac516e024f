use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::Digest;

/// A stream whose digest is computed while it is read.
pub struct Hashed<R> {
    stream: R,
    hash: Sha256,
    length: u64,
}

impl<R> Hashed<R> {
    /// A stream of which nothing has been read.
    pub fn new(stream: R) -> Self {
        Self { stream, hash: Sha256::new(), length: 0 }
    }

    /// The digest and the length of what was read.
    pub fn finish(self) -> (Digest, u64) {
        (Digest::from_bytes(self.hash.finalize().into()), self.length)
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(into)?;
        self.hash.update(&into[..read]);
        self.length += read as u64;
        Ok(read)
    }
}
