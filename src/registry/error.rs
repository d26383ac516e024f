use std::borrow::Cow;

use serde_json::Value;
use thiserror::Error;

use super::{ReferenceError, credentials::CredentialsError};
use crate::{
    diag::Code,
    display::hidden,
    http::HttpError,
    oci::{BlobError, Digest, ManifestError},
};

/// Why a registry could not be read or written. Messages contain no credentials; text from a registry is truncated and
/// made printable.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// An invalid reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A network error.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The registry has stopped answering.
    #[error("{place} has stopped answering, and is not asked for the rest: {reason}")]
    Gone {
        /// The registry.
        place: String,
        /// The last failure.
        reason: String,
    },
    /// An error while looking up credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Content that does not match its descriptor.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A manifest that can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Content that exceeds its limit.
    #[error("{digest} is larger than {limit} bytes, the most that keypack reads of it")]
    TooLarge {
        /// The content.
        digest: Digest,
        /// The size in its descriptor, if any.
        size: Option<u64>,
        /// The limit in bytes.
        limit: u64,
    },
    /// Credentials are missing or wrong.
    #[error("{place} {}{}", if *had { "refuses the credentials" } else { "asks for credentials, and none are known" }, said(message))]
    Unauthorized {
        /// The registry or its token service.
        place: String,
        /// Whether credentials were sent.
        had: bool,
        /// The message from the registry.
        message: String,
    },
    /// The credentials are valid but do not permit this.
    #[error("{place} denies permission to {what}{}", said(message))]
    Denied {
        /// The registry.
        place: String,
        /// The attempted operation.
        what: String,
        /// The message from the registry.
        message: String,
    },
    /// The registry asks for its credentials to be sent to another host.
    #[error("{place} asks to send its credentials to {realm}: {reason}")]
    RealmRefused {
        /// The registry.
        place: String,
        /// The address it names.
        realm: String,
        /// The rule that it breaks.
        reason: String,
        /// The value for `--allow-realm`, if that would help.
        allow: Option<String>,
    },
    /// The registry redirects an upload to another host.
    #[error("{place} wants the upload to go to {to}: {reason}")]
    LocationRefused {
        /// The registry.
        place: String,
        /// The address it names.
        to: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// The next page of a list is on another host.
    #[error("{place} continues a list at {to}: {reason}")]
    LinkRefused {
        /// The registry.
        place: String,
        /// The address it names.
        to: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// A list that does not end.
    #[error("{place} does not end {what}: {reason}")]
    Endless {
        /// The registry.
        place: String,
        /// Which list.
        what: String,
        /// How this was noticed.
        reason: String,
    },
    /// Access to the catalog was refused.
    #[error("{place} does not list its repositories (it answers {status})")]
    CatalogRefused {
        /// The registry.
        place: String,
        /// Its status.
        status: u16,
    },
    /// The digest in the header differs from that of the content.
    #[error("{place} says that the digest of {what} is {said}, but it has {actual}")]
    HeaderDigest {
        /// The registry.
        place: String,
        /// Which content.
        what: String,
        /// The value of `Docker-Content-Digest`.
        said: String,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// A manifest was accepted, but its tag does not refer to it.
    #[error("{place} accepted {digest} as {tag}, but that tag names {}", found.map_or("nothing".to_owned(), |d| d.to_string()))]
    NotStored {
        /// The registry.
        place: String,
        /// The tag.
        tag: String,
        /// The digest that was written.
        digest: Digest,
        /// The digest that the tag refers to.
        found: Option<Digest>,
    },
    /// The server is not a registry.
    #[error("{place} does not answer like a registry: {reason}")]
    NotRegistry {
        /// The server.
        place: String,
        /// How this was noticed.
        reason: String,
    },
    /// Any other unexpected response.
    #[error("{place} answers {status} to the request to {what}{}", said(message))]
    Answer {
        /// The registry.
        place: String,
        /// The attempted operation.
        what: String,
        /// The status.
        status: u16,
        /// The message from the registry.
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
            Self::Gone { .. } => Code::Unreachable,
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

    /// A hint for this particular error, if there is a better one than the code's.
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

/// The codes and messages of an error document (distribution-spec, "Error Codes"). Some registries leave members null,
/// use numbers as codes, or write a document of their own with one message.
fn items(body: &[u8]) -> Vec<(String, String)> {
    let Ok(document) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let errors = document["errors"].as_array().into_iter().flatten();
    let items = errors.map(|item| (text(&item["code"]), text(&item["message"])));
    let own = ["message", "details", "detail", "error"].map(|name| (String::new(), text(&document[name])));
    items.chain(own).filter(|(code, message)| !code.is_empty() || !message.is_empty()).collect()
}

/// The message in an error response, as a single printable line.
pub(super) fn message(body: &[u8]) -> String {
    let texts = items(body).into_iter().take(3).map(|item| match item {
        (code, message) if message.is_empty() => code,
        (code, message) if code.is_empty() => message,
        (code, message) => format!("{code}, {message}"),
    });
    printable(&texts.collect::<Vec<_>>().join("; "))
}

/// Whether an error response contains one of these codes.
pub(super) fn has_code(body: &[u8], codes: &[&str]) -> bool {
    items(body).iter().any(|(code, _)| codes.iter().any(|known| code.eq_ignore_ascii_case(known)))
}

/// Text from outside, truncated, with a `?` in place of each control or invisible character.
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

    #[test]
    fn error_documents_of_other_forms_are_read() {
        let quay = br#"{"errors":[{"code":"manifest_invalid","message":null,"detail":{}}]}"#;
        assert!(has_code(quay, &["MANIFEST_INVALID"]));
        assert_eq!(message(quay), "manifest_invalid");
        assert_eq!(message(br#"{"errors":[{"status":400,"message":"no"},"x",{"code":404}]}"#), "no; 404");
        assert_eq!(message(br#"{"errors":null}"#), "");
        assert_eq!(message(br#"{"message":"too many requests"}"#), "too many requests");
        assert_eq!(
            message(br#"{"details":"incorrect username or password"}"#),
            "incorrect username or password"
        );
        assert_eq!(message(br#"{"error":"x","message":"y"}"#), "y; x");
    }
}
