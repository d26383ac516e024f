//! The simple-signing payload (containers-signature(5)), which cosign and GPG sign alike but for its type.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{SignatureError, strict_json};
use crate::oci::Digest;

const PAYLOAD: &str = "the simple-signing payload";

/// What a payload says.
pub(super) struct Claims {
    /// `critical.image.docker-manifest-digest`.
    pub(super) image: Digest,
    /// `critical.identity.docker-reference`.
    pub(super) reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    critical: Critical,
    #[serde(rename = "optional")]
    _optional: Option<BTreeMap<String, serde_json::Value>>,
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

/// Reads a payload of this type; what is signed for one purpose must not count for another.
pub(super) fn read(payload: &[u8], kind: &str) -> Result<Claims, SignatureError> {
    let Payload { critical, .. } = strict_json::parse(PAYLOAD, payload)?;
    if critical.r#type != kind {
        let reason = format!("its critical.type is {:?}", critical.r#type);
        return Err(SignatureError::Unsupported { what: PAYLOAD, reason });
    }
    let image = critical.image.digest.parse().map_err(|e| SignatureError::malformed(PAYLOAD, e))?;
    Ok(Claims { image, reference: critical.identity.reference })
}
