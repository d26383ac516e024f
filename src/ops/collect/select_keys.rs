//! Selects the keys for a pack, and those to hold back although they are proved.

use super::{Request, prior_state::PriorState};
use crate::{
    config::{IncludeKeys, When},
    display::shown,
    key::{Candidate, KeyRef, OpenPgpKey},
    keysource::Collected,
    oci::Digest,
    ops::{Context, discover_and_resolve::Found},
    outcome::Report,
    pack::{Draft, Include, IncludeChain, Rotation, rotations},
    resolve,
};

/// The keys to include, and those awaiting a decision.
pub(super) struct Selected {
    pub(super) include: Vec<Include>,
    /// Keys that are new at a known place, including those that are not needed yet.
    pub(super) held: Vec<Rotation>,
}

/// The keys to include. One that is new at a known place is held back until the user accepts it; the report lists it.
pub(super) fn select(
    request: &Request,
    found: &Found,
    old: Option<&Draft>,
    prior: &PriorState,
    report: &mut Report,
    ctx: &Context,
) -> Selected {
    let mut include = include(request, found, ctx);
    let is_accepted = |new: &Rotation| request.accept_change.contains(&new.fingerprint);
    let one_file = |known: &Digest, new: &Digest| prior.may_be_one_file(&found.gathered, known, new);
    let new = |keys: &[Include]| -> (Vec<_>, Vec<_>) {
        let new = old.map(|old| rotations(old.inventory(), keys, &one_file));
        new.unwrap_or_default().into_iter().partition(is_accepted)
    };
    let (accepted, refused) = new(&include);
    // These are not needed yet, but their document was changed nevertheless.
    let (early, waiting) = new(&beside(&include, found));
    for named in &request.accept_change {
        if accepted.iter().chain(&early).all(|new| new.fingerprint != *named) {
            ctx.events
                .warn(&format!("--accept-change names {named}, and no key with it is new at a known place"));
        }
    }
    include.retain(|i| refused.iter().all(|new| new.key != i.key));
    // The known keys from that place keep their recorded provenance. With that of the changed document, both keys would
    // be from the same document in the next run, and the new one would no longer count as new.
    let held: Vec<_> = refused.iter().chain(&waiting).cloned().collect();
    for known in held.iter().flat_map(|new| &new.known) {
        let records = old.iter().flat_map(|old| &old.inventory().keys);
        for record in records.filter(|record| record.file == known.file) {
            if let Some(same) = include.iter_mut().find(|i| i.key == record.key_ref()) {
                same.provenance.clone_from(&record.provenance);
            }
        }
    }
    for new in waiting {
        ctx.events.warn(&format!(
            "{} now gives a different {}, {}, which nothing needs yet; once something does, it requires \
             --accept-change",
            shown(&new.place),
            new.key.role.title(),
            new.fingerprint
        ));
    }
    report.changed = refused;
    Selected { include, held }
}

/// The candidates that are not included.
fn beside(include: &[Include], found: &Found) -> Vec<Include> {
    let goes_in =
        |offer: &Include| include.iter().any(|i| i.key == offer.key || i.material == offer.material);
    let candidates = found.gathered.candidates.iter().filter(|candidate| !candidate.key.is_nameless());
    candidates.map(offered).filter(|offer| !goes_in(offer)).collect()
}

/// A candidate as it would be included.
fn offered(candidate: &Candidate) -> Include {
    Include {
        key: candidate.key.key_ref(),
        material: candidate.key.material.clone(),
        url: candidate.key.url.clone(),
        origin: None,
        validity: candidate.key.validity,
        provenance: vec![candidate.provenance.clone()],
        ct_required: false,
        proved: false,
    }
}

/// The TUF chains that were read. A repository updates the descriptions of retained keys, except if one of its keys is
/// held back: both would be from the same document in the next run, and the new one would no longer count as new.
pub(super) fn chains(found: &Found, held: &[Rotation], old: Option<&Draft>) -> Vec<IncludeChain> {
    let known: Vec<_> = held.iter().flat_map(|new| &new.known).map(|known| &known.file).collect();
    let records = old.map(|old| old.inventory().keys.as_slice()).unwrap_or_default();
    let records: Vec<_> = records.iter().filter(|record| known.contains(&&record.file)).collect();
    let include = |chain: &Collected| {
        let mut items = chain.items.clone();
        for item in &mut items {
            let record = records.iter().find(|record| record.is_of(item));
            if let Some(provenance) = record.and_then(|record| record.provenance.first()) {
                item.provenance.clone_from(provenance);
            }
        }
        let Collected { name, repository, chain, .. } = chain.clone();
        IncludeChain { name, repository, chain, items }
    };
    found.gathered.chains.iter().map(include).collect()
}

fn include(request: &Request, found: &Found, ctx: &Context) -> Vec<Include> {
    let mut include: Vec<Include> = found
        .resolution
        .keys
        .iter()
        .map(|(key, resolved)| Include {
            key: *key,
            material: resolved.key.material.clone(),
            url: resolved.key.url.clone(),
            origin: resolved.key.origin.clone(),
            validity: resolved.key.validity,
            provenance: resolved.provenance.clone(),
            ct_required: resolved.key.ct_required,
            proved: true,
        })
        .collect();
    let wanted = request.include;
    let all = wanted == IncludeKeys::All || request.when == When::Always;
    if !all && wanted == IncludeKeys::Needed {
        return include;
    }
    // An instance is described by one document: the trusted root that a proved key came from.
    let documents: Vec<_> = include.iter().flat_map(|i| i.provenance.iter().map(|p| p.sha256)).collect();
    let merged = resolve::merged(&found.gathered.candidates);
    let conflicted = |key: KeyRef| found.resolution.conflicts.iter().any(|c| c.key == key);
    for candidate in &found.gathered.candidates {
        if candidate.key.is_nameless() {
            if all && !include.iter().any(|i| i.material == candidate.key.material) {
                ctx.events.warn(&format!(
                    "{} holds the key of a Rekor v2 log without the log's origin, which is a part of the key's id: it \
                     is collected once a signature needs it, or from a trusted root",
                    candidate.provenance.source
                ));
            }
            continue;
        }
        let of_instance =
            candidate.key.role.in_trusted_root() && documents.contains(&candidate.provenance.sha256);
        let key = candidate.key.key_ref();
        // A key that was revoked by its owner is not needed, even if all keys are included.
        let withdrawn = candidate.key.material.openpgp().is_some_and(OpenPgpKey::is_revoked);
        if (all || of_instance) && !withdrawn && !conflicted(key) && !include.iter().any(|i| i.key == key) {
            let (validity, ct_required) =
                merged.get(&key).map_or((candidate.key.validity, false), |merged| {
                    (merged.key.validity, merged.key.ct_required)
                });
            include.push(Include { validity, ct_required, ..offered(candidate) });
        }
    }
    include
}
