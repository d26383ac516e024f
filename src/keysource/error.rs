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
        /// What was named.
        path: PathBuf,
        /// What it is.
        reason: String,
    },
    /// It is an address.
    #[error("{path} is an address, and a file is expected", path = path.display())]
    Address {
        /// What was named.
        path: PathBuf,
    },
    /// It is larger than any key file.
    #[error("{path} is larger than {limit} bytes, the most that keypack reads of a key file", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        limit: u64,
    },
    /// Its content is not what it should be.
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
    /// Its keys are not of the kind that the role has which the user gives them.
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
    /// The network.
    #[error(transparent)]
    Net(HttpError),
    /// An address that gives no key.
    #[error("{url} gives no key: {reason}")]
    Answer {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// A TUF repository, or a root, that is not believed.
    #[error("the TUF repository {repository}: {error}")]
    Tuf {
        /// The repository.
        repository: String,
        /// Why.
        error: TufError,
    },
    /// A file that is no root.
    #[error("{path}: {error}", path = path.display())]
    NotARoot {
        /// The file.
        path: PathBuf,
        /// Why.
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
    /// A place without metadata.
    #[error("{place} is no TUF repository: neither timestamp.json nor metadata/timestamp.json is there")]
    NotTuf {
        /// The place.
        place: String,
    },
    /// A server that answers with neither a file nor "not found".
    #[error("could not read {url}: {reason}")]
    TufAnswer {
        /// The address.
        url: String,
        /// What it answers.
        reason: String,
    },
    /// Its content is not a trusted root.
    #[error("{path} can't be used as a trusted root: {source}", path = path.display())]
    TrustedRoot {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TrustedRootError,
    },
}

impl KeySourceError {
    /// Whether no file is there.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Read { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::NotAFile { .. } => true,
            _ => false,
        }
    }

    /// Whether no way leads to the host, so that others need not be asked either.
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
            // What is there and is not as it must be is refused.
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
