//! Subkeys. A signing subkey must be bound in both directions (RFC 9580 §5.2.1.8, §5.2.1.9): the primary key claims the
//! subkey, and the subkey confirms it. Otherwise anyone could adopt another person's subkey.

use pgp::{
    composed::SignedPublicSubKey,
    packet::{PublicKey, Signature, SignatureType},
    types::KeyDetails,
};

use super::{
    super::PublicKeyError,
    SigningKey, after, parameters,
    statement::{Budget, flags, is_by, is_strong, newest, sorted},
    text, time,
};

/// The subkey with its valid statements. A signing binding that relies on SHA-1 does not count, because a collision
/// would let another party sign; nor does any binding of a subkey with which anyone can sign.
pub(super) fn bound(
    subkey: &SignedPublicSubKey,
    primary: &PublicKey,
    budget: &mut Budget,
) -> Result<Option<SignedPublicSubKey>, String> {
    if let Err(PublicKeyError::Weak(_) | PublicKeyError::Encoding(_)) = parameters::algorithm(&subkey.key) {
        return Ok(None);
    }
    let mut kept = Vec::new();
    for signature in subkey.signatures.iter().filter(|s| is_by(s, primary)) {
        if !budget.check()? || signature.verify_subkey_binding(primary, &subkey.key).is_err() {
            continue;
        }
        let signs = is_binding(signature) && flags(signature).is_none_or(|flags| flags.sign());
        if !signs || both_ways(signature, subkey, primary) {
            kept.push(signature.clone());
        }
    }
    let good = kept.iter().any(is_binding);
    Ok(good.then(|| SignedPublicSubKey::new(subkey.key.clone(), kept)))
}

fn is_binding(signature: &Signature) -> bool {
    signature.typ() == Some(SignatureType::SubkeyBinding)
}

fn both_ways(binding: &Signature, subkey: &SignedPublicSubKey, primary: &PublicKey) -> bool {
    // Without flags the algorithm decides what a key is for, and an encryption key needs no cross-signature.
    if flags(binding).is_none() && parameters::algorithm(&subkey.key).is_err() {
        return true;
    }
    is_strong(binding)
        && binding.embedded_signature().is_some_and(|back| {
            is_strong(back) && back.verify_primary_key_binding(&subkey.key, primary).is_ok()
        })
}

/// Each subkey once, with the newest binding and all revocations.
pub(super) fn merged(mut subkeys: Vec<SignedPublicSubKey>) -> Vec<SignedPublicSubKey> {
    subkeys.sort_by_cached_key(|subkey| parameters::imprint(&subkey.key));
    let mut merged: Vec<SignedPublicSubKey> = Vec::new();
    for subkey in subkeys {
        match merged.last_mut() {
            Some(last) if parameters::imprint(&last.key) == parameters::imprint(&subkey.key) => {
                last.signatures.extend(subkey.signatures);
            }
            _ => merged.push(subkey),
        }
    }
    for subkey in &mut merged {
        let (bindings, revocations) = subkey.signatures.drain(..).partition::<Vec<_>, _>(is_binding);
        subkey.signatures = newest(bindings).into_iter().chain(sorted(revocations)).collect();
    }
    merged
}

/// The subkey as a signing key.
pub(super) fn describe(subkey: &SignedPublicSubKey, at: usize) -> Option<SigningKey> {
    parameters::algorithm(&subkey.key).ok()?;
    let binding = subkey.signatures.iter().find(|s| is_binding(s))?;
    let created = time(subkey.key.created_at());
    Some(SigningKey {
        subkey: Some(at),
        fingerprint: text(&subkey.key.fingerprint()),
        key_id: hex::encode_upper(subkey.key.legacy_key_id().as_ref()),
        created,
        expires: after(created, binding.key_expiration_time()),
        revoked: subkey.signatures.iter().any(|s| !is_binding(s)),
        may_sign: flags(binding).is_none_or(|flags| flags.sign()),
    })
}
