use std::collections::BTreeMap;

use super::{
    super::{Images, Row, SignatureState, SignatureVerdict, Verification, VerifyState},
    Text,
};
use crate::{
    diag::Diagnostic,
    display::{count, shown},
    outcome::lines,
};

impl Text {
    pub(super) fn problems(&mut self, found: &Verification) {
        for (state, title) in [
            (VerifyState::Refused, "REFUSED"),
            (VerifyState::Unreadable, "UNREADABLE"),
            (VerifyState::NotHere, "NOT HERE"),
        ] {
            let number = found.images.rows().iter().filter(|row| row.state == state).count();
            if number == 0 {
                continue;
            }
            self.head(&format!("{title} {}", count(number, "image")));
            self.grouped(&found.images, |row| row.state == state);
        }
        let places: Vec<_> =
            found.sources.iter().flat_map(|p| p.problems.iter().map(move |d| (p, d))).collect();
        if !places.is_empty() {
            self.head(&format!("COULD NOT READ {}", count(places.len(), "thing")));
            for (place, problem) in places.iter().take(self.most) {
                self.line(&format!("  {}", shown(&place.place)));
                self.problem(problem, 4);
            }
            self.more(places.len());
        }
        let is_beside = |row: &Row| {
            row.has_broken() && !matches!(row.state, VerifyState::Refused | VerifyState::Unreadable)
        };
        let rows = found.images.rows().iter().filter(|row| is_beside(row));
        let number: u32 = rows.map(|row| row.broken + row.broken_attestations + row.unread).sum();
        let number = number as usize;
        if number > 0 {
            self.head(&format!("BROKEN OR UNREADABLE {} next to others", count(number, "signature")));
            let mut left = self.most;
            for image in found.images.only(is_beside) {
                let broken = |s: &&SignatureVerdict| {
                    matches!(s.state, SignatureState::Refused | SignatureState::Unreadable)
                };
                let signatures = image.signatures.iter().chain(&image.attestations).filter(broken);
                for signature in signatures.take(left) {
                    left -= 1;
                    self.line(&format!("  {}", shown(&image.label)));
                    self.line(&format!("    in {}", shown(&signature.at)));
                    if let Some(problem) = &signature.problem {
                        self.problem(problem, 4);
                    }
                }
                if left == 0 {
                    break;
                }
            }
            self.more(number);
        }
    }

    /// Images with their first problem, grouped so that a shared hint is shown once, after the last of them.
    fn grouped(&mut self, images: &Images, wanted: impl Fn(&Row) -> bool) {
        let mut groups: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        for row in images.rows().iter().filter(|row| wanted(row)) {
            let key = images.verdict(row).first_problem().map(|p| (p.code, p.hint.to_string()));
            groups.entry(key).or_default().push(row);
        }
        let (all, mut left) = (groups.values().map(Vec::len).sum(), self.most);
        for (key, rows) in groups {
            for row in rows.iter().take(left) {
                let image = images.verdict(row);
                let code = key.as_ref().map_or_else(String::new, |(code, _)| code.to_string());
                self.line(&format!("  {}  {}", shown(&image.label), self.paint.bad(&code)));
                if let Some(problem) = image.first_problem() {
                    self.wrapped(4, &shown(&problem.message));
                }
            }
            left = left.saturating_sub(rows.len());
            if let Some((_, hint)) = key {
                self.wrapped(4, &format!("fix: {}", shown(&hint)));
            }
        }
        self.more(all);
    }

    fn problem(&mut self, problem: &Diagnostic, indent: usize) {
        let code = self.paint.bad(problem.code.as_str());
        self.wrapped(indent, &format!("{code}: {}", shown(&problem.message)));
        self.wrapped(indent, &format!("fix: {}", shown(&problem.hint)));
    }

    pub(super) fn wrapped(&mut self, indent: usize, text: &str) {
        lines::wrapped(&mut self.out, &" ".repeat(indent), text, lines::WIDE);
    }

    pub(super) fn more(&mut self, all: usize) {
        if all > self.most {
            self.line(&format!("  … and {} more: -v, or --format json", all - self.most));
        }
    }
}
