//! Pins: they authenticate keys one by one, and the set by being exact. What the inventory says beside that, nobody
//! vouches for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Build, Draft, Expiry, Include, PackError, Pin, build};
use crate::{
    key::{Grade, KeyRef, Material, Pinned, Provenance, Role, Validity},
    trust::check_chain,
};

/// Refuses a pack that holds a key which is not pinned, or lacks one that is. The pin says the role: a key that is
/// pinned for one must not come as another.
///
/// A chain is pinned by its first certificate, not by that certificate's key: whoever can put another certificate
/// around a known key can put a root of his own behind it, and consumers trust all of a chain. So the links count too.
pub(super) fn exact(draft: &Draft, pins: &[Pin]) -> Result<(), PackError> {
    let mut open: BTreeSet<Pin> = pins.iter().copied().collect();
    let all = open.clone();
    for (record, material) in draft.keys() {
        let pin = |fingerprint| Pin { role: record.role, fingerprint: Pinned::Sha256(fingerprint) };
        let usual = Pin::of(record.role, record.id, material);
        let by_key = pin(record.spki);
        let by_id = pin(record.id);
        if let Material::Chain(chain) = material {
            check_chain(chain, record.role)
                .map_err(|e| PackError::Key { name: record.file.clone(), reason: e.to_string() })?;
        }
        let known = [by_id, usual].iter().any(|pin| all.contains(pin));
        if !(known || (!record.role.is_chain() && all.contains(&by_key))) {
            return Err(PackError::NotPinned { name: record.file.clone(), pin: usual });
        }
        for met in [by_id, usual, by_key] {
            open.remove(&met);
        }
    }
    match open.first() {
        Some(pin) => Err(PackError::PinNotMet(*pin)),
        None => Ok(()),
    }
}

/// A pack of the same keys with nothing else of what its maker said: no address, no validity, no provenance, no rules,
/// no revocations; dated now.
///
/// A Rekor v2 log's id is made from its origin, so the origin stays: another one would be another id, and no
/// signature names it.
pub(super) fn rebuild(draft: &Draft, lineage: &str, now: Timestamp) -> Result<Draft, PackError> {
    let keys = draft
        .keys()
        .map(|(record, material)| Include {
            key: KeyRef { role: record.role, id: record.id },
            material: material.clone(),
            url: None,
            origin: (record.role == Role::Rekor2).then(|| record.origin.clone()).flatten(),
            validity: Validity::default(),
            provenance: vec![Provenance {
                grade: Grade::Pinned,
                source: "pinned".into(),
                sha256: record.spki,
                date: None,
            }],
        })
        .collect();
    let built = build(&Build {
        name: lineage,
        keys,
        replaces: None,
        prune: true,
        rules: None,
        revoked: Vec::new(),
        created: now,
        expires: Expiry::Never,
        refresh_after: Build::default_refresh_after(),
    })?;
    Ok(built.draft)
}
