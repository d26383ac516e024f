use crate::{
    content::{Artifact, ContentError, Sink, Stored},
    oci::{Blob, Digest, Document},
    registry::Repository,
};

/// Blobs up to this size are uploaded without a check, unless they are likely to exist.
const SMALL: usize = 64 << 10;

/// The blobs that a manifest refers to.
fn named(manifest: Option<&Blob>) -> Vec<Digest> {
    match manifest.map(Document::parse) {
        Some(Ok(Document::Manifest(image))) => {
            image.layers.iter().chain([&image.config]).map(|descriptor| descriptor.digest).collect()
        }
        _ => Vec::new(),
    }
}

/// One repository of a registry, for writing.
#[derive(Debug, Clone)]
pub struct RegistrySink(Repository);

impl RegistrySink {
    pub(in crate::content) const fn new(repository: Repository) -> Self {
        Self(repository)
    }
}

impl Sink for RegistrySink {
    fn place(&self) -> String {
        self.0.place()
    }

    fn put(&self, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError> {
        let digest = artifact.manifest.digest();
        let current = self.0.current(tag)?;
        let tagged = current.as_ref().is_some_and(|manifest| manifest.digest() == digest);
        let known = tagged || self.0.has_manifest(digest)?;
        let there = if known { None } else { Some(named(current.as_ref())) };
        // Even if the tag is up to date, because a registry may have lost a blob.
        let brought = self.0.workers().map(&artifact.blobs, |blob| {
            // A check costs one request and saves two: worth it if the blob is likely to exist, or is large.
            let ask = blob.bytes().len() > SMALL || there.as_ref().is_none_or(|t| t.contains(&blob.digest()));
            self.0.bring(blob, ask)
        })?;
        let blobs = brought.into_iter().filter(|brought| *brought).count();
        if tagged {
            return Ok(Stored { digest, written: blobs, tagged: false, warning: None });
        }
        self.0.put_manifest(tag, &artifact.media_type, &artifact.manifest)?;
        Ok(Stored { digest, written: blobs + usize::from(!known), tagged: true, warning: None })
    }
}
