use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{
    diag::{Code, Diagnostic},
    fs::FsError,
    limits,
    oci::{BlobError, Digest, DigestError, ManifestError},
    registry::RegistryError,
};

/// Why content could not be read or written. Each variant has a stable code.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The place does not exist.
    #[error("{path} does not exist: {found}", path = path.display())]
    NoSuchPlace {
        /// What was asked for.
        path: PathBuf,
        /// What lies nearest to it.
        found: String,
    },
    /// The place exists but is not what the reference says.
    #[error("{path} is not {expected}: {reason}", path = path.display())]
    WrongPlace {
        /// What was looked at.
        path: PathBuf,
        /// What it should have been, with its article: "an OCI layout".
        expected: &'static str,
        /// What is missing or different.
        reason: String,
    },
    /// keypack knows such places but can't do this with them.
    #[error("{place} can't be {what}")]
    Unsupported {
        /// The place.
        place: String,
        /// What can't be done, and what to do: "read yet: …", "written to: …".
        what: &'static str,
    },
    /// A name of the place is not there: a tag, a digest, a repository.
    #[error("{place} has no {name}")]
    NoSuchName {
        /// The place.
        place: String,
        /// What was asked for: "tag v1", "manifest sha256:…".
        name: String,
    },
    /// A blob that must be there is not.
    #[error("{place} names {digest} but does not hold it")]
    MissingBlob {
        /// The place.
        place: String,
        /// The blob.
        digest: Digest,
    },
    /// Reading failed.
    #[error("could not read {what}: {source}")]
    Read {
        /// What was read.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// A symbolic link that leads out of the place is not followed.
    #[error("could not read {what}: a symbolic link leads out of the directory; keypack does not follow it")]
    LeadsOut {
        /// What was to be read.
        what: String,
    },
    /// Writing failed.
    #[error("could not write {what}: {source}")]
    Write {
        /// What was written.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The file system: no room, or another keypack that writes there.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Content beyond a bound.
    #[error("{digest} is larger than {limit} bytes, the most that keypack reads of it{}", size.map(|s| format!(" (it says {s})")).unwrap_or_default())]
    TooLarge {
        /// The blob.
        digest: Digest,
        /// The size that its descriptor says, if any.
        size: Option<u64>,
        /// The bound.
        limit: u64,
    },
    /// A document of the place itself beyond a bound.
    #[error("{what} is longer than {limit} bytes, the most that keypack reads of it")]
    TooLong {
        /// Which document.
        what: String,
        /// The bound.
        limit: u64,
    },
    /// Content that is not what its descriptor says.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A manifest that can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A tar that ends early, or whose headers are damaged.
    #[error("{file} is damaged: {reason}", file = file.display())]
    ArchiveDamaged {
        /// The archive.
        file: PathBuf,
        /// What is wrong, and at which byte where that is known.
        reason: String,
    },
    /// A tar entry that no honest tool writes: `..`, absolute, a link where a file must be, two of one name.
    #[error("{file} holds the entry {entry:?}: {reason}", file = file.display())]
    ArchiveUnsafe {
        /// The archive.
        file: PathBuf,
        /// The entry's name.
        entry: String,
        /// Why it is refused.
        reason: &'static str,
    },
    /// More signatures beside an image than are read.
    #[error(
        "{what} has more than {} signatures, and those beyond are not read",
        limits::SIGNATURES_PER_IMAGE
    )]
    TooManySignatures {
        /// Where.
        what: String,
    },
    /// An entry of a document of the place itself has a digest that keypack can't check.
    #[error("{what} names content that can't be checked: {source}")]
    UncheckedEntry {
        /// Which document.
        what: String,
        /// The digest at fault.
        source: DigestError,
    },
    /// A registry.
    #[error(transparent)]
    Registry(RegistryError),
    /// A document of the place itself (index.json, oci-layout, a link file) is damaged.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Which document.
        what: String,
        /// What is wrong.
        reason: String,
    },
}

impl ContentError {
    /// A failed read.
    pub fn read(what: impl Into<String>, source: io::Error) -> Self {
        Self::Read { what: what.into(), source }
    }

    /// A failed write.
    pub fn write(what: impl Into<String>, source: io::Error) -> Self {
        Self::Write { what: what.into(), source }
    }

    /// A path where something else lies.
    pub(super) fn wrong_place(path: &Path, expected: &'static str, reason: impl Into<String>) -> Self {
        Self::WrongPlace { path: path.to_owned(), expected, reason: reason.into() }
    }

    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::NoSuchPlace { .. } => Code::NotFound,
            Self::WrongPlace { .. } => Code::WrongPlace,
            Self::NoSuchName { .. } => Code::NameUnknown,
            Self::MissingBlob { .. } => Code::BlobMissing,
            Self::Read { .. } | Self::LeadsOut { .. } => Code::ReadFailed,
            Self::Write { .. } => Code::WriteFailed,
            Self::Fs(e) => e.code(),
            Self::Unsupported { .. } => Code::Unsupported,
            Self::TooLarge { .. } | Self::TooLong { .. } | Self::TooManySignatures { .. } => Code::TooLarge,
            Self::Blob(e) => e.code(),
            Self::Manifest(e) => e.code(),
            Self::ArchiveDamaged { .. } => Code::ArchiveDamaged,
            Self::ArchiveUnsafe { .. } => Code::ArchiveUnsafe,
            Self::Malformed { .. } => Code::Malformed,
            Self::UncheckedEntry { .. } => Code::DigestUnsupported,
            Self::Registry(e) => e.code(),
        }
    }
}

impl From<&ContentError> for Diagnostic {
    fn from(e: &ContentError) -> Self {
        let diagnostic = Self::new(e.code(), e.to_string());
        match e {
            ContentError::Registry(e) => match e.hint() {
                Some(hint) => diagnostic.hinting(hint),
                None => diagnostic,
            },
            ContentError::LeadsOut { .. } => {
                diagnostic.hinting("put the file itself in the place of the link")
            }
            _ => diagnostic,
        }
    }
}

impl From<RegistryError> for ContentError {
    /// What is wrong with content is the same error wherever the content lies.
    fn from(e: RegistryError) -> Self {
        match e {
            RegistryError::Blob(e) => Self::Blob(e),
            RegistryError::Manifest(e) => Self::Manifest(e),
            RegistryError::TooLarge { digest, size, limit } => Self::TooLarge { digest, size, limit },
            e => Self::Registry(e),
        }
    }
}

impl From<ContentError> for Diagnostic {
    fn from(e: ContentError) -> Self {
        Self::from(&e)
    }
}
