//! The contents of a pack as text.

use std::fmt::Write;

use super::{RevokedKey, chain_side, vouched};
use crate::{
    display::shown,
    key::{OpenPgpKey, Pin, Provenance},
    oci::Digest,
    pack::{ChainSide, Draft},
};

/// What is said of a pack beside what it says of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InventoryFacts<'a> {
    /// What this host knows of it.
    pub standing: &'a str,
    /// Its keys that were revoked here.
    pub revoked_here: &'a [RevokedKey],
    /// The digest of the artifact's manifest, where it is an artifact.
    pub manifest: Option<Digest>,
}

/// The contents of a pack, with fingerprints to compare.
pub(crate) fn inventory(draft: &Draft, facts: &InventoryFacts<'_>, verbose: bool) -> String {
    let inventory = draft.inventory();
    let mut out = String::new();
    let _ = writeln!(out, "{}", facts.standing);
    let _ = writeln!(
        out,
        "Lineage {}, version {}, made {}",
        inventory.name, inventory.version, inventory.created
    );
    if let Some(collector) = &inventory.collected_by {
        let _ = writeln!(out, "Collected by {}", shown(collector));
    }
    if let Some(expires) = inventory.expires {
        let _ = writeln!(out, "Expires {expires}");
    }
    for (key, material) in draft.keys() {
        let kept = key.kept.map_or_else(String::new, |since| {
            format!(", kept from an earlier collection; none has needed it since {since}")
        });
        let _ = writeln!(out, "\n{}  {}{kept}", key.file, key.role.title());
        let _ = writeln!(out, "  fingerprint {} ({})", key.fingerprint, key.algorithm);
        let _ = writeln!(out, "  pin         {}", Pin::of(key.role, material, key.origin.as_deref()));
        for certificate in &key.certificates {
            let [what, fingerprint] = super::certificate(certificate);
            let _ = writeln!(out, "  certificate {what}\n              {fingerprint}");
        }
        let said = [("url", &key.url), ("origin", &key.origin), ("user id", &key.user_id)];
        for (what, value) in said {
            if let Some(value) = value {
                let _ = writeln!(out, "  {what:11} {}", shown(value));
            }
        }
        let _ = writeln!(out, "  fits        {}", vouched::fits(key.proved));
        if key.ct_required {
            let _ = writeln!(out, "  CT logs     its certificates need a timestamp of one");
        }
        let date = |t: Option<jiff::Timestamp>| t.map_or("…".to_owned(), |t| t.to_string());
        if key.validity.start.is_some() || key.validity.end.is_some() {
            let _ = writeln!(out, "  in use      {} to {}", date(key.validity.start), date(key.validity.end));
        }
        if material.openpgp().is_some_and(OpenPgpKey::is_weak) {
            let _ =
                writeln!(out, "  weak        its self-signatures use SHA-1, which RHEL 9 and later refuse");
        }
        let _ = writeln!(
            out,
            "  vouched for by {}",
            vouched::vouched_for_by(key.key_ref(), key.given_by.as_deref(), &key.provenance)
        );
        for Provenance { source, grade, sha256, .. } in key.provenance.iter().filter(|_| verbose) {
            let _ = writeln!(out, "  document    {} ({}), {sha256}", shown(source), grade.as_str());
        }
    }
    for rule in &inventory.rules {
        let _ = write!(out, "\n{}", super::rule(rule, inventory));
    }
    for (file, covers) in draft.coverage() {
        let _ = writeln!(out, "\n{file}  {}; not verified here", covers.summary());
    }
    for (file, side) in ChainSide::all(draft) {
        let _ = writeln!(out, "\n{file}  TUF repository {}", shown(&side.repository));
        let _ = writeln!(out, "  {}", chain_side(&side));
    }
    for revoked in facts.revoked_here {
        let _ = writeln!(out, "\nrevoked here: {revoked}");
    }
    for revoked in &inventory.revoked {
        let _ = writeln!(
            out,
            "\nrevoked {} since {}: {}",
            revoked.fingerprint,
            revoked.date,
            shown(&revoked.reason)
        );
    }
    let _ = writeln!(out, "\nKey set: {}", inventory.key_set());
    let _ = writeln!(out, "Pack: {}", draft.digest());
    if let Some(manifest) = facts.manifest {
        let _ = writeln!(out, "Digest: {manifest}");
    }
    out
}
