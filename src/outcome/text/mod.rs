//! The report for people: a table of images, then what is at hand, then what is open, counts last.

mod images;
mod problems;

use super::Report;
use crate::{
    display::{Paint, count, shown},
    key::{Role, Validity},
    pack::Change,
};

/// Writes the report as text, at most 100 columns wide as long as names allow.
///
/// `images`: with a row for every need of every signature.
pub fn render(report: &Report, paint: Paint, images: bool) -> String {
    let mut out = String::new();
    if images {
        images::table(&mut out, report, paint);
    }
    keys(&mut out, report, paint);
    open(&mut out, report, paint);
    if !images {
        problems::of_images(&mut out, report, paint);
    }
    problems::of_places(&mut out, report, paint, images);
    problems::of_keys(&mut out, report, paint);
    windows(&mut out, report, paint);
    unused(&mut out, report, paint);
    counts(&mut out, report, paint);
    pack(&mut out, report);
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// The widest line, as far as names and digests allow.
const WIDTH: usize = 100;

/// A text in lines of at most [`WIDTH`], broken between words, each indented.
fn paragraph(out: &mut String, indent: usize, text: &str) {
    let mut row = " ".repeat(indent);
    for word in text.split(' ') {
        let used = row.chars().count();
        if used > indent && used + 1 + word.chars().count() > WIDTH {
            line(out, &row);
            row = " ".repeat(indent);
        }
        if row.len() > indent {
            row.push(' ');
        }
        row.push_str(word);
    }
    line(out, &row);
}

/// What to do about what stands above.
fn hint(out: &mut String, indent: usize, text: &str) {
    paragraph(out, indent, &format!("hint: {}", shown(text)));
}

/// An empty line between two parts.
fn gap(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}

fn keys(out: &mut String, report: &Report, paint: Paint) {
    if report.keys.is_empty() {
        return;
    }
    gap(out);
    line(out, &paint.strong("Proved by a signature"));
    for key in &report.keys {
        let from: Vec<_> =
            key.provenance.iter().map(|p| format!("{} ({})", shown(&p.source), p.grade.as_str())).collect();
        line(out, &format!("  {:28} from {}", key.name, from.join(", ")));
        line(out, &format!("    {}", key.fingerprint));
        if key.key.role == Role::Pki {
            paragraph(
                out,
                4,
                "judged by the clock of this host: no log and no timestamp says when it was used",
            );
        }
        if key.weak {
            let what = "its self-signatures use SHA-1, which RHEL 9 and later refuse";
            paragraph(out, 4, &format!("{}: {what}; get the owner's newer copy", paint.warn("weak")));
        }
    }
}

fn open(out: &mut String, report: &Report, paint: Paint) {
    if report.open.is_empty() {
        return;
    }
    gap(out);
    line(out, &paint.strong("Not at hand"));
    for (index, need) in report.open.iter().enumerate() {
        let images = count(need.images, "image");
        line(out, &format!("  {} {} {}", paint.bad(need.state.as_str()), need.role.title(), shown(&need.id)));
        line(out, &format!("    needed by {images}, such as {}", shown(&need.example)));
        paragraph(out, 4, &format!("{}: {}", need.problem.code, shown(&need.problem.message)));
        // Needs that one thing mends get that hint once, behind the last of them.
        if report.open.get(index + 1).is_none_or(|next| next.problem.hint != need.problem.hint) {
            hint(out, 4, &need.problem.hint);
        }
    }
}

fn windows(out: &mut String, report: &Report, paint: Paint) {
    let end = |validity: &Validity| validity.end.map_or_else(|| "open".to_owned(), |end| end.to_string());
    let period = |validity: &Validity| match validity.start {
        Some(start) => format!("{start} to {}", end(validity)),
        None => format!("until {}", end(validity)),
    };
    for difference in &report.windows {
        gap(out);
        let stated: Vec<_> = difference
            .stated
            .iter()
            .map(|s| format!("{} says {}", shown(&s.source), period(&s.validity)))
            .collect();
        paragraph(
            out,
            0,
            &format!(
                "{} the sources of {} differ about when it was in use: {}; the narrowest period counts, {}",
                paint.warn("note"),
                difference.key,
                stated.join(", "),
                period(&difference.used)
            ),
        );
    }
}

fn unused(out: &mut String, report: &Report, paint: Paint) {
    if !report.unused.is_empty() {
        gap(out);
    }
    for entry in &report.unused {
        let what = format!("{} {}", paint.warn("not needed"), shown(&entry.source));
        paragraph(out, 0, &format!("{what}: no signature here names a key of it or verifies with one"));
    }
}

fn counts(out: &mut String, report: &Report, paint: Paint) {
    let c = &report.counts;
    gap(out);
    let mut images = format!("{}: {} signed, {} unsigned", count(c.images, "image"), c.signed, c.unsigned);
    if c.signed_otherwise > 0 {
        images.push_str(&format!(", {} signed otherwise", c.signed_otherwise));
    }
    if c.unreadable > 0 {
        images.push_str(&format!(", {}", paint.bad(&format!("{} unreadable", c.unreadable))));
    }
    if c.absent > 0 {
        images.push_str(&format!(", {} not here", c.absent));
    }
    let mut keys = format!("{} needed", count(c.needed, "key"));
    if c.needed > 0 {
        keys.push_str(&format!(": {} at hand and proved, {} open", c.have, c.open));
    }
    if !report.changed.is_empty() {
        keys.push_str(&format!(", {} refused until --accept-change", report.changed.len()));
    }
    if c.problems > 0 {
        keys.push_str(&format!("; {}", paint.bad(&count(c.problems, "problem"))));
    }
    let not_logged = match c.not_logged {
        0 => String::new(),
        n => format!(" {} without a log entry.", count(n, "signature")),
    };
    paragraph(out, 0, &format!("{images}. {keys}.{not_logged}"));
}

fn pack(out: &mut String, report: &Report) {
    let Some(pack) = &report.pack else { return };
    let kept = match pack.kept.len() {
        0 => String::new(),
        n => format!(" and {n} kept from earlier collections"),
    };
    let unproved = match pack.unproved.len() {
        0 => String::new(),
        n => format!(", {n} unproved"),
    };
    let what = match pack.change {
        Change::First => "written (first)",
        Change::Changed => "written (changed)",
        Change::Refreshed => "written (refreshed)",
        Change::Unchanged => "unchanged",
    };
    line(
        out,
        &format!(
            "{}: {}{kept}{unproved}, version {}, {what}",
            shown(&pack.directory),
            count(pack.keys.len(), "key"),
            pack.version
        ),
    );
    line(out, &format!("Pack: {}", pack.digest));
}
