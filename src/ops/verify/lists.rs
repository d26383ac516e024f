//! The instances of lists: which platform each is for, and whether it is here.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::{
    content::{self, Source},
    diag::Diagnostic,
    discover::{Discovery, Kind},
    oci::{Descriptor, Digest},
};

/// A platform as a person writes it: `linux/amd64`, `linux/arm64/v8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl std::str::FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<_> = text.split('/').collect();
        let (os, architecture, variant) = match parts.as_slice() {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some((*variant).to_owned())),
            _ => return Err("write OS/ARCHITECTURE, such as linux/amd64".into()),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err("write OS/ARCHITECTURE, such as linux/amd64".into());
        }
        Ok(Self { os: (*os).to_owned(), architecture: (*architecture).to_owned(), variant })
    }
}

/// An instance of a list.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) digest: Digest,
    pub(super) platform: Option<String>,
    /// Whether the place holds it. A sparse list lawfully lacks some.
    pub(super) here: bool,
    /// Whether it is for one of the platforms that are asked for.
    pub(super) wanted: bool,
}

/// The list as far as its platforms say (OCI image-spec v1.1, image-index.md).
#[derive(Deserialize)]
struct ListDto {
    #[serde(default)]
    manifests: Vec<EntryDto>,
}

#[derive(Deserialize)]
struct EntryDto {
    digest: String,
    platform: Option<PlatformDto>,
}

#[derive(Deserialize)]
struct PlatformDto {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

impl PlatformDto {
    fn is(&self, wanted: &Platform) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || wanted.variant == self.variant)
    }

    /// What buildkit attaches to a list is no instance (`unknown/unknown`).
    fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    fn name(&self) -> String {
        let variant = self.variant.as_deref().map_or_else(String::new, |variant| format!("/{variant}"));
        let text = format!("{}/{}{variant}", self.os, self.architecture);
        text.chars().take(crate::limits::NAME).collect()
    }
}

/// The lists of a run, by the index of their image, with their instances or why they can't be told.
pub(super) type Lists = HashMap<usize, Result<Vec<Instance>, Diagnostic>>;

/// Reads the lists again whose own signatures may not decide: see `evaluate`.
pub(super) fn read<S>(
    discovery: &Discovery<S>,
    sources: &BTreeMap<String, &dyn Source>,
    platforms: &[Platform],
    needed: &dyn Fn(usize) -> bool,
) -> Lists {
    let lists =
        discovery.images.iter().enumerate().filter(|(index, image)| {
            image.kind == Kind::Index && image.instance_of.is_none() && needed(*index)
        });
    lists
        .filter_map(|(index, image)| {
            let source = sources.get(image.place.as_ref())?;
            Some((index, instances(*source, &image.repository, image.digest, platforms)))
        })
        .collect()
}

fn instances(
    source: &dyn Source,
    repository: &str,
    list: Digest,
    platforms: &[Platform],
) -> Result<Vec<Instance>, Diagnostic> {
    let gone = || {
        Diagnostic::new(
            crate::diag::Code::BlobMissing,
            format!("{list} was there when {} was read first, and no longer is", source.place()),
        )
    };
    let read = content::fetch_manifest(source, repository, &Descriptor::of_digest(list))?;
    let (blob, _) = read.ok_or_else(gone)?;
    let list: ListDto = serde_json::from_slice(blob.bytes()).map_err(|e| {
        Diagnostic::new(crate::diag::Code::ManifestMalformed, format!("{list} is no list: {e}"))
    })?;
    let known = list
        .manifests
        .into_iter()
        .filter(|entry| !entry.platform.as_ref().is_some_and(PlatformDto::is_unknown));
    known
        .filter_map(|entry| Some((entry.digest.parse::<Digest>().ok()?, entry.platform)))
        .map(|(digest, platform)| {
            let here = source.open(repository, &Descriptor::of_digest(digest))?.is_some();
            let is_wanted = |wanted: &Platform| platform.as_ref().is_some_and(|platform| platform.is(wanted));
            Ok(Instance {
                digest,
                platform: platform.as_ref().map(PlatformDto::name),
                here,
                wanted: platforms.is_empty() || platforms.iter().any(is_wanted),
            })
        })
        .collect()
}
