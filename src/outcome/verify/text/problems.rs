use std::collections::BTreeMap;

use super::{
    super::{ImageVerdict, SignatureState, Verification, VerifyState},
    Text,
};
use crate::{
    diag::Diagnostic,
    display::{count, shown},
};

impl Text {
    pub(super) fn problems(&mut self, found: &Verification) {
        for (state, title) in [
            (VerifyState::Refused, "REFUSED"),
            (VerifyState::Unreadable, "UNREADABLE"),
            (VerifyState::NotHere, "NOT HERE"),
        ] {
            let images: Vec<_> = found.images.iter().filter(|image| image.state == state).collect();
            if images.is_empty() {
                continue;
            }
            self.head(&format!("{title} {}", count(images.len(), "image")));
            self.grouped(&images);
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
        let beside: Vec<_> = found
            .images
            .iter()
            .filter(|image| !matches!(image.state, VerifyState::Refused | VerifyState::Unreadable))
            .flat_map(|image| image.signatures.iter().chain(&image.attestations).map(move |s| (image, s)))
            .filter(|(_, s)| matches!(s.state, SignatureState::Refused | SignatureState::Unreadable))
            .collect();
        if !beside.is_empty() {
            self.head(&format!("BROKEN OR UNREADABLE {} next to others", count(beside.len(), "signature")));
            for (image, signature) in beside.iter().take(self.most) {
                self.line(&format!("  {}", shown(&image.label)));
                self.line(&format!("    in {}", shown(&signature.at)));
                if let Some(problem) = &signature.problem {
                    self.problem(problem, 4);
                }
            }
            self.more(beside.len());
        }
    }

    /// Images with their first problem, grouped so that a shared hint is shown once, after the last of them.
    fn grouped(&mut self, images: &[&ImageVerdict]) {
        let mut groups: BTreeMap<_, Vec<&ImageVerdict>> = BTreeMap::new();
        for image in images {
            let key = first_problem(image).map(|p| (p.code, p.hint.to_string()));
            groups.entry(key).or_default().push(image);
        }
        let mut left = self.most;
        for (key, images) in groups {
            for image in images.iter().take(left) {
                let code = key.as_ref().map_or_else(String::new, |(code, _)| code.to_string());
                self.line(&format!("  {}  {}", shown(&image.label), self.paint.bad(&code)));
                if let Some(problem) = first_problem(image) {
                    self.wrapped(4, &shown(&problem.message));
                }
            }
            left = left.saturating_sub(images.len());
            if let Some((_, hint)) = key {
                self.wrapped(4, &format!("fix: {}", shown(&hint)));
            }
        }
        self.more(images.len());
    }

    fn problem(&mut self, problem: &Diagnostic, indent: usize) {
        let code = self.paint.bad(problem.code.as_str());
        self.wrapped(indent, &format!("{code}: {}", shown(&problem.message)));
        self.wrapped(indent, &format!("fix: {}", shown(&problem.hint)));
    }

    pub(super) fn wrapped(&mut self, indent: usize, text: &str) {
        let mut row = " ".repeat(indent);
        for word in text.split(' ') {
            if row.len() > indent && row.chars().count() + 1 + word.chars().count() > 100 {
                self.line(&row);
                row = " ".repeat(indent);
            }
            if row.len() > indent {
                row.push(' ');
            }
            row.push_str(word);
        }
        self.line(&row);
    }

    pub(super) fn more(&mut self, all: usize) {
        if all > self.most {
            self.line(&format!("  … and {} more: -v, or --format json", all - self.most));
        }
    }
}

fn first_problem(image: &ImageVerdict) -> Option<&Diagnostic> {
    let of_signatures = || image.signatures.iter().filter_map(|s| s.problem.as_ref());
    image.problems.first().or_else(|| of_signatures().next())
}
