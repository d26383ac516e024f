//! The keys of a repository: what its `trusted_root.json` holds.

use crate::diag::Code;
use std::collections::BTreeSet;

use crate::key::{Candidate, Provenance, Role, trusted_root, trusted_root::Unusable};

/// What the targets of a repository gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Items {
    /// The keys, each with the address and the time of use that the repository says.
    pub candidates: Vec<Candidate>,
    /// Entries that can't be used. The others are.
    pub unusable: Vec<Unusable>,
    /// Whether a trusted root was read; single targets then only stand in for what is unusable in it.
    trusted_root: bool,
}

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
            Ok((candidates, unusable)) => {
                self.candidates.extend(candidates);
                self.unusable.extend(unusable);
                self.trusted_root = true;
            }
            Err(e) => self.leave("trusted_root.json", Code::TrustedRootMalformed, &e.to_string()),
        }
    }

    pub(super) fn leave(&mut self, entry: &str, code: Code, reason: &str) {
        let (entry, reason) = (entry.to_owned(), reason.to_owned());
        self.unusable.push(Unusable { entry, code, reason, claims: None });
    }

    /// The roles for which single targets are asked: all, where there is no trusted root to read; else those that it
    /// lists without one usable entry, as the trusted roots of RHTAS up to 1.3.2 do.
    pub(super) fn lacking(&self) -> BTreeSet<Role> {
        let lists = LISTS.into_iter().filter(|(list, roles)| {
            let has = self.candidates.iter().any(|c| roles.contains(&c.key.role));
            let spoilt = self.unusable.iter().any(|u| u.entry.starts_with(&format!("{list}[")));
            !self.trusted_root || (!has && spoilt)
        });
        lists.flat_map(|(_, roles)| roles.iter().copied()).collect()
    }
}
