//! The result of `verify --policy` for people: what was asked, what would be refused with what to do, counts, one last line.

mod release;

use std::collections::BTreeMap;

use super::{AdmissionReport, PullFix, PullReport};
use crate::{
    display::{Paint, count, shell_word, shown},
    outcome::lines,
    policy::consumer::Verdict,
};

/// Pulls of one part that are written without `--verbose`.
const SHOWN: usize = 20;

/// Registries that are named of those outside the policy.
const HOSTS: usize = 6;

/// Writes the result. With `all`, every pull.
pub fn render(report: &AdmissionReport, paint: Paint, all: bool) -> String {
    let mut text = Text { out: String::new(), paint, most: if all { usize::MAX } else { SHOWN } };
    text.subject(report);
    text.part(report, Verdict::Refused);
    text.fix(report);
    text.part(report, Verdict::NotJudged);
    text.rejected(report);
    text.missing(report);
    text.problems(report);
    text.part(report, Verdict::AdmittedUnverified);
    if all {
        text.part(report, Verdict::Admitted);
        text.part(report, Verdict::Outside);
    } else {
        text.outside(report);
    }
    text.stages(report);
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
        lines::line(&mut self.out, text);
    }

    fn wrapped(&mut self, indent: usize, text: &str) {
        lines::wrapped(&mut self.out, &" ".repeat(indent), text, lines::WIDE);
    }

    /// A text behind a label, in as many lines as it needs.
    fn labelled(&mut self, label: &str, text: &str) {
        lines::wrapped(&mut self.out, label, text, lines::WIDE);
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
        if let Some(registries) = &policy.registries {
            let file = shown(&registries.file);
            for (list, what) in [(&registries.allowed, "allowed"), (&registries.blocked, "blocked")] {
                let names: Vec<_> = list.iter().map(|name| shown(name)).collect();
                if !names.is_empty() {
                    self.wrapped(9, &format!("registries {what} by {file}: {}", names.join(", ")));
                }
            }
        }
        for place in &report.sources {
            self.line(&format!("Source   {}: {} read", shown(&place.place), count(place.read, "manifest")));
        }
        self.releases(report);
        for note in &policy.notes {
            self.labelled("Note     ", &format!("{}: {}", note.code, shown(&note.message)));
        }
    }

    /// The pulls with a verdict; what is the same for several is said once, behind them.
    fn part(&mut self, report: &AdmissionReport, verdict: Verdict) {
        let pulls: Vec<_> = report.images.iter().filter(|image| image.verdict == verdict).collect();
        if pulls.is_empty() {
            return;
        }
        self.head(&head(report, verdict, pulls.len()));
        let mut groups: BTreeMap<_, Vec<&PullReport>> = BTreeMap::new();
        for pull in &pulls {
            let hint = pull.hint.as_deref();
            let cure = pull.fix.as_ref().map(|fix| fix.cure(hint.unwrap_or_default()));
            let copied = matches!(pull.fix, Some(PullFix::Copy { .. }));
            let cure = cure.or(hint.map(str::to_owned)).filter(|_| !copied);
            groups.entry((pull.code, pull.cause.clone(), cure)).or_default().push(pull);
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

    fn head(&mut self, text: &str) {
        let head = self.paint.strong(text);
        self.out.push('\n');
        self.line(&head);
    }

    /// What `--fix` wrote.
    fn fix(&mut self, report: &AdmissionReport) {
        let Some(fix) = &report.fix else { return };
        let file = shown(&shell_word(&fix.file));
        let signatures = count(fix.copies, "missing signature");
        let what = match fix.way {
            _ if !fix.written => format!("nothing would be refused, so {file} is not written"),
            None => format!("{file} has no command: no copy of a signature cures this; it says what does"),
            Some("direct") => {
                format!(
                    "{file} copies {signatures}; where the sources and the mirror can be reached: sh {file}"
                )
            }
            Some(_) => format!(
                "{file} copies {signatures}; on the connected side: sh {file} connected; its first lines say how they \
                 get to the mirror"
            ),
        };
        self.out.push('\n');
        self.labelled("Fix      ", &what);
        for source in &fix.not_asked {
            let what =
                format!("{} could not be asked, so the commands ask it first: {}", source.host, source.cause);
            self.wrapped(9, &shown(&what));
        }
    }

    /// How many pulls of each registry no scope covers.
    fn outside(&mut self, report: &AdmissionReport) {
        let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
        for image in report.images.iter().filter(|image| image.verdict == Verdict::Outside) {
            let name = image.name.as_ref().unwrap_or(&image.reference);
            *hosts.entry(name.split('/').next().unwrap_or_default()).or_default() += 1;
        }
        if hosts.is_empty() {
            return;
        }
        self.head(&head(report, Verdict::Outside, report.counts.outside));
        let mut hosts: Vec<_> = hosts.into_iter().collect();
        hosts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let mut parts: Vec<_> =
            hosts.iter().take(HOSTS).map(|(host, n)| format!("{n} of {}", shown(host))).collect();
        if hosts.len() > HOSTS {
            parts.push(format!("{} more registries", hosts.len() - HOSTS));
        }
        self.wrapped(2, &parts.join(", "));
        self.wrapped(2, "keypack verify with the keys of a pack judges their signatures");
    }

    fn problems(&mut self, report: &AdmissionReport) {
        let all: Vec<_> =
            report.sources.iter().flat_map(|place| place.problems.iter().map(move |p| (place, p))).collect();
        if all.is_empty() {
            return;
        }
        self.head(&format!("COULD NOT READ {}", count(all.len(), "thing")));
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
        if let Some(written) = &report.report {
            self.line(&written.to_string());
        }
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

/// The title of a part.
fn head(report: &AdmissionReport, verdict: Verdict, n: usize) -> String {
    let pulls = count(n, "pull");
    match verdict {
        Verdict::Refused => {
            let who = if report.policy.kind == "openshift" { "CLUSTER" } else { "CONSUMER" };
            format!("THE {who} WOULD REFUSE {n} of {} in scope", count(report.counts.in_scope(), "pull"))
        }
        Verdict::NotJudged => format!("NOT JUDGED {pulls}"),
        Verdict::AdmittedUnverified => format!("ADMITTED UNVERIFIED {pulls}"),
        Verdict::Admitted => format!("ADMITTED {pulls}"),
        Verdict::Outside => format!("OUTSIDE THE POLICY {pulls}: no signature is asked for there"),
    }
}

/// The full name first, so that it can be searched for; then what decided; then where it lies, if that is elsewhere.
fn label(pull: &PullReport, code: &str) -> String {
    let name = pull.name.as_ref().unwrap_or(&pull.reference);
    let at = if *name == pull.reference { String::new() } else { format!("  from {}", shown(pull.place())) };
    let platform = pull.platform.as_deref().map_or_else(String::new, |p| format!("  {}", shown(p)));
    format!("{}{platform}{code}{at}", shown(name))
}
