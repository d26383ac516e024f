//! The candidates, with duplicates merged and contradictions taken out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Answer, Answers, Need, ResolvedKey};
use crate::{
    key::{Candidate, Certificate, Grade, KeyRef, Material, Provenance, Role, Validity},
    oci::Digest,
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

/// Sources that agree about a key and differ about when it was in use. The narrowest window counts: a newer document
/// closes the window of a key that is retired, and an older one does not know it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowDifference {
    /// The key.
    pub key: KeyRef,
    /// The window that counts.
    pub used: Validity,
    /// What each source says.
    pub stated: Vec<(Provenance, Validity)>,
}

/// The candidates under their own names, duplicates merged: what the keys of all sources are as far as nobody needs one.
pub fn merged(candidates: &[Candidate]) -> BTreeMap<KeyRef, ResolvedKey> {
    let instances = with_ct_logs(candidates);
    let mut groups: BTreeMap<KeyRef, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(candidate.key_ref(candidate.role, None)).or_default().push(candidate);
    }
    groups.into_iter().map(|(key, group)| (key, merge(key.role, group, &instances))).collect()
}

pub(super) struct Pool<'a> {
    candidates: Vec<&'a Candidate>,
    instances: BTreeSet<Digest>,
    pub(super) conflicts: Vec<Conflict>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(candidates: &'a [Candidate]) -> Self {
        let mut by_name: BTreeMap<KeyRef, Vec<&'a Candidate>> = BTreeMap::new();
        for candidate in candidates {
            by_name.entry(claimed_name(candidate)).or_default().push(candidate);
        }
        let (mut good, mut conflicts) = (Vec::new(), Vec::new());
        for (_, group) in by_name {
            let key = group[0].key_ref(group[0].role, None);
            if group.iter().any(|a| group.iter().any(|b| contradict(&a.material, &b.material))) {
                let mut sources: Vec<_> = group.iter().map(|c| c.provenance.source.clone()).collect();
                sources.dedup();
                conflicts.push(Conflict { key, sources });
            } else {
                good.extend(group);
            }
        }
        Self { candidates: good, instances: with_ct_logs(candidates), conflicts }
    }

    /// The keys that fit a need, each once, with all that their sources say; those first that fit without further
    /// certificates.
    pub(super) fn options(&self, need: &Need) -> Vec<(KeyRef, ResolvedKey)> {
        let origin = if let Need::Rekor2 { origin, .. } = need { Some(origin) } else { None };
        let mut groups: Vec<_> = self.groups(need).into_iter().collect();
        groups.sort_by_key(|(_, group)| !group.iter().any(|candidate| need.is_direct(candidate)));
        groups
            .into_iter()
            .map(|(key, group)| {
                let merged = merge(key.role, group, &self.instances);
                (key, ResolvedKey { origin: origin.cloned(), ..merged })
            })
            .collect()
    }

    fn groups(&self, need: &Need) -> BTreeMap<KeyRef, Vec<&'a Candidate>> {
        let mut groups: BTreeMap<KeyRef, Vec<_>> = BTreeMap::new();
        for candidate in &self.candidates {
            if let Some(key) = need.met_by(candidate) {
                groups.entry(key).or_default().push(*candidate);
            }
        }
        groups
    }

    /// The keys that fit one of these needs and whose sources differ about when they were in use.
    pub(super) fn differences<'n>(&self, needs: impl Iterator<Item = &'n Need>) -> Vec<WindowDifference> {
        let groups: BTreeMap<_, _> = needs.flat_map(|need| self.groups(need)).collect();
        groups
            .into_iter()
            .filter_map(|(key, group)| {
                let stated: Vec<_> = group
                    .iter()
                    .filter(|c| states_window(c))
                    .map(|c| (c.provenance.clone(), c.validity))
                    .collect();
                differ(&stated).then(|| WindowDifference { key, used: narrowest(&group), stated })
            })
            .collect()
    }

    /// The documents none of whose candidates was asked for. A candidate that was tried and failed was asked for.
    pub(super) fn unused(
        &self,
        proved: &BTreeMap<KeyRef, ResolvedKey>,
        answers: &[Answers],
    ) -> Vec<Provenance> {
        let tried: BTreeSet<KeyRef> = answers
            .iter()
            .flat_map(|answers| &answers.needs)
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

/// What no two sources may give different content for. Of chains it is the first certificate: that another CA stands behind
/// it in one of them is a contradiction, and no second key.
fn claimed_name(candidate: &Candidate) -> KeyRef {
    match &candidate.material {
        Material::Chain(chain) => KeyRef { role: candidate.role, id: chain.first().fingerprint() },
        Material::Key(_) | Material::OpenPgp(_) => candidate.key_ref(candidate.role, None),
    }
}

/// Whether two materials of one name can't both be right. A chain that ends in an intermediate says less than a longer
/// one, and nothing else.
fn contradict(a: &Material, b: &Material) -> bool {
    let (Material::Chain(a), Material::Chain(b)) = (a, b) else { return !a.is_same_key(b) };
    let (a, b) = (a.certificates(), b.certificates());
    let ends_in_root = |chain: &[Certificate]| chain.last().is_some_and(|c| c.issuer() == c.subject());
    let shorter = if a.len() < b.len() { a } else { b };
    a.iter().zip(b).any(|(a, b)| a != b) || (a.len() != b.len() && ends_in_root(shorter))
}

/// The documents that describe an instance with CT logs.
fn with_ct_logs(candidates: &[Candidate]) -> BTreeSet<Digest> {
    candidates.iter().filter(|c| c.role == Role::CtLog).map(|c| c.provenance.sha256).collect()
}

/// A bare key file says nothing about when the key was in use.
const fn states_window(candidate: &Candidate) -> bool {
    candidate.validity.start.is_some() || candidate.validity.end.is_some()
}

/// Whether windows differ in more than that one of them has no known start: keypack writes 1970 for that, as verifiers
/// demand one.
fn differ(stated: &[(Provenance, Validity)]) -> bool {
    let starts: BTreeSet<_> =
        stated.iter().filter_map(|(_, v)| v.start.filter(|start| *start != Timestamp::UNIX_EPOCH)).collect();
    let ends: BTreeSet<_> = stated.iter().map(|(_, v)| v.end).collect();
    starts.len() > 1 || ends.len() > 1
}

/// The time that is in the windows of all sources.
fn narrowest(group: &[&Candidate]) -> Validity {
    Validity {
        start: group.iter().filter_map(|c| c.validity.start).max(),
        end: group.iter().filter_map(|c| c.validity.end).min(),
    }
}

/// One key out of several sources: the best source's words, all sources' names.
fn merge(role: Role, mut group: Vec<&Candidate>, with_ct_logs: &BTreeSet<Digest>) -> ResolvedKey {
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
        validity: narrowest(&group),
        ct_required: role == Role::Fulcio
            && group.iter().any(|c| with_ct_logs.contains(&c.provenance.sha256)),
        provenance,
        proofs: 0,
    }
}
