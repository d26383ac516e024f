//! The keys of a repository: what its `trusted_root.json` holds.

use crate::diag::{Code, Diagnostic};
use std::collections::BTreeSet;

use crate::key::{Candidate, KeyId, Provenance, Role, trusted_root};

/// What the targets of a repository gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Items {
    /// The keys, each with the address and the time of use that the repository says.
    pub candidates: Vec<Candidate>,
    /// Entries that can't be used. The others are.
    pub unusable: Vec<Unusable>,
    /// Logs of the trusted root that do not say since when they are in use. They are used.
    pub undated: Vec<String>,
    /// Whether a trusted root was read; single targets then only stand in for what is unusable in it.
    trusted_root: bool,
}

/// An entry of a repository that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The target that holds it.
    pub target: String,
    /// The list that holds it, where the target is a trusted root.
    pub list: Option<&'static str>,
    /// Which entry: `tlogs[2] https://…`, or the target itself.
    pub entry: String,
    /// What is wrong.
    pub problem: Diagnostic,
    /// The id that the entry claims, where its key does not have that id.
    pub claims: Option<(Role, KeyId)>,
}

/// The target that holds all keys of an instance.
pub const TRUSTED_ROOT: &str = "trusted_root.json";

/// The lists of a trusted root, and what they hold.
const LISTS: [(&str, &[Role]); 4] = [
    ("tlogs", &[Role::Rekor, Role::Rekor2]),
    ("certificateAuthorities", &[Role::Fulcio]),
    ("ctlogs", &[Role::CtLog]),
    ("timestampAuthorities", &[Role::Tsa]),
];

impl Items {
    pub(super) fn add_trusted_root(&mut self, json: &[u8], provenance: &Provenance) {
        match trusted_root::read(json, provenance) {
            Ok(root) => {
                self.candidates.extend(root.candidates);
                self.undated.extend(root.undated);
                self.unusable.extend(root.unusable.into_iter().map(|entry| Unusable {
                    target: TRUSTED_ROOT.into(),
                    list: Some(entry.list),
                    entry: entry.entry,
                    problem: entry.problem,
                    claims: entry.claims,
                }));
                self.trusted_root = true;
            }
            Err(e) => {
                self.leave(TRUSTED_ROOT, None, Diagnostic::new(Code::TrustedRootMalformed, e.to_string()));
            }
        }
    }

    /// Leaves out a target, or a block of it.
    pub(super) fn leave(&mut self, target: &str, block: Option<&str>, problem: Diagnostic) {
        let entry = block.map_or_else(|| target.to_owned(), |block| format!("{target} {block}"));
        self.unusable.push(Unusable { target: target.into(), list: None, entry, problem, claims: None });
    }

    /// The roles for which single targets are asked: all, where there is no trusted root to read; else those that it
    /// lists without one usable entry, as the trusted roots of RHTAS up to 1.3.2 do.
    pub(super) fn lacking(&self) -> BTreeSet<Role> {
        let lists = LISTS.into_iter().filter(|(list, roles)| {
            let has = self.candidates.iter().any(|c| roles.contains(&c.key.role));
            let spoilt = self.unusable.iter().any(|u| u.list == Some(list));
            !self.trusted_root || (!has && spoilt)
        });
        lists.flat_map(|(_, roles)| roles.iter().copied()).collect()
    }
}
