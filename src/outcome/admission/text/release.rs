//! The parts of the text that are about releases of OpenShift.

use super::Text;
use crate::{
    display::{count, shown},
    outcome::admission::{AdmissionReport, ReleaseReport},
    policy::consumer::Verdict,
};

impl Text {
    pub(super) fn releases(&mut self, report: &AdmissionReport) {
        for release in &report.releases {
            let Some(key) = &release.signed_by else { continue };
            self.line(&format!("Release  {}: signed by {}", release_name(release), shown(key)));
        }
    }

    /// Releases whose policy does not count.
    pub(super) fn rejected(&mut self, report: &AdmissionReport) {
        let rejected =
            || report.releases.iter().filter_map(|release| Some((release, release.problem.as_ref()?)));
        if rejected().next().is_none() {
            return;
        }
        let head = self.paint.strong(&format!("DOES NOT COUNT {}", count(rejected().count(), "release")));
        self.out.push('\n');
        self.line(&head);
        for (_, problem) in rejected() {
            let code = self.paint.bad(problem.code.as_str());
            self.wrapped(2, &format!("{code}: {}", shown(&problem.message)));
            self.wrapped(4, &format!("fix: {}", shown(&problem.hint)));
        }
    }

    pub(super) fn missing(&mut self, report: &AdmissionReport) {
        let Some(first) = report.missing.first() else { return };
        let head = self.paint.strong(&format!("NOT IN THE MIRROR {}", count(report.missing.len(), "image")));
        self.out.push('\n');
        self.line(&head);
        for image in report.missing.iter().take(self.most) {
            let code = self.paint.bad(image.problem.code.as_str());
            let (name, release) = (shown(&image.name), shown(&image.release));
            self.line(&format!("  {}  {name} of {release}  {code}", shown(&image.image)));
        }
        if report.missing.len() > self.most {
            self.line(&format!("  … and {} more: -v, or --format json", report.missing.len() - self.most));
        }
        self.wrapped(4, &format!("fix: {}", shown(&first.problem.hint)));
    }

    pub(super) fn stages(&mut self, report: &AdmissionReport) {
        if report.stages.is_empty() {
            return;
        }
        let head = self.paint.strong("STAGES");
        self.out.push('\n');
        self.line(&head);
        for stage in &report.stages {
            let word = match stage.verdict {
                Verdict::Refused => self.paint.bad("refused"),
                Verdict::NotJudged => self.paint.warn("not judged"),
                Verdict::AdmittedUnverified => "admitted unverified".to_owned(),
                _ => self.paint.good("admitted"),
            };
            let of = stage.release.as_ref().map_or_else(String::new, |of| format!(" of {}", shown(of)));
            self.wrapped(2, &format!("{}{of}: {word}: {}", stage.stage.name(), shown(&stage.cause)));
            // What is refused has its fix above.
            if let Some(hint) = stage.hint.as_ref().filter(|_| stage.verdict != Verdict::Refused) {
                self.wrapped(4, &shown(hint));
            }
        }
    }
}

fn release_name(release: &ReleaseReport) -> String {
    let version = release.version.as_deref().map_or_else(|| release.digest.to_string(), shown);
    let nodes = match release.platforms.as_slice() {
        [] => String::new(),
        platforms => format!(", nodes {}", shown(&platforms.join(", "))),
    };
    format!("OpenShift {version}{nodes}, {}", count(release.images, "image"))
}
