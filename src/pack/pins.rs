//! Pins: they authenticate keys one by one, and the set by being exact. What the inventory says beside that, nobody
//! vouches for.

use std::collections::BTreeSet;

use super::{Draft, KeyRecord, PackError, Pin};
use crate::{
    key::{Material, Pinned},
    trust::check_chain,
};

/// Refuses a pack that holds a key which is neither pinned nor vouched for by another anchor that was given, or lacks one
/// that is pinned. The pin says the role: a key that is
/// pinned for one must not come as another.
///
/// A chain is pinned by its first certificate, not by that certificate's key: whoever can put another certificate
/// around a known key can put a root of his own behind it, and consumers trust all of a chain. So the links count too.
pub(super) fn exact(
    draft: &Draft,
    pins: &[Pin],
    vouched: &dyn Fn(&KeyRecord) -> bool,
) -> Result<(), PackError> {
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
        if !(vouched(record) || known || (!record.role.is_chain() && all.contains(&by_key))) {
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
