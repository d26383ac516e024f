//! Signatures by GPG keys. What they claim about the image has been compared before.

use jiff::Timestamp;

use super::{KeySet, Refusal, Verified};
use crate::{
    key::{OpenPgpFault, OpenPgpKey, Role},
    signature::UntrustedGpg,
};

/// Finds the key that made the signature among those that it may mean. Two keys may share a key id, so that one of
/// them did not make it says nothing about the other.
pub(super) fn check(gpg: &UntrustedGpg, keys: &KeySet, now: Timestamp) -> Result<Verified, Refusal> {
    let message = &gpg.message;
    let named = |key: &OpenPgpKey| key.is_named(message.issuer(), message.key_id());
    let mut refusal =
        Refusal::NoKey { role: Role::Gpg, needed: message.issuer().unwrap_or(message.key_id()).to_owned() };
    for candidate in keys.of(Role::Gpg) {
        let Some(key) = candidate.material.openpgp().filter(|key| named(key)) else { continue };
        match key.verify(message, now) {
            Ok(()) => return Ok(Verified::by(candidate.key)),
            // That one of several did make it and may not is worth more than that another one did not.
            Err(OpenPgpFault::NotMade(_)) if !matches!(refusal, Refusal::NoKey { .. }) => {}
            Err(fault) => refusal = refused(fault),
        }
    }
    Err(refusal)
}

fn refused(fault: OpenPgpFault) -> Refusal {
    match fault {
        OpenPgpFault::NotMade(_) => Refusal::Signature(fault.to_string()),
        OpenPgpFault::Hash(_) => Refusal::Weak(fault.to_string()),
        OpenPgpFault::Revoked(why) => Refusal::Revoked(why),
        OpenPgpFault::Lapsed(why) | OpenPgpFault::Time(why) => Refusal::Lapsed(why),
    }
}
