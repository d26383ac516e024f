use std::collections::BTreeSet;

use serde::Serialize;

use super::{ImageReport, ImageState, NeedReport, NeedState, SourceReport};
use crate::{
    key::{KeyRef, Role},
    signature::Need,
};

/// A needed key: the available one, or its name in signatures.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Needed {
    Known(KeyRef),
    Named(Role, String),
}

impl Needed {
    fn of(need: &NeedReport) -> Self {
        match (need.key, &need.need) {
            (Some(key), _) => Self::Known(key),
            // Some signatures contain the fingerprint of a GPG key, and all of them its key id.
            (None, Need::Gpg { key_id, .. }) => Self::Named(Role::Gpg, key_id.clone()),
            (None, need) => Self::Named(need.role(), need.id()),
        }
    }
}

/// Counts over a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Images, including absent ones for which there is a signature; packs of keys are not counted. Each is in exactly
    /// one of the following five states.
    pub images: usize,
    /// With at least one signature.
    pub signed: usize,
    /// Without signatures.
    pub unsigned: usize,
    /// Unreadable, or with only unreadable signatures.
    pub unreadable: usize,
    /// With something that is not a signature of the image by itself.
    pub signed_otherwise: usize,
    /// Listed by the location but not in it.
    pub absent: usize,
    /// Signatures.
    pub signatures: usize,
    /// Signatures without an entry in a transparency log, not counting those by GPG keys.
    pub not_logged: usize,
    /// Needed keys, each counted once, whether available or not. One that verified a signature and is refused by
    /// another is in both of the next two counts.
    pub needed: usize,
    /// Needed keys that are proved.
    pub have: usize,
    /// Keys for which a need is unmet.
    pub open: usize,
    /// Unreadable images and signatures, and signatures that do not verify.
    pub problems: usize,
}

impl Counts {
    /// Counts the findings. `proved` are the keys that verified a signature.
    pub(super) fn of(
        images: impl Iterator<Item = ImageReport>,
        sources: &[SourceReport],
        proved: impl Iterator<Item = KeyRef>,
    ) -> Self {
        let (mut counts, mut open) = (Self::default(), BTreeSet::new());
        for image in images {
            counts.problems += image.problems.len();
            match image.state {
                ImageState::Signed => counts.signed += 1,
                ImageState::Unsigned => counts.unsigned += 1,
                ImageState::Unreadable => counts.unreadable += 1,
                ImageState::SignedOtherwise { .. } => counts.signed_otherwise += 1,
                ImageState::NotHere => counts.absent += 1,
                // `pull` judges the signatures of a pack.
                ImageState::Pack => continue,
            }
            counts.images += 1;
            let needs = image.signatures.iter().flat_map(|s| &s.needs);
            open.extend(needs.filter(|n| n.state != NeedState::Have).map(Needed::of));
            counts.signatures += image.signatures.len();
            counts.not_logged += image.signatures.iter().filter(|s| s.logged == Some(false)).count();
            counts.problems += image.signatures.iter().filter(|s| s.problem.is_some()).count();
        }
        for source in sources {
            counts.problems += source.problems.len();
            counts.images += source.unreadable;
            counts.unreadable += source.unreadable;
        }
        let proved: BTreeSet<_> = proved.map(Needed::Known).collect();
        (counts.have, counts.open) = (proved.len(), open.len());
        counts.needed = proved.union(&open).count();
        counts
    }
}
