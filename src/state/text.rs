//! The state of a lineage as text.

use std::path::Path;

use super::{KnownPack, Origin, RemovedKey, RevokedHere, State};
use crate::display::{count, shown};

/// The number of packs shown by default.
const LAST: usize = 3;

/// All lineages of a state directory; with all packs if `verbose`.
pub fn text(directory: &Path, lineages: &[State], here: &RevokedHere, verbose: bool) -> String {
    let mut out = format!("State in {}\n", shown(&directory.display().to_string()));
    if lineages.is_empty() {
        out.push_str("\nNothing was collected or authenticated here yet.\n");
    }
    if !here.all().is_empty() {
        out.push_str("\nRevoked on this host, for every lineage\n");
    }
    for (fingerprint, revocation) in here.all() {
        let by = revocation.user.as_ref().map_or_else(String::new, |user| format!(", by {}", shown(user)));
        out.push_str(&format!(
            "  {fingerprint}\n    {:.0}{by}: {}\n",
            revocation.at,
            shown(&revocation.reason)
        ));
        if let Some(since) = revocation.since {
            out.push_str(&format!("    signatures that are dated before {since} count\n"));
        }
        for RemovedKey { record, lineage, .. } in &revocation.keys {
            out.push_str(&format!(
                "    {} ({}) of the lineage {lineage}\n",
                record.file,
                record.role.title()
            ));
        }
    }
    for state in lineages {
        out.push_str(&format!("\nLineage {}\n", state.lineage()));
        for (label, text) in state.lines(verbose) {
            out.push_str(&format!("  {label:<12}{text}\n"));
        }
    }
    out
}

impl State {
    fn lines(&self, verbose: bool) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some(forgotten) = self.forgotten() {
            lines.push(("forgotten", format!("{:.0}: {}", forgotten.at, shown(&forgotten.reason))));
        }
        if let Some(pull) = self.last_pull() {
            let directory = shown(&pull.directory);
            lines.push(("last pull", format!("{:.0}, version {}, into {directory}", pull.at, pull.version)));
            lines.push(("", pull.pack.to_string()));
            lines.extend(pull.anchors.iter().map(|anchor| ("by", shown(anchor))));
        }
        for (signer, high) in self.highest() {
            let at = high.at;
            lines.push(("highest", format!("version {}, installed {at:.0}, by {signer}", high.version)));
            lines.push(("", high.digest.to_string()));
        }
        lines.extend(self.rotation().into_iter().map(|line| ("rotation", line)));
        let shown_packs = if verbose { self.packs().len() } else { LAST };
        for pack in self.packs().iter().rev().take(shown_packs) {
            let KnownPack { digest, version, origin, at } = pack;
            let origin = match origin {
                Origin::Collected => "collected",
                Origin::Pulled => "pulled",
            };
            lines.push(("pack", format!("version {version}, {origin} {at:.0}")));
            lines.push(("", digest.to_string()));
        }
        if let Some(more) = self.packs().len().checked_sub(shown_packs).filter(|more| *more > 0) {
            lines.push(("", format!("and {}: --verbose or --format json", count(more, "earlier pack"))));
        }
        for (fingerprint, revocation) in self.revocations() {
            lines.push(("revoked", fingerprint.to_string()));
            lines.push(("", format!("{:.0}, by the pack {}", revocation.at, revocation.pack)));
            let only: Vec<_> = revocation.only_in.iter().map(|directory| shown(directory)).collect();
            let scope =
                if only.is_empty() { "everywhere".into() } else { format!("in {} alone", only.join(", ")) };
            lines.push(("", format!("holds {scope}")));
        }
        for accepted in self.acceptances() {
            let (at, reason) = (accepted.at, shown(&accepted.reason));
            lines.push(("accepted", format!("{at:.0}, {}: {reason}", shown(&accepted.flag))));
        }
        lines
    }
}
