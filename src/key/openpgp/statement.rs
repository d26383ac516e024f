//! Statements that a key makes about itself: which ones it made, and which of them counts.

use pgp::{
    crypto::hash::HashAlgorithm,
    packet::{KeyFlags, Signature, SubpacketData},
    ser::Serialize,
    types::KeyDetails,
};

use crate::limits;

/// The newest of several statements about one subject; those that don't rely on SHA-1 take precedence.
pub(super) fn newest(mut signatures: Vec<Signature>) -> Vec<Signature> {
    signatures.sort_by_cached_key(|s| (is_strong(s), s.created(), s.to_bytes().unwrap_or_default()));
    signatures.pop().into_iter().collect()
}

/// Removes duplicates and sorts in an order that depends only on the content.
pub(super) fn sorted(mut signatures: Vec<Signature>) -> Vec<Signature> {
    signatures.sort_by_cached_key(|s| s.to_bytes().unwrap_or_default());
    signatures.dedup();
    signatures
}

/// Whether a signature names this key as its issuer, or names none. Others are skipped unchecked: there may be ten
/// thousand of them.
pub(super) fn is_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
    ids.is_empty() && fingerprints.is_empty()
        || ids.iter().any(|id| **id == key.legacy_key_id())
        || fingerprints.iter().any(|f| **f == key.fingerprint())
}

/// Whether a statement relies on a hash that is collision-resistant.
pub(super) fn is_strong(signature: &Signature) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    matches!(signature.hash_alg(), Some(Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512))
}

/// The key's permitted uses, if the statement lists any.
pub(super) fn flags(signature: &Signature) -> Option<KeyFlags> {
    let mut subpackets = signature.config()?.hashed_subpackets();
    subpackets.any(|p| matches!(p.data, SubpacketData::KeyFlags(_))).then(|| signature.key_flags())
}

/// The number of signature checks allowed for one key block.
pub(super) struct Budget(pub(super) usize);

impl Budget {
    /// Uses up one check.
    pub(super) fn check(&mut self) -> Result<bool, String> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| {
            format!("it carries more than {} statements of its own", limits::OPENPGP_CHECKS)
        })?;
        Ok(true)
    }
}
