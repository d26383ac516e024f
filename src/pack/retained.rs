//! The TUF chains to include in a pack, and their descriptions of keys retained from an earlier one.

use super::{Build, Draft, IncludeChain, KeyRecord, TufRecord, tuf_anchor::follows_from};
use crate::{
    key::{Grade, Material},
    trust::tuf::Chain,
};

/// Updates a retained key to its repository's current description, which the chain in the pack would otherwise
/// contradict.
pub(super) fn describe_anew(record: &mut KeyRecord, material: &Material, chains: &[IncludeChain]) {
    let items = chains.iter().flat_map(|chain| &chain.items);
    let again = items.into_iter().find(|item| record.is_of(item) && item.key.material == *material);
    if let Some(item) = again {
        record.validity = item.key.validity;
        record.url = item.key.url.clone().or_else(|| record.url.take());
        record.provenance = vec![item.provenance.clone()];
    }
}

/// The retained keys from a repository that was read again and no longer lists them, or lists them with other content.
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
    // If no chain was read there are no items to compare with, for example when a pack is rebuilt from its keys.
    let read = !request.chains.iter().all(|chain| chain.items.is_empty());
    entries.iter().filter(|entry| read && gone(entry)).map(|(key, _)| key.file.clone()).collect()
}

/// The chains from which keys are derived: those of this run, then those of the replaced pack; one per repository.
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
                // One that was set up again. When both are read in this run, two directories may have the same name.
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

/// The chains of the replaced pack, if only regularly renewed signatures differ.
pub(super) fn renewed_only(chains: &[(TufRecord, Chain)], old: &Draft) -> Option<Vec<(TufRecord, Chain)>> {
    let before: Vec<_> = old.chains().map(|(record, chain)| (record.clone(), chain.clone())).collect();
    let same = before.len() == chains.len()
        && before.iter().zip(chains).all(|(a, b)| a.0 == b.0 && a.1.says_the_same(&b.1));
    same.then_some(before)
}
