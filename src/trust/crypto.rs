//! The only file that calls the verifying crate (`proposed` and `unsupported` read its errors).

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use sigstore_crypto::{KeyAlgorithm, SigningScheme};
use sigstore_trust_root::{TrustedRoot, TsaAuthority};
use sigstore_types::{Artifact, Bundle, HashAlgorithm, Sha256Hash, SignatureBytes, TimestampToken};
use sigstore_verify::{
    CertificateError, Error, PublicKeyVerificationPolicy, TransparencyLogError, VerificationPolicy, Verifier,
    bundle,
};
use x509_cert::der::{Encode, asn1};

use super::{Refusal, proposed, unsupported};
use crate::{
    key::{Algorithm, Certificate, Chain, Key, KeyRef, Material, PublicKey, Role, trusted_root},
    oci::Digest,
    signature::SignatureError,
};

/// What was signed: bytes, or a manifest with this digest.
#[derive(Clone, Copy)]
pub(super) enum Signed<'a> {
    Bytes(&'a [u8]),
    Manifest(&'a Digest),
}

/// The signer.
#[derive(Clone, Copy)]
pub(super) enum Signer<'a> {
    Key(&'a PublicKey),
    /// The holder of the certificate in the bundle.
    Certificate {
        /// Whether the certificate's chain is verified; if not, only the log and the timestamps are.
        chain: bool,
        /// Whether the CT log's timestamp in it is verified.
        ct: bool,
    },
}

/// The signer's identity in the certificate, once the whole bundle has been verified.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) name: Option<String>,
    pub(super) oidc_issuer: Option<String>,
}

/// Runs the verifier with exactly these keys.
///
/// A bundle without log entries needs the verifier's "skip" option, because it would require one otherwise. Existing
/// entries are always checked.
pub(super) fn verify(
    bundle: &Bundle,
    signed: Signed<'_>,
    signer: Signer<'_>,
    keys: &[&Key],
    prepared: &Prepared,
) -> Result<Identity, Refusal> {
    let verifier = prepared.with(keys)?;
    let artifact = match signed {
        Signed::Bytes(bytes) => Artifact::from(bytes),
        Signed::Manifest(digest) => Artifact::from(Sha256Hash::new(*digest.as_bytes())),
    };
    let logged = !bundle.verification_material.tlog_entries.is_empty();
    let result = match signer {
        Signer::Key(key) => {
            let policy = PublicKeyVerificationPolicy::new(key.to_der());
            let policy = if logged { policy } else { policy.skip_tlog_unsafe() };
            verifier.verify(artifact, bundle, &policy)
        }
        Signer::Certificate { chain, ct } => {
            let mut policy = VerificationPolicy::any_identity();
            if !logged {
                policy = policy.skip_tlog_unsafe();
            }
            if !ct {
                policy = policy.skip_sct();
            }
            if !chain {
                policy = policy.skip_certificate_chain();
            }
            verifier.verify(artifact, bundle, &policy)
        }
    };
    let key = if let Signer::Key(key) = signer { Some(key) } else { None };
    match result {
        Ok(verified) => Ok(Identity {
            name: verified.identity().map(ToString::to_string),
            oidc_issuer: verified.issuer().map(str::to_owned),
        }),
        Err(e) if proposed::is_only_objection(&e) && proposed::describes(bundle, key) => {
            let certificate = bundle.signing_certificate();
            let info = certificate.and_then(|c| sigstore_crypto::parse_certificate_info(c).ok());
            Ok(Identity {
                name: info.as_ref().and_then(|i| i.identity.as_ref()).map(ToString::to_string),
                oidc_issuer: info.and_then(|i| i.issuer),
            })
        }
        Err(e) => Err(from_the_future(bundle, &e)
            .or_else(|| unsupported::refusal(bundle, &e))
            .unwrap_or_else(|| refusal(&e))),
    }
}

/// Returns a refusal if the crate rejected the time of a log entry, after verifying the log's signature, because it is
/// in the future. Otherwise the time is outside the certificate's validity.
fn from_the_future(bundle: &Bundle, error: &Error) -> Option<Refusal> {
    let Error::TransparencyLog(TransparencyLogError::IntegratedTime(_)) = error else { return None };
    let time = bundle.verification_material.tlog_entries.first()?.integrated_time?;
    if let Some(der) = bundle.signing_certificate() {
        let (start, end) = Certificate::from_der(der.as_bytes()).ok()?.validity();
        (start..=end).contains(&time.as_second()).then_some(())?;
    }
    Some(Refusal::ClockBehind { what: "the log entry", time })
}

/// The crate's input, prepared once for the keys of one set. Each combination of them needs a separate verifier, so
/// that every key is proved by what it verified itself.
#[derive(Default)]
pub(super) struct Prepared {
    verifiers: Mutex<BTreeMap<Vec<KeyRef>, Arc<Verifier>>>,
    authorities: Mutex<BTreeMap<KeyRef, Arc<TsaAuthority>>>,
}

impl Prepared {
    fn with(&self, keys: &[&Key]) -> Result<Arc<Verifier>, Refusal> {
        let mut made = self.verifiers.lock().unwrap_or_else(PoisonError::into_inner);
        let combination: Vec<_> = keys.iter().map(|key| key.key_ref()).collect();
        if let Some(verifier) = made.get(&combination) {
            return Ok(Arc::clone(verifier));
        }
        let verifier = Verifier::new(&root(keys)?).map_err(|e| Refusal::Key(e.to_string()))?;
        let verifier = Arc::new(verifier);
        made.insert(combination, Arc::clone(&verifier));
        Ok(verifier)
    }

    fn authority(&self, key: &Key) -> Result<Arc<TsaAuthority>, Refusal> {
        let mut made = self.authorities.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = made.get(&key.key_ref()) {
            return Ok(Arc::clone(authority));
        }
        let authority = root(&[key])?.tsa_authorities().into_iter().next();
        let authority =
            authority.ok_or_else(|| Refusal::Timestamp("its authority is not in use yet".into()))?;
        let authority = Arc::new(authority);
        made.insert(key.key_ref(), Arc::clone(&authority));
        Ok(authority)
    }
}

/// Converts these keys for the crate.
///
/// It uses every certificate of a CA's chain as an anchor. Only the one that issues signing certificates may be an
/// anchor: `path` verifies those above it.
fn root(keys: &[&Key]) -> Result<TrustedRoot, Refusal> {
    let materials: Vec<_> = keys
        .iter()
        .map(|k| match (&k.material, k.role) {
            (Material::Chain(chain), Role::Fulcio) => {
                Chain::new(vec![chain.first().clone()]).map(|issuer| Cow::Owned(Material::Chain(issuer)))
            }
            (material, _) => Ok(Cow::Borrowed(material)),
        })
        .collect::<Result<_, _>>()
        .map_err(|e| Refusal::Key(e.to_string()))?;
    let entries: Vec<_> = keys
        .iter()
        .zip(&materials)
        .map(|(key, material)| trusted_root::Entry { material, ..(*key).into() })
        .collect();
    TrustedRoot::from_json(&String::from_utf8_lossy(&trusted_root::write(&entries)))
        .map_err(|e| Refusal::Key(e.to_string()))
}

/// The time in an RFC 3161 timestamp of this signature, if this authority made it during its period of use.
pub(super) fn timestamp(
    token: &TimestampToken,
    signature: &SignatureBytes,
    authority: &Key,
    prepared: &Prepared,
) -> Result<Timestamp, Refusal> {
    let known = prepared.authority(authority)?;
    sigstore_tsa::verify_timestamp_for_authority(token, signature, &known).map_err(|e| {
        unsupported::timestamp(&authority.material, &e).unwrap_or_else(|| match &e {
            sigstore_tsa::Error::CertificateValidationError(reason) => Refusal::Chain(reason.clone()),
            _ => Refusal::Timestamp(e.to_string()),
        })
    })
}

fn refusal(error: &Error) -> Refusal {
    let text = error.to_string();
    match error {
        Error::Certificate(CertificateError::Sct(_)) => Refusal::CtTimestamp(text),
        Error::Certificate(_) | Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => {
            Refusal::Certificate(text)
        }
        Error::TransparencyLog(_) => Refusal::LogEntry(text),
        Error::Timestamp(_) => Refusal::Timestamp(text),
        Error::Bundle(e) => of_form(e, text),
        Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => Refusal::Key(text),
        _ => Refusal::Signature(text),
    }
}

/// A missing part of a bundle is a fault of that piece of evidence; a violation of its version's rules is one of its
/// form.
fn of_form(error: &bundle::Error, text: String) -> Refusal {
    use bundle::Error as Form;
    match error {
        Form::MissingInclusionPromise(_)
        | Form::MissingInclusionProof(_)
        | Form::MissingCheckpoint
        | Form::LogIndexOutOfRange { .. }
        | Form::CheckpointRootMismatch => Refusal::LogEntry(text),
        Form::MissingTimestamp | Form::MissingSigningTimeEvidence => Refusal::Timestamp(text),
        _ => Refusal::Unreadable(SignatureError::malformed("the sigstore bundle", text)),
    }
}

/// The hash algorithms with which a key may have signed: cosign uses SHA-256 with every key, except that newer versions
/// use SHA-384 with P-384.
fn schemes(key: &PublicKey) -> &'static [HashAlgorithm] {
    match key.algorithm() {
        Algorithm::EcdsaP384 => &[HashAlgorithm::Sha2256, HashAlgorithm::Sha2384],
        Algorithm::EcdsaP256 | Algorithm::Ed25519 | Algorithm::Rsa => &[HashAlgorithm::Sha2256],
    }
}

/// Whether `key` made `signature` over these bytes.
pub(super) fn signed_by(key: &PublicKey, bytes: &[u8], signature: &SignatureBytes) -> bool {
    schemes(key).iter().any(|hash| signed_with(*hash, key, bytes, signature))
}

fn signed_with(hash: HashAlgorithm, key: &PublicKey, bytes: &[u8], signature: &SignatureBytes) -> bool {
    let der = key.to_der();
    let Ok(algorithm) = KeyAlgorithm::from_spki(&der) else { return false };
    algorithm
        .resolve_signing_scheme(hash)
        .is_ok_and(|scheme| sigstore_crypto::verify_signature(&der, bytes, signature, scheme).is_ok())
}

/// The same with SHA-256 alone, as containers/image and sigstore's Go library do: an ECDSA signature may be the two numbers one
/// after the other as well (IEEE P1363).
pub(super) fn signed_with_sha256(key: &PublicKey, bytes: &[u8], signature: &SignatureBytes) -> bool {
    signed_in_asn1(key, bytes, signature)
        || two_numbers(key, signature.as_ref()).is_some_and(|asn1| signed_in_asn1(key, bytes, &asn1))
}

/// The same, and an ECDSA signature is in ASN.1.
pub(super) fn signed_in_asn1(key: &PublicKey, bytes: &[u8], signature: &SignatureBytes) -> bool {
    signed_with(HashAlgorithm::Sha2256, key, bytes, signature)
}

/// An ECDSA signature of two numbers in ASN.1.
fn two_numbers(key: &PublicKey, signature: &[u8]) -> Option<SignatureBytes> {
    if !matches!(key.algorithm(), Algorithm::EcdsaP256 | Algorithm::EcdsaP384) || signature.len() > 132 {
        return None;
    }
    let (r, s) = signature.split_at_checked(signature.len() / 2).filter(|(r, s)| r.len() == s.len())?;
    let mut numbers = asn1::SequenceOf::<asn1::UintRef<'_>, 2>::new();
    numbers.add(asn1::UintRef::new(r).ok()?).ok()?;
    numbers.add(asn1::UintRef::new(s).ok()?).ok()?;
    Some(SignatureBytes::new(numbers.to_der().ok()?))
}

/// Whether `key` made `signature` over something with this digest.
pub(super) fn signed_digest_by(key: &PublicKey, digest: &Digest, signature: &SignatureBytes) -> bool {
    let der = key.to_der();
    let Ok(algorithm) = KeyAlgorithm::from_spki(&der) else { return false };
    algorithm.resolve_signing_scheme(HashAlgorithm::Sha2256).is_ok_and(|scheme| {
        sigstore_crypto::verify_signature_prehashed(&der, digest.as_bytes(), signature, scheme).is_ok()
    })
}

/// Whether `key` made `signature` over `bytes` in the algorithm with this X.509 OID (RFC 5758, RFC 8017, RFC 8410);
/// `None` if the algorithm is not one that these keys use.
pub(super) fn certified_by(key: &PublicKey, bytes: &[u8], signature: &[u8], oid: &str) -> Option<bool> {
    let scheme = match (key.algorithm(), oid) {
        (Algorithm::EcdsaP256, "1.2.840.10045.4.3.2") => SigningScheme::EcdsaP256Sha256,
        (Algorithm::EcdsaP256, "1.2.840.10045.4.3.3") => SigningScheme::EcdsaP256Sha384,
        (Algorithm::EcdsaP384, "1.2.840.10045.4.3.2") => SigningScheme::EcdsaP384Sha256,
        (Algorithm::EcdsaP384, "1.2.840.10045.4.3.3") => SigningScheme::EcdsaP384Sha384,
        (Algorithm::Rsa, "1.2.840.113549.1.1.11") => SigningScheme::RsaPkcs1Sha256,
        (Algorithm::Rsa, "1.2.840.113549.1.1.12") => SigningScheme::RsaPkcs1Sha384,
        (Algorithm::Rsa, "1.2.840.113549.1.1.13") => SigningScheme::RsaPkcs1Sha512,
        (Algorithm::Ed25519, "1.3.101.112") => SigningScheme::Ed25519,
        _ => return None,
    };
    let signature = SignatureBytes::from_bytes(signature);
    Some(sigstore_crypto::verify_signature(&key.to_der(), bytes, &signature, scheme).is_ok())
}
