//! The result of `verify --policy` for people: what was asked, what would be refused with what to do, counts, one last line.

use std::collections::BTreeMap;

use super::{AdmissionReport, PullReport};
use crate::{
    display::{Paint, count, shown},
    policy::consumer::Verdict,
};

/// Pulls of one part that are written without `--verbose`.
const SHOWN: usize = 20;

/// The widest line.
const WIDTH: usize = 100;

/// Writes the result. With `all`, every pull.
pub fn render(report: &AdmissionReport, paint: Paint, all: bool) -> String {
    let mut text = Text { out: String::new(), paint, most: if all { usize::MAX } else { SHOWN } };
    text.subject(report);
    text.part(report, Verdict::Refused, "WOULD BE REFUSED");
    text.part(report, Verdict::NotJudged, "NOT JUDGED");
    text.problems(report);
    text.part(report, Verdict::AdmittedUnverified, "ADMITTED UNVERIFIED");
    if all {
        text.part(report, Verdict::Admitted, "ADMITTED");
        text.part(report, Verdict::Outside, "OUTSIDE THE POLICY");
    }
    text.counts(report);
    text.out
}

struct Text {
    out: String,
    paint: Paint,
    most: usize,
}

impl Text {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn wrapped(&mut self, indent: usize, text: &str) {
        let mut row = " ".repeat(indent);
        for word in text.split(' ') {
            if row.len() > indent && row.chars().count() + 1 + word.chars().count() > WIDTH {
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

    fn subject(&mut self, report: &AdmissionReport) {
        let policy = &report.policy;
        let scopes = count(policy.scopes.len(), "scope");
        self.line(&format!("Policy   {}: {scopes}; its own keys decide", shown(&policy.file)));
        if !policy.objects.is_empty() {
            let objects: Vec<_> = policy.objects.iter().map(|object| shown(object)).collect();
            self.wrapped(9, &format!("as OpenShift's nodes get it from {}", objects.join(", ")));
        }
        let folders: Vec<_> = policy.registries_d.iter().map(|dir| shown(dir)).collect();
        if !folders.is_empty() {
            self.line(&format!("         registries.d from {}", folders.join(", ")));
        }
        for place in &report.sources {
            self.line(&format!("Source   {}: {} read", shown(&place.place), count(place.read, "manifest")));
        }
        for note in &policy.notes {
            self.wrapped(0, &format!("Note     {}: {}", note.code, shown(&note.message)));
        }
    }

    /// The pulls with a verdict; what is the same for several is said once, behind them.
    fn part(&mut self, report: &AdmissionReport, verdict: Verdict, title: &str) {
        let pulls: Vec<_> = report.images.iter().filter(|image| image.verdict == verdict).collect();
        if pulls.is_empty() {
            return;
        }
        let head = self.paint.strong(&format!("{title} {}", count(pulls.len(), "pull")));
        self.out.push('\n');
        self.line(&head);
        let mut groups: BTreeMap<_, Vec<&PullReport>> = BTreeMap::new();
        for pull in &pulls {
            groups.entry((pull.code, pull.cause.clone(), pull.hint.clone())).or_default().push(pull);
        }
        let mut left = self.most;
        for ((code, cause, hint), pulls) in groups {
            for pull in pulls.iter().take(left) {
                let code =
                    code.map_or_else(String::new, |code| format!("  {}", self.paint.bad(code.as_str())));
                self.line(&format!("  {}", label(pull, &code)));
            }
            let are_shown = left > 0;
            left = left.saturating_sub(pulls.len());
            if let Some(cause) = cause.filter(|_| are_shown) {
                let scope = pulls.first().and_then(|pull| pull.scope.as_deref());
                let scope = scope.map_or_else(String::new, |scope| format!(" (scope {})", shown(scope)));
                self.wrapped(4, &format!("{}{scope}", shown(&cause)));
            }
            if let Some(hint) = hint.filter(|_| are_shown && verdict >= Verdict::NotJudged) {
                self.wrapped(4, &format!("fix: {}", shown(&hint)));
            }
        }
        if pulls.len() > self.most {
            self.line(&format!("  … and {} more: -v, or --format json", pulls.len() - self.most));
        }
    }

    fn problems(&mut self, report: &AdmissionReport) {
        let all: Vec<_> =
            report.sources.iter().flat_map(|place| place.problems.iter().map(move |p| (place, p))).collect();
        if all.is_empty() {
            return;
        }
        let head = self.paint.strong(&format!("COULD NOT READ {}", count(all.len(), "thing")));
        self.out.push('\n');
        self.line(&head);
        for (place, problem) in all.iter().take(self.most) {
            self.line(&format!("  {}", shown(&place.place)));
            let code = self.paint.bad(problem.code.as_str());
            self.wrapped(4, &format!("{code}: {}", shown(&problem.message)));
            self.wrapped(4, &format!("fix: {}", shown(&problem.hint)));
        }
        if all.len() > self.most {
            self.line(&format!("  … and {} more: -v, or --format json", all.len() - self.most));
        }
    }

    fn counts(&mut self, report: &AdmissionReport) {
        let counts = &report.counts;
        let parts = [
            (counts.admitted, "admitted"),
            (counts.admitted_unverified, "admitted unverified"),
            (counts.refused, "refused"),
            (counts.not_judged, "not judged"),
            (counts.outside, "outside the policy"),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(n, what)| *n > 0 || *what == "admitted")
            .map(|(n, what)| format!("{n} {what}"))
            .collect();
        self.out.push('\n');
        self.line(&format!("{}: {}", count(counts.pulls, "pull"), parts.join(", ")));
        if report.failure.is_none() {
            let all = match counts.admitted_unverified {
                0 => "the policy admits everything that is in its scopes".to_owned(),
                n => format!("the policy admits everything that is in its scopes, {n} of it unverified"),
            };
            let all = self.paint.good(&all);
            self.line(&all);
        }
    }
}

/// The full name first, so that it can be searched for; then what decided; then where it lies, if that is elsewhere.
fn label(pull: &PullReport, code: &str) -> String {
    let name = pull.name.as_ref().unwrap_or(&pull.reference);
    let end = if pull.form == "digest" { '@' } else { ':' };
    let place = pull.reference.rsplit_once(end).map_or(pull.reference.as_str(), |(place, _)| place);
    let at = if *name == pull.reference { String::new() } else { format!("  from {}", shown(place)) };
    let platform = pull.platform.as_deref().map_or_else(String::new, |p| format!("  {}", shown(p)));
    format!("{}{platform}{code}{at}", shown(name))
}
