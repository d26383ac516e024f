//! Whether the holder of one key signed these bytes, or this manifest: an organisation's signature on a pack.
//!
//! The key was obtained out of band, and nothing else is needed. Log entries and timestamps in a signature show when it
//! was made, not who made it; they need further keys and are ignored here.

use sigstore_types::{SignatureBytes, SignatureContent};

use super::{Refusal, crypto, plain};
use crate::{
    key::{Key, Material, PublicKey, Role},
    oci::Digest,
    signature::UntrustedSignature,
};

/// Checks that `key` signed exactly `bytes` (`cosign sign-blob`). A statement, a simple-signing payload or a signature
/// made with a certificate does not count.
pub fn endorses_bytes(signature: &UntrustedSignature, bytes: &[u8], key: &PublicKey) -> Result<(), Refusal> {
    let UntrustedSignature::Bundle(bundle) = signature else {
        return Err(Refusal::Signature("it is about an image, not about a file".into()));
    };
    if bundle.bundle.signing_certificate().is_some() {
        return Err(Refusal::Signature("it was made with a certificate, not with a key".into()));
    }
    let SignatureContent::MessageSignature(message) = &bundle.bundle.content else {
        return Err(Refusal::Signature("it is a statement about something, not about this file".into()));
    };
    if crypto::signed_by(key, bytes, &message.signature) {
        return Ok(());
    }
    Err(Refusal::Signature(format!("the key {} did not make it", key.fingerprint())))
}

/// Whether the bare `signature` was made by `key` over exactly `bytes`.
pub fn signed_bytes(signature: &[u8], bytes: &[u8], key: &PublicKey) -> bool {
    crypto::signed_by(key, bytes, &SignatureBytes::from_bytes(signature))
}

/// Checks that `key` signed the manifest `image` (`cosign sign`): a simple-signing payload or a signature statement
/// with this digest. An attestation about the image has another meaning and is refused.
pub fn endorses_manifest(
    signature: &UntrustedSignature,
    image: &Digest,
    key: &PublicKey,
) -> Result<(), Refusal> {
    let claimed = signature.claimed_images();
    if !claimed.contains(image) {
        return Err(Refusal::OtherImage { claimed, image: *image });
    }
    let certified = match signature {
        UntrustedSignature::Simple(simple) => simple.to_bundle().signing_certificate().is_some(),
        UntrustedSignature::Bundle(bundle) => {
            if !bundle.is_signature() {
                return Err(Refusal::Signature("it is an attestation, not a signature".into()));
            }
            bundle.bundle.signing_certificate().is_some()
        }
        UntrustedSignature::Gpg(_) => {
            return Err(Refusal::Signature("it was made with a GPG key".into()));
        }
    };
    if certified {
        return Err(Refusal::Signature("it was made with a certificate, not with a key".into()));
    }
    let signer = Key::new(Role::Signer, Material::Key(key.clone()));
    let signer = signer.map_err(|e| Refusal::Key(e.to_string()))?;
    plain::check(signature, image, [&signer].into_iter()).map(|_| ())
}
