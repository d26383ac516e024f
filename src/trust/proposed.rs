//! Bundles whose log entry has its body in the proposed form (see `signature::proposed`).
//!
//! The verifying crate checks log, certificate, timestamps and signature first, and compares the body with the bundle
//! last ("step 8" of its documentation); it fails there, because it does not support this form of body. That comparison
//! is made here, on the body that the log has signed, and it is stricter: the whole envelope and the verifier must be
//! the bundle's own. So a bundle is accepted if this comparison succeeds and the crate had no other objection.
//!
//! This relies on the order of checks inside the crate. The crate's version is therefore pinned exactly, and
//! `tests/it/trust/proposed.rs` and `broken.rs` break every other piece of evidence in turn and expect the refusal.

use sigstore_types::{Bundle, SignatureContent};
use sigstore_verify::{Error, TransparencyLogError};

use crate::{
    key::{Material, PublicKey, parse_key_file},
    signature::proposed,
};

/// Whether `error` is the crate's objection to the form of the body, and to nothing else.
pub(super) fn is_only_objection(error: &Error) -> bool {
    matches!(
        error,
        Error::TransparencyLog(TransparencyLogError::MalformedEntry(text))
            if text.starts_with("failed to parse Rekor body: ") && text.contains("dsse v0.0.1 body")
    )
}

/// Whether the bundle's only log entry has the proposed form and matches exactly this bundle, signed with `key` or with
/// the bundle's certificate.
pub(super) fn describes(bundle: &Bundle, key: Option<&PublicKey>) -> bool {
    let [entry] = bundle.verification_material.tlog_entries.as_slice() else { return false };
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return false };
    let Some(body) = proposed::read(entry) else { return false };
    let same_envelope = body.payload_type == envelope.payload_type
        && body.payload == envelope.payload.as_bytes()
        && body.signature == envelope.signature.sig.as_bytes();
    let same_signer = match (parse_key_file(&body.verifier).map(|p| p.material), key) {
        (Ok(material), Some(key)) => material == [Material::Key(key.clone())],
        (Ok(material), None) => match (material.as_slice(), bundle.signing_certificate()) {
            ([Material::Chain(chain)], Some(certificate)) => {
                chain.certificates().len() == 1 && chain.first().der() == certificate.as_bytes()
            }
            _ => false,
        },
        (Err(_), _) => false,
    };
    same_envelope && same_signer
}
