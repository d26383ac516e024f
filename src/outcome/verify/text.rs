//! The result of `verify` as text: what was asked, problems with hints, signers, counts, and a final line.

mod problems;

use super::{
    ImageVerdict, Row, SignatureState, SignatureVerdict, SignerCount, Verdict, Verification, VerifyState,
};
use crate::{
    display::{Paint, count, shown},
    outcome::{consumers, lines},
};

/// The maximum number of entries per section without `--verbose`.
const SHOWN: usize = 20;

/// Writes the result. With `all`, every image with every signature.
pub(crate) fn render(found: &Verification, paint: Paint, all: bool) -> String {
    let mut out = Text { out: String::new(), paint, most: if all { usize::MAX } else { SHOWN } };
    out.subject(found);
    out.problems(found);
    if all {
        out.images(found);
    }
    out.signers(found);
    out.others(found);
    consumers::render(&mut out.out, &found.consumers, paint, all);
    out.counts(found);
    out.out
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

    fn head(&mut self, text: &str) {
        let head = self.paint.strong(text);
        self.out.push('\n');
        self.line(&head);
    }

    fn subject(&mut self, found: &Verification) {
        let keys = &found.keys;
        let number = count(keys.count, "key");
        let from: Vec<_> = keys.from.iter().map(|from| shown(from)).collect();
        match &keys.pack {
            Some(pack) => {
                let by_host = keys.at.map(|at| format!("authenticated here on {}", date(at)));
                let by: Vec<_> = keys.by.iter().map(|by| shown(by)).collect();
                self.line(&format!(
                    "Keys     {}: {number}, pack {} version {}",
                    from.join(", "),
                    shown(&pack.name),
                    pack.version
                ));
                self.line(&format!("         {}, {} old", pack.digest, count(pack.days, "day")));
                self.line(&by_host.map_or_else(
                    || format!("         authenticated by {}", by.join(" and ")),
                    |by_host| format!("         {by_host}"),
                ));
                for key in &keys.revoked_here {
                    self.line(&format!("         minus 1 revoked here: {key}"));
                }
            }
            None => self.line(&format!(
                "Keys     {}: {number}, NOT AUTHENTICATED: only the source of these files vouches for them",
                from.join(", ")
            )),
        }
        for place in &found.sources {
            let absent =
                if place.absent == 0 { String::new() } else { format!(", {} not here", place.absent) };
            self.line(&format!(
                "Source   {}: {} read{absent}",
                shown(&place.place),
                count(place.read, "manifest")
            ));
        }
        self.line(&format!("Signers  {}", found.expected.summary()));
    }

    fn images(&mut self, found: &Verification) {
        self.head(&format!("IMAGES {}", found.images.len()));
        for image in found.images.iter() {
            let platform = image.platform.as_deref().map_or_else(String::new, |p| format!("  {}", shown(p)));
            let others: String = image.others.iter().map(|other| format!("  {}", shown(other))).collect();
            self.line(&format!("  {}{platform}  {}{others}", shown(&image.label), image.state.as_str()));
            for signature in &image.signatures {
                self.signature(signature);
            }
            for attestation in &image.attestations {
                self.signature(attestation);
            }
            for problem in &image.problems {
                self.line(&format!("    {}: {}", problem.code, shown(&problem.message)));
            }
        }
    }

    fn signature(&mut self, signature: &SignatureVerdict) {
        let who = match (&signature.signer, &signature.claim) {
            (Some(signer), _) => shown(&signer.name()),
            (None, Some(claim)) => format!("claims to be {}", shown(claim)),
            (None, None) => "no signer named".into(),
        };
        let state = match signature.state {
            SignatureState::Good => "good",
            SignatureState::Unexpected => "not expected",
            SignatureState::Refused => "refused",
            SignatureState::Unreadable => "unreadable",
        };
        let predicate = signature.predicate.as_deref().filter(|_| signature.form == "attestation");
        let what =
            predicate.map_or_else(|| signature.form.to_owned(), |p| format!("attestation {}", shown(p)));
        let time = match (signature.time, signature.clock) {
            (Some(time), Some("log")) => format!(", logged {time}"),
            (Some(time), Some("timestamp")) => format!(", timestamp {time}"),
            (Some(time), _) => format!(", judged as of now by this host's clock, {time}"),
            (None, _) => String::new(),
        };
        let logged = if signature.logged == Some(false) { ", not logged" } else { "" };
        self.line(&format!("    {state}: {what}, {who}{time}{logged}"));
        if let Some(problem) = &signature.problem {
            self.wrapped(6, &format!("{}: {}", problem.code, shown(&problem.message)));
        }
    }

    fn signers(&mut self, found: &Verification) {
        for (expected, title) in
            [(true, "GOOD SIGNATURES BY"), (false, "GOOD, BUT BY NOBODY WHO IS EXPECTED")]
        {
            let signers: Vec<_> = found.signers.iter().filter(|s| s.expected == expected).collect();
            if signers.is_empty() {
                continue;
            }
            self.head(title);
            for signer in signers.iter().take(self.most) {
                self.signer(signer);
            }
            self.more(signers.len());
        }
    }

    fn signer(&mut self, signer: &SignerCount) {
        let SignerCount { signer: who, images, logged, unlogged, .. } = signer;
        let logged = match (logged, unlogged) {
            (_, 0) => "logged".to_owned(),
            (0, _) => "not logged".to_owned(),
            (logged, unlogged) => format!("{logged} logged, {unlogged} not"),
        };
        let kind = who.kind.map_or("key", |kind| kind);
        self.line(&format!("  {:9}  {}  {kind}; {logged}", count(images, "image"), shown(&who.name())));
        let key = if who.identity.is_some() { format!("{} ", shown(&who.key)) } else { String::new() };
        self.line(&format!("             {key}{}", who.fingerprint));
    }

    fn others(&mut self, found: &Verification) {
        for (state, title) in [
            (VerifyState::Unexpected, "BY NOBODY WHO IS EXPECTED"),
            (VerifyState::SignedOtherwise, "SIGNED OTHERWISE"),
            (VerifyState::Unsigned, "UNSIGNED"),
        ] {
            let is_one = |row: &Row| row.state == state && !row.is_instance;
            let number = found.images.rows().iter().filter(|row| is_one(row)).count();
            if number == 0 {
                continue;
            }
            self.head(&format!("{title} {}", count(number, "image")));
            for image in found.images.only(is_one).take(self.most) {
                let others: String = image.others.iter().map(|other| format!("  {}", shown(other))).collect();
                self.line(&format!("  {}{others}", shown(&image.label)));
            }
            self.more(number);
            if state != VerifyState::Unexpected {
                continue;
            }
            let problem = |image: ImageVerdict| image.signatures.into_iter().find_map(|s| s.problem);
            if let Some(problem) = found.images.only(is_one).find_map(problem) {
                self.wrapped(4, &format!("fix: {}", shown(&problem.hint)));
            }
        }
    }

    fn counts(&mut self, found: &Verification) {
        let counts = &found.counts;
        let parts = [
            (counts.good, "good"),
            (counts.refused, "refused"),
            (counts.unexpected, "by an unexpected signer"),
            (counts.unsigned, "unsigned"),
            (counts.signed_otherwise, "signed otherwise"),
            (counts.unreadable, "unreadable"),
            (counts.not_here, "not here"),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(n, what)| *n > 0 || *what == "good")
            .map(|(n, what)| format!("{n} {what}"))
            .collect();
        let beside = match counts.broken_beside_good {
            0 => String::new(),
            n => format!(", {n} broken next to a good one"),
        };
        self.out.push('\n');
        if let Some(report) = &found.report {
            self.line(&report.to_string());
        }
        self.line(&format!(
            "{}: {}; {}{beside}, {}",
            count(counts.images, "image"),
            parts.join(", "),
            count(counts.signatures, "signature"),
            count(counts.attestations, "attestation"),
        ));
        if found.verdict == Verdict::Verified {
            let rest = counts.images - counts.good;
            let good = self.paint.good(&format!("{} verified", count(counts.good, "image")));
            let rest = if rest == 0 {
                String::new()
            } else {
                format!("; {rest} without a signature that counts, and none was required")
            };
            self.line(&format!("{good}{rest}"));
        }
    }
}

/// The date of a time.
fn date(time: jiff::Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}
