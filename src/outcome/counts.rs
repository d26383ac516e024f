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
    /// Images, including absent ones for which there is a signature; packs of keys are not counted, nor are signed
    /// instances of a signed index: they are part of it. Each is in exactly one of the following five states.
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
        let (mut lists, mut instances) = (BTreeSet::new(), Vec::new());
        for image in images {
            if image.state == ImageState::Signed {
                let within = |digest| (image.source.clone(), image.repository.clone(), digest);
                match image.instance_of {
                    Some(list) => instances.push(within(list)),
                    None if image.kind == "index" => drop(lists.insert(within(image.digest))),
                    None => {}
                }
            }
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
        let of_signed = instances.iter().filter(|list| lists.contains(list)).count();
        counts.images -= of_signed;
        counts.signed -= of_signed;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    fn image(name: &str, state: ImageState, instance_of: Option<&str>) -> ImageReport {
        let digest = |name: &str| Digest::of(name.as_bytes());
        ImageReport {
            source: "oci:m".into(),
            repository: "a/b".into(),
            tags: Vec::new(),
            digest: digest(name),
            state,
            kind: if instance_of.is_none() { "index" } else { "image" },
            artifact_type: None,
            instance_of: instance_of.map(digest),
            signatures: Vec::new(),
            others: Vec::new(),
            problems: Vec::new(),
            doubt: None,
            label: String::new(),
        }
    }

    #[test]
    fn a_signed_instance_is_part_of_its_signed_list_and_counts_where_the_list_is_not_signed() {
        use ImageState::{Signed, Unsigned};
        let counts = |images: &[ImageReport]| {
            let counts = Counts::of(images.iter().cloned(), &[], std::iter::empty());
            (counts.images, counts.signed, counts.unsigned)
        };
        let instances = || ["amd64", "arm64"].map(|name| image(name, Signed, Some("list")));
        let signed = [image("list", Signed, None)];
        assert_eq!(counts(&[&instances()[..], &signed].concat()), (1, 1, 0), "cosign sign --recursive");
        let unsigned = [image("list", Unsigned, None)];
        assert_eq!(counts(&[&unsigned, &instances()[..]].concat()), (3, 2, 1));
        let elsewhere = ImageReport { repository: "c/d".into(), ..image("list", Signed, None) };
        assert_eq!(counts(&[&[elsewhere], &unsigned[..], &instances()].concat()), (4, 3, 1));
    }
}
