//! Pins: they authenticate keys one by one, and the set by being exact. Nothing else that the inventory says is
//! authenticated by them.

use super::{Draft, KeyRecord, PackError, Pin};
use crate::{key::Material, trust::check_chain};

/// Refuses a pack that holds a key which is neither pinned nor authenticated by another anchor, or lacks one that is
/// pinned. The pin says the role: a key that is pinned for one must not come as another. One pin stands for one key.
///
/// A chain is pinned with all its certificates. Consumers trust every one of them, and certificates are easily made: around
/// the key of a genuine root, signed by somebody's own CA, which then stands behind it with every link intact. So the
/// links count too, but alone they prove nothing.
///
/// A pin that leaves something open ([`Pin::leaves_open`]) is enough only where the inventory, or the key, is
/// authenticated otherwise: `whole`, `otherwise`.
pub(super) fn exact(
    draft: &Draft,
    pins: &[Pin],
    whole: bool,
    otherwise: &dyn Fn(&KeyRecord) -> bool,
) -> Result<(), PackError> {
    let mut open: Vec<Pin> = pins.to_vec();
    open.sort_unstable();
    open.dedup();
    let mut unpinned = Vec::new();
    // Those that fix a key wholly are used up first.
    open.sort_by_key(|pin| pin.leaves_open().is_some());
    for (record, material) in draft.keys() {
        if let Material::Chain(chain) = material {
            check_chain(chain, record.role)
                .map_err(|e| PackError::Key { name: record.file.clone(), reason: e.to_string() })?;
        }
        let pin = Pin::of(record.role, material, record.origin.as_deref());
        let other_anchor = otherwise(record);
        match open.iter().position(|given| given.names(&pin)) {
            Some(at) => {
                let given = open.remove(at);
                if let Some(what) = given.leaves_open().filter(|_| !whole && !other_anchor) {
                    let name = record.file.clone();
                    return Err(PackError::PinIncomplete {
                        pin: given.into(),
                        open: what,
                        name,
                        whole: pin.into(),
                    });
                }
            }
            None if other_anchor => {}
            None => unpinned.push((record.file.clone(), pin)),
        }
    }
    if !unpinned.is_empty() {
        return Err(PackError::NotPinned(unpinned));
    }
    match open.into_iter().next() {
        Some(pin) => Err(PackError::PinNotMet(pin)),
        None => Ok(()),
    }
}
