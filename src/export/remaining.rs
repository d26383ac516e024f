//! What is left of a rule without the keys that were revoked on this host.

use super::keys::ExportKeys;
use crate::{
    display::count,
    key::KeyRef,
    policy::rule::{Log, Rule, Signer},
};

/// Signers and logs that still count.
pub(super) struct Remaining {
    pub(super) signers: Vec<Signer>,
    pub(super) log: Log,
}

/// What remains; nothing, if no signature could meet the rule any more.
pub(super) fn remaining(rule: &Rule, keys: &ExportKeys<'_>, notes: &mut Vec<String>) -> Option<Remaining> {
    let here = |all: &[KeyRef]| -> Vec<KeyRef> { all.iter().copied().filter(|key| keys.has(*key)).collect() };
    let mut signers = Vec::new();
    for signer in &rule.signers {
        match signer {
            Signer::Key(key) if keys.has(*key) => signers.push(signer.clone()),
            Signer::Key(key) => {
                notes.push(format!("{key} may not sign any more: it was revoked on this host"));
            }
            Signer::Identity { authorities, subject, kind, issuer } => {
                let left = here(authorities);
                let gone = authorities.len() - left.len();
                if gone > 0 {
                    notes.push(format!("{} of {subject} left out: revoked on this host", count(gone, "CA")));
                }
                if !left.is_empty() {
                    let (subject, issuer) = (subject.clone(), issuer.clone());
                    signers.push(Signer::Identity { authorities: left, subject, kind: *kind, issuer });
                }
            }
        }
    }
    let log = match &rule.log {
        Log::Keys(all) if here(all).len() < all.len() => {
            notes.push("a log was left out: its key was revoked on this host".into());
            Log::Keys(here(all))
        }
        log => log.clone(),
    };
    if signers.is_empty() || matches!(&log, Log::Keys(all) if all.is_empty()) {
        notes
            .push("no one may sign, because every signer or log was revoked: every image is rejected".into());
        return None;
    }
    Some(Remaining { signers, log })
}
