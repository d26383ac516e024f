use std::borrow::Cow;

use serde::Deserialize;
use thiserror::Error;

use super::{ReferenceError, credentials::CredentialsError};
use crate::{
    diag::Code,
    display::hidden,
    http::HttpError,
    oci::{BlobError, Digest, ManifestError},
};

/// Why a registry was not read or written. Texts hold no credentials; what a registry says is cut and made printable.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A name that no registry can have.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The network.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The places of credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Content that is not what was asked for.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A manifest that can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Content beyond a bound.
    #[error("{digest} is larger than {limit} bytes, the most that keypack reads of it")]
    TooLarge {
        /// The content.
        digest: Digest,
        /// The size that its descriptor says, if any.
        size: Option<u64>,
        /// The bound.
        limit: u64,
    },
    /// Credentials are missing or wrong.
    #[error("{place} {}{}", if *had { "refuses the credentials" } else { "asks for credentials, and none are known" }, said(message))]
    Unauthorized {
        /// The registry or its token service.
        place: String,
        /// Whether there were some.
        had: bool,
        /// What it says.
        message: String,
    },
    /// The credentials are good but this is not allowed.
    #[error("{place} does not allow to {what}{}", said(message))]
    Denied {
        /// The registry.
        place: String,
        /// What was tried.
        what: String,
        /// What it says.
        message: String,
    },
    /// The registry wants its credentials to be sent elsewhere.
    #[error("{place} asks to send its credentials to {realm}: {reason}")]
    RealmRefused {
        /// The registry.
        place: String,
        /// The address it names.
        realm: String,
        /// Which rule it breaks.
        reason: String,
        /// What `--allow-realm` would have to say, where it could help.
        allow: Option<String>,
    },
    /// The registry wants an upload to go elsewhere.
    #[error("{place} wants the upload to go to {to}: {reason}")]
    LocationRefused {
        /// The registry.
        place: String,
        /// The address it names.
        to: String,
        /// Which rule it breaks.
        reason: String,
    },
    /// The registry wants the next page of a list to be fetched elsewhere.
    #[error("{place} continues a list at {to}: {reason}")]
    LinkRefused {
        /// The registry.
        place: String,
        /// The address it names.
        to: String,
        /// Which rule it breaks.
        reason: String,
    },
    /// A list without end.
    #[error("{place} does not end {what}: {reason}")]
    Endless {
        /// The registry.
        place: String,
        /// Which list.
        what: String,
        /// How that shows.
        reason: String,
    },
    /// The catalog is not for us.
    #[error("{place} does not list its repositories (it answers {status})")]
    CatalogRefused {
        /// The registry.
        place: String,
        /// Its status.
        status: u16,
    },
    /// The header names another digest than the content has.
    #[error("{place} says that the digest of {what} is {said}, but it has {actual}")]
    HeaderDigest {
        /// The registry.
        place: String,
        /// Which content.
        what: String,
        /// `Docker-Content-Digest`.
        said: String,
        /// What the bytes have.
        actual: Digest,
    },
    /// A manifest was accepted, and its tag does not name it.
    #[error("{place} accepted {digest} as {tag}, but that tag names {}", found.map_or("nothing".to_owned(), |d| d.to_string()))]
    NotStored {
        /// The registry.
        place: String,
        /// The tag.
        tag: String,
        /// What was written.
        digest: Digest,
        /// What the tag names.
        found: Option<Digest>,
    },
    /// Something else than a registry answers.
    #[error("{place} does not answer like a registry: {reason}")]
    NotRegistry {
        /// Who.
        place: String,
        /// How that shows.
        reason: String,
    },
    /// Any other answer.
    #[error("{place} answers {status} to the request to {what}{}", said(message))]
    Answer {
        /// The registry.
        place: String,
        /// What was tried.
        what: String,
        /// The status.
        status: u16,
        /// What it says.
        message: String,
    },
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl RegistryError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Reference(_) => Code::ReferenceInvalid,
            Self::Http(e) => e.code(),
            Self::Credentials(e) => e.code(),
            Self::Blob(e) => e.code(),
            Self::Manifest(e) => e.code(),
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Unauthorized { .. } => Code::Unauthorized,
            Self::Denied { .. } => Code::Denied,
            Self::RealmRefused { .. } => Code::RealmRefused,
            Self::LocationRefused { .. } => Code::LocationRefused,
            Self::LinkRefused { .. } => Code::LinkRefused,
            Self::Endless { .. } => Code::ListEndless,
            Self::CatalogRefused { .. } => Code::CatalogRefused,
            Self::HeaderDigest { .. } => Code::DigestHeaderMismatch,
            Self::NotStored { .. } => Code::ManifestNotStored,
            Self::NotRegistry { .. } => Code::NotARegistry,
            Self::Answer { .. } => Code::RegistryAnswer,
        }
    }

    /// What to do, where the situation needs more than its code says.
    pub(crate) fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Unauthorized { had: true, .. } => {
                Some("log in again, or look which auth file is used: --authfile names another".into())
            }
            Self::RealmRefused { allow: Some(host), .. } => Some(
                format!(
                    "if {host} is this registry's own token service, allow it: --allow-realm {host} (allowRealms: in \
                     keypack.yaml)"
                )
                .into(),
            ),
            _ => None,
        }
    }
}

/// The error document of the distribution specification.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    errors: Vec<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    code: String,
    message: String,
}

/// What an error answer says, on one line that a terminal can show.
pub(super) fn message(body: &[u8]) -> String {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else { return String::new() };
    let texts =
        envelope.errors.iter().take(3).map(|item| match (item.code.as_str(), item.message.as_str()) {
            (code, "") => code.to_owned(),
            ("", message) => message.to_owned(),
            (code, message) => format!("{code}, {message}"),
        });
    printable(&texts.collect::<Vec<_>>().join("; "))
}

/// Whether an error answer holds one of these codes.
pub(super) fn has_code(body: &[u8], codes: &[&str]) -> bool {
    serde_json::from_slice::<Envelope>(body)
        .is_ok_and(|envelope| envelope.errors.iter().any(|item| codes.contains(&item.code.as_str())))
}

/// A foreign text, cut, with a `?` for each character that a terminal acts on or hides.
pub(super) fn printable(text: &str) -> String {
    text.chars().take(300).map(|c| if hidden(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_says_is_shown_on_one_line() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no\u001b[2J\nway","detail":[]},{"code":"X"}]}"#;
        assert_eq!(message(body), "DENIED, no?[2J?way; X");
        assert_eq!(message(b"<html>"), "");
        assert!(has_code(body, &["X"]) && !has_code(body, &["NAME_UNKNOWN"]) && !has_code(b"", &["X"]));
    }
}
