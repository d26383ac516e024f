//! The report as a page. Every section is there in every report, so that nobody has to ask what an absent one means.

mod pack;

use std::collections::BTreeMap;

use super::{Changes, ImageLine, MARK, ReportFile, images::Section};
use crate::{diag::Diagnostic, display::count, outcome::html::Page};

pub(super) fn render(file: &ReportFile<'_>) -> String {
    let mut page = Page::new(Some(MARK), "Verification report", Some("wide"));
    page.title("Verification report");
    verdict(&mut page, file);
    asked(&mut page, file);
    pack::write(&mut page, file.pack.as_ref());
    stages(&mut page, file);
    refused(&mut page, file);
    not_judged(&mut page, file);
    consumers(&mut page, file);
    changes(&mut page, file.changes.as_ref());
    page.heading("WHAT THE RESULT DEPENDS ON, by sha256");
    let inputs = file.inputs.iter();
    page.list(
        [("What", 14), ("Name", 40), ("sha256", 46)],
        inputs.map(|input| [input.what.into(), input.name.clone(), input.sha256.to_string()]),
    );
    page.names("READ AND ACCEPTED by two people");
    images(&mut page, file);
    page.finish(Some(&file.facts.comment()))
}

fn verdict(page: &mut Page, file: &ReportFile<'_>) {
    let exit = format!("exit code {}", file.exit);
    match file.failure {
        None => page.verdict(true, &format!("{}, {exit}", file.verdict.to_uppercase())),
        Some(failure) => {
            page.verdict(false, &format!("{} [{}], {exit}", failure.message, failure.code));
            page.detail(&format!("what to do: {}", failure.hint));
        }
    }
    let counts = file.counts.iter().filter(|(_, n)| **n > 0).map(|(what, n)| format!("{} {n}", words(what)));
    let counts = counts.collect::<Vec<_>>();
    if !counts.is_empty() {
        page.line(&counts.join(", "));
    }
}

/// The name of a count in words: `notHere` is "not here".
fn words(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn asked(page: &mut Page, file: &ReportFile<'_>) {
    let clock = &file.clock;
    page.heading("WHAT WAS ASKED");
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "not known".into());
    page.field("Clock", &format!("{} ({})", clock.time, said(&clock.source)));
    let used = clock.signatures.iter().map(|(clock, n)| match *clock {
        "log" => format!("{} by a transparency log", count(n, "signature")),
        "timestamp" => format!("{} by a timestamp", count(n, "signature")),
        _ => format!("{} by this host's clock", count(n, "signature")),
    });
    let used = used.collect::<Vec<_>>();
    if !used.is_empty() {
        page.field("Dated", &used.join(", "));
    }
    page.field("By", &format!("{} on {}", said(&clock.user), said(&clock.host)));
    for source in file.sources {
        page.field("Source", &format!("{}: {} read", source.place, count(source.read, "manifest")));
    }
    if let Some(keys) = &file.keys {
        let doubt = if keys.authenticated {
            ""
        } else {
            ": NOT AUTHENTICATED, only who named these files vouches for them"
        };
        page.field("Keys", &format!("{} of {}{doubt}", keys.count, keys.from.join(", ")));
    }
    if let Some(expected) = file.expected {
        page.field("Signers", &expected.summary());
    }
    if let Some(policy) = file.policy {
        page.field("Policy", &policy.file);
        page.field("Scopes", &listed(&policy.scopes));
        if !policy.objects.is_empty() {
            page.field("Objects", &listed(&policy.objects));
        }
        if let Some(registries) = &policy.registries {
            page.field("Allowed", &listed(&registries.allowed));
            page.field("Blocked", &listed(&registries.blocked));
        }
        for note in &policy.notes {
            page.field("Note", &format!("{}: {}", note.code, note.message));
        }
    }
    for release in file.releases {
        let version = release.version.as_deref().unwrap_or("of unknown version");
        let by = release.signed_by.as_deref().map_or_else(String::new, |key| format!(", signed by {key}"));
        let images = count(release.images, "image");
        page.field("Release", &format!("OpenShift {version}, {}{by}, {images}", release.digest));
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn stages(page: &mut Page, file: &ReportFile<'_>) {
    page.heading("WHAT WILL BE ADMITTED");
    if file.policy.is_none() {
        page.line("no consumer's policy was asked: keypack verify --policy does");
    } else if file.stages.is_empty() {
        page.line(
            "the policy is judged as one: stages are told apart where the mirror's own release brings it",
        );
    } else {
        let rows = file.stages.iter().map(|stage| {
            let of = stage.release.as_ref().map_or_else(String::new, |of| format!(" of {of}"));
            let cause = match &stage.hint {
                Some(hint) => format!("{}; {hint}", stage.cause),
                None => stage.cause.clone(),
            };
            [format!("{}{of}", stage.stage.name()), stage.verdict.as_str().into(), cause]
        });
        page.list([("Stage", 25), ("Verdict", 15), ("Why", 60)], rows);
    }
    if file.policy.is_some() {
        let mut hosts: BTreeMap<_, usize> = BTreeMap::new();
        for image in &file.images {
            let host = image.name.split('/').next().unwrap_or_default();
            *hosts.entry((host, image.verdict)).or_default() += 1;
        }
        let rows = hosts
            .into_iter()
            .map(|((host, verdict), n)| [host.to_owned(), verdict.to_owned(), n.to_string()]);
        page.list([("Registry", 50), ("Verdict", 25), ("Pulls", 25)], rows);
    }
    let mut signers: Vec<_> = file.signers.iter().collect();
    signers.sort_by_key(|signer| &signer.signer);
    let rows = signers.into_iter().map(|signer| {
        let expected = if signer.expected { "expected" } else { "not expected" };
        let logged = format!("{} logged, {} not", signer.logged, signer.unlogged);
        let (who, key) = (signer.signer.name(), signer.signer.fingerprint.to_string());
        [who, key, format!("{}, {expected}; {logged}", count(signer.images, "image"))]
    });
    if !file.signers.is_empty() {
        page.list([("Signer", 35), ("Key", 40), ("Good signatures", 25)], rows);
    }
}

fn refused(page: &mut Page, file: &ReportFile<'_>) {
    section(page, file, Section::Refused, "REFUSED");
    let rejected: Vec<_> = file.releases.iter().filter_map(|release| release.problem.as_ref()).collect();
    for why in rejected {
        problem(page, why);
    }
    if !file.missing.is_empty() {
        page.heading(&format!("NOT IN THE MIRROR {}", count(file.missing.len(), "image")));
        let mut missing: Vec<_> = file.missing.iter().collect();
        missing.sort_by_key(|image| &image.image);
        let rows = missing.iter().map(|image| {
            let what = format!("{} of {}", image.name, image.release);
            [image.image.clone(), what, format!("{}; {}", image.problem.code, image.problem.hint)]
        });
        page.list([("Image", 45), ("What it is", 20), ("What to do", 35)], rows);
    }
    if let Some(fix) = file.fix.filter(|fix| fix.written) {
        page.line(&format!("{} copies {}", fix.file, count(fix.copies, "missing signature")));
    }
}

fn not_judged(page: &mut Page, file: &ReportFile<'_>) {
    section(page, file, Section::NotJudged, "NOT JUDGED");
    for source in file.sources {
        for why in &source.problems {
            page.line(&source.place);
            problem(page, why);
        }
    }
}

/// What is judged: with a policy each image by its tag and by its digest.
const fn noun(file: &ReportFile<'_>) -> &'static str {
    if file.policy.is_some() { "pull" } else { "image" }
}

/// The images of a section; what is the same for several is said once, before them.
fn section(page: &mut Page, file: &ReportFile<'_>, section: Section, title: &str) {
    let found: Vec<_> = file.images.iter().filter(|image| image.section == section).collect();
    page.heading(&format!("{title} {}", count(found.len(), noun(file))));
    let mut groups: BTreeMap<_, Vec<&ImageLine>> = BTreeMap::new();
    for image in found {
        groups.entry((image.code, &image.cause, &image.fix)).or_default().push(image);
    }
    for ((code, cause, fix), images) in groups {
        let code = code.map_or_else(|| section_word(section).to_owned(), |code| code.to_string());
        page.line(&format!("{code}: {}", cause.as_deref().unwrap_or_default()));
        if let Some(fix) = fix {
            page.detail(&format!("fix: {fix}"));
        }
        page.list(COLUMNS, images.into_iter().map(cells));
    }
}

const fn section_word(section: Section) -> &'static str {
    match section {
        Section::Refused => "refused",
        _ => "not judged",
    }
}

const COLUMNS: [(&str, u8); 4] = [("Image", 44), ("Platform", 10), ("Digest", 30), ("Verdict", 16)];

fn cells(image: &ImageLine) -> [String; 4] {
    let digest = image.digest.map_or_else(String::new, |digest| digest.to_string());
    // The digest has a column of its own.
    let by_digest = image.name.strip_suffix(&digest).and_then(|name| name.strip_suffix('@'));
    let mut name = by_digest.map_or_else(|| image.name.clone(), |name| format!("{name}, by digest"));
    if let Some(at) = &image.at {
        name.push_str(&format!(", in {at}"));
    }
    [name, image.platform.clone().unwrap_or_default(), digest, image.verdict.to_owned()]
}

fn problem(page: &mut Page, problem: &Diagnostic) {
    page.detail(&format!("{}: {}", problem.code, problem.message));
    page.detail(&format!("fix: {}", problem.hint));
}

fn consumers(page: &mut Page, file: &ReportFile<'_>) {
    page.heading("WHICH CONSUMER COULD VERIFY THE IMAGES");
    if file.consumers.is_empty() {
        page.line("not asked: keypack verify --for does");
    }
    for report in file.consumers {
        let signed = count(report.signed, "signed image");
        page.line(&format!("{} ({}): {} of {signed}", report.consumer, report.library, report.could));
        for cannot in &report.cannot {
            page.detail(&format!("{} could not, such as {}", cannot.images, listed(&cannot.examples)));
            problem(page, &cannot.problem);
        }
    }
}

fn changes(page: &mut Page, changes: Option<&Changes>) {
    page.heading("CHANGES SINCE THE LAST REPORT");
    let Some(changes) = changes else {
        page.line("not compared: there was no report under this name, and --since names none");
        return;
    };
    let since = &changes.since;
    page.line(&format!("that was {} of {:.0}, {}", since.file, changes.time, since.sha256));
    if changes.is_empty() {
        page.line("nothing has changed but the time");
    }
    for (what, was) in &changes.removed {
        page.detail(&format!("- {what}: {was}"));
    }
    for (what, is) in &changes.added {
        page.detail(&format!("+ {what}: {is}"));
    }
    for (what, change) in &changes.changed {
        page.detail(&format!("~ {what}: {}, was {}", change.is, change.was));
    }
}

fn images(page: &mut Page, file: &ReportFile<'_>) {
    page.heading(&format!("APPENDIX: EVERY {} ({})", noun(file).to_uppercase(), file.images.len()));
    let rows = file.images.iter().map(|image| {
        let mut cells = cells(image);
        let by = match (image.signers.as_slice(), &image.code) {
            ([], Some(code)) => format!(": {code}"),
            ([], None) => String::new(),
            (signers, _) => format!(": {}", signers.join(", ")),
        };
        cells[3].push_str(&by);
        cells
    });
    page.list(COLUMNS, rows);
}
