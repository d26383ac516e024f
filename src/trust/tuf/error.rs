use crate::diag::Code;
use std::error::Error as _;

use jiff::Timestamp;
use thiserror::Error;

/// Why a repository, or a stored chain of one, failed verification.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TufError {
    /// The initial root is not a valid root.
    #[error("it is not a TUF root: {0}")]
    Root(String),
    /// A file could not be read. The reader has the details.
    #[error("could not read {file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A required file is missing.
    #[error("{0} is missing")]
    Missing(String),
    /// A file or all files together are larger than real ones.
    #[error("it has {0}, which no real repository has")]
    TooLarge(String),
    /// A path that leaves the repository, or that is not safe to store.
    #[error("it names the file {0:?}, which is not safe to keep")]
    Name(String),
    /// A file whose name does not fit into a plain tar.
    #[error("it names the file {0:?}, and keypack keeps names of at most 100 bytes behind the last slash")]
    LongName(String),
    /// Too few valid signatures.
    #[error("its {role} has {found} of the {threshold} signatures that {by} asks for")]
    Signatures {
        /// The signed role.
        role: String,
        /// The number of valid signatures.
        found: usize,
        /// The number required.
        threshold: usize,
        /// The root or the role that requires them.
        by: String,
    },
    /// One key under two ids.
    #[error("its role {0} lists one key under two ids, so that its holder would count twice")]
    KeyTwice(String),
    /// A key with which anyone can sign.
    #[error("its role {role} trusts a key that proves nothing: {why}")]
    KeyWeak {
        /// The role.
        role: String,
        /// What is wrong with the key.
        why: String,
    },
    /// A root whose version is not the next one.
    #[error("the root that should have version {expected} has version {actual}")]
    RootVersion {
        /// The expected version.
        expected: u64,
        /// The actual version.
        actual: u64,
    },
    /// Past its end.
    #[error("its {role} expired at {expires}, and it is {now:.0}")]
    Expired {
        /// The role.
        role: String,
        /// The time of expiry.
        expires: Timestamp,
        /// The current time.
        now: Timestamp,
    },
    /// Length, hash or version differ from those stated by the role above.
    #[error("its files do not fit together: {0}")]
    Mismatch(String),
    /// Not metadata.
    #[error("its metadata are malformed: {0}")]
    Malformed(String),
    /// No target is a key.
    #[error("its targets hold no key that keypack reads{0}")]
    NoKeys(String),
}

impl TufError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Root(_) => Code::TufRootMalformed,
            Self::Unreadable { .. } => Code::ReadFailed,
            Self::Missing(_) => Code::TufFileMissing,
            Self::TooLarge(_) => Code::TufTooLarge,
            Self::Name(_) => Code::TufNameUnsafe,
            Self::LongName(_) => Code::TufNameLong,
            Self::Signatures { .. } => Code::TufSignatures,
            Self::KeyTwice(_) => Code::TufKeyTwice,
            Self::KeyWeak { .. } => Code::TufKeyWeak,
            Self::RootVersion { .. } => Code::TufRootVersion,
            Self::Expired { .. } => Code::TufExpired,
            Self::Mismatch(_) => Code::TufMismatch,
            Self::Malformed(_) => Code::TufMalformed,
            Self::NoKeys(_) => Code::TufNoKeys,
        }
    }

    /// Classifies a crate error. `root` is the version that was trusted when it happened.
    pub(super) fn sort(e: &sigstore_tuf::Error, root: u64, now: Timestamp) -> Self {
        use sigstore_tuf::Error;
        match e {
            Error::ThresholdNotMet { role, found, threshold } => Self::Signatures {
                role: if role == "root" { format!("root version {}", root + 1) } else { role.clone() },
                found: *found,
                threshold: *threshold,
                by: match role.as_str() {
                    "root" | "timestamp" | "snapshot" | "targets" => format!("the root version {root}"),
                    _ => "the role that delegates to it".into(),
                },
            },
            Error::BadRootVersion { trusted, new } => {
                Self::RootVersion { expected: trusted + 1, actual: *new }
            }
            Error::Expired { role, expires } => Self::Expired { role: role.clone(), expires: *expires, now },
            Error::IntegrityMismatch(_) | Error::Rollback { .. } | Error::EqualVersion { .. } => {
                Self::Mismatch(chain(e))
            }
            _ => Self::Malformed(chain(e)),
        }
    }
}

/// An error with its causes, which the crate keeps separate.
pub(super) fn chain(e: &sigstore_tuf::Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text.chars().take(300).collect()
}
