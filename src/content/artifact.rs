use super::{Artifact, ContentError, Source, fetch, fetch_manifest};
use crate::{
    limits,
    oci::{Descriptor, Document, media},
    workers::WorkerPool,
};

/// Reads a small artifact into memory: the manifest and everything that it refers to, within the limits of a pack.
///
/// For an index, only the manifest blob itself is returned; the reader of the artifact decides what that means.
pub fn fetch_artifact(
    source: &dyn Source,
    repository: &str,
    manifest: &Descriptor,
) -> Result<Artifact, ContentError> {
    let missing = |digest| ContentError::MissingBlob { place: source.place(), digest };
    let (blob, document) =
        fetch_manifest(source, repository, manifest)?.ok_or_else(|| missing(manifest.digest))?;
    let mut artifact = Artifact { media_type: media::MANIFEST.into(), manifest: blob, blobs: Vec::new() };
    let Document::Manifest(manifest) = document else {
        artifact.media_type = media::INDEX.into();
        return Ok(artifact);
    };
    if let Some(media_type) = manifest.media_type {
        artifact.media_type = media_type;
    }
    let mut wanted: Vec<(&Descriptor, u64)> = Vec::new();
    let mut room = limits::PACK_TOTAL;
    for descriptor in std::iter::once(&manifest.config).chain(&manifest.layers) {
        if wanted.iter().any(|(other, _)| other.digest == descriptor.digest) {
            continue;
        }
        if wanted.len() > limits::PACK_FILES {
            return Err(ContentError::TooLong {
                what: format!("the list of layers of {}", artifact.manifest.digest()),
                limit: limits::PACK_FILES as u64,
            });
        }
        // No more is read than the descriptor states.
        wanted.push((descriptor, descriptor.size.map_or(room.min(limits::PACK_FILE), |_| room)));
        room -= descriptor.size.unwrap_or(limits::PACK_FILE).min(room);
    }
    // Reading two sequentially over the open connection is faster than opening a second one.
    let workers = if wanted.len() > 2 { source.abilities().workers() } else { WorkerPool::none() };
    artifact.blobs = workers.map(&wanted, |(descriptor, room)| {
        fetch(source, repository, descriptor, *room)?.ok_or_else(|| missing(descriptor.digest))
    })?;
    Ok(artifact)
}
