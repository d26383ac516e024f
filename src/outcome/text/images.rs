//! The images: one line each that starts with the full name, so that lines can be searched for; in full detail, with
//! every signature and every key that it needs.

use super::{Detail, gap, line, need};
use crate::{
    content::Doubt,
    display::{Paint, count, shown},
    outcome::{ImageReport, ImageState, NeedState, Report, SignatureReport},
};

/// Longer names shift the rest of their line, and are never truncated.
const NAME: usize = 40;

/// With more images than this, there is a note on how to show them.
const MANY: usize = 30;

/// The maximum number of signatures shown in an image's line.
const SIGNATURES: usize = 3;

pub(super) fn images(out: &mut String, report: &Report, images: Detail, paint: Paint) {
    if report.images.is_empty() || (images == Detail::Counted && report.images.len() <= MANY) {
        return;
    }
    gap(out);
    if images == Detail::Counted {
        line(out, "Image by image: --images-table; with each signature and key: -v.");
        return;
    }
    let widest = report.images.iter().map(|i| shown(&i.full_name()).chars().count()).max().unwrap_or(0);
    let name = widest.clamp(5, NAME);
    line(out, &paint.strong(&format!("{:name$}  SIGNATURES AND THEIR KEYS", "IMAGE")));
    for image in &report.images {
        line(out, &format!("{:name$}  {}", shown(&image.full_name()), found(&image, paint)));
        if images == Detail::Whole {
            for signature in &image.signatures {
                whole(out, signature, paint);
            }
        }
    }
}

/// The signatures of a signed image; for any other, its state and other artifacts.
fn found(image: &ImageReport, paint: Paint) -> String {
    let state = match image.state {
        ImageState::Signed => return detail(image, paint),
        ImageState::Unsigned if image.doubt == Some(Doubt::Source) => paint.warn("signature not mirrored"),
        ImageState::Unsigned if image.doubt.is_some() => "no signature listed".into(),
        ImageState::Unsigned => "unsigned".into(),
        ImageState::Unreadable => paint.bad("unreadable"),
        ImageState::SignedOtherwise { .. } => "otherwise".into(),
        ImageState::NotHere => paint.warn("not here"),
        ImageState::Pack => "pack".into(),
    };
    format!("{state}  {}", detail(image, paint))
}

/// Its signatures and other artifacts.
fn detail(image: &ImageReport, paint: Paint) -> String {
    let mut parts: Vec<String> = image.problems.iter().map(|p| paint.bad(p.code.as_str())).collect();
    match image.state {
        ImageState::Pack => parts.push("a pack of keys, made by keypack".into()),
        ImageState::NotHere if image.signatures.is_empty() => parts.push("another archive holds it".into()),
        ImageState::SignedOtherwise { otherwise } => parts.push(otherwise.title().to_owned()),
        _ => {}
    }
    parts.dedup();
    parts.extend(image.signatures.iter().take(SIGNATURES).map(|signature| brief(signature, paint)));
    if image.signatures.len() > SIGNATURES {
        parts.push(count(image.signatures.len() - SIGNATURES, "more signature"));
    }
    parts.extend(image.artifact_type.iter().filter(|_| image.state != ImageState::Pack).map(|t| shown(t)));
    if !image.others.is_empty() {
        let others: Vec<_> = image.others.iter().map(|other| shown(other)).collect();
        parts.push(format!("with {}", others.join(", ")));
    }
    parts.join("; ")
}

/// A signature: its form and its unmet needs or, if there are none, its keys.
fn brief(signature: &SignatureReport, paint: Paint) -> String {
    if let Some(problem) = &signature.problem {
        return format!("{}: {}", signature.form, paint.bad(problem.code.as_str()));
    }
    let states = [NeedState::Missing, NeedState::Refused, NeedState::Unproved, NeedState::Have];
    let of = |state| {
        let roles: Vec<_> =
            signature.needs.iter().filter(|n| n.state == state).map(|n| n.need.role().as_str()).collect();
        (!roles.is_empty()).then(|| format!("{} {}", roles.join(" "), need::state_word(state, paint)))
    };
    let open: Vec<_> = states[..3].iter().copied().filter_map(of).collect();
    let needs = if open.is_empty() { of(NeedState::Have).unwrap_or_default() } else { open.join(", ") };
    format!("{}: {needs}", signature.form)
}

/// A signature with the ids of its keys, and the signer. Its problems are listed further up.
fn whole(out: &mut String, signature: &SignatureReport, paint: Paint) {
    let log = if signature.logged == Some(false) { ", not logged" } else { "" };
    line(out, &format!("    {} ({}{log})", signature.form, signature.found));
    for need in &signature.needs {
        line(out, &format!("      {}", need::row(need.need.role(), &need::id(need), need.state, paint)));
    }
    if let Some(identity) = &signature.identity {
        line(out, &format!("      signed by {}", shown(identity)));
    }
    if let Some(issuer) = &signature.issuer {
        line(out, &format!("      issuer    {}", shown(issuer)));
    }
}
