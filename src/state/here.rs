//! What was revoked on this host by a person, for every lineage: a stolen key is stolen whatever the pack is called that
//! holds it. It lies beside the lineages, so that neither keys/ nor a pack nor `state forget-unsafe` undoes it.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StateError, store};
use crate::{
    key::{Fingerprint, Material, parse_key_file},
    oci::Digest,
    pack::{Draft, KeyRecord},
};

/// The longest key that is kept for the signatures from before its revocation; a GPG key, which can be longer, dates none.
const LONGEST: usize = 64 << 10;

/// How many keys are kept of one revocation: a certificate's key may be in several chains.
const KEPT: usize = 32;

/// Every fingerprint that was revoked here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevokedHere(BTreeMap<Fingerprint, HereRevocation>);

/// A revocation by a person on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HereRevocation {
    /// Why.
    pub reason: String,
    /// Since when its signatures don't count; without it, none counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it was revoked.
    pub at: Timestamp,
    /// The user who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The keys that it has taken out of a keys/.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<RemovedKey>,
}

/// A key that was taken out of a keys/. It is kept here, where nobody else writes: what it signed before is verified with
/// it, and what it signed at all is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemovedKey {
    /// What the inventory said of it.
    pub record: KeyRecord,
    /// The key, where it is short enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pem: Option<String>,
    /// The lineage of the pack that it was in.
    pub lineage: String,
    /// The pack digest.
    pub pack: Digest,
}

/// What a revocation has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    New,
    /// The key was revoked already.
    Again,
    /// The key was revoked already, and more of its signatures don't count now.
    Stricter,
}

impl RevokedHere {
    /// Every revocation, by fingerprint.
    pub const fn all(&self) -> &BTreeMap<Fingerprint, HereRevocation> {
        &self.0
    }

    /// The revocation that a key falls under. Without its file, by what its record says or by what was taken out.
    pub fn of(
        &self,
        record: &KeyRecord,
        material: Option<&Material>,
    ) -> Option<(Fingerprint, &HereRevocation)> {
        let mut names = vec![record.fingerprint];
        names.extend(record.certificates.iter().map(|certificate| Fingerprint::from(certificate.sha256)));
        names.extend(material.into_iter().flat_map(Material::fingerprints));
        let named = |(fingerprint, revocation): &(&Fingerprint, &HereRevocation)| {
            let removed = |key: &RemovedKey| {
                key.record.role == record.role && key.record.fingerprint == record.fingerprint
            };
            names.contains(fingerprint) || revocation.keys.iter().any(removed)
        };
        // Of several the strictest: without a time nothing counts.
        let all = self.0.iter().filter(named);
        all.min_by_key(|(_, revocation)| revocation.since).map(|(key, revocation)| (*key, revocation))
    }

    /// Whether a key falls under the revocation of this fingerprint.
    pub fn falls_under(
        &self,
        record: &KeyRecord,
        material: Option<&Material>,
        fingerprint: &Fingerprint,
    ) -> bool {
        let only = self.0.get_key_value(fingerprint).map(|(key, revocation)| (*key, revocation.clone()));
        Self(only.into_iter().collect()).of(record, material).is_some()
    }

    /// The revocation of this very key.
    pub fn names(&self, material: &Material) -> Option<(Fingerprint, &HereRevocation)> {
        let names = material.fingerprints();
        let all = self.0.iter().filter(|(key, _)| names.contains(key));
        all.min_by_key(|(_, revocation)| revocation.since).map(|(key, revocation)| (*key, revocation))
    }

    /// The key of this record as it was taken out.
    pub fn removed(&self, record: &KeyRecord) -> Option<Material> {
        let keys = self.0.values().flat_map(|revocation| &revocation.keys);
        let found = keys.filter(|key| key.record.key_ref() == record.key_ref());
        found.filter_map(|key| read(key.pem.as_deref()?)).find(|key| key.fingerprint() == record.fingerprint)
    }

    /// Revokes a key. What was said first stays, but for a time: an earlier one counts, and none at all before any.
    pub fn revoke(&mut self, key: Fingerprint, new: HereRevocation) -> Recorded {
        match self.0.get_mut(&key) {
            None => {
                self.0.insert(key, new);
                Recorded::New
            }
            // None is less than any time.
            Some(known) if new.since < known.since => {
                known.since = new.since;
                Recorded::Stricter
            }
            Some(_) => Recorded::Again,
        }
    }

    /// Keeps the keys of a keys/ or a pack that are revoked, as long as they are there.
    pub fn keep(&mut self, draft: &Draft) {
        let left_out = draft.left_out().filter_map(|(record, material)| Some((record, material?)));
        for (record, material) in draft.keys().chain(left_out) {
            let Some((fingerprint, _)) = self.of(record, Some(material)) else { continue };
            let Some(revocation) = self.0.get_mut(&fingerprint) else { continue };
            let known = |key: &RemovedKey| {
                key.record.key_ref() == record.key_ref() && key.record.fingerprint == record.fingerprint
            };
            if revocation.keys.iter().any(known) || revocation.keys.len() >= KEPT {
                continue;
            }
            revocation.keys.push(RemovedKey {
                record: record.clone(),
                pem: Some(material.to_pem()).filter(|pem| pem.len() <= LONGEST),
                lineage: draft.inventory().name.clone(),
                pack: draft.digest(),
            });
        }
    }

    /// Takes a revocation back.
    pub fn undo(&mut self, key: &Fingerprint) -> Option<HereRevocation> {
        self.0.remove(key)
    }
}

fn read(pem: &str) -> Option<Material> {
    let mut parsed = parse_key_file(pem.as_bytes()).ok()?;
    parsed.material.pop().filter(|_| parsed.material.is_empty())
}

/// What was revoked on this host; nothing, if there is no state yet.
pub fn revoked_here(dir: &Path) -> Result<RevokedHere, StateError> {
    store::load_host(dir)
}

/// Changes what is revoked on this host, alone: others wait until it is on the disk. Called under the lock of a lineage or
/// without one, and never the other way round.
pub fn update_revoked_here<T>(
    dir: &Path,
    change: impl FnOnce(&mut RevokedHere) -> T,
) -> Result<T, StateError> {
    store::update_host(dir, change)
}
