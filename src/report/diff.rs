use std::fmt::Write as _;

use crate::{
    display::shown,
    pack::{Diff, DiffKey},
};

/// A difference in words, one line a change, with whole fingerprints.
pub fn diff(diff: &Diff) -> String {
    let mut out = String::new();
    let key = |sign: char, key: &DiffKey, what: &str| {
        let fingerprint = key.openpgp.clone().unwrap_or_else(|| key.fingerprint.to_string());
        format!("{sign} {:<44} {what}{fingerprint}\n", shown(&key.file))
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
    if diff.rules_changed {
        out.push_str("! the rules differ\n");
    }
    if diff.is_empty() {
        out.push_str("no key, rule or revocation differs\n");
    }
    out
}
