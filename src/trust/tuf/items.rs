//! The keys of a repository: the content of its `trusted_root.json`.

use crate::diag::{Code, Diagnostic};
use std::collections::BTreeSet;

use crate::key::{Candidate, KeyId, Provenance, Role, trusted_root};

/// The keys found in the targets of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Items {
    /// The keys, each with the address and the period of use stated by the repository.
    pub candidates: Vec<Candidate>,
    /// Entries that can't be used. The others are used.
    pub unusable: Vec<Unusable>,
    /// Logs in the trusted root without a start date. They are used.
    pub undated: Vec<String>,
    /// Whether a trusted root was read; single targets then only replace its unusable entries.
    trusted_root: bool,
}

/// An entry of a repository that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The target that holds it.
    pub target: String,
    /// The list that holds it, if the target is a trusted root.
    pub list: Option<&'static str>,
    /// Which entry, for example `tlogs[2] https://…`, or the target itself.
    pub entry: String,
    /// What is wrong.
    pub problem: Diagnostic,
    /// The id that the entry claims, if its key has a different id.
    pub claims: Option<(Role, KeyId)>,
}

/// The target that holds all keys of an instance.
pub const TRUSTED_ROOT: &str = "trusted_root.json";

/// The lists of a trusted root, and the roles of their keys.
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

    /// Records that a target, or a block of it, is not used.
    pub(super) fn leave(&mut self, target: &str, block: Option<&str>, problem: Diagnostic) {
        let entry = block.map_or_else(|| target.to_owned(), |block| format!("{target} {block}"));
        self.unusable.push(Unusable { target: target.into(), list: None, entry, problem, claims: None });
    }

    /// The roles for which single targets are read: all, if there is no trusted root; otherwise those that it lists
    /// without a single usable entry, as in the trusted roots of RHTAS up to 1.3.2.
    pub(super) fn lacking(&self) -> BTreeSet<Role> {
        let lists = LISTS.into_iter().filter(|(list, roles)| {
            let has = self.candidates.iter().any(|c| roles.contains(&c.key.role));
            let spoilt = self.unusable.iter().any(|u| u.list == Some(list));
            !self.trusted_root || (!has && spoilt)
        });
        lists.flat_map(|(_, roles)| roles.iter().copied()).collect()
    }
}
