//! Keys that were revoked on this host, in a run of `verify`: what they signed is recognised, and counts only where it is
//! known to be from before.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::NamedKey;
use crate::{
    key::{Key, KeyRef},
    oci::Digest,
    pack::Draft,
    signature::UntrustedSignature,
    state::RevokedHere,
    trust::{KeyConflict, KeySet, Refusal, Revocations, Verified, Verifier},
};

/// The keys that count together with those that were revoked.
#[derive(Clone)]
pub(super) struct RevokedKeys {
    all: KeySet,
    revocations: Revocations,
    names: BTreeMap<KeyRef, String>,
}

impl RevokedKeys {
    /// The keys that are left out of a keys/, as the state keeps them: what lies in the directory is nobody's word. None, if
    /// there are none.
    pub(super) fn of(
        draft: &Draft,
        here: &RevokedHere,
        counting: &[Key],
        named: &mut BTreeMap<KeyRef, NamedKey>,
    ) -> Result<Option<Self>, KeyConflict> {
        let (mut keys, mut revocations, mut names) = (counting.to_vec(), Vec::new(), BTreeMap::new());
        for (record, _) in draft.left_out() {
            let Some(material) = here.removed(record) else { continue };
            // Of a key that can't be told to be revoked nothing counts: it is not in the set.
            let Some((_, revocation)) = here.of(record, Some(&material)) else { continue };
            let key = record.key_ref();
            keys.push(record.key(&material));
            revocations.push((key, revocation.since));
            names.insert(key, record.file.clone());
            named.insert(key, NamedKey::of(record));
        }
        if revocations.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { all: KeySet::new(keys)?, revocations: Revocations::new(revocations), names }))
    }

    /// The same with a verifier.
    pub(super) fn verifier(self) -> RevokedVerifier {
        RevokedVerifier { verifier: Verifier::new(self.all.clone()), keys: self }
    }

    /// Those of them that are revoked and have one of these names.
    pub(super) fn keys<'a>(&'a self, these: &'a BTreeSet<KeyRef>) -> impl Iterator<Item = Key> + 'a {
        self.all.all().filter(|key| these.contains(&key.key_ref())).cloned()
    }

    pub(super) const fn all(&self) -> &KeySet {
        &self.all
    }
}

/// Judges what the keys that count refuse.
pub(super) struct RevokedVerifier {
    verifier: Verifier,
    keys: RevokedKeys,
}

impl RevokedVerifier {
    /// The verdict on a signature that the other keys refused for this reason.
    pub(super) fn judge(
        &self,
        signature: &UntrustedSignature,
        image: &Digest,
        now: jiff::Timestamp,
        refusal: Refusal,
    ) -> Result<Verified, Refusal> {
        let Ok(verified) = self.verifier.judge(signature, image, now) else { return Err(refusal) };
        match self.keys.revocations.refuse(&verified) {
            Ok(()) => Ok(verified),
            Err((key, since)) => {
                let name = self.keys.names.get(&key).cloned().unwrap_or_else(|| key.to_string());
                Err(Refusal::RevokedHere { name, since })
            }
        }
    }
}
