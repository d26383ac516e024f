use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::oci::Digest;

/// Who authenticated an inventory. The counter is the signer's, so that one who takes over with a new key starts anew
/// and nobody can lock the next signer out with a version near the end of the numbers (TUF's fast-forward attack).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signer {
    /// A person, by a digest that came out of band.
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
