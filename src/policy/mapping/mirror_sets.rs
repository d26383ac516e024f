//! OpenShift's mirror configuration: `ImageDigestMirrorSet` and `ImageTagMirrorSet` (openshift/api `config/v1`,
//! `types_image_digest_mirror_set.go`), their predecessors `ImageContentSourcePolicy` (`operator/v1alpha1`) and
//! `ImageContentPolicy`, and `imageDigestSources` and `imageContentSources` of an install-config (openshift/installer
//! `pkg/types/installconfig.go`). Read leniently: other kinds and fields are ignored.

use serde::Deserialize;

use super::{MappingError, NameMap, Pull, location, source};
use crate::yaml;

/// Any text with mirror configuration contains one of these words.
const WORDS: [&str; 6] = [
    "ImageDigestMirrorSet",
    "ImageTagMirrorSet",
    "ImageContentSourcePolicy",
    "ImageContentPolicy",
    "imageDigestSources",
    "imageContentSources",
];

/// Any document; the field names of the relevant kinds are distinct.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DocumentDto {
    spec: Option<SpecDto>,
    /// `kind: List`, as `oc get … -o yaml` writes it.
    items: Option<Vec<DocumentDto>>,
    image_digest_sources: Option<Vec<SetDto>>,
    image_content_sources: Option<Vec<SetDto>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpecDto {
    image_digest_mirrors: Option<Vec<SetDto>>,
    image_tag_mirrors: Option<Vec<SetDto>>,
    repository_digest_mirrors: Option<Vec<SetDto>>,
    /// In a `HostedCluster`.
    image_content_sources: Option<Vec<SetDto>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetDto {
    source: String,
    mirrors: Option<Vec<String>>,
    #[serde(alias = "sourcePolicy")]
    mirror_source_policy: Option<PolicyDto>,
}

#[derive(Deserialize, PartialEq, Eq)]
enum PolicyDto {
    #[serde(alias = "")]
    AllowContactingSource,
    NeverContactSource,
}

/// Whether a text looks like one of these documents.
pub fn names_mirror_sets(text: &str) -> bool {
    WORDS.iter().any(|word| text.contains(word))
}

/// Parses the mirror configuration in YAML documents, or in one JSON document.
pub fn parse_mirror_sets(text: &str) -> Result<NameMap, MappingError> {
    let documents: Vec<DocumentDto> = yaml::documents(text).map_err(|fault| {
        let place =
            fault.at.map_or_else(String::new, |(line, column)| format!("line {line}, column {column}: "));
        MappingError::Malformed(format!("{place}{}", fault.what))
    })?;
    let mut map = NameMap::default();
    for document in documents {
        add(&mut map, document)?;
    }
    map.named("it holds no ImageDigestMirrorSet, ImageTagMirrorSet, ImageContentSourcePolicy or imageDigestSources with a mirror")
}

fn add(map: &mut NameMap, document: DocumentDto) -> Result<(), MappingError> {
    let mut sets = |sets: Option<Vec<SetDto>>, only| {
        sets.into_iter().flatten().try_for_each(|set| {
            let source = source(&set.source)?;
            if set.mirror_source_policy == Some(PolicyDto::NeverContactSource) {
                map.entries.entry(source.clone()).or_default().is_cut_off = true;
            }
            set.mirrors.into_iter().flatten().try_for_each(|mirror| {
                map.add(&source, &location(&mirror)?, Some(only));
                Ok(())
            })
        })
    };
    sets(document.image_digest_sources, Pull::Digest)?;
    sets(document.image_content_sources, Pull::Digest)?;
    if let Some(spec) = document.spec {
        sets(spec.image_digest_mirrors, Pull::Digest)?;
        sets(spec.repository_digest_mirrors, Pull::Digest)?;
        sets(spec.image_content_sources, Pull::Digest)?;
        sets(spec.image_tag_mirrors, Pull::Tag)?;
    }
    document.items.into_iter().flatten().try_for_each(|item| add(map, item))
}
