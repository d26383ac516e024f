//! The table of images.

use super::{hint, line, paragraph};
use crate::{
    diag::Diagnostic,
    display::{Paint, shown},
    outcome::{ImageReport, ImageState, NeedState, Report, SignatureReport},
};

/// A row for every need of every signature of every image.
pub(super) fn table(out: &mut String, report: &Report, paint: Paint) {
    let widest = report.images.iter().map(|i| shown(&i.label).chars().count()).max().unwrap_or(0);
    let forms = report.images.iter().flat_map(|i| i.signatures).map(|s| form(&s).len()).max().unwrap_or(0);
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
            told(out, problem);
            first.clone_from(&blank);
        }
        if image.signatures.is_empty() && image.problems.is_empty() {
            line(out, &format!("{first}  {}", unsigned(&image, paint)));
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
    let log = if signature.logged == Some(false) { ", not logged" } else { "" };
    format!("{} ({}{log})", signature.form, signature.found)
}

/// What is said of an image without signatures.
fn unsigned(image: &ImageReport, paint: Paint) -> String {
    match (image.state, &image.artifact_type) {
        (ImageState::NotHere, _) => paint.warn("not here (another archive holds it)"),
        (ImageState::Pack, _) => "a pack of keys, made by keypack".into(),
        (ImageState::Unreadable, _) => paint.bad("unreadable"),
        (ImageState::SignedOtherwise { otherwise }, _) => format!("signed otherwise ({})", otherwise.title()),
        (_, Some(artifact_type)) => format!("unsigned ({})", shown(artifact_type)),
        _ => "unsigned".into(),
    }
}

fn told(out: &mut String, problem: &Diagnostic) {
    paragraph(out, 4, &shown(&problem.message));
    hint(out, 4, &problem.hint);
}

fn rows(out: &mut String, first: &str, width: &Columns, signature: &SignatureReport, paint: Paint) {
    let (mut first, mut form) = (first.to_owned(), self::form(signature));
    let column = width.form;
    if let Some(problem) = &signature.problem {
        line(out, &format!("{first}  {form:column$}  {}", paint.bad(problem.code.as_str())));
        told(out, problem);
        return;
    }
    for need in &signature.needs {
        // A signature that names no key is known by the one that verified it.
        let named = match (need.need.is_unnamed(), need.key, need.state) {
            (false, _, _) => need.need.id(),
            (true, Some(key), NeedState::Have) => key.id.hex(),
            (true, _, _) => "-".to_owned(),
        };
        let id = shown(&named.chars().take(17).collect::<String>());
        let state = match need.state {
            NeedState::Have => paint.good("have"),
            state @ (NeedState::Missing | NeedState::Unproved) => paint.warn(state.as_str()),
            state @ NeedState::Refused => paint.bad(state.as_str()),
        };
        line(out, &format!("{first}  {form:column$}  {:6} {id:17} {state}", need.need.role().as_str()));
        first = " ".repeat(width.image);
        form.clear();
    }
}
