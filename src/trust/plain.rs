//! Signatures that bring nothing but themselves: no log entry, no certificate, no timestamp. The verifying crate
//! refuses these by design, so the check is one call to its crypto layer: does this key sign these bytes?

use sigstore_types::SignatureContent;

use super::{Refusal, VerificationKey, crypto};
use crate::{
    key::{Material, PublicKey},
    oci::Digest,
    signature::UntrustedSignature,
};

/// Finds the key that made the signature.
pub(super) fn check<'k>(
    signature: &UntrustedSignature,
    image: &Digest,
    signers: impl Iterator<Item = &'k VerificationKey>,
) -> Result<&'k VerificationKey, Refusal> {
    let mut tried = 0;
    for signer in signers {
        let Material::Key(key) = &signer.material else { continue };
        tried += 1;
        if signed(signature, image, key) {
            return Ok(signer);
        }
    }
    Err(Refusal::Signature(match tried {
        0 => "no signer key is at hand".into(),
        1 => "the one signer key at hand did not make it".into(),
        tried => format!("none of the {tried} signer keys at hand made it"),
    }))
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
