use std::fmt::Write as _;

use crate::{
    display::shown,
    pack::{ChainSide, Diff, DiffKey},
};

/// A difference in words, one line a change, with whole fingerprints.
pub fn diff(diff: &Diff) -> String {
    let mut out = String::new();
    let key = |sign: char, key: &DiffKey, what: &str| {
        format!("{sign} {:<44} {what}{}\n", shown(&key.file), key.fingerprint)
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
    for chain in &diff.tuf {
        let file = shown(&chain.file);
        let _ = match (&chain.old, &chain.new) {
            (Some(old), Some(new)) => writeln!(out, "~ {file}: {} -> {}", chain_side(old), chain_side(new)),
            (None, Some(new)) => writeln!(out, "+ {file}: {}", chain_side(new)),
            (Some(old), None) => writeln!(out, "- {file}: {}", chain_side(old)),
            (None, None) => Ok(()),
        };
    }
    if diff.rules_changed {
        out.push_str("! the rules differ\n");
    }
    if diff.is_empty() {
        out.push_str("no key, rule or revocation differs\n");
    }
    out
}

/// What a TUF chain says of itself in one line: the versions of its roles, and when its evidence is from.
pub fn chain_side(side: &ChainSide) -> String {
    let order = |role: &str| ["root", "timestamp", "snapshot", "targets"].iter().position(|r| *r == role);
    let mut versions: Vec<_> = side.versions.iter().collect();
    versions.sort_by_key(|(role, _)| order(role).unwrap_or(usize::MAX));
    let mut parts: Vec<_> =
        versions.into_iter().map(|(role, version)| format!("{} {version}", shown(role))).collect();
    parts.extend(side.signed_after.map(|after| format!("signed after {after}")));
    parts.push(side.good_until.map_or("malformed".to_owned(), |until| format!("good until {until}")));
    parts.join(", ")
}
