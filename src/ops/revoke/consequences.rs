//! What follows from a revocation, as far as this host knows.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{super::state_dir::absolute, signed};
use crate::{
    diag::{Code, Diagnostic},
    key::Fingerprint,
    keysource::Gathered,
    ops::place::keys,
    outcome::{RevokedKey, revocation::RuleLeft},
    pack::{Draft, Rule, Signer},
    state::{self, LogEntry, LogLine, RevokedHere},
};

/// The rules of the pack that name a key which is gone now, and how many of their signers are left.
pub(super) fn rules(draft: &Draft, gone: &[RevokedKey]) -> Vec<RuleLeft> {
    let is_gone = |key| {
        let record = draft.inventory().key(key);
        record.is_some_and(|record| gone.iter().any(|gone| gone.file == record.file))
    };
    let left = |key| draft.keys().any(|(record, _)| record.key_ref() == key);
    let rules = draft.inventory().rules.iter();
    let named = rules.filter(|rule| rule.keys().any(|(key, _)| is_gone(key)));
    let speaks = |signer: &&Signer| match signer {
        Signer::Key(key) => left(*key),
        Signer::Identity { authorities, .. } => authorities.iter().any(|key| left(*key)),
    };
    let left = |rule: &Rule| rule.signers.iter().filter(speaks).count();
    named.map(|rule| RuleLeft { scope: rule.scope.to_string(), signers_left: left(rule) }).collect()
}

/// Whether packs were authenticated here by this key.
pub(super) fn is_organisations(state_dir: &Path, key: Fingerprint) -> bool {
    states(state_dir).iter().any(|state| signed(state, key))
}

/// Other directories that this host pulled into and that still hold the key. One that can't be read is looked at by the
/// next command that uses it.
pub(super) fn also_in(
    state_dir: &Path,
    directory: &Path,
    key: Fingerprint,
    here: &RevokedHere,
) -> Vec<String> {
    let own = absolute(directory);
    let holds = |other: &PathBuf| {
        let Ok(Some(draft)) = keys(other, here) else { return false };
        draft.left_out().any(|(record, there)| there.is_some() && here.falls_under(record, there, &key))
    };
    let others = pulled_into(state_dir).into_iter().filter(|other| *other != own);
    others.filter(holds).map(|other| other.display().to_string()).collect()
}

/// The directories that this host pulled into, as far as it remembers them: of each lineage the last one.
pub(super) fn pulled_into(state_dir: &Path) -> Vec<PathBuf> {
    let states = states(state_dir);
    let pulled =
        states.iter().filter_map(|state| state.last_pull().map(|pull| PathBuf::from(&pull.directory)));
    let mut pulled: Vec<_> = pulled.collect();
    pulled.sort();
    pulled.dedup();
    pulled
}

fn states(state_dir: &Path) -> Vec<state::State> {
    let lineages = state::lineages(state_dir).unwrap_or_default();
    lineages.iter().filter_map(|lineage| state::load(state_dir, lineage).ok()).collect()
}

/// Where the policy of this host, or its folder of keys, uses the key.
pub(super) fn used_by_host(root: Option<&Path>, key: Fingerprint) -> Vec<String> {
    let mut host = Gathered::default();
    if let Some(root) = root {
        host.add_host(root);
    }
    let used = host.candidates.iter().filter(|c| c.key.material.fingerprints().contains(&key));
    let mut used: Vec<_> = used.map(|candidate| candidate.provenance.source.clone()).collect();
    used.sort();
    used.dedup();
    used
}

/// The folders to which policies with a key that is gone were exported, according to the log; of each the last export.
pub(super) fn exported(state_dir: &Path, key: Fingerprint, gone: &[RevokedKey]) -> Vec<String> {
    let is_gone = |named: &Fingerprint| *named == key || gone.iter().any(|gone| gone.fingerprint == *named);
    let mut folders = BTreeMap::new();
    for line in state::read_log(state_dir).into_iter().flatten().flatten() {
        let LogLine::Entry(entry) = line else { continue };
        let LogEntry { time, command, directory: Some(directory), keys: named, .. } = *entry else {
            continue;
        };
        if let Some(format) = command.strip_prefix("export ") {
            let uses = named.iter().any(is_gone);
            let text = format!("{directory} ({format}, {})", time.strftime("%F"));
            folders.insert(directory, uses.then_some(text));
        }
    }
    folders.into_values().flatten().collect()
}

/// That no key here has the fingerprint: a digit may be wrong, and then the key that was meant still counts.
pub(super) fn not_here(key: Fingerprint, draft: Option<&Draft>, directory: &Path) -> Diagnostic {
    let directory = directory.display();
    let Some(draft) = draft else {
        return Diagnostic::new(Code::KeysNotFound, format!("there are no keys in {directory}"))
            .hinting("name the directory that holds the key: --keys-dir DIR");
    };
    let there: Vec<_> =
        draft.keys().map(|(record, _)| format!("{} {}", record.file, record.fingerprint)).collect();
    Diagnostic::new(
        Code::NotRevokedHere,
        format!("no key in {directory} has the fingerprint {key}; it holds {}", there.join(", ")),
    )
    .hinting("compare it digit for digit with what you were told; with a wrong digit, the key stays in use")
}
