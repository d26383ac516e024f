//! Everything that could not be read, is refused or is not used, with hints.

use std::collections::HashMap;

use super::{gap, hint, line, paragraph};
use crate::{
    diag::{Code, Diagnostic},
    display::{Paint, count, shown},
    outcome::{ImageState, Report, UnusableReport, another_key},
};

/// The maximum number of problems shown without the table.
const SHOWN: usize = 5;

/// The problems of images and of their signatures.
pub(super) fn of_images(out: &mut String, report: &Report, paint: Paint, all: bool) {
    let mut found = Vec::new();
    for image in &report.images {
        // `pull` judges the signatures of a pack.
        let signatures = image.signatures.into_iter().filter(|_| image.state != ImageState::Pack);
        let of_signatures = signatures.filter_map(|s| s.problem);
        let label = shown(&image.label);
        found.extend(image.problems.into_iter().chain(of_signatures).map(|p| (p, format!("{label}: "))));
    }
    let found: Vec<_> = found.iter().map(|(problem, label)| (problem, label.clone())).collect();
    list(out, &found, if all { usize::MAX } else { SHOWN }, paint);
}

/// The problems of whole locations.
pub(super) fn of_places(out: &mut String, report: &Report, paint: Paint, all: bool) {
    let of_places = report.sources.iter().flat_map(|source| &source.problems);
    let of_places: Vec<_> = of_places.map(|problem| (problem, String::new())).collect();
    list(out, &of_places, if all { usize::MAX } else { SHOWN }, paint);
}

fn list(out: &mut String, problems: &[(&Diagnostic, String)], most: usize, paint: Paint) {
    if !problems.is_empty() {
        gap(out);
    }
    // A problem that occurs several times is shown once, with the count.
    let mut grouped: Vec<(&Diagnostic, &String, usize)> = Vec::new();
    let mut places = HashMap::new();
    for (problem, label) in problems {
        let place = *places.entry((problem.code.as_str(), &problem.message, label)).or_insert(grouped.len());
        match grouped.get_mut(place) {
            Some((.., times)) => *times += 1,
            None => grouped.push((problem, label, 1)),
        }
    }
    let problems = grouped;
    let seen = &problems[..problems.len().min(most)];
    for (index, (problem, label, times)) in seen.iter().enumerate() {
        let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
        let what =
            format!("{} {}: {label}{}{times}", paint.bad("problem"), problem.code, shown(&problem.message));
        paragraph(out, 0, &what);
        // If successive problems have the same hint, show it once, after the last of them.
        if seen.get(index + 1).is_none_or(|(next, ..)| next.hint != problem.hint) {
            hint(out, 4, &problem.hint);
        }
    }
    if problems.len() > seen.len() {
        let more = count(problems.len() - seen.len(), "more problem");
        line(out, &format!("and {more}: -v lists them"));
    }
}

/// Refused keys, and unused entries of key sources.
pub(super) fn of_keys(out: &mut String, report: &Report, paint: Paint) {
    for conflict in &report.conflicts {
        gap(out);
        paragraph(
            out,
            0,
            &format!(
                "{} key-conflict: {} have different content for {}; neither is used",
                paint.bad("refused"),
                conflict.sources.iter().map(|s| shown(s)).collect::<Vec<_>>().join(" and "),
                conflict.key
            ),
        );
        hint(out, 4, Code::KeyConflict.hint());
    }
    for new in &report.changed {
        gap(out);
        let what = shown(&another_key(new));
        paragraph(out, 0, &format!("{} key-changed: {what}", paint.bad("refused")));
        line(out, "    hint: ask its owner, out of band, whether the key was changed; then");
        line(out, &format!("    --accept-change {}", new.fingerprint));
    }
    for (index, entry) in report.undated.iter().enumerate() {
        let (kind, problem) = (paint.warn("note"), &entry.problem);
        let what = place(entry);
        paragraph(out, 0, &format!("{kind} {}: {what}: {}", problem.code, shown(&problem.message)));
        if index + 1 == report.undated.len() {
            hint(out, 4, &problem.hint);
        }
    }
    for (index, entry) in report.unusable.iter().enumerate() {
        let what = place(entry);
        let (kind, problem) = (paint.warn("not used"), &entry.problem);
        paragraph(out, 0, &format!("{kind} {}: {what}: {}", problem.code, shown(&problem.message)));
        if report.unusable.get(index + 1).is_none_or(|next| next.problem.hint != problem.hint) {
            hint(out, 4, &problem.hint);
        }
    }
}

/// The display name of an entry in a key source.
fn place(entry: &UnusableReport) -> String {
    match &entry.entry {
        None => shown(&entry.source),
        Some(part) => format!("{}, {}", shown(&entry.source), shown(part)),
    }
}
