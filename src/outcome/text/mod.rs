//! The report as text: the keys and the problems, then the images, then the counts.

mod images;
mod need;
mod problems;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ImageState, NeedState, OpenNeed, Report,
    lines::{WIDTH, gap, hint, line, paragraph, visible},
    vouched,
};
use crate::{
    display::{Paint, count, shown},
    key::{KeyRef, Role, Validity},
    pack::Change,
};

/// How much of the images a report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The number of each kind.
    Counted,
    /// One line each.
    Lines,
    /// One line each, with every signature and every key that it needs.
    Whole,
}

/// Writes the report as text. Lines of prose have at most 80 columns; names, fingerprints and the lines of images are
/// never truncated or wrapped, so that they can be searched for.
pub fn render(report: &Report, paint: Paint, images: Detail) -> String {
    let mut out = String::new();
    keys(&mut out, report, paint);
    signers(&mut out, report, paint, images);
    open(&mut out, report, paint);
    problems::of_images(&mut out, report, paint, images != Detail::Counted);
    problems::of_places(&mut out, report, paint, images != Detail::Counted);
    problems::of_keys(&mut out, report, paint);
    windows(&mut out, report, paint);
    unused(&mut out, report, paint);
    images::images(&mut out, report, images, paint);
    counts(&mut out, report, paint);
    super::consumers::render(&mut out, &report.consumers, paint, images == Detail::Whole);
    pack(&mut out, report);
    out
}

fn keys(out: &mut String, report: &Report, paint: Paint) {
    if report.keys.is_empty() {
        return;
    }
    gap(out);
    line(out, &paint.strong("Keys that fit, and who vouches for each"));
    let met = met(report);
    for key in &report.keys {
        line(out, &format!("  {:28} fits {}", key.name, vouched::fits_so_many(key.proofs)));
        let by = vouched::vouched_for_by(key.key, key.given_by.as_deref(), &key.provenance);
        paragraph(out, 4, &format!("vouched for by {by}"));
        let needs = met.get(&key.key);
        let fingerprint = key.fingerprint.to_string();
        let hex = fingerprint.trim_start_matches("sha256:");
        // If signatures name the key by its fingerprint, one line is enough for both.
        if needs.is_none_or(|needs| needs.iter().all(|(_, id)| !id.eq_ignore_ascii_case(hex))) {
            line(out, &format!("    {fingerprint}"));
        }
        for (role, id) in needs.into_iter().flatten() {
            line(out, &format!("    {}", need::row(*role, id, NeedState::Have, paint)));
        }
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
    paragraph(out, 2, "collect --revoke takes these fingerprints; keypack inspect prints them as pins");
}

/// The needs that each key meets, as named by the signatures.
fn met(report: &Report) -> BTreeMap<KeyRef, BTreeSet<(Role, String)>> {
    let mut met: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for need in report.images.iter().flat_map(|image| image.signatures).flat_map(|s| s.needs) {
        if let (NeedState::Have, Some(key)) = (need.state, need.key) {
            met.entry(key).or_default().insert((need.need.role(), need::id(&need)));
        }
    }
    met
}

/// The maximum number of signers shown if images are not.
const SIGNERS: usize = 10;

/// The signers with certificates, according to the verified certificates.
fn signers(out: &mut String, report: &Report, paint: Paint, images: Detail) {
    let mut signers: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
    for image in &report.images {
        let mut here: Vec<_> =
            image.signatures.into_iter().filter_map(|s| Some((s.identity?, s.issuer))).collect();
        here.sort_unstable();
        here.dedup();
        for signer in here {
            *signers.entry(signer).or_default() += 1;
        }
    }
    if signers.is_empty() {
        return;
    }
    gap(out);
    line(out, &paint.strong("Signed with certificates by"));
    let mut signers: Vec<_> = signers.into_iter().collect();
    signers.sort_by_key(|(_, images)| std::cmp::Reverse(*images));
    let most = if images == Detail::Whole { usize::MAX } else { SIGNERS };
    for ((identity, issuer), images) in signers.iter().take(most) {
        let issuer = issuer.as_ref().map(|issuer| format!(", issuer {}", shown(issuer))).unwrap_or_default();
        paragraph(out, 2, &format!("{}{issuer}: {}", shown(identity), count(images, "image")));
    }
    if signers.len() > most {
        line(out, &format!("  and {}: -v lists them", count(signers.len() - most, "more signer")));
    }
}

fn open(out: &mut String, report: &Report, paint: Paint) {
    if report.open.is_empty() {
        return;
    }
    gap(out);
    line(out, &paint.strong("Keys still needed"));
    for (index, need) in report.open.iter().enumerate() {
        open_need(out, need, paint);
        // If successive needs have the same hint, show it once, after the last of them.
        if report.open.get(index + 1).is_none_or(|next| next.problem.hint != need.problem.hint) {
            hint(out, 4, &need.problem.hint);
        }
    }
}

fn open_need(out: &mut String, need: &OpenNeed, paint: Paint) {
    line(out, &format!("  {}", need::row(need.role, &need.id, need.state, paint)));
    let (title, images) = (need.role.title(), count(need.images, "image"));
    paragraph(out, 4, &format!("{title}, needed by {images}, such as {}", shown(&need.example)));
    paragraph(out, 4, &format!("{}: {}", need.problem.code, shown(&need.problem.message)));
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

/// The images signed otherwise: each kind with its count.
fn otherwise(report: &Report) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for image in &report.images {
        if let ImageState::SignedOtherwise { otherwise } = image.state {
            *kinds.entry(otherwise.title()).or_default() += 1;
        }
    }
    let kinds: Vec<_> = kinds.into_iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    kinds.join(", ")
}

fn counts(out: &mut String, report: &Report, paint: Paint) {
    let c = &report.counts;
    gap(out);
    let mut images = format!("{}: {} signed, {} unsigned", count(c.images, "image"), c.signed, c.unsigned);
    if c.signed_otherwise > 0 {
        images.push_str(&format!(", {} signed otherwise ({})", c.signed_otherwise, otherwise(report)));
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
    let mut sentences = vec![format!("{images}."), format!("{keys}.")];
    if c.not_logged > 0 {
        sentences.push(format!("{} without a log entry.", count(c.not_logged, "signature")));
    }
    // Wrapped between sentences if each fits into a line, so that they can be searched for.
    let mut row = String::new();
    for sentence in sentences {
        if !row.is_empty() && visible(&row) + 1 + visible(&sentence) > WIDTH {
            paragraph(out, 0, &row);
            row.clear();
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(&sentence);
    }
    paragraph(out, 0, &row);
}

fn pack(out: &mut String, report: &Report) {
    let Some(pack) = &report.pack else { return };
    let kept = match pack.kept.len() {
        0 => String::new(),
        n => format!(" and {n} kept from earlier collections"),
    };
    let unproved = match pack.unproved.len() {
        0 => String::new(),
        n => format!(", {n} that fit no known signature"),
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
