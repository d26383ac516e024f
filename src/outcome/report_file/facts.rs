//! What is compared with an earlier report, and what has changed since.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ReportFile, json};
use crate::{display::shown, oci::Digest};

/// How a report begins, as JSON, and in a page as a comment.
pub(crate) const MARK: &str = "keypack verify --report";

/// Before the facts in a page.
const FACTS: &str = "for keypack: ";

/// One line for each thing that a report says: what it is about, and what is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// When it was written.
    time: Timestamp,
    lines: BTreeMap<String, String>,
}

/// The report that another is compared with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReportAgainst {
    pub(crate) file: String,
    pub(crate) sha256: Digest,
}

/// The differences between two reports.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    #[serde(flatten)]
    pub(super) since: ReportAgainst,
    pub(super) time: Timestamp,
    pub(super) added: BTreeMap<String, String>,
    pub(super) removed: BTreeMap<String, String>,
    pub(super) changed: BTreeMap<String, Change>,
}

/// One thing of which two reports say something else.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    pub(super) was: String,
    pub(super) is: String,
}

impl Changes {
    pub(super) fn between(since: ReportAgainst, old: &Facts, new: &Facts) -> Self {
        let lacking = |of: &Facts, other: &Facts| {
            let lines = of.lines.iter().filter(|(what, _)| !other.lines.contains_key(*what));
            lines.map(|(what, is)| (what.clone(), is.clone())).collect()
        };
        let changed = new.lines.iter().filter_map(|(what, is)| {
            let was = old.lines.get(what).filter(|was| *was != is)?;
            Some((what.clone(), Change { was: was.clone(), is: is.clone() }))
        });
        Self {
            since,
            time: old.time,
            added: lacking(new, old),
            removed: lacking(old, new),
            changed: changed.collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Facts {
    pub(super) fn of(file: &ReportFile<'_>) -> Self {
        let mut facts = Self { time: file.clock.time, lines: BTreeMap::new() };
        facts.add("result", &format!("{}, exit {}", file.verdict, file.exit));
        if let Some(pack) = &file.pack {
            facts.add(&format!("pack {}", pack.name), &format!("version {}, {}", pack.version, pack.digest));
            facts.add("anchors", &pack.anchors.join(" and "));
            for key in &pack.keys {
                facts.add(&format!("key {}", key.file), &key.fingerprint.to_string());
            }
            for rule in &pack.rules {
                facts.add(rule, "in the pack");
            }
            for revoked in &pack.revoked {
                facts.add(&format!("revoked {}", revoked.fingerprint), &revoked.reason);
            }
            for revoked in &pack.revoked_here {
                facts.add(&format!("revoked here {}", revoked.fingerprint), &revoked.reason);
            }
        }
        for release in file.releases {
            let signed = release.signed_by.as_deref().unwrap_or("no key that counts");
            facts.add(&format!("release {}", release.digest), &format!("signed by {signed}"));
        }
        for stage in file.stages {
            let of = stage.release.as_ref().map_or_else(String::new, |of| format!(" of {of}"));
            facts.add(&format!("stage {}{of}", stage.stage.name()), stage.verdict.as_str());
        }
        for image in &file.images {
            let platform = image.platform.as_ref().map_or_else(String::new, |p| format!(" {p}"));
            let digest = image.digest.map_or_else(String::new, |digest| format!(" {digest}"));
            let code = image.code.map_or_else(String::new, |code| format!(" ({code})"));
            let name = format!("image {}{platform}", image.name);
            facts.add(&name, &format!("{}{code}{digest}", image.verdict));
        }
        for report in file.consumers {
            let could = format!("could verify {} of {}", report.could, report.signed);
            facts.add(&format!("consumer {}", report.consumer), &could);
        }
        for image in file.missing {
            facts.add(&format!("missing {}", image.image), image.problem.code.as_str());
        }
        // The images are compared one by one.
        for input in file.inputs.iter().filter(|input| input.what != "images") {
            facts.add(&format!("{} {}", input.what, input.name), &input.sha256.to_string());
        }
        facts
    }

    /// Two images of one name, in two places, are one line.
    fn add(&mut self, what: &str, is: &str) {
        let line = self.lines.entry(shown(what)).or_default();
        if !line.is_empty() {
            line.push_str("; ");
        }
        line.push_str(&shown(is));
    }

    /// The comment of a page. A comment ends with `-->`, and none of these characters is left in it (HTML Living Standard,
    /// 13.1.6); in JSON, each is in a text alone.
    pub(super) fn comment(&self) -> String {
        let mut out = FACTS.to_owned();
        for c in String::from_utf8_lossy(&json(self)).trim_end().chars() {
            match c {
                '-' | '<' | '>' | '&' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => out.push(c),
            }
        }
        out
    }

    /// The facts of a report, in whatever form.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Report {
            facts: Facts,
        }
        if bytes.starts_with(b"{") {
            return serde_json::from_slice::<Report>(bytes).ok().map(|report| report.facts);
        }
        let text = str::from_utf8(bytes).ok()?;
        let (_, rest) = text.rsplit_once(&format!("\n<!-- {FACTS}"))?;
        serde_json::from_str(rest.split_once(" -->")?.0).ok()
    }
}

/// Whether a file begins as a report does.
pub(crate) fn is_report(beginning: &[u8]) -> bool {
    let page = format!("<!doctype html><!-- {MARK} -->\n");
    let json = format!("{{\n  \"report\": \"{MARK}\",\n");
    beginning.starts_with(page.as_bytes()) || beginning.starts_with(json.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(lines: &[(&str, &str)]) -> Facts {
        let mut facts = Facts::default();
        for (what, is) in lines {
            facts.add(what, is);
        }
        facts
    }

    #[test]
    fn a_comment_holds_whatever_a_name_contains_and_is_read_back() {
        let hostile =
            facts(&[("image --> <script>&amp;</script> \u{202e}\n-->", "a--!> <!-- b"), ("é", "\\")]);
        let comment = hostile.comment();
        assert!(!comment.contains("--") && !comment.contains(['<', '>', '&', '\u{202e}']), "{comment}");
        let page = format!("<!doctype html>\n<!-- x -->\n<!-- {comment} -->\n</body>\n");
        assert_eq!(Facts::read(page.as_bytes()), Some(hostile));
        for other in ["", "{", "{}", "<!doctype html>", "<!-- for keypack: {} -->"] {
            assert_eq!(Facts::read(other.as_bytes()), None);
        }
    }

    #[test]
    fn a_change_is_added_removed_or_both_values() {
        let since = ReportAgainst { file: "old".into(), sha256: Digest::of(b"") };
        let (old, new) =
            (facts(&[("a", "1"), ("b", "2"), ("c", "3")]), facts(&[("b", "2"), ("c", "4"), ("d", "5")]));
        let changes = Changes::between(since, &old, &new);
        assert_eq!(changes.added.into_iter().collect::<Vec<_>>(), [("d".into(), "5".into())]);
        assert_eq!(changes.removed.into_iter().collect::<Vec<_>>(), [("a".into(), "1".into())]);
        let change = Change { was: "3".into(), is: "4".into() };
        assert_eq!(changes.changed.into_iter().collect::<Vec<_>>(), [("c".into(), change)]);
    }
}
