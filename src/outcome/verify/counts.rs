use serde::Serialize;

use super::{Row, SourceReport, Verdict, VerifyState};
use crate::{
    diag::{Code, Diagnostic},
    display::count,
};

/// Counts over a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyCounts {
    /// Images, including those of which not even the digest could be read. The instances of an index are counted as
    /// part of it.
    pub images: usize,
    /// With a valid signature by an expected signer, either their own or through an index.
    pub good: usize,
    /// Refused images.
    pub refused: usize,
    /// With valid signatures, but none by an expected signer.
    pub unexpected: usize,
    /// Without signatures.
    pub unsigned: usize,
    /// Unreadable images.
    pub unreadable: usize,
    /// Signed in another way.
    pub signed_otherwise: usize,
    /// Listed but missing.
    pub not_here: usize,
    /// Signatures that were judged.
    pub signatures: usize,
    /// Signatures that do not verify.
    pub broken: usize,
    /// Of those, the ones on images that also have a valid signature.
    pub broken_beside_good: usize,
    /// Attestations.
    pub attestations: usize,
    /// Unreadable locations, images and signatures.
    pub problems: usize,
}

impl VerifyCounts {
    /// Counts images and signatures.
    pub(crate) fn of(images: &[Row], sources: &[SourceReport]) -> Self {
        let problems = sources.iter().map(|source| source.problems.len()).sum();
        let unreadable = sources.iter().map(|source| source.unreadable).sum();
        let mut counts = Self { images: unreadable, unreadable, problems, ..Self::default() };
        for image in images {
            let broken = size(image.broken);
            counts.signatures += size(image.signatures);
            counts.attestations += size(image.attestations);
            counts.broken += broken;
            if image.state.is_good() {
                counts.broken_beside_good += broken;
            }
            let own = usize::from(matches!(image.state, VerifyState::Unreadable | VerifyState::NotHere));
            counts.problems += size(image.unread).max(own);
            if image.is_instance && image.state != VerifyState::Refused {
                continue;
            }
            counts.images += 1;
            let place = match image.state {
                VerifyState::Good | VerifyState::GoodByList => &mut counts.good,
                VerifyState::Refused => &mut counts.refused,
                VerifyState::Unexpected => &mut counts.unexpected,
                VerifyState::Unsigned => &mut counts.unsigned,
                VerifyState::Unreadable => &mut counts.unreadable,
                VerifyState::SignedOtherwise => &mut counts.signed_otherwise,
                VerifyState::NotHere => &mut counts.not_here,
            };
            *place += 1;
        }
        counts
    }

    /// The verdict for these counts, with the reason if it is not good. `all` requires that every image has a signature
    /// that counts, `every` that every signature is valid.
    pub(crate) fn verdict(&self, all: bool, every: bool) -> (Verdict, Option<Diagnostic>) {
        let without = self.images - self.good;
        let (verdict, code, message) = match () {
            () if self.refused > 0 => {
                (Verdict::Refused, Code::ImagesRefused, format!("{} refused", are(self.refused, "image")))
            }
            () if every && self.broken > 0 => (
                Verdict::Refused,
                Code::ImagesRefused,
                format!("{} wrong, and --all-signatures asks for all", are(self.broken, "signature")),
            ),
            () if self.problems > 0 => (
                Verdict::Incomplete,
                Code::NotAllRead,
                format!("{} could not be read", count(self.problems, "thing")),
            ),
            () if self.good == 0 => (
                Verdict::Refused,
                Code::NothingSigned,
                format!("of {} none has a signature that counts", count(self.images, "image")),
            ),
            () if all && without > 0 => (
                Verdict::Refused,
                Code::NotAllSigned,
                format!(
                    "{} no signature that counts, and --require-signed asks for one",
                    have(without, "image")
                ),
            ),
            () => return (Verdict::Verified, None),
        };
        (verdict, Some(Diagnostic::new(code, message)))
    }
}

const fn size(number: u32) -> usize {
    number as usize
}

/// A number of things with a verb, such as "2 images are".
fn are(n: usize, noun: &str) -> String {
    format!("{} {}", count(n, noun), if n == 1 { "is" } else { "are" })
}

fn have(n: usize, noun: &str) -> String {
    format!("{} {}", count(n, noun), if n == 1 { "has" } else { "have" })
}

impl super::Verification {
    /// Whether the verdict is "verified".
    pub fn is_verified(&self) -> bool {
        self.verdict == super::Verdict::Verified
    }
}
