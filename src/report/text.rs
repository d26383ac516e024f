//! The report for people: a table of images, then what is at hand, then what is open, counts last.

use std::fmt::Write;

use super::{ImageReport, Report, SignatureReport};
use crate::{
    display::{Paint, count, shown},
    key::{Role, Validity},
};

/// Writes the report as text, at most 100 columns wide as long as names allow.
///
/// `images`: with a row for every need of every signature.
pub fn render(report: &Report, paint: Paint, images: bool) -> String {
    let mut out = String::new();
    if images {
        self::images(&mut out, report, paint);
    }
    keys(&mut out, report, paint);
    open(&mut out, report, paint);
    if !images {
        problems(&mut out, report, paint);
    }
    troubles(&mut out, report, paint, images);
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

/// An empty line between two parts.
fn gap(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}

fn images(out: &mut String, report: &Report, paint: Paint) {
    let widest = report.images.iter().map(|i| shown(&i.label).chars().count()).max().unwrap_or(0);
    let forms = report.images.iter().flat_map(|i| &i.signatures).map(|s| form(s).len()).max().unwrap_or(0);
    let width = Columns { image: widest.clamp(5, 40), form: forms.max(9) };
    let (image, form) = (width.image, width.form);
    let head = format!("{:image$}  {:form$}  {:6} {:17} STATE", "IMAGE", "SIGNATURE", "NEEDS", "ID");
    line(out, &paint.strong(&head));
    for image in &report.images {
        let label = shown(&image.label);
        // A name that does not fit gets a line of its own rather than being cut.
        let first = if label.chars().count() > width.image {
            line(out, &label);
            String::new()
        } else {
            label
        };
        let blank = " ".repeat(width.image);
        let mut first = format!("{first:image$}", image = width.image);
        for problem in &image.problems {
            line(out, &format!("{first}  {}", paint.bad(problem.code.as_str())));
            paragraph(out, 4, &shown(&problem.message));
            first.clone_from(&blank);
        }
        if image.signatures.is_empty() && image.problems.is_empty() {
            line(out, &format!("{first}  {}", unsigned(image, paint)));
        }
        for signature in &image.signatures {
            rows(out, &first, &width, signature, paint);
            first.clone_from(&blank);
        }
    }
}

/// How wide the first two columns are.
struct Columns {
    image: usize,
    form: usize,
}

fn form(signature: &SignatureReport) -> String {
    format!("{} ({})", signature.form, signature.found)
}

fn unsigned(image: &ImageReport, paint: Paint) -> String {
    match (image.kind, &image.artifact_type) {
        ("absent", _) => paint.warn("not here (another archive holds it)"),
        (_, Some(pack)) if pack == crate::pack::media::KEYS => "a pack of keys, made by keypack".into(),
        (_, Some(artifact_type)) => format!("unsigned ({})", shown(artifact_type)),
        _ => "unsigned".into(),
    }
}

fn rows(out: &mut String, first: &str, width: &Columns, signature: &SignatureReport, paint: Paint) {
    let (mut first, mut form) = (first.to_owned(), self::form(signature));
    let column = width.form;
    if let Some(problem) = &signature.problem {
        line(out, &format!("{first}  {form:column$}  {}", paint.bad(problem.code.as_str())));
        paragraph(out, 4, &shown(&problem.message));
        return;
    }
    for need in &signature.needs {
        // A signature that names no key is known by the one that verified it.
        let named = if need.id.starts_with("not named") {
            need.key.filter(|_| need.state == "have").map_or_else(|| "-".to_owned(), |key| key.id.hex())
        } else {
            need.id.clone()
        };
        let id = shown(&named.chars().take(17).collect::<String>());
        let state = match need.state {
            "have" => paint.good("have"),
            "missing" | "unproved" => paint.warn(need.state),
            other => paint.bad(other),
        };
        line(out, &format!("{first}  {form:column$}  {:6} {id:17} {state}", need.role.as_str()));
        first = " ".repeat(width.image);
        form.clear();
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
        line(out, &format!("  {} {} {}", paint.bad(need.state), need.role.title(), shown(&need.id)));
        line(out, &format!("    needed by {images}, such as {}", shown(&need.example)));
        paragraph(out, 4, &format!("{}: {}", need.code, shown(&need.reason)));
        // Needs that one thing mends get that hint once, behind the last of them.
        if report.open.get(index + 1).is_none_or(|next| next.hint != need.hint) {
            paragraph(out, 4, &format!("hint: {}", need.hint));
        }
    }
}

/// Images that are told without the table: those with problems, as many as a person reads.
const TOLD: usize = 5;

/// What the table of images would tell of problems.
fn problems(out: &mut String, report: &Report, paint: Paint) {
    let of_image = |image: &'_ ImageReport| {
        let signatures = image.signatures.iter().filter_map(|s| s.problem.as_ref());
        let label = shown(&image.label);
        let tell = |p: &super::ProblemReport| format!("{}: {label}: {}", p.code, shown(&p.message));
        image.problems.iter().chain(signatures).map(tell).collect::<Vec<_>>()
    };
    let all: Vec<_> = report.images.iter().flat_map(of_image).collect();
    if !all.is_empty() {
        gap(out);
    }
    for problem in all.iter().take(TOLD) {
        paragraph(out, 0, &format!("{} {problem}", paint.bad("problem")));
    }
    if all.len() > TOLD {
        line(out, &format!("and {}: -v lists them", count(all.len() - TOLD, "more problem")));
    }
}

fn troubles(out: &mut String, report: &Report, paint: Paint, all: bool) {
    let of_places: Vec<_> = report.sources.iter().flat_map(|s| &s.problems).collect();
    if !of_places.is_empty() {
        gap(out);
    }
    let told = if all { of_places.len() } else { TOLD };
    for problem in of_places.iter().take(told) {
        line(out, &format!("{} {}: {}", paint.bad("problem"), problem.code, shown(&problem.message)));
    }
    if of_places.len() > told {
        line(out, &format!("and {}: -v lists them", count(of_places.len() - told, "more problem")));
    }
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
    }
    for new in &report.changed {
        gap(out);
        let what = shown(&super::another_key(new));
        paragraph(out, 0, &format!("{} key-changed: {what}", paint.bad("refused")));
        line(out, "    hint: ask its owner, by another way, whether the key was changed; then");
        line(out, &format!("    --accept-change {}", new.fingerprint));
    }
    for entry in &report.unusable {
        let what = match entry.entry.as_str() {
            "it" => shown(&entry.source),
            part => format!("{}, {}", shown(&entry.source), shown(part)),
        };
        paragraph(
            out,
            0,
            &format!("{} {}: {}: {}", paint.warn("not used"), entry.code, what, shown(&entry.reason)),
        );
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
    if c.absent > 0 {
        let _ = write!(images, ", {} not here", c.absent);
    }
    let needed = c.have + c.open;
    let mut keys = format!("{} needed", count(needed, "key"));
    if needed > 0 {
        let _ = write!(keys, ": {} at hand and proved, {} open", c.have, c.open);
    }
    if c.problems > 0 {
        let _ = write!(keys, "; {}", paint.bad(&count(c.problems, "problem")));
    }
    paragraph(out, 0, &format!("{images}. {keys}."));
}

fn pack(out: &mut String, report: &Report) {
    let Some(pack) = &report.pack else { return };
    let kept = match pack.kept.len() {
        0 => String::new(),
        n => format!(" and {n} kept from earlier collections"),
    };
    let what = match pack.change {
        "unchanged" => "unchanged".to_owned(),
        change => format!("written ({change})"),
    };
    line(
        out,
        &format!(
            "{}: {}{kept}, version {}, {what}",
            shown(&pack.directory),
            count(pack.keys.len(), "key"),
            pack.version
        ),
    );
    line(out, &format!("Pack: {}", pack.digest));
}
