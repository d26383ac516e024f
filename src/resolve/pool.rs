//! The candidates, with duplicates merged and contradictions taken out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Need, ResolvedKey};
use crate::{
    key::{Candidate, Grade, KeyRef, Provenance, Validity},
    trust::Refusal,
};

/// Two sources give different content under one name. None of it is used: one of them is wrong or was tampered
/// with, and which one can't be told from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The name.
    pub key: KeyRef,
    /// The sources.
    pub sources: Vec<String>,
}

pub(super) struct Pool<'a> {
    candidates: Vec<&'a Candidate>,
    pub(super) conflicts: Vec<Conflict>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(candidates: &'a [Candidate]) -> Self {
        let mut by_name: BTreeMap<KeyRef, Vec<&'a Candidate>> = BTreeMap::new();
        for candidate in candidates {
            by_name.entry(candidate.key_ref(candidate.role, None)).or_default().push(candidate);
        }
        let (mut good, mut conflicts) = (Vec::new(), Vec::new());
        for (key, group) in by_name {
            if group.iter().any(|c| !c.material.is_same_key(&group[0].material)) {
                let mut sources: Vec<_> = group.iter().map(|c| c.provenance.source.clone()).collect();
                sources.dedup();
                conflicts.push(Conflict { key, sources });
            } else {
                good.extend(group);
            }
        }
        Self { candidates: good, conflicts }
    }

    /// The keys that fit a need, each once, with all that their sources say.
    pub(super) fn options(&self, need: &Need) -> Vec<(KeyRef, ResolvedKey)> {
        let mut options: BTreeMap<KeyRef, Vec<&Candidate>> = BTreeMap::new();
        for candidate in &self.candidates {
            if let Some(key) = need.met_by(candidate) {
                options.entry(key).or_default().push(candidate);
            }
        }
        let origin = if let Need::Rekor2 { origin, .. } = need { Some(origin) } else { None };
        let merge = |group| ResolvedKey { origin: origin.cloned(), ..merge(group) };
        options.into_iter().map(|(key, group)| (key, merge(group))).collect()
    }

    /// The documents none of whose candidates was asked for. A candidate that was tried and failed was asked for.
    pub(super) fn unused(
        &self,
        proved: &BTreeMap<KeyRef, ResolvedKey>,
        answers: &[Result<Vec<(Need, Answer)>, Refusal>],
    ) -> Vec<Provenance> {
        let tried: BTreeSet<KeyRef> = answers
            .iter()
            .flatten()
            .flatten()
            .filter_map(|(_, answer)| match answer {
                Answer::Refused { key, .. } => Some(*key),
                Answer::Have(_) | Answer::Missing { .. } => None,
            })
            .collect();
        let asked = |candidate: &Candidate| {
            proved.values().any(|key| key.provenance.contains(&candidate.provenance))
                || tried
                    .iter()
                    .any(|key| candidate.role == key.role && candidate.key_ref(key.role, None).id == key.id)
        };
        let (mut unused, mut used) = (BTreeSet::new(), BTreeSet::new());
        for candidate in &self.candidates {
            let side = if asked(candidate) { &mut used } else { &mut unused };
            side.insert(&candidate.provenance);
        }
        unused.difference(&used).map(|p| (*p).clone()).collect()
    }
}

/// One key out of several sources: the best source's words, all sources' names.
fn merge(mut group: Vec<&Candidate>) -> ResolvedKey {
    group.sort_by(|a, b| a.provenance.cmp(&b.provenance));
    let mut provenance: Vec<_> = group.iter().map(|c| c.provenance.clone()).collect();
    provenance.dedup();
    // A trusted root knows more about the key than a bare file does.
    let is_bare = |c: &Candidate| {
        c.provenance.grade == Grade::File && c.url.is_none() && c.validity == Validity::default()
    };
    let best = group.iter().find(|c| !is_bare(c)).unwrap_or(&group[0]);
    // Copies of a GPG key may hold more or less: together they say all, a revocation too.
    let material = group.iter().fold(best.material.clone(), |all, c| all.merged(&c.material));
    ResolvedKey {
        material,
        url: best.url.clone().or_else(|| group.iter().find_map(|c| c.url.clone())),
        origin: None,
        validity: best.validity,
        provenance,
        proofs: 0,
    }
}
