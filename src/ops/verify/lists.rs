//! The instances of indexes: the platform of each, and whether it exists here.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::{
    content::{self, Source},
    diag::Diagnostic,
    discover::{Discovery, Kind},
    oci::{Descriptor, Digest},
};

/// A platform as the user writes it: `linux/amd64`, `linux/arm64/v8`.
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

/// An instance of an index.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) digest: Digest,
    pub(super) platform: Option<String>,
    /// Whether the location contains it. A sparse index may legitimately lack some.
    pub(super) here: bool,
    /// Whether it is for one of the requested platforms.
    pub(super) wanted: bool,
}

/// The members of an index that concern platforms (OCI image-spec v1.1, image-index.md).
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

    /// Buildkit's attachments to an index are not instances (`unknown/unknown`).
    fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    fn name(&self) -> String {
        let variant = self.variant.as_deref().map_or_else(String::new, |variant| format!("/{variant}"));
        let text = format!("{}/{}{variant}", self.os, self.architecture);
        text.chars().take(crate::limits::NAME).collect()
    }
}

/// The indexes of a run, by the number of their image, with their instances or the reason why they are unknown.
pub(super) type Lists = HashMap<u32, Result<Vec<Instance>, Diagnostic>>;

/// Rereads the indexes for which their own signatures may not be decisive: see `evaluate`.
pub(super) fn read<S>(
    discovery: &Discovery<S>,
    sources: &BTreeMap<String, &dyn Source>,
    platforms: &[Platform],
    needed: &dyn Fn(u32) -> bool,
) -> Lists {
    let lists = (0..).zip(&discovery.images).filter(|(number, image)| {
        image.kind == Kind::Index && image.instance_of.is_none() && needed(*number)
    });
    lists
        .filter_map(|(number, image)| {
            let source = sources.get(image.place())?;
            Some((number, instances(*source, image.repository(), image.digest, platforms)))
        })
        .collect()
}

pub(super) fn instances(
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
        Diagnostic::new(crate::diag::Code::ManifestMalformed, format!("{list} is not a list: {e}"))
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
