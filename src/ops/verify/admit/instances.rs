//! The images that a reference leads to.

use super::{
    super::{Platform, lists::instances},
    pulls::Pull,
};
use crate::{
    content::{self, Source},
    diag::{Code, Diagnostic},
    oci::{Descriptor, Digest, Document},
};

/// The image that is pulled on a platform.
pub(super) struct Found {
    /// The manifest or list that the reference names.
    pub(super) named: Digest,
    pub(super) platform: Option<String>,
    pub(super) image: Result<Digest, Diagnostic>,
}

/// What a pull leads to: the image itself, or the instances of a list.
pub(super) fn find(
    source: &dyn Source,
    pull: &Pull,
    platforms: &[Platform],
) -> Result<Vec<Found>, Diagnostic> {
    let absent = || {
        let what = format!("{} holds no {}", source.place(), pull.reference);
        Diagnostic::new(Code::NameUnknown, what)
    };
    let descriptor = source.resolve(&pull.repository, &pull.reference)?.ok_or_else(absent)?;
    let named = descriptor.digest;
    let (_, document) = content::fetch_manifest(source, &pull.repository, &Descriptor::of_digest(named))?
        .ok_or_else(absent)?;
    if matches!(document, Document::Manifest(_)) {
        return Ok(vec![Found { named, platform: None, image: Ok(named) }]);
    }
    let instances = instances(source, &pull.repository, named, platforms)?;
    let mut found: Vec<Found> = Vec::new();
    for instance in instances.into_iter().filter(|instance| instance.wanted) {
        // Of several for one platform the consumer takes the first.
        if !platforms.is_empty() && found.iter().any(|other| other.platform == instance.platform) {
            continue;
        }
        let image = if instance.here {
            Ok(instance.digest)
        } else if platforms.is_empty() {
            continue;
        } else {
            let what = format!("the list names {} for this platform, and it is not here", instance.digest);
            Err(Diagnostic::new(Code::ImageElsewhere, what))
        };
        found.push(Found { named, platform: instance.platform, image });
    }
    if found.is_empty() {
        let what = "the list has no image here for the platforms that are asked for";
        return Err(Diagnostic::new(Code::ImageElsewhere, what));
    }
    Ok(found)
}
