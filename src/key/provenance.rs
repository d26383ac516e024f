//! Who says that a key is what it is for, and when it was in use.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::oci::Digest;

/// How a key reached us: the ladder of trust, best first. It says how hard it is to forge, not whether the
/// key is right; that a signature verifies with it is proved apart from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// A TUF repository, verified from a pinned root.
    Tuf,
    /// Its fingerprint was pinned by the user.
    Pinned,
    /// Found in a release payload and known by fingerprint.
    Release,
    /// Fetched over HTTPS from the address that is known for it.
    Tls,
    /// Built into this program.
    Builtin,
    /// A file that the user named.
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

/// Who says that a key is what it is for, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provenance {
    /// How it reached us.
    pub grade: Grade,
    /// The source's name: a file's name without its folder, a URL, or what is built in.
    pub source: String,
    /// sha256 of the document that held the key.
    pub sha256: Digest,
    /// The date of that document, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
}

/// When a key was or is in use. The end is inclusive; without one the key is still in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
}
