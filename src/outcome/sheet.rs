//! A one-page summary of a pack, for two people to compare, sign by hand and file.

use std::fmt::Write;

use super::{RevokedKey, vouched};
use crate::{
    display::shown,
    oci::Digest,
    pack::{Diff, Draft},
};

/// The maximum line width.
const COLUMNS: usize = 80;

/// Information on the sheet in addition to the pack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SheetFacts<'a> {
    /// This host's knowledge of the pack, as `inspect` shows it first.
    pub standing: &'a str,
    /// The keys that were revoked here.
    pub revoked_here: &'a [RevokedKey],
    /// sha256 of the running program.
    pub program: Option<Digest>,
    /// The name of the pack it is compared with, and the differences.
    pub since: Option<(&'a str, &'a Diff)>,
}

/// The sheet, in lines of at most 80 columns.
pub(crate) fn sheet(draft: &Draft, facts: &SheetFacts<'_>) -> String {
    let inventory = draft.inventory();
    let mut out = String::from("KEY SHEET\n\n");
    let mut field = |name: &str, value: &str| wrapped(&mut out, &format!("{name:<13}"), value);
    field(
        "Lineage",
        &format!("{}, version {}, made {}", inventory.name, inventory.version, inventory.created),
    );
    field("Collected by", &inventory.collected_by.as_deref().map_or("(not said)".into(), shown));
    field("Ends", &inventory.expires.map_or("(not said)".into(), |end| end.to_string()));
    field("On this host", facts.standing);
    grouped(&mut out, "Pack digest", draft.digest());
    grouped(&mut out, "Key-set digest", inventory.key_set());
    let _ = writeln!(out, "\nKEYS ({}), by fingerprint, and who vouches for each", draft.keys().count());
    for (key, _) in draft.keys() {
        let fits = vouched::fits(key.proved);
        let _ = writeln!(out, "  {} ({}), fits {fits}", key.file, key.role.title());
        let _ = writeln!(out, "    {}", key.fingerprint);
        let by = vouched::vouched_for_by(key.key_ref(), key.given_by.as_deref(), &key.provenance);
        wrapped(&mut out, "    by ", &by);
    }
    let _ = writeln!(out, "\nRULES ({})", inventory.rules.len());
    for rule in &inventory.rules {
        for line in super::rule(rule, inventory).lines() {
            wrapped(&mut out, "  ", line);
        }
    }
    let _ = writeln!(out, "\nREVOKED ({})", inventory.revoked.len());
    for revoked in &inventory.revoked {
        let _ = writeln!(out, "    {}", revoked.fingerprint);
        wrapped(&mut out, "    ", &shown(&revoked.reason));
    }
    if !facts.revoked_here.is_empty() {
        let _ =
            writeln!(out, "\nREVOKED ON THIS HOST ({}), whatever the pack says", facts.revoked_here.len());
        for revoked in facts.revoked_here {
            wrapped(&mut out, "    ", &revoked.to_string());
        }
    }
    if let Some((what, diff)) = facts.since {
        let _ = writeln!(out, "\nCHANGES");
        wrapped(&mut out, "  since ", what);
        let text = super::diff(diff);
        for line in if diff.is_empty() { "nothing differs" } else { text.trim_end() }.lines() {
            wrapped(&mut out, "  ", line.trim_end());
        }
    }
    let _ = writeln!(out, "\nPROGRAM  keypack {}", env!("CARGO_PKG_VERSION"));
    let program = facts.program.map_or_else(|| "(could not be read)".to_owned(), |digest| digest.to_string());
    let _ = writeln!(out, "    {program}");
    out.push_str("\nAPPROVED by two people, who compared the digests and every fingerprint\n");
    for _ in 0..2 {
        out.push_str("\n  Name ________________________  Signature ____________________  Date __________\n");
    }
    out
}

/// A digest in groups of four digits, eight groups per line.
fn grouped(out: &mut String, name: &str, digest: Digest) {
    let hex = digest.hex();
    let groups: Vec<&str> = (0..hex.len()).step_by(4).filter_map(|at| hex.get(at..at + 4)).collect();
    let _ = writeln!(out, "\n{name} (sha256)");
    for line in groups.chunks(8) {
        let _ = writeln!(out, "    {}", line.join(" "));
    }
}

/// A text in lines of [`COLUMNS`], wrapped at spaces if there are any.
fn wrapped(out: &mut String, head: &str, text: &str) {
    let room = COLUMNS - head.len();
    let mut rest: Vec<char> = text.chars().collect();
    let mut head = head.to_owned();
    loop {
        let end = if rest.len() <= room {
            rest.len()
        } else {
            rest[..=room].iter().rposition(|c| *c == ' ').filter(|at| *at > 0).unwrap_or(room)
        };
        let line: String = rest.drain(..end).collect();
        let _ = writeln!(out, "{}", format!("{head}{line}").trim_end());
        if rest.first() == Some(&' ') {
            rest.remove(0);
        }
        if rest.is_empty() {
            return;
        }
        head = " ".repeat(head.len());
    }
}
