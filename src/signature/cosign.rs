//! Simple signing as cosign stores it: the payload is a layer, and everything else is in the layer's annotations
//! (cosign `specs/SIGNATURE_SPEC.md`; the payload is containers/image's `containers-signature(5)`).

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use sigstore_types::{
    CanonicalizedBody, DerCertificate, DigestBytes, HashAlgorithm, InclusionPromise, KindVersion, LogId,
    LogIndex, LogKeyId, MediaType, MessageDigest, MessageSignature, SignatureBytes, SignatureContent,
    SignedTimestamp, TimestampToken, TransparencyLogEntry,
    bundle::{
        Bundle, CertificateContent, PublicKeyIdentifier, Rfc3161Timestamp, TimestampVerificationData,
        VerificationMaterial, VerificationMaterialContent, X509Certificate,
    },
};

use super::{
    SignatureError, base64,
    payload::{Claims, SimplePayload},
    strict_json,
};
use crate::{key::Certificate, oci::Digest};

/// Annotation keys of cosign's signature layers.
pub mod annotation {
    /// The signature, base64.
    pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
    /// The Rekor v1 entry with its signed entry timestamp, JSON.
    pub const BUNDLE: &str = "dev.sigstore.cosign/bundle";
    /// The signing certificate, PEM.
    pub const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
    /// The certificates above it, PEM.
    pub const CHAIN: &str = "dev.sigstore.cosign/chain";
    /// An RFC 3161 timestamp, JSON.
    pub const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
}

/// The prefix of a sigstore signature in a `dir:` or a lookaside file (containers/image
/// `internal/signature/signature.go`).
pub const SIGSTORE_JSON: &[u8] = b"\0sigstore-json\n";

/// The maximum number of certificates read from a chain: real ones have two or three.
pub(super) const LINKS: usize = 8;

const ENTRY: &str = "the Rekor entry in the bundle annotation";

/// A simple-signing payload with the annotations in which cosign stores the rest.
#[derive(Debug, Clone)]
pub struct UntrustedSimple {
    /// The signed bytes.
    pub payload: Arc<[u8]>,
    /// `critical.image.docker-manifest-digest`.
    pub claimed_image: Digest,
    /// `critical.identity.docker-reference`.
    pub claimed_reference: String,
    /// The signature.
    pub signature: SignatureBytes,
    entry: Option<(TransparencyLogEntry, HashAlgorithm)>,
    certificate: Option<DerCertificate>,
    chain: Vec<Certificate>,
    timestamp: Option<TimestampToken>,
}

/// cosign `pkg/cosign/bundle/rekor.go`; containers/image reads exactly these fields too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RekorBundle {
    #[serde(rename = "SignedEntryTimestamp")]
    set: String,
    #[serde(rename = "Payload")]
    payload: RekorPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RekorPayload {
    body: String,
    integrated_time: i64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimestampAnnotation {
    #[serde(rename = "SignedRFC3161Timestamp")]
    token: String,
}

impl UntrustedSimple {
    /// Parses a payload and its annotations.
    pub fn parse(payload: Vec<u8>, annotations: &BTreeMap<String, String>) -> Result<Self, SignatureError> {
        Self::of(SimplePayload::parse(payload)?, annotations)
    }

    /// Like `parse`, with a payload that has already been parsed.
    pub(crate) fn of(
        payload: SimplePayload,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, SignatureError> {
        let SimplePayload { bytes: payload, claims } = payload;
        let Claims { image: claimed_image, reference: claimed_reference } = claims;
        // cosign treats an empty annotation as absent, and writes an absent chain that way.
        let present = |name: &str| annotations.get(name).filter(|value| !value.is_empty());
        let signature = present(annotation::SIGNATURE).ok_or_else(|| {
            SignatureError::malformed("the signature layer", "it has no signature annotation")
        })?;
        let signature = base64::decode(signature)
            .map(SignatureBytes::new)
            .map_err(|e| SignatureError::malformed("the signature annotation", e))?;
        let entry = present(annotation::BUNDLE).map(|json| entry(json)).transpose()?;
        let certificate = present(annotation::CERTIFICATE)
            .map(|pem| DerCertificate::from_pem(pem))
            .transpose()
            .map_err(|e| SignatureError::malformed("the certificate annotation", e))?;
        let timestamp = present(annotation::TIMESTAMP).map(|json| timestamp(json)).transpose()?;
        let chain = present(annotation::CHAIN).map(|pem| chain(pem)).unwrap_or_default();
        Ok(Self {
            payload,
            claimed_image,
            claimed_reference,
            signature,
            entry,
            certificate,
            chain,
            timestamp,
        })
    }

    /// Parses a `signature-N` file of a `dir:` or lookaside tree that starts with [`SIGSTORE_JSON`].
    pub fn parse_file(bytes: &[u8]) -> Result<Self, SignatureError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct File {
            mime_type: String,
            payload: String,
            #[serde(default)]
            annotations: BTreeMap<String, String>,
        }
        const FILE: &str = "the signature file";
        let json = bytes.strip_prefix(SIGSTORE_JSON).ok_or_else(|| SignatureError::Unsupported {
            what: FILE,
            reason: "it is not a sigstore signature".into(),
        })?;
        let file: File = strict_json::parse(FILE, json)?;
        if file.mime_type != super::media::SIMPLE_SIGNING {
            let reason = format!("its type is {:?}", file.mime_type);
            return Err(SignatureError::Unsupported { what: FILE, reason });
        }
        let payload = base64::decode(&file.payload).map_err(|e| SignatureError::malformed(FILE, e))?;
        Self::parse(payload, &file.annotations)
    }

    /// The certificates above the signing one, as supplied with the signature.
    pub(super) fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The same signature as a bundle of version 0.1, the form that the one audited verifier accepts (sigstore-go's
    /// `oci-image-verification` example does the same). Only the leaf certificate is included: the chain annotation is
    /// an untrusted hint.
    pub fn to_bundle(&self) -> Bundle {
        // 0.1 requires an entry; a signature that has only a timestamp fits 0.3.
        let version = if self.entry.is_some() { MediaType::Bundle0_1 } else { MediaType::Bundle0_3 };
        let content = match &self.certificate {
            Some(der) if version == MediaType::Bundle0_3 => {
                VerificationMaterialContent::Certificate(CertificateContent::new(der.clone()))
            }
            Some(der) => VerificationMaterialContent::X509CertificateChain {
                certificates: vec![X509Certificate::new(der.clone())],
            },
            None => VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new("")),
        };
        let algorithm = self.entry.as_ref().map_or(HashAlgorithm::Sha2256, |(_, algorithm)| *algorithm);
        let digest = match algorithm {
            HashAlgorithm::Sha2384 => sigstore_crypto::sha384(&self.payload).as_bytes().to_vec(),
            HashAlgorithm::Sha2512 => sigstore_crypto::sha512(&self.payload).as_bytes().to_vec(),
            _ => sigstore_crypto::sha256(&self.payload).as_bytes().to_vec(),
        };
        let mut material = VerificationMaterial::new(content)
            .with_tlog_entries(self.entry.iter().map(|(entry, _)| entry.clone()).collect());
        if let Some(token) = &self.timestamp {
            material = material.with_timestamp_verification_data(TimestampVerificationData::new(vec![
                Rfc3161Timestamp::new(token.clone()),
            ]));
        }
        Bundle::new(
            version,
            material,
            SignatureContent::MessageSignature(
                MessageSignature::new(self.signature.clone())
                    .with_message_digest(MessageDigest::new(algorithm, DigestBytes::new(digest))),
            ),
        )
    }
}

/// The entry, and the hash algorithm that its body states for the payload (P-384 keys are used with SHA-256 and
/// SHA-384).
fn entry(json: &str) -> Result<(TransparencyLogEntry, HashAlgorithm), SignatureError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        api_version: String,
        kind: String,
        spec: serde_json::Value,
    }
    let wrong = |e: &dyn std::fmt::Display| SignatureError::malformed(ENTRY, e);
    let rekor: RekorBundle = strict_json::parse(ENTRY, json.as_bytes())?;
    let body = base64::decode(&rekor.payload.body).map_err(|e| wrong(&e))?;
    let shape: Body = strict_json::parse("the body of the Rekor entry", &body)?;
    if (shape.kind.as_str(), shape.api_version.as_str()) != ("hashedrekord", "0.0.1") {
        let reason = format!("its kind is {} {}", shape.kind, shape.api_version);
        return Err(SignatureError::Unsupported { what: ENTRY, reason });
    }
    let algorithm = match shape.spec["data"]["hash"]["algorithm"].as_str() {
        Some("sha384") => HashAlgorithm::Sha2384,
        Some("sha512") => HashAlgorithm::Sha2512,
        _ => HashAlgorithm::Sha2256,
    };
    let log_id = hex::decode(&rekor.payload.log_id).map_err(|e| wrong(&e))?;
    let time = jiff::Timestamp::from_second(rekor.payload.integrated_time).map_err(|e| wrong(&e))?;
    let set = base64::decode(&rekor.set).map(SignedTimestamp::new).map_err(|e| wrong(&e))?;
    let entry = TransparencyLogEntry::new(
        LogIndex::new(rekor.payload.log_index).map_err(|e| wrong(&e))?,
        LogId::new(LogKeyId::new(log_id)),
        KindVersion::HashedRekordV001,
        CanonicalizedBody::new(body),
    )
    .with_integrated_time(time)
    .with_inclusion_promise(InclusionPromise::new(set));
    Ok((entry, algorithm))
}

/// The certificates of the chain annotation. It is only a hint, so unreadable parts are ignored.
fn chain(pem: &str) -> Vec<Certificate> {
    let blocks = pem::parse_many(pem).unwrap_or_default();
    let certificates = blocks.iter().filter(|block| block.tag() == "CERTIFICATE");
    certificates.filter_map(|block| Certificate::from_der(block.contents()).ok()).take(LINKS).collect()
}

fn timestamp(json: &str) -> Result<TimestampToken, SignatureError> {
    const WHAT: &str = "the timestamp annotation";
    let parsed: TimestampAnnotation = strict_json::parse(WHAT, json.as_bytes())?;
    base64::decode(&parsed.token).map(TimestampToken::new).map_err(|e| SignatureError::malformed(WHAT, e))
}
