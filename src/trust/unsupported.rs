//! Signatures that the verifying crate refuses and sigstore-go accepts. The crate reports an invalid certificate or log
//! entry, which may not be true, so keypack reports that the signature is not supported. It is never accepted because
//! of that. `tests/trust/canary.rs` fails for each of these once the crate accepts it.

use sigstore_rekor::RekorEntryBody;
use sigstore_types::{Bundle, HashAlgorithm, SignatureContent};
use sigstore_verify::{CertificateError, Error, TransparencyLogError};
use x509_cert::der::Decode;

use super::{
    Refusal, chain,
    path::{self, Usage},
};
use crate::key::{Algorithm, Certificate, ChainError, Material, PublicKeyError, Role};

/// Why this bundle, which the crate refused with `error`, is not supported by it.
pub(super) fn refusal(bundle: &Bundle, error: &Error) -> Option<Refusal> {
    let leaf = || Certificate::from_der(bundle.signing_certificate()?.as_bytes()).ok();
    let what = match error {
        Error::Certificate(CertificateError::Sct(_))
            if leaf()?.ct_logs().is_ok_and(|logs| logs.len() > 1) =>
        {
            "its certificate has timestamps of several CT logs".into()
        }
        Error::Certificate(CertificateError::Malformed(_)) => unread(&leaf()?)?,
        Error::TransparencyLog(TransparencyLogError::MalformedEntry(_))
        | Error::UnsupportedBundle(_)
        | Error::UnsupportedArtifact(_) => {
            format!("it is signed and logged with {}", other_hash(bundle)?)
        }
        _ => return None,
    };
    Some(Refusal::Unsupported(what))
}

/// Does the same for a timestamp of this authority. The crate supports only ECDSA, and requires intermediates to list
/// time stamping where Go accepts those without an extended key usage.
pub(super) fn timestamp(authority: &Material, error: &sigstore_tsa::Error) -> Option<Refusal> {
    let Material::Chain(certificates) = authority else { return None };
    let [own, issuers @ ..] = certificates.certificates() else { return None };
    let what = match error {
        sigstore_tsa::Error::SignatureVerificationError(_) => {
            let algorithm = own.public_key().ok()?.algorithm();
            let ecdsa = matches!(algorithm, Algorithm::EcdsaP256 | Algorithm::EcdsaP384);
            (!ecdsa).then(|| format!("its timestamp is signed with a key of the kind {algorithm}"))
        }
        // Not if the chain is broken as well.
        sigstore_tsa::Error::CertificateValidationError(_)
            if chain::check(certificates, Role::Tsa).is_ok() =>
        {
            let unnamed = |c: &Certificate| {
                path::is_silent(c.der()) || path::is_for_anything(c.der(), Usage::TimeStamping)
            };
            let (_, between) = issuers.split_last()?;
            between.iter().any(unnamed).then(|| {
                "an intermediate of its timestamp authority does not name time stamping among its uses".into()
            })
        }
        _ => None,
    };
    what.map(Refusal::Unsupported)
}

/// Why the crate can't parse a valid certificate.
fn unread(leaf: &Certificate) -> Option<String> {
    if let Err(ChainError::Key { source: PublicKeyError::Unsupported(reason), .. }) = leaf.public_key() {
        return Some(format!("the key in its certificate is of another kind: {reason}"));
    }
    let parsed = x509_cert::Certificate::from_der(leaf.der()).ok()?;
    path::has_unique_id(&parsed.tbs_certificate)
        .then(|| "its certificate has a unique identifier in addition to its name".into())
}

/// The hash algorithm that was signed or logged, if it is not SHA-256.
fn other_hash(bundle: &Bundle) -> Option<HashAlgorithm> {
    let signed = match &bundle.content {
        SignatureContent::MessageSignature(message) => message.message_digest.as_ref().map(|d| d.algorithm),
        _ => None,
    };
    let logged = bundle.verification_material.tlog_entries.iter().filter_map(|entry| {
        match RekorEntryBody::parse(&entry.canonicalized_body, entry.kind_version).ok()? {
            RekorEntryBody::HashedRekordV002(body) => Some(body.spec.hashed_rekord_v002.data.algorithm),
            _ => None,
        }
    });
    signed.into_iter().chain(logged).find(|algorithm| *algorithm != HashAlgorithm::Sha2256)
}
