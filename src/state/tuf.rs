//! Protection against rollback of TUF metadata. Content verified from one root may be offered again from a later or an
//! earlier root of the same repository, so versions are recorded under every root of a chain.

use std::collections::BTreeMap;

use super::{State, TufRollback};
use crate::trust::tuf::{Evidence, RootSeen};

/// The versions that may be compared with those recorded under an earlier root: those of roles with unchanged keys.
/// Delegated roles depend on the targets' keys.
fn comparable(evidence: &Evidence, root: &RootSeen) -> BTreeMap<String, u64> {
    let same = |role: &String| {
        let top = ["root", "timestamp", "snapshot"].contains(&role.as_str());
        root.same_keys.contains(if top { role.as_str() } else { "targets" })
    };
    evidence.versions.iter().filter(|(role, _)| same(role)).map(|(role, v)| (role.clone(), *v)).collect()
}

impl State {
    /// The first role of the TUF repository `instance` whose version is lower than one seen before.
    pub fn check_tuf(&self, instance: &str, versions: &BTreeMap<String, u64>) -> Option<TufRollback> {
        let seen = self.0.tuf.get(instance)?;
        versions.iter().find_map(|(role, &offered)| {
            let &have = seen.get(role)?;
            (offered < have).then(|| TufRollback { role: role.clone(), have, offered })
        })
    }

    /// Records versions of TUF metadata; never lowers one.
    pub fn record_tuf(&mut self, instance: &str, versions: &BTreeMap<String, u64>) {
        let seen = self.0.tuf.entry(instance.to_owned()).or_default();
        for (role, &version) in versions {
            let have = seen.entry(role.clone()).or_default();
            *have = version.max(*have);
        }
    }

    /// The first role whose version is lower than one that this host has seen.
    pub fn check_evidence(&self, evidence: &Evidence) -> Option<TufRollback> {
        let offered = |root: &RootSeen| self.check_tuf(&root.digest.to_string(), &comparable(evidence, root));
        evidence.roots.iter().find_map(offered)
    }

    /// Whether there is any state for this repository.
    pub fn knows_evidence(&self, evidence: &Evidence) -> bool {
        evidence.roots.iter().any(|root| self.0.tuf.contains_key(&root.digest.to_string()))
    }

    /// Records the versions of a verified chain; never lowers one. They are recorded under every root, because an
    /// attacker who removes the last roots offers a chain of the first ones; the size of a chain limits their number.
    pub fn record_evidence(&mut self, evidence: &Evidence) {
        for root in &evidence.roots {
            self.record_tuf(&root.digest.to_string(), &comparable(evidence, root));
        }
    }

    /// Records the versions of a chain that was accepted although this host has seen higher ones. Later ones are
    /// compared with these, because the user decided this deliberately.
    pub fn accept_evidence(&mut self, evidence: &Evidence) {
        for root in &evidence.roots {
            self.0.tuf.entry(root.digest.to_string()).or_default().extend(comparable(evidence, root));
        }
    }
}
