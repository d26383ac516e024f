use std::{io, path::PathBuf};

use thiserror::Error;

use crate::{
    diag::{Code, Diagnostic, Exit},
    http::HttpError,
    key::{KeyFileError, RoleError, trusted_root::TrustedRootError},
    trust::tuf::TufError,
};

/// Why a source can't be used at all.
#[derive(Debug, Error)]
pub enum KeySourceError {
    /// It could not be read.
    #[error("could not read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a file.
    #[error("could not read {path}: {reason}", path = path.display())]
    NotAFile {
        /// The path given.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// It is an address, not a file.
    #[error("{path} is an address, but a file is expected", path = path.display())]
    Address {
        /// The address given.
        path: PathBuf,
    },
    /// It is larger than any key file should be.
    #[error("{path} is larger than {limit} bytes, the most that keypack reads of a key file", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// It is not a valid key file.
    #[error("{path} is not a key file: {source}", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyFileError,
    },
    /// It does not hold exactly one usable public key.
    #[error("{path} can't be used as a verifying key: {reason}", path = path.display())]
    NotOneKey {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A private key.
    #[error("{path} holds a private key", path = path.display())]
    PrivateKey {
        /// The file.
        path: PathBuf,
    },
    /// Its keys are not of the kind that the role given by the user requires.
    #[error("{path} can't be used in the role that it is given: {source}", path = path.display())]
    Role {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RoleError,
    },
    /// It is not a policy.json.
    #[error("{path} is not a policy.json: {reason}", path = path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A network error.
    #[error(transparent)]
    Net(HttpError),
    /// The answer from an address contains no key.
    #[error("{url} gives no key: {reason}")]
    Answer {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// A TUF repository or root that failed verification.
    #[error("the TUF repository {repository}: {error}")]
    Tuf {
        /// The repository.
        repository: String,
        /// What failed.
        error: TufError,
    },
    /// A file that is not a TUF root.
    #[error("{path}: {error}", path = path.display())]
    NotARoot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: TufError,
    },
    /// No root for a repository.
    #[error("no root is known for the TUF repository {repository}{}", if *given > 0 { format!(", and it serves none of the {given} that were given") } else { String::new() })]
    TufRoot {
        /// The repository.
        repository: String,
        /// How many roots were given.
        given: usize,
    },
    /// A directory or address without TUF metadata.
    #[error("{place} is not a TUF repository: it has neither timestamp.json nor metadata/timestamp.json")]
    NotTuf {
        /// The directory or address.
        place: String,
    },
    /// A server that answered with neither a file nor "not found".
    #[error("could not read {url}: {reason}")]
    TufAnswer {
        /// The address.
        url: String,
        /// The answer.
        reason: String,
    },
    /// The file is not a trusted root.
    #[error("{path} can't be used as a trusted root: {source}", path = path.display())]
    TrustedRoot {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TrustedRootError,
    },
}

impl KeySourceError {
    /// Whether the file does not exist.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Read { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::NotAFile { .. } => true,
            _ => false,
        }
    }

    /// Whether the host can't be reached at all, in which case there is no point in trying others.
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Net(error) if error.is_transient())
    }

    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => Code::KeyFileNotFound,
            Self::Read { .. } => Code::ReadFailed,
            Self::NotAFile { .. } => Code::KeyFileNotFound,
            Self::Address { .. } => Code::KeyFileIsAddress,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Key { source, .. } => source.code(),
            Self::NotOneKey { .. } => Code::VerifyKeyUnusable,
            Self::PrivateKey { .. } => Code::PrivateKey,
            Self::Role { .. } => Code::KeyRole,
            Self::Policy { .. } => Code::PolicyMalformed,
            Self::Net(e) => e.code(),
            Self::Answer { .. } => Code::RekorAnswer,
            Self::Tuf { error, .. } | Self::NotARoot { error, .. } => error.code(),
            Self::TufRoot { .. } => Code::TufRootUnknown,
            Self::NotTuf { .. } => Code::TufNotFound,
            Self::TufAnswer { .. } => Code::TufAnswer,
            Self::TrustedRoot { .. } => Code::TrustedRootMalformed,
        }
    }
}

impl From<&KeySourceError> for Diagnostic {
    fn from(e: &KeySourceError) -> Self {
        let diagnostic = Self::new(e.code(), e.to_string());
        match e {
            // A file that exists but is not acceptable is refused.
            KeySourceError::TooLarge { .. }
            | KeySourceError::Tuf { .. }
            | KeySourceError::NotARoot { .. } => diagnostic.ending(Exit::Refused),
            _ => diagnostic,
        }
    }
}

impl From<KeySourceError> for Diagnostic {
    fn from(e: KeySourceError) -> Self {
        Self::from(&e)
    }
}
