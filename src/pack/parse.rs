//! Reads the content of an artifact, in whichever form it arrived: both forms, and what tools turn them into (docker
//! schema 2, other compression, missing annotations).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Draft, INVENTORY, PackError,
    files::{is_signature, refuse_many_signatures},
    label, layer, media,
};
use crate::{
    content::Artifact,
    key::KeyRef,
    limits,
    oci::{Blob, Descriptor, Digest, Document, ImageManifest, annotation, media as oci_media},
    tree::{OutFile, SafeName},
};

/// The files of an artifact that claims to be a pack. None of it is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedPack {
    manifest: Digest,
    inventory: Vec<u8>,
    files: Vec<OutFile>,
    /// The keys of a directory that are left out there.
    left_out: Vec<KeyRef>,
}

#[derive(Deserialize, Default)]
struct Config {
    config: Option<Inner>,
}

#[derive(Deserialize, Default)]
struct Inner {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

impl UnverifiedPack {
    /// A keys/ directory, to be authenticated by an anchor. It has no manifest, so no manifest digest can match.
    pub fn of_directory(draft: &Draft) -> Result<Self, PackError> {
        let files = draft.to_files();
        let inventory =
            files.iter().find(|file| file.name.as_str() == INVENTORY).map(|file| file.bytes.clone());
        let inventory = inventory.ok_or_else(|| PackError::Missing(INVENTORY.into()))?;
        let left_out = draft.left_out().map(|(record, _)| record.key_ref()).collect();
        Ok(Self { manifest: Digest::of(&inventory), inventory, files, left_out })
    }

    /// The pack digest: sha256 of `keypack.json` as received.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.inventory)
    }

    /// The digest of the received manifest.
    pub const fn manifest_digest(&self) -> Digest {
        self.manifest
    }

    /// `keypack.json` as received.
    pub(super) fn inventory_bytes(&self) -> &[u8] {
        &self.inventory
    }

    /// The files as received.
    pub(super) fn files(&self) -> &[OutFile] {
        &self.files
    }

    /// Checks that it is complete and consistent. The resulting [`Draft`] is still not trusted.
    pub fn into_draft(self) -> Result<Draft, PackError> {
        Draft::from_files_without(self.files, &|record, _| self.left_out.contains(&record.key_ref()))
    }
}

/// Whether a manifest claims to be a pack. Docker's schema 2 has no artifact type, so the config's label is used, which
/// `config` reads.
pub fn looks_like_a_pack(manifest: &ImageManifest, config: impl FnOnce(&Descriptor) -> Option<Blob>) -> bool {
    manifest.artifact_type.as_deref() == Some(media::KEYS)
        || manifest.config.media_type == media::INVENTORY
        || (manifest.layers.len() == 1
            && manifest.subject.is_none()
            && config(&manifest.config)
                .and_then(|config| labels(manifest, &config).ok())
                .is_some_and(|labels| labels.get(label::TYPE).map(String::as_str) == Some(media::KEYS)))
}

/// Extracts the files of an artifact.
pub fn parse(artifact: &Artifact) -> Result<UnverifiedPack, PackError> {
    let manifest = match Document::parse(&artifact.manifest) {
        Ok(Document::Manifest(manifest)) => manifest,
        Ok(Document::Index(_)) => return Err(PackError::Index),
        Err(e) => return Err(PackError::NotAPack(e.to_string())),
    };
    if manifest.has_urls {
        return Err(PackError::Urls);
    }
    let config = blob(artifact, &manifest.config)?;
    let (files, promised) = if manifest.config.media_type == media::INVENTORY {
        (raw_files(artifact, &manifest)?, None)
    } else {
        let labels = labels(&manifest, config)?;
        let typed = labels.get(label::TYPE).map(String::as_str) == Some(media::KEYS);
        if !typed && manifest.artifact_type.as_deref() != Some(media::KEYS) {
            return Err(PackError::NotAPack(format!(
                "its config says {} and has no label {}",
                manifest.config.media_type,
                label::TYPE
            )));
        }
        (image_files(artifact, &manifest)?, labels.get(label::PACK_DIGEST).cloned())
    };
    refuse_many_signatures(files.iter().filter(|f| is_signature(f.name.as_str())).count())?;
    let inventory = files
        .iter()
        .find(|f| f.name.as_str() == INVENTORY)
        .map(|f| f.bytes.clone())
        .ok_or_else(|| PackError::Missing(INVENTORY.into()))?;
    let actual = Digest::of(&inventory);
    if let Some(promised) = promised.filter(|p| *p != actual.to_string()) {
        return Err(PackError::Inconsistent { label: promised.chars().take(100).collect(), actual });
    }
    Ok(UnverifiedPack { manifest: artifact.manifest.digest(), inventory, files, left_out: Vec::new() })
}

fn blob<'a>(artifact: &'a Artifact, descriptor: &Descriptor) -> Result<&'a Blob, PackError> {
    artifact
        .blobs
        .iter()
        .find(|b| b.digest() == descriptor.digest)
        .ok_or_else(|| PackError::Missing(descriptor.digest.to_string()))
}

fn labels(manifest: &ImageManifest, config: &Blob) -> Result<BTreeMap<String, String>, PackError> {
    let known = [oci_media::CONFIG, oci_media::DOCKER_CONFIG];
    if !known.contains(&manifest.config.media_type.as_str()) {
        return Err(PackError::NotAPack(format!("its config has the type {:?}", manifest.config.media_type)));
    }
    let config: Config = serde_json::from_slice(config.bytes())
        .map_err(|e| PackError::NotAPack(format!("its image config is malformed: {e}")))?;
    Ok(config.config.and_then(|c| c.labels).unwrap_or_default())
}

fn image_files(artifact: &Artifact, manifest: &ImageManifest) -> Result<Vec<OutFile>, PackError> {
    let [only] = manifest.layers.as_slice() else {
        return match manifest.layers.len() {
            0 => Err(PackError::Empty),
            n => Err(PackError::Layer(format!("it has {n} layers where a pack has one"))),
        };
    };
    layer::read(&layer::decompress(blob(artifact, only)?.bytes())?)
}

fn raw_files(artifact: &Artifact, manifest: &ImageManifest) -> Result<Vec<OutFile>, PackError> {
    if manifest.layers.is_empty() {
        return Err(PackError::Empty);
    }
    if manifest.layers.len() > limits::PACK_FILES {
        return Err(PackError::TooLarge(format!("it has more than {} files", limits::PACK_FILES)));
    }
    let mut files: Vec<OutFile> = Vec::new();
    for layer in &manifest.layers {
        let title = layer
            .annotations
            .get(annotation::TITLE)
            .ok_or_else(|| PackError::Layer(format!("the layer {} has no title", layer.digest)))?;
        let name = SafeName::new(title)?;
        if files.iter().any(|f| f.name == name) {
            return Err(PackError::Duplicate(title.clone()));
        }
        files.push(OutFile::new(name, blob(artifact, layer)?.bytes()));
    }
    let inventory = files.iter().find(|f| f.name.as_str() == INVENTORY);
    match inventory {
        Some(file) if Digest::of(&file.bytes) != manifest.config.digest => Err(PackError::Inconsistent {
            label: manifest.config.digest.to_string(),
            actual: Digest::of(&file.bytes),
        }),
        Some(_) => Ok(files),
        // The config is the inventory, so a tool that drops duplicate blobs has removed nothing.
        None => {
            let config = blob(artifact, &manifest.config)?;
            files.push(OutFile::new(SafeName::new(INVENTORY)?, config.bytes()));
            Ok(files)
        }
    }
}
