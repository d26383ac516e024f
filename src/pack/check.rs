use super::{Anchor, Compared, Draft, PackError, UntrustedPack};
use crate::oci::Digest;

/// A pack that an anchor authenticated. Only [`check`] makes one; what verifies or writes policy takes nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    draft: Draft,
    compared: Vec<Compared>,
}

impl Pack {
    /// The content.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// What each anchor met, in their order.
    pub fn compared(&self) -> &[Compared] {
        &self.compared
    }
}

/// Authenticates a pack: every anchor must hold, and there must be one. `lineage` is the name that the pack must
/// have.
///
/// The digest is compared before the inventory is read: nothing that an attacker wrote is interpreted first.
pub fn check(pack: UntrustedPack, anchors: &[Anchor], lineage: &str) -> Result<Pack, PackError> {
    if anchors.is_empty() {
        return Err(PackError::NoAnchor);
    }
    let mut compared = Vec::new();
    for anchor in anchors {
        match anchor {
            Anchor::Digest(expected) => compared.push(digest(&pack, *expected)?),
        }
    }
    let draft = pack.into_draft()?;
    let actual = &draft.inventory().name;
    if actual != lineage {
        return Err(PackError::Lineage { expected: lineage.into(), actual: actual.clone() });
    }
    Ok(Pack { draft, compared })
}

fn digest(pack: &UntrustedPack, expected: Digest) -> Result<Compared, PackError> {
    match Compared::of(expected, pack.digest(), Some(pack.manifest_digest())) {
        Compared::Neither => {
            Err(PackError::Digest { expected, pack: pack.digest(), manifest: Some(pack.manifest_digest()) })
        }
        met => Ok(met),
    }
}
