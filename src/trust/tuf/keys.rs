//! One keeper, one vote. Key ids are names that a keeper chooses (TAP 12), and the crate counts by them: under two ids
//! one key would sign twice. So no role may name a key by two.

use std::collections::{BTreeMap, BTreeSet};

use sigstore_tuf::{Key, Root, Targets};
use sigstore_types::DerPublicKey;

use super::TufError;

/// Refuses a root with such a role.
pub(super) fn root(root: &Root) -> Result<(), TufError> {
    root.roles.iter().try_for_each(|(name, role)| once(name, &role.keyids, &root.keys))
}

/// Refuses targets that delegate to such a role.
pub(super) fn delegations(targets: &Targets) -> Result<(), TufError> {
    let Some(delegations) = &targets.delegations else { return Ok(()) };
    delegations.roles.iter().try_for_each(|role| once(&role.name, &role.keyids, &delegations.keys))
}

fn once(role: &str, ids: &[String], keys: &BTreeMap<String, Key>) -> Result<(), TufError> {
    let ids: BTreeSet<_> = ids.iter().collect();
    let mut seen = BTreeSet::new();
    for key in ids.into_iter().filter_map(|id| keys.get(id)) {
        if !seen.insert(bytes(key)) {
            return Err(TufError::KeyTwice(role.to_owned()));
        }
    }
    Ok(())
}

/// The key, whichever way it is written: PEM, or the bare hexadecimal of Ed25519.
fn bytes(key: &Key) -> Vec<u8> {
    let public = key.keyval.public.trim();
    let der = DerPublicKey::from_pem(public).map(|der| der.as_bytes().to_vec());
    // The last 32 bytes of an Ed25519 key in DER are the key itself.
    match der {
        Ok(der) if key.scheme == "ed25519" => der[der.len().saturating_sub(32)..].to_vec(),
        Ok(der) => der,
        Err(_) => hex::decode(public).unwrap_or_else(|_| public.as_bytes().to_vec()),
    }
}
