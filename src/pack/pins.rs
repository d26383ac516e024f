//! Pins: they authenticate keys one by one, and the set by being exact. What the inventory says beside that, nobody
//! vouches for.

use std::collections::BTreeSet;

use super::{Draft, KeyRecord, PackError, Pin};
use crate::{key::Material, trust::check_chain};

/// Refuses a pack that holds a key which is neither pinned nor authenticated by another anchor, or lacks one
/// that is pinned. The pin says the role: a key that is pinned for one must not come as another. One pin stands for one
/// key.
///
/// A chain is pinned with all its certificates. Consumers trust every one of them, and certificates are easily made: around
/// the key of a genuine root, signed by somebody's own CA, which then stands behind it with every link intact. So the
/// links count too, but alone they prove nothing.
pub(super) fn exact(
    draft: &Draft,
    pins: &[Pin],
    otherwise: &dyn Fn(&KeyRecord) -> bool,
) -> Result<(), PackError> {
    let mut open: BTreeSet<Pin> = pins.iter().copied().collect();
    for (record, material) in draft.keys() {
        let pin = Pin::of(record.role, material);
        if let Material::Chain(chain) = material {
            check_chain(chain, record.role)
                .map_err(|e| PackError::Key { name: record.file.clone(), reason: e.to_string() })?;
        }
        if !open.remove(&pin) && !otherwise(record) {
            return Err(PackError::NotPinned { name: record.file.clone(), pin });
        }
    }
    match open.first() {
        Some(pin) => Err(PackError::PinNotMet(*pin)),
        None => Ok(()),
    }
}
