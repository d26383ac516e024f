use serde::Serialize;

use super::{ImageReport, ImageState, OpenNeed, SourceReport};

/// Counts over a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Images, also absent ones that a signature is for; packs of keys are not counted. Each is in exactly one of the five
    /// states that follow.
    pub images: usize,
    /// With at least one signature.
    pub signed: usize,
    /// Without.
    pub unsigned: usize,
    /// That could not be read, or of which no signature could.
    pub unreadable: usize,
    /// With something that is not a signature of the image by itself.
    pub signed_otherwise: usize,
    /// Named by the place but not in it.
    pub absent: usize,
    /// Signatures.
    pub signatures: usize,
    /// Keys that are needed and proved.
    pub have: usize,
    /// Needs that stay open.
    pub open: usize,
    /// Images and signatures that could not be read, and signatures that do not verify.
    pub problems: usize,
}

impl Counts {
    /// Counts what was found. `have` is the number of keys that are proved.
    pub(super) fn of(
        images: impl Iterator<Item = ImageReport>,
        sources: &[SourceReport],
        open: &[OpenNeed],
        have: usize,
    ) -> Self {
        let mut counts = Self { have, open: open.len(), ..Self::default() };
        for image in images {
            counts.images += usize::from(image.state != ImageState::Pack);
            match image.state {
                ImageState::Signed => counts.signed += 1,
                ImageState::Unsigned => counts.unsigned += 1,
                ImageState::Unreadable => counts.unreadable += 1,
                ImageState::SignedOtherwise { .. } => counts.signed_otherwise += 1,
                ImageState::NotHere => counts.absent += 1,
                ImageState::Pack => {}
            }
            counts.signatures += image.signatures.len();
            counts.problems += image.problems.len();
            counts.problems += image.signatures.iter().filter(|s| s.problem.is_some()).count();
        }
        counts.problems += sources.iter().map(|source| source.problems.len()).sum::<usize>();
        counts
    }
}
