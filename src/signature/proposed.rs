//! Rekor v1 entries of kind `dsse` 0.0.1 that were logged in their proposed form.
//!
//! Rekor converts a proposed entry into hashes and signatures before logging it. Rekor's own test servers do not, and
//! Go clients (cosign, sigstore-go) accept both forms, because their parser converts one into the other (rekor
//! `pkg/types/dsse/v0.0.1/entry.go`). The proposed form contains more: the whole envelope.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, de::IgnoredAny};
use sigstore_types::{KindVersion, TransparencyLogEntry};

use super::strict_json;

/// The contents of such a body.
pub(crate) struct Proposed {
    /// The envelope's payload type.
    pub(crate) payload_type: String,
    /// The envelope's payload.
    pub(crate) payload: Vec<u8>,
    /// The envelope's only signature.
    pub(crate) signature: Vec<u8>,
    /// The PEM text of the only key or certificate.
    pub(crate) verifier: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    api_version: String,
    kind: String,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    proposed_content: Content,
    /// Go's encoder writes it as null.
    #[serde(rename = "signatures", default)]
    _signatures: Option<Never>,
}

/// A value that is never present.
#[derive(Deserialize)]
enum Never {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    envelope: String,
    verifiers: [String; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: [Signature; 1],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    sig: String,
    #[serde(rename = "keyid", default)]
    _keyid: IgnoredAny,
}

/// Parses the body of an entry, if it is of this form.
pub(crate) fn read(entry: &TransparencyLogEntry) -> Option<Proposed> {
    if entry.kind_version != KindVersion::DsseV001 {
        return None;
    }
    let body: Body =
        strict_json::parse("the body of the Rekor entry", entry.canonicalized_body.as_bytes()).ok()?;
    if (body.kind.as_str(), body.api_version.as_str()) != ("dsse", "0.0.1") {
        return None;
    }
    let [verifier] = body.spec.proposed_content.verifiers;
    let envelope: Envelope =
        strict_json::parse("the envelope in the Rekor entry", body.spec.proposed_content.envelope.as_bytes())
            .ok()?;
    let [signature] = envelope.signatures;
    Some(Proposed {
        payload_type: envelope.payload_type,
        payload: BASE64.decode(envelope.payload).ok()?,
        signature: BASE64.decode(signature.sig).ok()?,
        verifier: BASE64.decode(verifier).ok()?,
    })
}
