//! A pack as an OCI artifact. The manifest is serialised here and not by a library: its bytes are those that Go's
//! encoder would write (field order of image-spec's structs, sorted annotation keys), because podman prints the digest
//! of its own re-encoding, and a digest that differs between tools can't be compared by people.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Draft, PackError, label, layer, media};
use crate::{
    content::Artifact,
    limits,
    oci::{Blob, Digest, annotation, media as oci_media},
};

/// How a pack is represented. Tested with twelve tools: the image form works with all of them; the artifact form keeps
/// its digest and gives plain files, but tools for images only refuse it or silently drop its content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// A scratch image with one layer that contains `keys/`.
    #[default]
    Image,
    /// One raw layer per file.
    Artifact,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u32,
    media_type: &'a str,
    artifact_type: &'a str,
    config: Descriptor<'a>,
    layers: Vec<Descriptor<'a>>,
    annotations: BTreeMap<&'a str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: &'a str,
    digest: Digest,
    size: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, String>,
}

#[derive(Serialize)]
struct Config<'a> {
    created: String,
    architecture: &'a str,
    os: &'a str,
    config: ConfigLabels<'a>,
    rootfs: RootFs,
    history: [History<'a>; 1],
}

#[derive(Serialize)]
struct ConfigLabels<'a> {
    #[serde(rename = "Labels")]
    labels: BTreeMap<&'a str, String>,
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: [Digest; 1],
}

#[derive(Serialize)]
struct History<'a> {
    created: String,
    created_by: &'a str,
}

/// Builds the artifact. The same draft always gives the same bytes.
pub fn to_artifact(draft: &Draft, form: Form) -> Result<Artifact, PackError> {
    match form {
        Form::Image => image(draft),
        Form::Artifact => files(draft),
    }
}

fn image(draft: &Draft) -> Result<Artifact, PackError> {
    let wrong = |e: std::io::Error| PackError::Layer(e.to_string());
    let tar = layer::write(&draft.to_files()).map_err(wrong)?;
    let diff_id = Digest::of(&tar);
    let layer = Blob::new(layer::gzip(&tar).map_err(wrong)?);
    let created = draft.inventory().created.to_string();
    let config = Config {
        created: created.clone(),
        // A pack is not run anywhere, but tools require a platform, and this one matches most hosts.
        architecture: "amd64",
        os: "linux",
        config: ConfigLabels {
            labels: BTreeMap::from([
                (label::TYPE, media::KEYS.to_owned()),
                (label::PACK_DIGEST, draft.digest().to_string()),
            ]),
        },
        rootfs: RootFs { r#type: "layers", diff_ids: [diff_id] },
        history: [History { created, created_by: "keypack" }],
    };
    let config = Blob::new(serde_json::to_vec(&config).unwrap_or_default());
    let title = BTreeMap::from([
        ("io.deis.oras.content.digest", diff_id.to_string()),
        ("io.deis.oras.content.unpack", "true".to_owned()),
        (annotation::TITLE, layer::DIRECTORY.to_owned()),
    ]);
    let layers = vec![descriptor(oci_media::LAYER_GZIP, &layer, title)];
    Ok(manifest(
        draft,
        descriptor(oci_media::CONFIG, &config, BTreeMap::new()),
        layers,
        vec![config.clone(), layer],
    ))
}

fn files(draft: &Draft) -> Result<Artifact, PackError> {
    let files = draft.to_files();
    if files.len() > limits::ARTIFACT_LAYERS {
        return Err(PackError::TooLarge(format!(
            "it has {} files, and an artifact with more than {} layers is refused by registries; push it as an image",
            files.len(),
            limits::ARTIFACT_LAYERS
        )));
    }
    let (mut layers, mut blobs) = (Vec::new(), Vec::new());
    let mut config = None;
    for file in files {
        let name = file.name.to_string();
        let blob = Blob::new(file.bytes);
        if name == super::INVENTORY {
            config = Some(descriptor(media::INVENTORY, &blob, BTreeMap::new()));
        }
        layers.push(descriptor(media::FILE, &blob, BTreeMap::from([(annotation::TITLE, name)])));
        if !blobs.contains(&blob) {
            blobs.push(blob);
        }
    }
    let config = config.ok_or_else(|| PackError::Missing(super::INVENTORY.into()))?;
    Ok(manifest(draft, config, layers, blobs))
}

fn descriptor<'a>(
    media_type: &'a str,
    blob: &Blob,
    annotations: BTreeMap<&'a str, String>,
) -> Descriptor<'a> {
    Descriptor { media_type, digest: blob.digest(), size: blob.size(), annotations }
}

fn manifest(
    draft: &Draft,
    config: Descriptor<'_>,
    layers: Vec<Descriptor<'_>>,
    blobs: Vec<Blob>,
) -> Artifact {
    let inventory = draft.inventory();
    let manifest = Manifest {
        schema_version: 2,
        media_type: oci_media::MANIFEST,
        artifact_type: media::KEYS,
        config,
        layers,
        annotations: BTreeMap::from([
            ("org.opencontainers.image.created", inventory.created.to_string()),
            (annotation::TITLE, "keypack".to_owned()),
            ("org.opencontainers.image.version", inventory.version.to_string()),
        ]),
    };
    Artifact {
        manifest: Blob::new(serde_json::to_vec(&manifest).unwrap_or_default()),
        media_type: oci_media::MANIFEST.into(),
        blobs,
    }
}
