//! Signatures by GPG keys. Their claims about the image have already been compared.

use jiff::Timestamp;

use super::{KeySet, Refusal, Verified, evidence::no_key};
use crate::{
    key::OpenPgpFault,
    signature::{Needs, Signer, UntrustedGpg},
};

/// Finds the key that made the signature among those that it may refer to. Two keys may share a key id, so a failure
/// with one of them says nothing about the other.
pub(super) fn check(
    gpg: &UntrustedGpg,
    needs: &Needs,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let Signer::Key { need, .. } = &needs.signer else { return Err(Refusal::NoEvidence) };
    let mut refusal = no_key(need);
    for candidate in keys.fitting(need) {
        let Some(key) = candidate.material.openpgp() else { continue };
        match key.verify(&gpg.message, now) {
            Ok(()) => return Ok(Verified::by(candidate.key_ref())),
            // Prefer the refusal of the key that made it but may not sign over that of a key that did not make it.
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
        OpenPgpFault::Future(time) => Refusal::ClockBehind { what: "the signature", time },
        OpenPgpFault::Revoked(why) => Refusal::Revoked(why),
        OpenPgpFault::Lapsed(why) | OpenPgpFault::Time(why) => Refusal::Lapsed(why),
    }
}
