//! Pins authenticate individual keys, and because they must match exactly, the set of keys. They authenticate nothing
//! else in the inventory.

use super::{Draft, KeyRecord, PackError, Pin};
use crate::{key::Material, trust::check_chain};

/// Refuses a pack with a key that is neither pinned nor authenticated by another anchor, or without a key that is
/// pinned. The pin includes the role: a key that is pinned for one role must not be used in another. One pin matches
/// one key.
///
/// A chain is pinned with all its certificates. Consumers trust each of them, and certificates are easy to make: an
/// attacker can wrap the key of a genuine root in a certificate signed by the attacker's CA, which then follows it in
/// the chain with every link intact. So the links are checked too, but alone they prove nothing.
///
/// A pin that leaves something open ([`Pin::leaves_open`]) is sufficient only if the inventory (`whole`) or the key
/// (`otherwise`) is authenticated by other means.
pub(super) fn exact(
    draft: &Draft,
    pins: &[Pin],
    whole: bool,
    otherwise: &dyn Fn(&KeyRecord) -> bool,
) -> Result<(), PackError> {
    let mut open: Vec<Pin> = pins.to_vec();
    open.sort_unstable();
    open.dedup();
    // A key that was revoked here since is no more there, and was pinned all the same.
    let gone = |pin: &Pin| {
        draft.left_out().any(|(key, _)| (key.role, key.fingerprint) == (pin.role, pin.fingerprint))
    };
    open.retain(|pin| !gone(pin));
    let mut unpinned = Vec::new();
    // Pins that fix all of a key are matched first.
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
