//! Which keys are revoked, and the messages about them.

use std::{collections::BTreeSet, path::Path};

use jiff::Timestamp;

use super::{Request, prior_state::PriorState};
use crate::{
    diag::Diagnostic,
    key::{Fingerprint, OpenPgpKey, Role},
    oci::Digest,
    ops::{
        Context,
        discover_and_resolve::Found,
        key_named::{self, Known},
    },
    outcome::{Report, WhyMissing},
    pack::{Draft, KeyRecord, Revoked},
};

/// The fingerprints of the existing keys, and of those revoked in the existing inventory.
pub(super) fn fingerprints(old: Option<&Draft>) -> BTreeSet<Fingerprint> {
    let Some(old) = old else { return BTreeSet::new() };
    let keys = old.keys().flat_map(|(_, material)| material.fingerprints());
    keys.chain(old.inventory().revoked.iter().map(|r| r.fingerprint)).collect()
}

/// The fingerprints given by the user. One that is none is refused: at once, if it can't be another id of a key either,
/// and otherwise by [`check_unknown`], which knows the keys of the sources.
pub(super) fn given(request: &Request, old: Option<&Draft>) -> Result<Vec<Fingerprint>, Diagnostic> {
    let known = keys_known(old, None);
    let mut given = Vec::new();
    for text in &request.revoke {
        match key_named::fingerprint(text, &known, COMMAND) {
            Ok(fingerprint) => given.push(fingerprint),
            Err(_) if key_named::may_be_part(text) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(given)
}

const COMMAND: &str = "--revoke";

/// The existing keys and those of the sources.
fn keys_known(old: Option<&Draft>, found: Option<&Found>) -> Vec<Known> {
    let old = old.into_iter().flat_map(Draft::keys);
    let old = old.map(|(record, key)| Known::named(&record.name, record.key_ref(), key));
    let sources = found.into_iter().flat_map(|found| &found.gathered.candidates);
    old.chain(sources.map(|c| Known::new(c.key.key_ref(), &c.key.material))).collect()
}

/// Refuses a revocation by an id that is not one by which keys are revoked, because it would have no effect. Warns of
/// one that was not found anywhere, because it may contain a typo.
pub(super) fn check_unknown(
    request: &Request,
    known: &BTreeSet<Fingerprint>,
    old: Option<&Draft>,
    found: &Found,
    directory: &Path,
    ctx: &Context,
) -> Result<(), Diagnostic> {
    let keys = keys_known(old, Some(found));
    for text in &request.revoke {
        if text.parse().is_ok_and(|key: Fingerprint| known.contains(&key)) {
            continue;
        }
        let key = key_named::fingerprint(text, &keys, COMMAND)?;
        ctx.events.warn(&format!(
            "--revoke names {key}, and no key in {} or in a source has this fingerprint; compare it with what \
             `keypack inspect` prints",
            directory.display()
        ));
    }
    Ok(())
}

/// Adds to the missing keys the reason why they are missing.
pub(super) fn explain(report: &mut Report, request: &Request, prior: &PriorState, old: Option<&Draft>) {
    let kept = |key: Digest| {
        let record = old?.inventory().keys.iter().find(|k| k.role == Role::Signer && k.id == key)?;
        (!request.prune).then(|| WhyMissing::Kept { file: record.file.clone() })
    };
    report.tell_known(&|key| {
        if prior.is_revoked(&key.into()) { Some(WhyMissing::Revoked) } else { kept(key) }
    });
}

/// The existing keys that, according to a copy found in this run, their owner has revoked: they must be removed.
pub(super) fn by_their_owners(old: Option<&Draft>, found: &Found, created: Timestamp) -> Vec<Revoked> {
    let candidates = found.gathered.candidates.iter().filter_map(|c| c.key.material.openpgp());
    let ids: BTreeSet<_> = candidates.filter(|key| key.is_revoked()).map(OpenPgpKey::id).collect();
    let date = Timestamp::from_second(created.as_second()).unwrap_or(created);
    let revoked = |key: &KeyRecord| Revoked {
        fingerprint: key.fingerprint,
        reason: "revoked by its owner".into(),
        date,
        since: None,
    };
    let keys = old.iter().flat_map(|old| &old.inventory().keys);
    keys.filter(|key| key.role == Role::Gpg && ids.contains(&key.id)).map(revoked).collect()
}
