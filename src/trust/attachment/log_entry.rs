//! The Rekor v1 entry beside a signature, as containers/image verifies it (`signature/internal/rekor_set.go`): one of the keys
//! signed it, whatever log id it names, and it is about this key, this signature and this payload.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sigstore_types::SignatureBytes;

use super::{base64, certificate::pem_block};
use crate::{key::PublicKey, oci::Digest, signature::strict_json, trust::crypto};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bundle {
    #[serde(rename = "SignedEntryTimestamp")]
    timestamp: String,
    #[serde(rename = "Payload")]
    payload: Payload,
}

/// The members stand in the order of the canonical form that is signed (RFC 8785 §3.2.3).
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    body: String,
    #[serde(rename = "integratedTime")]
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    #[serde(rename = "logIndex")]
    log_index: i64,
}

/// What is not named here is not read, as there.
#[derive(Deserialize)]
struct Body {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    data: Data,
    signature: Signature,
}

#[derive(Deserialize)]
struct Data {
    hash: Hash,
}

#[derive(Deserialize)]
struct Hash {
    algorithm: String,
    value: String,
}

#[derive(Deserialize)]
struct Signature {
    content: String,
    #[serde(rename = "publicKey")]
    key: Key,
}

#[derive(Deserialize)]
struct Key {
    content: String,
}

/// Verifies the annotation `entry` about the DER key or certificate `signer`, the signature in base64 and the payload, and
/// returns when the log took it.
pub(super) fn verify(
    logs: &[PublicKey],
    entry: &str,
    signer: &[u8],
    signature: &str,
    payload: &[u8],
) -> Result<Timestamp, String> {
    let bundle: Bundle =
        strict_json::parse("the Rekor entry", entry.as_bytes()).map_err(|e| e.to_string())?;
    let signed = serde_json::to_vec(&bundle.payload).map_err(|e| e.to_string())?;
    let timestamp = base64(&bundle.timestamp).ok_or("its signed timestamp is not base64")?;
    let timestamp = SignatureBytes::new(timestamp);
    if !logs.iter().any(|log| crypto::signed_in_asn1(log, &signed, &timestamp)) {
        return Err("none of the policy's Rekor keys signed it".into());
    }
    let body = base64(&bundle.payload.body).ok_or("its body is not base64")?;
    let body: Body = serde_json::from_slice(&body).map_err(|e| format!("its body can't be read: {e}"))?;
    if (body.kind.as_str(), body.version.as_str()) != ("hashedrekord", "0.0.1") {
        return Err(format!(
            "it is of kind {} {}, and only hashedrekord 0.0.1 is taken",
            body.kind, body.version
        ));
    }
    let logged = base64(&body.spec.signature.key.content).and_then(|pem| pem_block(&pem));
    if logged.as_deref() != Some(signer) {
        return Err("it is about another key or certificate".into());
    }
    let content = base64(&body.spec.signature.content);
    if content.is_none() || content != base64(signature) {
        return Err("it is about another signature".into());
    }
    if body.spec.data.hash.algorithm != "sha256" {
        return Err(format!("its hash is {}, and only sha256 is taken", body.spec.data.hash.algorithm));
    }
    if !body.spec.data.hash.value.eq_ignore_ascii_case(&Digest::of(payload).hex()) {
        return Err("it is about another payload".into());
    }
    Timestamp::from_second(bundle.payload.integrated_time).map_err(|e| e.to_string())
}
