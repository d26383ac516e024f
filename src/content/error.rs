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
    /// The location does not exist.
    #[error("{path} does not exist: {found}", path = path.display())]
    NoSuchPlace {
        /// The requested path.
        path: PathBuf,
        /// The nearest existing path and its content.
        found: String,
    },
    /// The location exists but is not what the reference says.
    #[error("{path} is not {expected}: {reason}", path = path.display())]
    WrongPlace {
        /// The path that was checked.
        path: PathBuf,
        /// What was expected, with its article: "an OCI layout".
        expected: &'static str,
        /// What is missing or different.
        reason: String,
    },
    /// keypack knows this kind of location, but not this operation on it.
    #[error("{place} can't be {what}")]
    Unsupported {
        /// The location.
        place: String,
        /// The unsupported operation, and the remedy: "read yet: …", "written to: …".
        what: &'static str,
    },
    /// A tag, a digest or a repository does not exist in the location.
    #[error("{place} has no {name}")]
    NoSuchName {
        /// The location.
        place: String,
        /// The requested name: "tag v1", "manifest sha256:…".
        name: String,
    },
    /// Something that a location lists under a tag, or that was requested by name, can't be read.
    #[error("{}", of_name(name, why))]
    OfName {
        /// The tag or the digest.
        name: String,
        /// The cause.
        why: Box<Self>,
    },
    /// A required blob is missing.
    #[error("{place} names {digest} but does not hold it")]
    MissingBlob {
        /// The location.
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
    /// A symbolic link that leads outside the location is not followed.
    #[error("could not read {what}: a symbolic link leads out of the directory; keypack does not follow it")]
    LeadsOut {
        /// The file to be read.
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
    /// A file system error: no space left, or another keypack is writing there.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Content that exceeds its limit.
    #[error("{digest} is larger than {limit} bytes, the most that keypack reads of it{}", size.map(|s| format!(" (it says {s})")).unwrap_or_default())]
    TooLarge {
        /// The blob.
        digest: Digest,
        /// The size in its descriptor, if any.
        size: Option<u64>,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file of the location itself that exceeds its limit.
    #[error("{what} is longer than {limit} bytes, the most that keypack reads of it")]
    TooLong {
        /// The file.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Content that does not match its descriptor.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A manifest that can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A tar that is truncated or has damaged headers.
    #[error("{file} is damaged: {reason}", file = file.display())]
    ArchiveDamaged {
        /// The archive.
        file: PathBuf,
        /// What is wrong, and at which byte if that is known.
        reason: String,
    },
    /// A tar entry that no ordinary tool writes: `..`, an absolute path, a link in place of a file, a duplicate name.
    #[error("{file} holds the entry {entry:?}: {reason}", file = file.display())]
    ArchiveUnsafe {
        /// The archive.
        file: PathBuf,
        /// The entry's name.
        entry: String,
        /// Why it is refused.
        reason: &'static str,
    },
    /// An image has more signatures than are read.
    #[error("{what} has more than {} signatures, and the rest are not read", limits::SIGNATURES_PER_IMAGE)]
    TooManySignatures {
        /// The image.
        what: String,
    },
    /// An entry in a file of the location itself has a digest that keypack can't verify.
    #[error("{what} names content that can't be checked: {source}")]
    UncheckedEntry {
        /// The file.
        what: String,
        /// What is wrong with the digest.
        source: DigestError,
    },
    /// A registry error.
    #[error(transparent)]
    Registry(RegistryError),
    /// A file of the location itself (index.json, oci-layout, a link file) is malformed.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// The file.
        what: String,
        /// What is wrong.
        reason: String,
    },
}

/// The message of a cause, with the name in front unless the cause contains it or does not depend on it.
fn of_name(name: &str, why: &ContentError) -> String {
    let text = why.to_string();
    let is_general = matches!(why, ContentError::Registry(RegistryError::Gone { .. }));
    if is_general || text.contains(name) { text } else { format!("{name}: {text}") }
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

    /// A path where there is something else.
    pub(super) fn wrong_place(path: &Path, expected: &'static str, reason: impl Into<String>) -> Self {
        Self::WrongPlace { path: path.to_owned(), expected, reason: reason.into() }
    }

    /// The same error for content with this name.
    pub(super) fn of_name(self, name: &str) -> Self {
        Self::OfName { name: name.to_owned(), why: Box::new(self) }
    }

    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::OfName { why, .. } => why.code(),
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
            ContentError::OfName { why, .. } => Self { message: diagnostic.message, ..Self::from(&**why) },
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
    /// Invalid content is the same error wherever the content is stored.
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
