use std::fmt::Write as _;

use crate::{
    display::shown,
    pack::{CertificateRecord, ChainSide, Diff, DiffKey, Inventory, Rotation, Rule},
};

/// The note on a key that is new at a known place.
pub(crate) fn another_key(new: &Rotation) -> String {
    let known: Vec<_> = new.known.iter().map(|k| format!("{} ({})", k.fingerprint, k.file)).collect();
    format!(
        "{} now gives a different {}: {} instead of {}",
        new.place,
        new.key.role.title(),
        new.fingerprint,
        known.join(" and ")
    )
}

/// A rule as text, one line per statement; keys by their names in this inventory.
pub(crate) fn rule(rule: &Rule, inventory: &Inventory) -> String {
    let name = |key| inventory.key(key).map_or_else(|| key.to_string(), |record| record.name.clone());
    let rule = rule.named(&name);
    let mut out = format!("rule for {}\n", rule.scope);
    if rule.signers.is_empty() {
        out.push_str("  signed by   no one (all signers were revoked)\n");
    }
    for (index, signer) in rule.signers.iter().enumerate() {
        let before = if index == 0 { "signed by" } else { "       or" };
        let _ = writeln!(out, "  {before}   {}", shown(&signer.to_string()));
    }
    let _ = writeln!(out, "  log         {}", rule.log);
    if let Some(identity) = &rule.signed_identity {
        let _ = writeln!(out, "  identity    {}", shown(&identity.to_string()));
    }
    out
}

/// A diff as text, one line per change, with full fingerprints.
pub(crate) fn diff(diff: &Diff) -> String {
    let mut out = String::new();
    let key = |sign: char, key: &DiffKey, what: &str| {
        let unproved = if key.unproved { ", fits no signature that is known" } else { "" };
        let mut text = format!("{sign} {:<28} {what}{}{unproved}\n", shown(&key.file), key.fingerprint);
        for certificate in &key.certificates {
            let [what, fingerprint] = self::certificate(certificate);
            text.push_str(&format!("    {what}\n    {fingerprint}\n"));
        }
        text
    };
    match &diff.old {
        Some(old) => {
            let _ = writeln!(
                out,
                "{} version {} -> {} version {}",
                old.name, old.version, diff.new.name, diff.new.version
            );
        }
        None => {
            let _ = writeln!(out, "nothing -> {} version {}", diff.new.name, diff.new.version);
        }
    }
    for added in &diff.added {
        out.push_str(&key('+', added, "added, "));
    }
    for removed in &diff.removed {
        out.push_str(&key('-', removed, "removed, "));
    }
    for changed in &diff.changed {
        out.push_str(&key('~', &changed.key, &format!("changed ({}), ", changed.what.join(", "))));
    }
    for new in &diff.new_at_known_places {
        let _ = writeln!(out, "! {}", shown(&another_key(new)));
    }
    for revoked in &diff.revoked {
        let _ = writeln!(out, "! {} revoked: {}", revoked.fingerprint, shown(&revoked.reason));
    }
    for revoked in &diff.unrevoked {
        let _ = writeln!(
            out,
            "! {} no longer revoked by the new one; where it was, it stays so",
            revoked.fingerprint
        );
    }
    for change in &diff.rules {
        let (sign, what) = match (&change.old, &change.new) {
            (None, Some(new)) => ('+', format!("added: {new}")),
            (Some(old), None) => ('-', format!("removed: {old}")),
            (Some(old), Some(new)) => ('~', format!("changed: {new}; it was: {old}")),
            (None, None) => continue,
        };
        let _ = writeln!(out, "{sign} rule for {} {}", change.scope, shown(&what));
    }
    for chain in &diff.tuf {
        let file = shown(&chain.file);
        let _ = match (&chain.old, &chain.new) {
            (Some(old), Some(new)) => writeln!(out, "~ {file}: {} -> {}", chain_side(old), chain_side(new)),
            (None, Some(new)) => writeln!(out, "+ {file}: {}", chain_side(new)),
            (Some(old), None) => writeln!(out, "- {file}: {}", chain_side(old)),
            (None, None) => Ok(()),
        };
    }
    if diff.is_empty() {
        out.push_str("no key, rule or revocation differs\n");
    }
    out
}

/// A certificate in two lines: subject and dates, and its fingerprint as printed by `openssl x509 -fingerprint
/// -sha256`.
pub(crate) fn certificate(record: &CertificateRecord) -> [String; 2] {
    let pairs: Vec<_> = record.sha256.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    let (start, end) = (record.not_before, record.not_after);
    [format!("{}, valid {start} to {end}", shown(&record.subject)), pairs.join(":")]
}

/// The contents of a TUF chain in one line: the versions of its roles, and the date of its evidence.
pub(crate) fn chain_side(side: &ChainSide) -> String {
    let order = |role: &str| ["root", "timestamp", "snapshot", "targets"].iter().position(|r| *r == role);
    let mut versions: Vec<_> = side.versions.iter().collect();
    versions.sort_by_key(|(role, _)| order(role).unwrap_or(usize::MAX));
    let mut parts: Vec<_> =
        versions.into_iter().map(|(role, version)| format!("{} {version}", shown(role))).collect();
    parts.extend(side.signed_after.map(|after| format!("signed after {after}")));
    parts.push(side.good_until.map_or("malformed".to_owned(), |until| format!("good until {until}")));
    parts.join(", ")
}
