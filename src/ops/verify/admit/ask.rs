//! What the sources of refused images have: would the policy admit the images with the signatures that are there?

use std::{
    convert::Infallible,
    sync::{Mutex, PoisonError},
};

use super::{
    judge::{Judged, Run},
    read::{Missing, Reader},
};
use crate::{
    content::{self, Referrers as _, RegistrySource, Remote as _, Selection, Source},
    diag::{Code, Diagnostic},
    oci::{Descriptor, Digest, Document},
    ops::not_carried::PATIENCE,
    outcome::admission::Instead,
    policy::consumer::{ImageName, Verdict},
    registry::Host,
    signature::{COSIGN_SIGN, media},
};

/// Referrers of one image that are looked at.
const REFERRERS: usize = 16;

/// An image of a source, and its copy that would be refused.
pub(super) struct Wanted<'a> {
    /// What it is called at the source.
    pub(super) name: &'a ImageName,
    pub(super) image: Digest,
    /// The copy, and where it is.
    pub(super) copy: &'a Judged<'a>,
    pub(super) place: &'a dyn Source,
}

/// What its source says.
pub(super) enum Answer {
    /// The policy would admit the image.
    Signed,
    /// There is no signature at the tag.
    Unsigned(Option<Instead>),
    /// The policy would refuse it.
    Refused(Diagnostic),
    /// The source can't be asked.
    NotAsked(Diagnostic),
}

/// Asks one registry about images.
pub(super) fn ask(host: &Host, wanted: &[Wanted<'_>], run: &Run<'_>) -> Vec<Answer> {
    let mut options = run.ctx.registry();
    options.http.retries = 0;
    options.http.connect_timeout = PATIENCE;
    let registry = RegistrySource::new(host.clone(), Selection::Repositories(Vec::new()), options);
    // One that can't be reached is not asked again for each image.
    let down: Mutex<Option<Diagnostic>> = Mutex::default();
    let lock = || down.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(answers) = registry.workers().map_after_first(wanted, |wanted| {
        if let Some(why) = lock().clone() {
            return Ok::<_, Infallible>(Answer::NotAsked(why));
        }
        Ok(of_image(&registry, wanted, run).unwrap_or_else(|why| {
            if is_away(&why) {
                *lock() = Some(why.clone());
            }
            Answer::NotAsked(why)
        }))
    });
    answers
}

/// Whether a registry does not answer at all.
pub(super) fn is_away(why: &Diagnostic) -> bool {
    matches!(
        why.code,
        Code::Unreachable | Code::TimedOut | Code::Tls | Code::NetworkSettings | Code::Unavailable
    )
}

fn of_image(registry: &RegistrySource, wanted: &Wanted<'_>, run: &Run<'_>) -> Result<Answer, Diagnostic> {
    let reader =
        Reader { source: registry, repository: wanted.name.path(), ctx: run.ctx, lookaside: &run.lookaside };
    let refused = |found| match found {
        Missing::Ends(why) => Ok(Answer::Refused(why)),
        Missing::Unread(why) => Err(why),
    };
    match reader.attached(wanted.image) {
        Err(why) => refused(why),
        Ok(found) if found.is_empty() => Ok(Answer::Unsigned(instead(registry, &reader, wanted))),
        Ok(found) => match run.admits(wanted.place, wanted.copy.pull, wanted.name, wanted.image, found) {
            Err(why) => refused(why),
            Ok(admission) => Ok(match admission.cause {
                Some(why) if admission.verdict > Verdict::AdmittedUnverified => Answer::Refused(why),
                _ => Answer::Signed,
            }),
        },
    }
}

/// What is there instead; what can't be read is nothing to mention.
fn instead(registry: &RegistrySource, reader: &Reader<'_>, wanted: &Wanted<'_>) -> Option<Instead> {
    let list = wanted.copy.report.digest.filter(|list| *list != wanted.image);
    if list.is_some_and(|list| reader.attached(list).is_ok_and(|found| !found.is_empty())) {
        return Some(Instead::List);
    }
    has_bundle(registry, wanted.name.path(), wanted.image).then_some(Instead::Bundle)
}

/// Whether a bundle with a signature refers to an image. The tags of the repository are not listed: that of a release has a hundred
/// thousand.
fn has_bundle(registry: &RegistrySource, repository: &str, image: Digest) -> bool {
    let fetch =
        |descriptor: &Descriptor| content::fetch_manifest(registry, repository, descriptor).ok().flatten();
    let by_api = registry.referrers(repository, &image).unwrap_or_default().into_iter().flatten();
    let by_tag = registry.resolve(repository, &format!("sha256-{}", image.hex())).ok().flatten();
    let by_tag = match by_tag.and_then(|tagged| fetch(&tagged)) {
        Some((_, Document::Index(index))) => index.manifests,
        _ => Vec::new(),
    };
    // What it says of itself is enough: this only explains why there is nothing to copy.
    let is_bundle = |referrer: Descriptor| {
        let Some((_, Document::Manifest(manifest))) = fetch(&referrer) else { return false };
        let predicate = manifest.annotations.get("dev.sigstore.bundle.predicateType");
        manifest.artifact_type.is_some_and(|own| own.starts_with(media::BUNDLE_PREFIX))
            && predicate.is_none_or(|predicate| predicate == COSIGN_SIGN)
    };
    by_api.chain(by_tag).take(REFERRERS).any(is_bundle)
}
