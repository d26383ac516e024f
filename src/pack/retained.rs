//! Which TUF chains go into a pack, and what they say of the keys that stay from an earlier one.

use super::{Build, Draft, IncludeChain, KeyRecord, TufRecord, tuf_anchor::follows_from};
use crate::{
    key::{Grade, Material},
    trust::tuf::Chain,
};

/// A key that stays is described as its repository describes it by now: else the chain in the pack would contradict it.
pub(super) fn describe_anew(record: &mut KeyRecord, material: &Material, chains: &[IncludeChain]) {
    let items = chains.iter().flat_map(|chain| &chain.items);
    let again = items.into_iter().find(|item| record.is_of(item) && item.key.material == *material);
    if let Some(item) = again {
        record.validity = item.key.validity;
        record.url = item.key.url.clone().or_else(|| record.url.take());
        record.provenance = vec![item.provenance.clone()];
    }
}

/// The keys that stay and followed from a repository that was read again and says nothing of them now, or something else.
pub(super) fn withdrawn(
    request: &Build<'_>,
    entries: &[(KeyRecord, Material)],
    chains: &[(TufRecord, Chain)],
) -> Vec<String> {
    let read_now = |record: &TufRecord| request.chains.iter().any(|chain| chain.name == record.name);
    let gone = |(key, material): &&(KeyRecord, Material)| {
        let of_old = chains.iter().any(|(chain, _)| !read_now(chain) && follows_from(key, &chain.repository));
        let mut items = request.chains.iter().flat_map(|chain| &chain.items);
        key.provenance.iter().any(|p| p.grade == Grade::Tuf)
            && !of_old
            && !items.any(|item| key.is_of(item) && item.key.material == *material)
    };
    // Without a chain that was read there are no items to be among, as where a pack is made anew from its keys.
    let read = !request.chains.iter().all(|chain| chain.items.is_empty());
    entries.iter().filter(|entry| read && gone(entry)).map(|(key, _)| key.file.clone()).collect()
}

/// The chains that a key follows from: this collection's, then those of the replaced pack; of each repository one.
pub(super) fn chains(request: &Build<'_>, entries: &[(KeyRecord, Material)]) -> Vec<(TufRecord, Chain)> {
    let mut chains: Vec<(TufRecord, Chain)> = Vec::new();
    let new = request.chains.iter().map(|include| {
        let IncludeChain { name, repository, chain, .. } = include.clone();
        (TufRecord { file: format!("{name}.tar"), name, repository }, chain, true)
    });
    let old = request.replaces.into_iter().flat_map(Draft::chains);
    for (record, chain, new) in new.chain(old.map(|(record, chain)| (record.clone(), chain.clone(), false))) {
        let known = |(known, other): &(TufRecord, Chain)| {
            known.name == record.name
                // One that was set up anew; of two that are read now, two directories may have one name.
                || (!new && known.repository == record.repository)
                || other.roots().iter().any(|root| chain.roots().contains(root))
        };
        let used = entries.iter().any(|(key, _)| follows_from(key, &record.repository));
        if used && !chains.iter().any(known) {
            chains.push((record, chain));
        }
    }
    chains.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    chains
}

/// The chains of the replaced pack, if these are the same but for what is signed anew all the time.
pub(super) fn renewed_only(chains: &[(TufRecord, Chain)], old: &Draft) -> Option<Vec<(TufRecord, Chain)>> {
    let before: Vec<_> = old.chains().map(|(record, chain)| (record.clone(), chain.clone())).collect();
    let same = before.len() == chains.len()
        && before.iter().zip(chains).all(|(a, b)| a.0 == b.0 && a.1.says_the_same(&b.1));
    same.then_some(before)
}
