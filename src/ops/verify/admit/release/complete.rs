//! Whether the mirror holds every image of its releases. A cluster pulls them by digest, whether the mirror lists them or not.

use std::collections::{BTreeMap, BTreeSet};

use super::{super::pulls::Pull, Release, Releases};
use crate::{
    content::Source,
    diag::{Code, Diagnostic},
    ops::{sources::Opened, verify::names::Namer},
    outcome::admission::MissingImage,
    policy::{
        consumer::openshift::ReleaseImage,
        mapping::{self, NameMap, RELEASES},
    },
};

/// Adds a pull for each image of a release that is there and is not listed. Returns those that are not there.
pub(super) fn complete(
    releases: &Releases,
    opened: &[Opened],
    pulls: &mut Vec<Pull>,
    namer: &Namer,
) -> Vec<MissingImage> {
    let (mut missing, mut added) = (Vec::new(), Vec::new());
    let listed: BTreeSet<(String, String)> =
        pulls.iter().map(|pull| (pull.place.clone(), pull.reference.clone())).collect();
    for release in &releases.verified {
        let Some(place) = opened.iter().find(|opened| opened.source.place() == release.place) else {
            continue;
        };
        // Where one image is asked about, the others are not.
        if place.only.is_some() {
            continue;
        }
        let mut repositories: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for image in &release.payload.references.images {
            if listed.contains(&(release.place.clone(), image.digest.to_string())) {
                continue;
            }
            let found = repositories
                .entry(&image.repository)
                .or_insert_with(|| candidates(release, image, place.source.as_ref(), pulls, namer));
            match lookup(place.source.as_ref(), found, image) {
                Ok(Some(repository)) => {
                    added.push(Pull::of(place, repository, &image.digest.to_string(), &[], namer));
                }
                Ok(None) => missing.push(report(release, image, None)),
                Err(why) => missing.push(report(release, image, Some(why))),
            }
        }
    }
    // Two releases may share an image.
    added.sort_by(|a: &Pull, b: &Pull| {
        (&a.place, &a.repository, &a.reference).cmp(&(&b.place, &b.repository, &b.reference))
    });
    added.dedup_by(|a, b| (&a.place, &a.repository, &a.reference) == (&b.place, &b.repository, &b.reference));
    pulls.extend(added);
    missing
}

fn report(release: &Release, image: &ReleaseImage, unread: Option<Diagnostic>) -> MissingImage {
    MissingImage {
        release: release.payload.version().to_owned(),
        name: image.name.clone(),
        image: image.image.clone(),
        problem: unread.unwrap_or_else(|| {
            let what = format!("{} does not hold this image of the release", release.place);
            Diagnostic::new(Code::ReleaseImagesMissing, what)
        }),
    }
}

/// The repository that holds an image of a release.
fn lookup<'r>(
    source: &dyn Source,
    repositories: &'r [String],
    image: &ReleaseImage,
) -> Result<Option<&'r str>, Diagnostic> {
    for repository in repositories {
        if source.resolve(repository, &image.digest.to_string())?.is_some() {
            return Ok(Some(repository));
        }
    }
    Ok(None)
}

/// Where in a mirror the images of a source repository may be: where others of it are, where mirror sets send them, and
/// where oc-mirror puts them.
fn candidates(
    release: &Release,
    image: &ReleaseImage,
    source: &dyn Source,
    pulls: &[Pull],
    namer: &Namer,
) -> Vec<String> {
    let of_place = pulls.iter().filter(|pull| pull.place == release.place);
    let beside =
        of_place.filter(|pull| pull.name.as_ref().is_some_and(|name| name.name() == image.repository));
    let mut found: Vec<String> = beside.map(|pull| pull.repository.clone()).collect();
    let host = source.host().map(|host| format!("{host}/"));
    let mirrors = |map: &NameMap| {
        let places = map.places(&image.repository, mapping::Pull::Digest);
        places.map_or_else(Vec::new, |places| places.mirrors)
    };
    for mirror in [&namer.given, &namer.found].into_iter().flat_map(mirrors) {
        found.extend(host.as_ref().and_then(|host| mirror.strip_prefix(host)).map(str::to_owned));
    }
    let [(of_releases, _), (of_images, _)] = RELEASES;
    found.extend(release.repository.strip_suffix(of_releases).map(|start| format!("{start}{of_images}")));
    // `oc adm release mirror` puts all into one repository.
    found.push(release.repository.clone());
    let mut seen = BTreeSet::new();
    found.retain(|repository| seen.insert(repository.clone()));
    found
}
