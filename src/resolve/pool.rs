//! The candidates, with duplicates merged and conflicting ones removed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Answer, Answers, ResolvedKey,
    merge::{WindowDifference, difference, merge, with_ct_logs},
};
use crate::{
    key::{Candidate, Certificate, KeyRef, Material, Provenance, Role},
    oci::Digest,
    signature::Need,
};

/// Two sources give different content under the same name. None of it is used: one of them is wrong or was tampered
/// with, and there is no way to know which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The name.
    pub key: KeyRef,
    /// The sources.
    pub sources: Vec<String>,
}

pub(super) struct Pool {
    /// By role and id.
    candidates: BTreeMap<KeyRef, Vec<Arc<Candidate>>>,
    instances: BTreeSet<Digest>,
    pub(super) conflicts: Vec<Conflict>,
}

impl Pool {
    pub(super) fn new(all: &[Arc<Candidate>]) -> Self {
        let mut by_name: BTreeMap<KeyRef, Vec<Arc<Candidate>>> = BTreeMap::new();
        for candidate in all {
            by_name.entry(claimed_name(candidate)).or_default().push(Arc::clone(candidate));
        }
        let (mut candidates, mut conflicts) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
        for (_, group) in by_name {
            if contradict(&group) {
                let mut sources: Vec<_> = group.iter().map(|c| c.provenance.source.clone()).collect();
                sources.dedup();
                conflicts.push(Conflict { key: group[0].key.key_ref(), sources });
            } else {
                for candidate in group {
                    candidates.entry(candidate.key.key_ref()).or_default().push(candidate);
                }
            }
        }
        Self { candidates, instances: with_ct_logs(all.iter().map(Arc::as_ref)), conflicts }
    }

    /// The keys that fit a need, each once, with the merged information of their sources; those that fit without
    /// further certificates come first.
    pub(super) fn options(&self, need: &Need) -> Vec<ResolvedKey> {
        let mut groups: Vec<_> = self.groups(need).into_values().collect();
        groups.sort_by_key(|group| !group.iter().any(|candidate| need.is_direct(&candidate.key)));
        let mut options = Vec::new();
        for group in groups {
            let merged = merge(group, &self.instances);
            let key = need.met_by(&merged.key);
            options.extend(key.map(|key| ResolvedKey { key, ..merged }));
        }
        options
    }

    fn groups(&self, need: &Need) -> BTreeMap<KeyRef, Vec<&Candidate>> {
        let mut groups: BTreeMap<KeyRef, Vec<_>> = BTreeMap::new();
        for candidate in self.asked(need) {
            if let Some(key) = need.met_by(&candidate.key) {
                groups.entry(key.key_ref()).or_default().push(candidate);
            }
        }
        groups
    }

    /// The candidates that may fit a need: by id if the need has one, otherwise all of the role.
    fn asked(&self, need: &Need) -> Vec<&Candidate> {
        let role = need.role();
        let known = match need {
            Need::Rekor { log_id: id }
            | Need::CtLog { log_id: id }
            | Need::Signer { fingerprint: Some(id) } => {
                let named = self.candidates.get(&KeyRef { role, id: *id });
                return named.into_iter().flatten().map(Arc::as_ref).collect();
            }
            Need::Rekor2 { .. } => [Role::Rekor, Role::Rekor2],
            _ => [role; 2],
        };
        let (lowest, highest) = (Digest::from_bytes([0; 32]), Digest::from_bytes([0xff; 32]));
        let range = KeyRef { role: known[0], id: lowest }..=KeyRef { role: known[1], id: highest };
        self.candidates.range(range).flat_map(|(_, group)| group).map(Arc::as_ref).collect()
    }

    /// The keys that fit one of these needs and whose sources disagree on when they were in use.
    pub(super) fn differences<'n>(&self, needs: impl Iterator<Item = &'n Need>) -> Vec<WindowDifference> {
        let groups: BTreeMap<_, _> = needs.flat_map(|need| self.groups(need)).collect();
        groups.into_iter().filter_map(|(key, group)| difference(key, &group)).collect()
    }

    /// The documents none of whose candidates was needed. A candidate that was tried and failed counts as needed.
    pub(super) fn unused(
        &self,
        proved: &BTreeMap<KeyRef, ResolvedKey>,
        answers: &[Answers],
    ) -> Vec<Provenance> {
        let needs = answers.iter().flat_map(|answers| &answers.needs);
        let tried: BTreeSet<KeyRef> = needs
            .filter_map(|(_, answer)| match answer {
                Answer::Refused { key, .. } => Some(*key),
                Answer::Have(_) | Answer::Missing { .. } => None,
            })
            .collect();
        let proving: BTreeSet<_> = proved.values().flat_map(|key| &key.provenance).collect();
        let (mut unused, mut used) = (BTreeSet::new(), BTreeSet::new());
        for (key, group) in &self.candidates {
            for candidate in group {
                let asked = tried.contains(key) || proving.contains(&candidate.provenance);
                let side = if asked { &mut used } else { &mut unused };
                side.insert(&candidate.provenance);
            }
        }
        unused.difference(&used).map(|p| (*p).clone()).collect()
    }
}

/// The name for which no two sources may give different content. For chains it is the first certificate: a different CA
/// behind it is a conflict, not a second key.
fn claimed_name(candidate: &Candidate) -> KeyRef {
    match &candidate.key.material {
        Material::Chain(chain) => KeyRef { role: candidate.key.role, id: chain.first().fingerprint() },
        Material::Key(_) | Material::OpenPgp(_) => candidate.key.key_ref(),
    }
}

/// Whether these candidates of one name can't all be right.
fn contradict(group: &[Arc<Candidate>]) -> bool {
    let mut different: Vec<&Material> = Vec::new();
    for candidate in group {
        let key = &candidate.key;
        if different.iter().any(|known| differ(known, &key.material)) {
            return true;
        }
        if !different.iter().any(|known| known.is_same_key(&key.material)) {
            different.push(&key.material);
        }
    }
    false
}

/// Whether two materials of one name can't both be right. A chain that ends in an intermediate is compatible with a
/// longer one that continues it.
fn differ(a: &Material, b: &Material) -> bool {
    let (Material::Chain(a), Material::Chain(b)) = (a, b) else { return !a.is_same_key(b) };
    let (a, b) = (a.certificates(), b.certificates());
    let ends_in_root = |chain: &[Certificate]| chain.last().is_some_and(|c| c.issuer() == c.subject());
    let shorter = if a.len() < b.len() { a } else { b };
    a.iter().zip(b).any(|(a, b)| a != b) || (a.len() != b.len() && ends_in_root(shorter))
}
