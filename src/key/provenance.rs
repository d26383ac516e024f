//! Where a key came from, and when it was in use.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::oci::Digest;

/// How a key was obtained, the hardest to forge first. This says nothing about whether the key is right; a signature
/// that verifies with it proves that separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// A TUF repository, verified from a pinned root.
    Tuf,
    /// Its fingerprint was pinned by the user.
    Pinned,
    /// Found in a release payload, with a well-known fingerprint.
    Release,
    /// Fetched over HTTPS from a well-known address.
    Tls,
    /// Built into this program.
    Builtin,
    /// A file named by the user.
    File,
}

impl Grade {
    /// The name in JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tuf => "tuf",
            Self::Pinned => "pinned",
            Self::Release => "release",
            Self::Tls => "tls",
            Self::Builtin => "builtin",
            Self::File => "file",
        }
    }
}

/// Where a key came from, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provenance {
    /// How it was obtained.
    pub grade: Grade,
    /// The source's name: a file name without its directory, a URL, or the name of the built-in source.
    pub source: String,
    /// sha256 of the document that held the key.
    pub sha256: Digest,
    /// The date of that document, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
}

/// When a key was or is in use. The end is inclusive; without one the key is still in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// The first moment of use, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// The last moment of use, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
}
