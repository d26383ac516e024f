//! Display names of images: complete enough to search for, and short enough to read.

use std::collections::BTreeMap;

use super::ImageReport;
use crate::{
    discover::{Discovery, Image},
    oci::Digest,
    resolve::Verdict,
};

/// The default number of digits shown of a digest.
const DIGITS: usize = 12;

/// The data on which the names in one report depend.
#[derive(Debug)]
pub(super) struct Labels {
    /// The registries among the locations; empty if there was only one location, which is not shown.
    hosts: BTreeMap<String, Option<String>>,
    /// The number of digits needed to distinguish all digests.
    digits: usize,
}

impl Labels {
    pub(super) fn of(discovery: &Discovery<Verdict>) -> Self {
        let mut hosts = BTreeMap::new();
        if discovery.places.len() > 1 {
            let host = |place: &crate::discover::Place| place.host.as_ref().map(ToString::to_string);
            hosts.extend(discovery.places.iter().map(|place| (place.name.clone(), host(place))));
        }
        Self { hosts, digits: digits(discovery.images.iter().map(|image| image.digest).collect()) }
    }

    /// The name of an image: the repository, or the last part of the location, with its first tag or the digest. If
    /// there were several locations, it begins with the registry or the location.
    pub(super) fn label(&self, image: &Image<Verdict>) -> String {
        let name = match (self.hosts.get(image.place()), image.repository().is_empty()) {
            (None, false) => image.repository().to_owned(),
            (None, true) => place(image).rsplit(['/', ':']).next().unwrap_or_default().to_owned(),
            (Some(Some(host)), _) => format!("{host}/{}", image.repository()),
            (Some(None), true) => place(image).to_owned(),
            (Some(None), false) => format!("{}/{}", place(image), image.repository()),
        };
        let digest = format!("@sha256:{}…", &image.digest.hex()[..self.digits]);
        match (tags(&image.tags, image.digest).next(), image.list()) {
            (None, _) => format!("{name}{digest}"),
            // In a layout the tag may be a whole reference, which needs no prefix.
            (Some(tag), None) if tag.contains('/') && self.hosts.is_empty() => tag.to_owned(),
            (Some(tag), None) => format!("{name}:{tag}"),
            (Some(tag), Some(_)) => format!("{name}:{tag}{digest}"),
        }
    }
}

/// The tags without one that is the digest, as written by oc-mirror: it is too long to be readable.
fn tags(tags: &[String], digest: Digest) -> impl Iterator<Item = &str> {
    let by_digest = format!("sha256-{}", digest.hex());
    tags.iter().map(String::as_str).filter(move |tag| *tag != by_digest)
}

impl ImageReport {
    /// The display name with all tags.
    pub(super) fn full_name(&self) -> String {
        let others = tags(&self.tags, self.digest).skip(1).filter(|_| self.instance_of.is_none());
        others.fold(self.label.clone(), |name, tag| name + "," + tag)
    }
}

/// The location without the tag that is in the name anyway: `oci:DIR` of `oci:DIR:TAG`; but `oci:v1` is a directory.
fn place(image: &Image<Verdict>) -> &str {
    let place = image.place().trim_end_matches('/');
    let named =
        |tag: &String| place.strip_suffix(tag.as_str())?.strip_suffix(':').filter(|p| p.contains(':'));
    image.tags.iter().find_map(named).unwrap_or(place)
}

/// The number of digits needed to distinguish all of these digests.
fn digits(mut digests: Vec<Digest>) -> usize {
    digests.sort_unstable();
    digests.dedup();
    let common = |pair: &[Digest]| {
        let (a, b) = (pair[0].hex(), pair[1].hex());
        a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
    };
    digests.windows(2).map(|pair| common(pair) + 1).max().unwrap_or_default().clamp(DIGITS, 64)
}
