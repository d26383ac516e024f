use std::sync::Arc;

use super::{
    ReferenceError, RegistryError, is_repository, is_tag, manifests,
    token::Scope,
    upload::{self, Upload},
    wire::Wire,
};
use crate::{
    content::{Artifact, ContentError, Sink, Stored},
    limits,
    net::{Method, Request, header},
    oci::{Blob, Digest, Document},
};

/// Blobs up to this size go up without a question where nothing says that they are there.
const SMALL: usize = 64 << 10;

/// The blobs that a manifest names.
fn named(manifest: Option<&Blob>) -> Vec<Digest> {
    match manifest.map(Document::parse) {
        Some(Ok(Document::Manifest(image))) => {
            image.layers.iter().chain([&image.config]).map(|descriptor| descriptor.digest).collect()
        }
        _ => Vec::new(),
    }
}

/// One repository of a registry, to be written.
#[derive(Debug, Clone)]
pub struct RegistrySink {
    wire: Arc<Wire>,
    kept: Arc<manifests::Kept>,
    repository: String,
    mount_from: Option<String>,
    whole: usize,
}

impl RegistrySink {
    pub(super) fn new(
        wire: Arc<Wire>,
        kept: Arc<manifests::Kept>,
        repository: &str,
    ) -> Result<Self, ContentError> {
        if is_repository(repository) {
            let repository = repository.to_owned();
            return Ok(Self { wire, kept, repository, mount_from: None, whole: upload::WHOLE });
        }
        let reason = "no repository can be called so";
        Err(RegistryError::Reference(ReferenceError { text: repository.into(), reason }).into())
    }

    /// Lets the registry take blobs that this other repository of its own already has.
    #[must_use]
    pub fn mounting_from(self, repository: impl Into<String>) -> Self {
        Self { mount_from: Some(repository.into()), ..self }
    }

    /// Uploads blobs above `bytes` in pieces.
    #[must_use]
    pub fn in_pieces_above(self, bytes: usize) -> Self {
        Self { whole: bytes, ..self }
    }

    /// What the tag names now. Read whole, not by HEAD: whether it is right is then not a matter of a header; and not
    /// read again where it was just read to see whether it may be replaced.
    fn current(&self, tag: &str) -> Result<Option<Blob>, ContentError> {
        if let Some(noted) = self.kept.noted(&self.repository, tag) {
            return Ok(noted);
        }
        let read = manifests::get(&self.wire, &self.scope(), &self.repository, tag)?;
        Ok(read.map(|(_, manifest)| manifest))
    }

    fn has_manifest(&self, manifest: &Blob) -> Result<bool, ContentError> {
        let url = self.wire.url(&self.repository, "manifests/", &manifest.digest().to_string())?;
        let request = Request::new(Method::HEAD, url).header(header::ACCEPT, manifests::ACCEPT);
        let answer = self.wire.fetch(&self.scope(), request, limits::ERROR_ANSWER)?;
        // Only a count depends on it: what is not a clear yes is written again.
        Ok(answer.status.is_success())
    }

    fn scope(&self) -> Scope {
        Scope::Push(self.repository.clone())
    }

    /// distribution-spec, "Pushing manifests": under a tag, which stores the manifest and moves the tag in one step.
    fn put_manifest(&self, artifact: &Artifact, tag: &str) -> Result<(), ContentError> {
        let digest = artifact.manifest.digest();
        let request = Request::new(Method::PUT, self.wire.url(&self.repository, "manifests/", tag)?)
            .header(header::CONTENT_TYPE, &artifact.media_type)
            .header(header::CONTENT_LENGTH, &artifact.manifest.size().to_string())
            .body(artifact.manifest.bytes());
        let answer = self.wire.fetch(&self.scope(), request, limits::ERROR_ANSWER)?;
        if !matches!(answer.status.as_u16(), 200 | 201) {
            return Err(self.wire.refused(&self.scope(), &format!("write the manifest {tag}"), &answer));
        }
        match answer.text(manifests::DIGEST).filter(|said| manifests::contradicts(said, digest)) {
            None => Ok(()),
            Some(said) => Err(RegistryError::HeaderDigest {
                place: Sink::place(self),
                what: format!("the manifest {tag}"),
                said: super::error::printable(said),
                actual: digest,
            }
            .into()),
        }
    }
}

impl Sink for RegistrySink {
    fn place(&self) -> String {
        self.wire.place(&self.repository)
    }

    fn put(&self, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError> {
        if !is_tag(tag) {
            let reason = "it is no tag";
            return Err(RegistryError::Reference(ReferenceError { text: tag.into(), reason }).into());
        }
        let digest = artifact.manifest.digest();
        let current = self.current(tag)?;
        let tagged = current.as_ref().is_some_and(|manifest| manifest.digest() == digest);
        let known = tagged || self.has_manifest(&artifact.manifest)?;
        let there = if known { None } else { Some(named(current.as_ref())) };
        let upload = Upload {
            wire: &self.wire,
            repository: &self.repository,
            mount_from: self.mount_from.as_deref(),
            whole: self.whole,
        };
        // Also where the tag is right: a registry that lost a blob gets it back.
        let brought = self.wire.crew.map(&artifact.blobs, |blob| {
            // To ask first costs a request and saves two: worth it where the blob is likely to be there, or is large.
            let ask = blob.bytes().len() > SMALL || there.as_ref().is_none_or(|t| t.contains(&blob.digest()));
            upload.bring(blob, ask)
        })?;
        let blobs = brought.into_iter().filter(|brought| *brought).count();
        if tagged {
            return Ok(Stored { digest, written: blobs, tagged: false, warning: None });
        }
        self.put_manifest(artifact, tag)?;
        Ok(Stored { digest, written: blobs + usize::from(!known), tagged: true, warning: None })
    }
}
