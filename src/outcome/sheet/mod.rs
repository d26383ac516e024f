//! A one-page summary of a pack, for two people to compare, sign by hand and file.

mod html;
mod text;

use super::{RevokedKey, vouched};
use crate::{
    display::{count, shown},
    oci::Digest,
    pack::{Diff, Draft},
};

/// Information on the sheet in addition to the pack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SheetFacts<'a> {
    /// This host's knowledge of the pack, as `inspect` shows it first.
    pub standing: &'a str,
    /// The keys that were revoked here.
    pub revoked_here: &'a [RevokedKey],
    /// sha256 of the running program.
    pub program: Option<Digest>,
    /// What it is compared with.
    pub since: Option<&'a Since>,
}

/// The pack of the last sheet, and what changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Since {
    /// The name of that pack.
    pub what: String,
    /// The differences.
    pub diff: Diff,
    /// Whether both have the same key set, so that there is nothing new to approve.
    pub same_key_set: bool,
}

/// The form of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SheetForm {
    /// Lines of at most 80 columns.
    Text,
    /// One self-contained page, for A4.
    Html,
}

/// A part of the page. All texts are already safe to show; only their form is left to the renderers.
enum Part {
    /// A name and a value.
    Field(&'static str, String),
    /// A digest, in groups of four digits.
    Digest(&'static str, Digest),
    /// The beginning of a section.
    Heading(String),
    /// A key: its file and what it fits; its fingerprint; who vouches for it.
    Key([String; 3]),
    /// A fingerprint or digest that is compared character by character.
    Exact(String),
    /// A line of a section.
    Line(String),
    /// A line that belongs to the one before.
    Detail(String),
    /// Places for two names.
    Signatures,
}

/// The sheet.
pub(crate) fn sheet(draft: &Draft, facts: &SheetFacts<'_>, form: SheetForm) -> String {
    let parts = parts(draft, facts);
    match form {
        SheetForm::Text => text::render(&parts),
        SheetForm::Html => html::render(&draft.inventory().name, &parts),
    }
}

fn parts(draft: &Draft, facts: &SheetFacts<'_>) -> Vec<Part> {
    let inventory = draft.inventory();
    let lineage = format!("{}, version {}, made {}", inventory.name, inventory.version, inventory.created);
    let said = |text: Option<String>| text.unwrap_or_else(|| "(not said)".into());
    let mut parts = vec![
        Part::Field("Lineage", lineage),
        Part::Field("Collected by", said(inventory.collected_by.as_deref().map(shown))),
        Part::Field("Ends", said(inventory.expires.map(|end| end.to_string()))),
        Part::Field("On this host", facts.standing.to_owned()),
        Part::Digest("Pack digest", draft.digest()),
        Part::Digest("Key-set digest", inventory.key_set()),
    ];
    changes(&mut parts, facts.since);
    let keys = draft.keys().count();
    parts.push(Part::Heading(format!("KEYS ({keys}), by fingerprint, and who vouches for each")));
    parts.extend(draft.keys().map(|(key, _)| {
        let vouched = vouched::vouched_for_by(key.key_ref(), key.given_by.as_deref(), &key.provenance);
        let fits = vouched::fits(key.proved);
        Part::Key([
            format!("{} ({}), fits {fits}", key.file, key.role.title()),
            key.fingerprint.to_string(),
            format!("vouched for by {vouched}"),
        ])
    }));
    parts.push(Part::Heading(format!("RULES ({})", inventory.rules.len())));
    for rule in &inventory.rules {
        for (number, line) in super::rule(rule, inventory).lines().enumerate() {
            let line = line.to_owned();
            parts.push(if number == 0 { Part::Line(line) } else { Part::Detail(line.trim().to_owned()) });
        }
    }
    parts.push(Part::Heading(format!("REVOKED ({})", inventory.revoked.len())));
    for revoked in &inventory.revoked {
        parts.push(Part::Exact(revoked.fingerprint.to_string()));
        parts.push(Part::Detail(shown(&revoked.reason)));
    }
    if !facts.revoked_here.is_empty() {
        let many = facts.revoked_here.len();
        parts.push(Part::Heading(format!("REVOKED ON THIS HOST ({many}), whatever the pack says")));
        parts.extend(facts.revoked_here.iter().map(|revoked| Part::Line(revoked.to_string())));
    }
    parts.push(Part::Heading(format!("PROGRAM  keypack {}", env!("CARGO_PKG_VERSION"))));
    let program = facts.program.map(|digest| digest.to_string());
    parts.push(Part::Exact(program.unwrap_or_else(|| "(could not be read)".into())));
    parts.push(Part::Signatures);
    parts
}

fn changes(parts: &mut Vec<Part>, since: Option<&Since>) {
    let Some(Since { what, diff, same_key_set }) = since else {
        let none = "not compared: --since says where the keys/ or the pack of the last sheet is";
        parts.push(Part::Heading("CHANGES SINCE THE LAST SHEET".into()));
        parts.push(Part::Line(none.into()));
        return;
    };
    parts.push(Part::Heading("CHANGES SINCE THE LAST SHEET".into()));
    parts.push(Part::Line(format!("that was {what}")));
    let changed = diff.added.len() + diff.removed.len() + diff.changed.len();
    parts.push(Part::Line(if *same_key_set {
        "SAME KEY SET: no key, rule or revocation is new, and there is nothing new to approve".into()
    } else {
        format!("ANOTHER KEY SET: {} differ, and what follows is to be approved", count(changed, "key"))
    }));
    if !diff.is_empty() {
        let text = super::diff(diff);
        parts.extend(text.lines().skip(1).map(|line| Part::Detail(line.trim_end().to_owned())));
    }
}
