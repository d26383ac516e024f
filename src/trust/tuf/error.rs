use crate::diag::Code;
use std::error::Error as _;

use jiff::Timestamp;
use thiserror::Error;

/// Why a repository, or a chain that was kept of one, is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TufError {
    /// The root to begin with is none.
    #[error("it is no TUF root: {0}")]
    Root(String),
    /// A file could not be read. Who reads knows why.
    #[error("could not read {file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A file that must be there is not.
    #[error("{0} is missing")]
    Missing(String),
    /// A file or all of them are larger than real ones are.
    #[error("it has {0}, and no real repository does")]
    TooLarge(String),
    /// A path that leaves the repository, or is not fit to be kept.
    #[error("it names the file {0:?}, which is not safe to keep")]
    Name(String),
    /// A file whose name no plain tar holds.
    #[error("it names the file {0:?}, and keypack keeps names of at most 100 bytes behind the last slash")]
    LongName(String),
    /// Too few good signatures.
    #[error("its {role} has {found} of the {threshold} signatures that {by} asks for")]
    Signatures {
        /// What is signed.
        role: String,
        /// Good ones.
        found: usize,
        /// How many are asked for.
        threshold: usize,
        /// Who asks.
        by: String,
    },
    /// One key that counts as two.
    #[error("its role {0} names one key by two ids, so that one keeper would sign as two")]
    KeyTwice(String),
    /// A key with which anybody can sign.
    #[error("its role {role} trusts a key that proves nothing: {why}")]
    KeyWeak {
        /// The role.
        role: String,
        /// What is wrong with the key.
        why: String,
    },
    /// A root whose version does not follow.
    #[error("the root that should have version {expected} has version {actual}")]
    RootVersion {
        /// What follows.
        expected: u64,
        /// What is there.
        actual: u64,
    },
    /// Past its end.
    #[error("its {role} expired at {expires}, and it is {now:.0}")]
    Expired {
        /// What.
        role: String,
        /// Its end.
        expires: Timestamp,
        /// The time.
        now: Timestamp,
    },
    /// Length, hash or version differ from what the role above says.
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

    /// Sorts what the crate reports. `root` is the version that was believed when it happened.
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

/// An error with its causes, which the crate keeps apart.
pub(super) fn chain(e: &sigstore_tuf::Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text.chars().take(300).collect()
}
