//! Which keys go into a pack, and which do not although they are proved.

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

/// What goes in, and what waits for a person.
pub(super) struct Selected {
    pub(super) include: Vec<Include>,
    /// Keys that are new at a known place, those that nothing needs yet among them.
    pub(super) held: Vec<Rotation>,
}

/// The keys that go in. One that is new at a known place does not, until a person has named it; the report says so.
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
    // Nothing needs these yet. They come with a document that was changed for all that.
    let (early, waiting) = new(&beside(&include, found));
    for named in &request.accept_change {
        if accepted.iter().chain(&early).all(|new| new.fingerprint != *named) {
            ctx.events
                .warn(&format!("--accept-change names {named}, and no key with it is new at a known place"));
        }
    }
    include.retain(|i| refused.iter().all(|new| new.key != i.key));
    // The keys that are known there keep the words that they have. With those of the document that was changed, both
    // keys would be of one document the next time, and the new one no longer new.
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
            "{} gives another {} by now, {}, which nothing needs yet; once something does, it waits for --accept-change",
            shown(&new.place),
            new.key.role.title(),
            new.fingerprint
        ));
    }
    report.changed = refused;
    Selected { include, held }
}

/// The candidates that do not go in.
fn beside(include: &[Include], found: &Found) -> Vec<Include> {
    let goes_in =
        |offer: &Include| include.iter().any(|i| i.key == offer.key || i.material == offer.material);
    let candidates = found.gathered.candidates.iter().filter(|candidate| !candidate.key.is_nameless());
    candidates.map(offered).filter(|offer| !goes_in(offer)).collect()
}

/// A candidate as it would go in.
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

/// The TUF chains that were read. A repository describes anew the keys that stay, but not where one of its keys waits for
/// a person: by the next time both would be of one document, and the new one no longer new.
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
    // An instance is what one document describes: the trusted root that a proved key came from.
    let documents: Vec<_> = include.iter().flat_map(|i| i.provenance.iter().map(|p| p.sha256)).collect();
    let merged = resolve::merged(&found.gathered.candidates);
    let conflicted = |key: KeyRef| found.resolution.conflicts.iter().any(|c| c.key == key);
    for candidate in &found.gathered.candidates {
        if candidate.key.is_nameless() {
            if all && !include.iter().any(|i| i.material == candidate.key.material) {
                ctx.events.warn(&format!(
                    "{} holds the key of a Rekor v2 log and not the log's origin, which is a part of the key's id: it goes \
                     in once a signature needs it, or by a trusted root",
                    candidate.provenance.source
                ));
            }
            continue;
        }
        let of_instance =
            candidate.key.role.in_trusted_root() && documents.contains(&candidate.provenance.sha256);
        let key = candidate.key.key_ref();
        // A key that its owner revoked is not needed, however many keys are wanted.
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
