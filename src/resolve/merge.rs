//! Merges the statements of several sources about one key.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ResolvedKey;
use crate::{
    key::{Candidate, Grade, Key, KeyRef, Provenance, Role, Validity},
    oci::Digest,
};

/// Sources that agree on a key but not on when it was in use. The narrowest period is used: a newer document ends the
/// period of a retired key, and an older one does not include that yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowDifference {
    /// The key.
    pub key: KeyRef,
    /// The period that is used.
    pub used: Validity,
    /// The period stated by each source.
    pub stated: Vec<(Provenance, Validity)>,
}

/// The candidates under their own names, with duplicates merged: all keys of the sources, whether needed or not.
pub fn merged(candidates: &[Candidate]) -> BTreeMap<KeyRef, ResolvedKey> {
    let instances = with_ct_logs(candidates);
    let mut groups: BTreeMap<KeyRef, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(candidate.key.key_ref()).or_default().push(candidate);
    }
    groups.into_iter().map(|(key, group)| (key, merge(group, &instances))).collect()
}

/// The documents that describe an instance with CT logs.
pub(super) fn with_ct_logs<'a>(candidates: impl IntoIterator<Item = &'a Candidate>) -> BTreeSet<Digest> {
    candidates.into_iter().filter(|c| c.key.role == Role::CtLog).map(|c| c.provenance.sha256).collect()
}

/// Merges several sources of one key: the best source's values, all sources' names.
pub(super) fn merge(mut group: Vec<&Candidate>, with_ct_logs: &BTreeSet<Digest>) -> ResolvedKey {
    group.sort_by(|a, b| a.provenance.cmp(&b.provenance));
    let mut provenance: Vec<_> = group.iter().map(|c| c.provenance.clone()).collect();
    provenance.dedup();
    // A trusted root has more information about a key than a bare file.
    let is_bare = |c: &Candidate| {
        c.provenance.grade == Grade::File && c.key.url.is_none() && c.key.validity == Validity::default()
    };
    let best = &group.iter().find(|c| !is_bare(c)).unwrap_or(&group[0]).key;
    // Copies of a GPG key may differ in content: merge them, including any revocation.
    let material = group.iter().fold(best.material.clone(), |all, c| {
        if all == c.key.material { all } else { all.merged(&c.key.material) }
    });
    let url = best.url.clone().or_else(|| group.iter().find_map(|c| c.key.url.clone()));
    let of_instance = |c: &&Candidate| with_ct_logs.contains(&c.provenance.sha256);
    let ct_required = best.role == Role::Fulcio && group.iter().any(of_instance);
    let key = Key { material, validity: narrowest(&group), ct_required, ..best.clone().at(url) };
    ResolvedKey { key, provenance, proofs: 0 }
}

/// The periods of use stated by these sources of one key, if they differ.
pub(super) fn difference(key: KeyRef, group: &[&Candidate]) -> Option<WindowDifference> {
    let stated: Vec<_> =
        group.iter().filter(|c| states_window(c)).map(|c| (c.provenance.clone(), c.key.validity)).collect();
    differ(&stated).then(|| WindowDifference { key, used: narrowest(group), stated })
}

/// A bare key file does not state when the key was in use.
const fn states_window(candidate: &Candidate) -> bool {
    candidate.key.validity.start.is_some() || candidate.key.validity.end.is_some()
}

/// Whether periods differ other than by a missing start: keypack writes 1970 for that, because verifiers require one.
fn differ(stated: &[(Provenance, Validity)]) -> bool {
    let starts: BTreeSet<_> =
        stated.iter().filter_map(|(_, v)| v.start.filter(|start| *start != Timestamp::UNIX_EPOCH)).collect();
    let ends: BTreeSet<_> = stated.iter().map(|(_, v)| v.end).collect();
    starts.len() > 1 || ends.len() > 1
}

/// The intersection of all sources' periods.
fn narrowest(group: &[&Candidate]) -> Validity {
    Validity {
        start: group.iter().filter_map(|c| c.key.validity.start).max(),
        end: group.iter().filter_map(|c| c.key.validity.end).min(),
    }
}
