use crate::diag::Code;
use thiserror::Error;

use super::Digest;

/// Bytes whose digest has been computed or verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    digest: Digest,
    bytes: Vec<u8>,
}

/// Bytes that don't match their descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BlobError {
    /// The digest differs.
    #[error("the content of {expected} has the digest {actual}")]
    Digest {
        /// The digest in the descriptor.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The length differs.
    #[error("{digest} has {} where its descriptor says {expected}", length(*expected, *actual))]
    Size {
        /// Which blob.
        digest: Digest,
        /// The length in the descriptor.
        expected: u64,
        /// The length of the bytes. Reading stops as soon as there are more than expected.
        actual: u64,
    },
}

fn length(expected: u64, actual: u64) -> String {
    if actual > expected { format!("more than {expected} bytes") } else { format!("{actual} bytes") }
}

impl BlobError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Digest { .. } => Code::DigestMismatch,
            Self::Size { .. } => Code::SizeMismatch,
        }
    }
}

impl Blob {
    /// Bytes made by keypack: the digest is computed.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes }
    }

    /// Bytes from outside: accepted only if they have this digest.
    pub fn checked(expected: Digest, bytes: Vec<u8>) -> Result<Self, BlobError> {
        let blob = Self::new(bytes);
        if blob.digest == expected {
            Ok(blob)
        } else {
            Err(BlobError::Digest { expected, actual: blob.digest })
        }
    }

    /// The digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The length in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.digest, self.bytes.len())
    }
}
