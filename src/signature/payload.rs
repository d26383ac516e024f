//! The simple-signing payload (containers-signature(5)), which is the same for cosign and GPG except for its type.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{SignatureError, strict_json};
use crate::{limits, oci::Digest};

const PAYLOAD: &str = "the simple-signing payload";

/// cosign's payload, parsed once and shared by all signatures over it.
#[derive(Debug, Clone)]
pub(crate) struct SimplePayload {
    pub(super) bytes: Arc<[u8]>,
    pub(super) claims: Claims,
}

impl SimplePayload {
    /// Parses a payload written by cosign.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, SignatureError> {
        let claims = read(&bytes, "cosign container image signature")?;
        Ok(Self { bytes: bytes.into(), claims })
    }
}

/// The claims of a payload.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    /// `critical.image.docker-manifest-digest`.
    pub(super) image: Digest,
    /// `critical.identity.docker-reference`.
    pub(super) reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload<'a> {
    critical: Critical,
    #[serde(rename = "optional", borrow)]
    _optional: Option<BTreeMap<String, &'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    identity: Identity,
    image: Image,
    r#type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// Parses a payload of this type: a signature made for one purpose must not count for another.
pub(super) fn read(payload: &[u8], kind: &str) -> Result<Claims, SignatureError> {
    let Payload { critical, .. }: Payload<'_> = strict_json::parse(PAYLOAD, payload)?;
    if critical.r#type != kind {
        let reason = format!("its critical.type is {:?}", critical.r#type);
        return Err(SignatureError::Unsupported { what: PAYLOAD, reason });
    }
    if critical.identity.reference.len() > limits::SIGNED_NAME {
        let reason = format!("its docker-reference has more than {} bytes", limits::SIGNED_NAME);
        return Err(SignatureError::malformed(PAYLOAD, reason));
    }
    let image = critical.image.digest.parse().map_err(|e| SignatureError::malformed(PAYLOAD, e))?;
    Ok(Claims { image, reference: critical.identity.reference })
}

/// What a payload says that containers/image accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsumerClaims {
    /// `critical.image.docker-manifest-digest`.
    pub(crate) digest: String,
    /// `critical.identity.docker-reference`.
    pub(crate) reference: String,
}

/// Reads a payload as containers/image does (`signature/internal/sigstore_payload.go`, `signature/simple.go`), which is stricter
/// than [`read`]: `optional` must be there, and what it says of creator and time must be of its kind. cosign writes it as null,
/// which a GPG signature may not.
pub(crate) fn consumer_claims(payload: &[u8], is_gpg: bool) -> Result<ConsumerClaims, SignatureError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        critical: Critical,
        optional: serde_json::Value,
    }
    let Strict { critical, optional } = strict_json::parse(PAYLOAD, payload)?;
    let kind = if is_gpg { "atomic container signature" } else { "cosign container image signature" };
    if critical.r#type != kind {
        let reason = format!("its critical.type is {:?}", critical.r#type);
        return Err(SignatureError::Unsupported { what: PAYLOAD, reason });
    }
    let wrong = |reason: &str| SignatureError::malformed(PAYLOAD, reason);
    match &optional {
        serde_json::Value::Null if !is_gpg => {}
        serde_json::Value::Object(fields) => {
            if fields.get("creator").is_some_and(|value| !(value.is_string() || value.is_null())) {
                return Err(wrong("its optional.creator is no text"));
            }
            let is_whole = |value: &serde_json::Value| {
                value.is_null() || value.is_i64() || value.as_f64().is_some_and(|time| time.fract() == 0.0)
            };
            if fields.get("timestamp").is_some_and(|value| !is_whole(value)) {
                return Err(wrong("its optional.timestamp is no whole number"));
            }
        }
        _ => return Err(wrong("its member optional is no object")),
    }
    Ok(ConsumerClaims { digest: critical.image.digest, reference: critical.identity.reference })
}
