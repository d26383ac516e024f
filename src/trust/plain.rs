//! Bare signatures: no log entry, no certificate, no timestamp. The verifying crate refuses these by design, so the
//! check is one call to its crypto layer: does this key sign these bytes?

use sigstore_types::SignatureContent;

use super::{KeySet, Reading, Refusal, crypto};
use crate::{
    key::{Algorithm, Certificate, Key, Material, PublicKey, Role},
    oci::Digest,
    signature::{Need, UntrustedSignature},
};

/// The signers' keys, those named by the signature first.
pub(super) fn named_first<'k>(need: &Need, keys: &'k KeySet) -> impl Iterator<Item = &'k Key> {
    let (named, others): (Vec<_>, Vec<_>) = keys.of(Role::Signer).partition(|key| need.fits(key));
    named.into_iter().chain(others)
}

/// Finds the key that made the signature.
pub(super) fn check<'k>(
    signature: &UntrustedSignature,
    image: &Digest,
    signers: impl Iterator<Item = &'k Key>,
) -> Result<&'k Key, Refusal> {
    let (mut tried, mut ed25519) = (0, false);
    for signer in signers {
        let Material::Key(key) = &signer.material else { continue };
        tried += 1;
        ed25519 |= key.algorithm() == Algorithm::Ed25519;
        if signed(signature, image, key) {
            return Ok(signer);
        }
    }
    let mut reason = match tried {
        0 => "there is no signer key".into(),
        1 => "the only signer key did not make it".into(),
        tried => format!("none of the {tried} signer keys made it"),
    };
    if ed25519 && bytes(signature).is_some_and(|bytes| bytes.len() == ED25519) {
        reason.push_str(
            "; if cosign signed with an Ed25519 key, the signature is Ed25519ph, which neither cosign nor podman verifies",
        );
    }
    Err(Refusal::Signature(reason))
}

/// Whether the holder of this certificate made the signature.
pub(super) fn certified(reading: &Reading<'_>, certificate: &[u8]) -> Result<(), Refusal> {
    let key = Certificate::from_der(certificate).and_then(|certificate| certificate.public_key());
    match key {
        Ok(key) if signed(reading.signature, &reading.image, &key) => Ok(()),
        Ok(_) => Err(Refusal::Signature("the key in its certificate did not make it".into())),
        Err(e) => Err(Refusal::Unsupported(e.to_string())),
    }
}

/// The length of Ed25519 signatures, of both variants (RFC 8032 §5.1.6). `cosign sign --key` makes the prehashed one
/// (sigstore's `WithED25519ph`), while its `verify`, like containers/image, accepts only the pure one.
const ED25519: usize = 64;

fn bytes(signature: &UntrustedSignature) -> Option<&[u8]> {
    match signature {
        UntrustedSignature::Simple(simple) => Some(simple.signature.as_ref()),
        UntrustedSignature::Bundle(bundle) => match &bundle.bundle.content {
            SignatureContent::DsseEnvelope(envelope) => Some(envelope.signature.sig.as_ref()),
            SignatureContent::MessageSignature(message) => Some(message.signature.as_ref()),
            _ => None,
        },
        UntrustedSignature::Gpg(_) => None,
    }
}

fn signed(signature: &UntrustedSignature, image: &Digest, key: &PublicKey) -> bool {
    match signature {
        UntrustedSignature::Simple(simple) => crypto::signed_by(key, &simple.payload, &simple.signature),
        UntrustedSignature::Bundle(bundle) => match &bundle.bundle.content {
            SignatureContent::DsseEnvelope(envelope) => {
                crypto::signed_by(key, &envelope.pae(), &envelope.signature.sig)
            }
            SignatureContent::MessageSignature(message) => {
                crypto::signed_digest_by(key, image, &message.signature)
            }
            _ => false,
        },
        UntrustedSignature::Gpg(_) => false,
    }
}
