//! The files in a release that say what it consists of, and what it requires.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::manifest;
use crate::{
    content::{self, ContentError, ImageFiles, Source, image_files},
    diag::{Code, Diagnostic},
    discover::missing,
    limits,
    oci::{Digest, Document, ImageManifest},
    ops::verify::{Platform, lists},
    policy::consumer::openshift::{ImageReferences, PayloadPolicy, ReleaseImage},
};

const REFERENCES: &str = "release-manifests/image-references";
const POLICY: &str = "release-manifests/0000_90_openshift-cluster-image-policy.yaml";

/// What a release says, over all of its instances that are here.
pub(super) struct Payload {
    pub(super) references: ImageReferences,
    /// The policies that are in force by default: one, but nothing says that all instances bring the same.
    pub(super) policies: Vec<PayloadPolicy>,
    /// Whether there is one, in force or not.
    pub(super) has_policy: bool,
    /// The platforms of its instances.
    pub(super) platforms: Vec<String>,
    /// The digests that the list of its instances names.
    pub(super) instances: BTreeSet<Digest>,
}

/// The members of an image's config that are read (OCI image-spec v1.1, config.md).
#[derive(Deserialize)]
struct ConfigDto {
    os: Option<String>,
    architecture: Option<String>,
    config: Option<LabelsDto>,
}

#[derive(Deserialize)]
struct LabelsDto {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

/// The label with which `oc adm release new` marks a release, with its version.
const LABEL: &str = "io.openshift.release";

/// The version that an image says it is a release of, if it says so.
pub(super) fn label(
    source: &dyn Source,
    repository: &str,
    digest: Digest,
) -> Result<Option<String>, Diagnostic> {
    for instance in instances(source, repository, digest, &[])? {
        let labels = config(source, repository, &instance)?.config.and_then(|config| config.labels);
        if let Some(version) = labels.and_then(|mut labels| labels.remove(LABEL)) {
            return Ok(Some(version.chars().take(limits::NAME).collect()));
        }
    }
    Ok(None)
}

impl Payload {
    /// Reads an authenticated release: nothing of one that is not may be read.
    pub(super) fn read(
        source: &dyn Source,
        repository: &str,
        release: Digest,
        platforms: &[Platform],
    ) -> Result<Self, Diagnostic> {
        let mut read: Option<Self> = None;
        for instance in instances(source, repository, release, platforms)? {
            let one = Self::of_instance(source, repository, &instance)?;
            let Some(all) = &mut read else {
                read = Some(one);
                continue;
            };
            if all.references.version != one.references.version {
                let what = format!(
                    "its instances are of two releases, {} and {}",
                    all.references.version, one.references.version
                );
                return Err(Diagnostic::new(Code::Malformed, what));
            }
            all.has_policy |= one.has_policy;
            let images: BTreeSet<ReleaseImage> =
                std::mem::take(&mut all.references.images).into_iter().chain(one.references.images).collect();
            all.references.images = images.into_iter().collect();
            for policy in one.policies {
                if all.policies.iter().all(|known| known.summary != policy.summary) {
                    all.policies.push(policy);
                }
            }
            all.platforms.extend(one.platforms);
        }
        let mut read = read.ok_or_else(|| {
            let what = "it has no instance here for the platforms that are asked for";
            Diagnostic::new(Code::ImageElsewhere, what)
        })?;
        if let Document::Index(list) = manifest(source, repository, release)? {
            read.instances = list.manifests.iter().map(|instance| instance.digest).collect();
        }
        Ok(read)
    }

    fn of_instance(
        source: &dyn Source,
        repository: &str,
        instance: &ImageManifest,
    ) -> Result<Self, Diagnostic> {
        let config = config(source, repository, instance)?;
        let references =
            |files: &ImageFiles<'_>| files.get(REFERENCES).map(|json| ImageReferences::read(json));
        // The manifests are in the uppermost layers. Where a release has no policy, all of its layers would be read for it.
        let enough = |files: &ImageFiles<'_>| {
            references(files).is_some_and(|read| read.is_ok_and(|read| read.is_before_policies()))
        };
        let files = image_files(source, repository, instance, &[REFERENCES, POLICY], &enough);
        let files = files.map_err(|e| match e {
            ContentError::MissingBlob { digest, .. } => missing(source, &digest),
            other => other.into(),
        })?;
        let malformed = |what: String| Diagnostic::new(Code::Malformed, what);
        let references = references(&files)
            .ok_or_else(|| malformed(format!("it has no {REFERENCES}, so it is not a release")))?
            .map_err(|e| malformed(format!("{REFERENCES}: {e}")))?;
        let policy = files.get(POLICY).map(|yaml| {
            let invalid = |what: &str| Diagnostic::new(Code::PolicyInvalid, format!("{POLICY}: {what}"));
            let text = std::str::from_utf8(yaml).map_err(|_| invalid("it is not UTF-8"))?;
            PayloadPolicy::read(text).map_err(|e| invalid(&e.to_string()))
        });
        let platform = (config.os.as_deref(), config.architecture.as_deref());
        Ok(Self {
            references,
            has_policy: policy.is_some(),
            policies: policy.transpose()?.flatten().into_iter().collect(),
            platforms: match platform {
                (Some(os), Some(architecture)) => vec![format!("{os}/{architecture}")],
                _ => Vec::new(),
            },
            instances: BTreeSet::new(),
        })
    }

    /// The version of the release.
    pub(super) fn version(&self) -> &str {
        &self.references.version
    }
}

/// The image itself, or the instances of a list that are here.
fn instances(
    source: &dyn Source,
    repository: &str,
    digest: Digest,
    platforms: &[Platform],
) -> Result<Vec<ImageManifest>, Diagnostic> {
    if let Document::Manifest(image) = manifest(source, repository, digest)? {
        return Ok(vec![image]);
    }
    let all = lists::instances(source, repository, digest, platforms)?;
    let here = all.into_iter().filter(|instance| instance.wanted && instance.here);
    here.map(|instance| match manifest(source, repository, instance.digest)? {
        Document::Manifest(image) => Ok(image),
        Document::Index(_) => {
            let what = format!("{digest} is a list of lists, and releases are not");
            Err(Diagnostic::new(Code::Malformed, what))
        }
    })
    .collect()
}

fn config(source: &dyn Source, repository: &str, image: &ImageManifest) -> Result<ConfigDto, Diagnostic> {
    let blob = content::fetch(source, repository, &image.config, limits::CONFIG)?;
    let blob = blob.ok_or_else(|| missing(source, &image.config.digest))?;
    serde_json::from_slice(blob.bytes())
        .map_err(|e| Diagnostic::new(Code::Malformed, format!("the config {}: {e}", image.config.digest)))
}
