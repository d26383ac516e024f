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
