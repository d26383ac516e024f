//! sigstore bundles, versions 0.1 to 0.3 (protos/sigstore_bundle.proto of sigstore/protobuf-specs).

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use sigstore_types::{Bundle, SignatureContent};

use super::{SignatureError, strict_json};
use crate::{limits, oci::Digest};

const BUNDLE: &str = "the sigstore bundle";
const STATEMENT: &str = "the in-toto statement in the bundle";

/// A sigstore bundle. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct UntrustedBundle {
    /// The bundle in the verifier's type.
    pub bundle: Arc<Bundle>,
    /// The sha256 digests of the statement's subjects; empty if the bundle signs a message.
    pub claimed_images: Arc<[Digest]>,
    /// The sha512 digests, as lower-case hex, of the subjects that the statement names without sha256.
    pub claimed_sha512: Arc<[String]>,
    /// The statement's predicate type, if the bundle has one.
    pub predicate_type: Option<String>,
}

/// The members that a bundle must have and must not have more than one of: each is a `oneof` of the format.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    media_type: Option<IgnoredAny>,
    message_signature: Option<IgnoredAny>,
    dsse_envelope: Option<IgnoredAny>,
    verification_material: Option<MaterialShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaterialShape {
    public_key: Option<IgnoredAny>,
    certificate: Option<IgnoredAny>,
    #[serde(rename = "x509CertificateChain")]
    chain: Option<IgnoredAny>,
}

impl Shape {
    fn is_of_one_kind(&self) -> Result<(), SignatureError> {
        let signers = self.verification_material.iter().flat_map(|material| {
            [&material.public_key, &material.certificate, &material.chain].into_iter().flatten()
        });
        let contents = [&self.message_signature, &self.dsse_envelope].into_iter().flatten();
        let reason = match (&self.media_type, contents.count(), signers.count()) {
            (None, _, _) => "it has no media type",
            (_, 2.., _) => "it signs a message and an envelope",
            (_, _, 2..) => "it names several signers",
            _ => return Ok(()),
        };
        Err(SignatureError::malformed(BUNDLE, reason))
    }
}

/// in-toto Statement v1 (and v0.1), limited to its subjects and its predicate type.
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

/// The predicate type written by `cosign sign`; any other is an attestation about the image.
pub(crate) const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

impl UntrustedBundle {
    /// Parses a bundle. The statement inside a DSSE envelope must not have duplicate keys.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureError> {
        strict_json::parse::<Shape>(BUNDLE, bytes)?.is_of_one_kind()?;
        let text = std::str::from_utf8(bytes).map_err(|e| SignatureError::malformed(BUNDLE, e))?;
        let bundle = Bundle::from_json(&without_empty_digest(text))
            .map_err(|e| SignatureError::malformed(BUNDLE, e))?;
        let (claimed_images, claimed_sha512, predicate_type) = match &bundle.content {
            SignatureContent::DsseEnvelope(envelope)
                if envelope.payload_type == "application/vnd.in-toto+json" =>
            {
                let statement: Statement = strict_json::parse(STATEMENT, envelope.payload.as_bytes())?;
                if statement.subject.len() > limits::SUBJECTS {
                    let reason = format!("it is about more than {} subjects", limits::SUBJECTS);
                    return Err(SignatureError::malformed(STATEMENT, reason));
                }
                let digests: Vec<_> = statement
                    .subject
                    .iter()
                    .filter_map(|s| Digest::from_hex(s.digest.get("sha256")?).ok())
                    .collect();
                let by_sha512 = |s: &Subject| match s.digest.get("sha256") {
                    None => s.digest.get("sha512").map(|hex| hex.to_ascii_lowercase()),
                    Some(_) => None,
                };
                (digests, statement.subject.iter().filter_map(by_sha512).collect(), statement.predicate_type)
            }
            _ => (Vec::new(), Vec::new(), None),
        };
        Ok(Self {
            bundle: Arc::new(bundle),
            claimed_images: claimed_images.into(),
            claimed_sha512: claimed_sha512.into(),
            predicate_type,
        })
    }

    /// Whether this is an attestation (a statement about the image) and not a plain signature.
    pub fn is_attestation(&self) -> bool {
        self.predicate_type.as_deref().is_some_and(|t| t != COSIGN_SIGN)
    }

    /// Whether this is written by `cosign sign`: a statement that says "signed" and nothing more.
    pub fn is_signature(&self) -> bool {
        self.predicate_type.as_deref() == Some(COSIGN_SIGN)
    }
}

/// The bundle without an empty `messageDigest`: cosign 3 writes `{}` with Ed25519 signatures, which are over the
/// message itself.
fn without_empty_digest(text: &str) -> Cow<'_, str> {
    // Everything else stays text: as parsed values it could take thirty times the memory.
    type Object<'a> = BTreeMap<&'a str, &'a RawValue>;
    let changed = || {
        let mut bundle: Object<'_> = serde_json::from_str(text).ok()?;
        let mut message: Object<'_> = serde_json::from_str(bundle.get("messageSignature")?.get()).ok()?;
        let digest: Object<'_> = serde_json::from_str(message.remove("messageDigest")?.get()).ok()?;
        let message = serde_json::value::to_raw_value(&message).ok()?;
        bundle.insert("messageSignature", &message);
        if digest.is_empty() { serde_json::to_string(&bundle).ok() } else { None }
    };
    changed().map_or(Cow::Borrowed(text), Cow::Owned)
}
