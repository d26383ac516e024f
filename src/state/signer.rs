use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::oci::Digest;

/// The party that authenticated an inventory. Each signer has a separate version counter, so that a successor with a
/// new key starts from scratch and can't be locked out by a version near the maximum (TUF's fast-forward attack).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signer {
    /// A person, with a digest obtained out of band.
    Digest,
    /// A key, by the sha256 of its SubjectPublicKeyInfo.
    Key(Digest),
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest => f.write_str("digest"),
            Self::Key(key) => key.fmt(f),
        }
    }
}

impl Serialize for Signer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "digest" => Ok(Self::Digest),
            key => key.parse().map(Self::Key).map_err(D::Error::custom),
        }
    }
}
