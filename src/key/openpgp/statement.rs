//! What a key says of itself: which statements are its own, and which of them counts.

use pgp::{
    crypto::hash::HashAlgorithm,
    packet::{KeyFlags, Signature, SubpacketData},
    ser::Serialize,
    types::KeyDetails,
};

use crate::limits;

/// The newest of several statements about one thing; one that does not rest on SHA-1 before all that do.
pub(super) fn newest(mut signatures: Vec<Signature>) -> Vec<Signature> {
    signatures.sort_by_cached_key(|s| (is_strong(s), s.created(), s.to_bytes().unwrap_or_default()));
    signatures.pop().into_iter().collect()
}

/// Each once, in an order that depends on nothing but them.
pub(super) fn sorted(mut signatures: Vec<Signature>) -> Vec<Signature> {
    signatures.sort_by_cached_key(|s| s.to_bytes().unwrap_or_default());
    signatures.dedup();
    signatures
}

/// Whether a signature says that this key made it, or says nothing: others are not looked at. There may be ten
/// thousand of them.
pub(super) fn is_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
    ids.is_empty() && fingerprints.is_empty()
        || ids.iter().any(|id| **id == key.legacy_key_id())
        || fingerprints.iter().any(|f| **f == key.fingerprint())
}

/// Whether a statement rests on a hash for which nobody can make two texts.
pub(super) fn is_strong(signature: &Signature) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    matches!(signature.hash_alg(), Some(Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512))
}

/// What a key may be used for, where the statement says so at all.
pub(super) fn flags(signature: &Signature) -> Option<KeyFlags> {
    let mut subpackets = signature.config()?.hashed_subpackets();
    subpackets.any(|p| matches!(p.data, SubpacketData::KeyFlags(_))).then(|| signature.key_flags())
}

/// Signature checks that one key block may cost.
pub(super) struct Budget(pub(super) usize);

impl Budget {
    /// Takes one.
    pub(super) fn check(&mut self) -> Result<bool, String> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| {
            format!("it carries more than {} statements of its own", limits::OPENPGP_CHECKS)
        })?;
        Ok(true)
    }
}
