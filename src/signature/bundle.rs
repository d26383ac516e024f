//! sigstore bundles, versions 0.1 to 0.3 (protos/sigstore_bundle.proto of sigstore/protobuf-specs).

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use sigstore_types::{Bundle, SignatureContent};

use super::{SignatureError, strict_json};
use crate::oci::Digest;

const BUNDLE: &str = "the sigstore bundle";
const STATEMENT: &str = "the in-toto statement in the bundle";

/// A sigstore bundle.
#[derive(Debug, Clone)]
pub struct UntrustedBundle {
    /// The bundle as the verifier takes it.
    pub bundle: Bundle,
    /// The sha256 digests of the statement's subjects; empty where the bundle signs a message.
    pub claimed_images: Vec<Digest>,
    /// The statement's predicate type, where the bundle carries one.
    pub predicate_type: Option<String>,
}

/// in-toto Statement v1 (and v0.1), as far as it says what it is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(default)]
    subject: Vec<Subject>,
    predicate_type: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// What `cosign sign` writes as predicate type; any other is an attestation about the image.
pub(super) const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

impl UntrustedBundle {
    /// Reads a bundle. The statement inside a DSSE envelope must not hold a key twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureError> {
        strict_json::parse::<serde::de::IgnoredAny>(BUNDLE, bytes)?;
        let text = std::str::from_utf8(bytes).map_err(|e| SignatureError::malformed(BUNDLE, e))?;
        let bundle = Bundle::from_json(&without_empty_digest(text))
            .map_err(|e| SignatureError::malformed(BUNDLE, e))?;
        let (claimed_images, predicate_type) = match &bundle.content {
            SignatureContent::DsseEnvelope(envelope)
                if envelope.payload_type == "application/vnd.in-toto+json" =>
            {
                let statement: Statement = strict_json::parse(STATEMENT, envelope.payload.as_bytes())?;
                let digests = statement
                    .subject
                    .iter()
                    .filter_map(|s| Digest::from_hex(s.digest.get("sha256")?).ok())
                    .collect();
                (digests, statement.predicate_type)
            }
            _ => (Vec::new(), None),
        };
        Ok(Self { bundle, claimed_images, predicate_type })
    }

    /// Whether this is an attestation (a statement about the image) and not a plain signature.
    pub fn is_attestation(&self) -> bool {
        self.predicate_type.as_deref().is_some_and(|t| t != COSIGN_SIGN)
    }

    /// Whether this is what `cosign sign` writes: a statement that says "signed" and nothing more.
    pub fn is_signature(&self) -> bool {
        self.predicate_type.as_deref() == Some(COSIGN_SIGN)
    }
}

/// The bundle without a `messageDigest` that says nothing: cosign 3 writes `{}` beside Ed25519 signatures, which are
/// over the message itself.
fn without_empty_digest(text: &str) -> Cow<'_, str> {
    let Ok(mut bundle) = serde_json::from_str::<serde_json::Value>(text) else { return text.into() };
    let message = bundle.get_mut("messageSignature").and_then(serde_json::Value::as_object_mut);
    let Some(message) = message else { return text.into() };
    if message.get("messageDigest").and_then(serde_json::Value::as_object).is_none_or(|d| !d.is_empty()) {
        return text.into();
    }
    message.remove("messageDigest");
    bundle.to_string().into()
}
