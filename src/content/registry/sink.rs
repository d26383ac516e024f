use std::sync::Arc;

use super::{
    ReferenceError, RegistryError, is_repository, is_tag, manifests, parallel,
    token::Scope,
    upload::{self, Upload},
    wire::Wire,
};
use crate::{
    content::{Artifact, ContentError, Sink, Stored},
    limits,
    net::{Method, Request, header},
    oci::Blob,
};

/// One repository of a registry, to be written.
#[derive(Debug, Clone)]
pub struct RegistrySink {
    wire: Arc<Wire>,
    repository: String,
    mount_from: Option<String>,
    whole: usize,
}

impl RegistrySink {
    pub(super) fn new(wire: Arc<Wire>, repository: &str) -> Result<Self, ContentError> {
        if is_repository(repository) {
            let repository = repository.to_owned();
            return Ok(Self { wire, repository, mount_from: None, whole: upload::WHOLE });
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
        // Read whole, not by HEAD: whether the tag is right is then not a matter of a header.
        let current = manifests::get(&self.wire, &self.scope(), &self.repository, tag)?;
        let tagged = current.is_some_and(|(descriptor, _)| descriptor.digest == digest);
        let upload = Upload {
            wire: &self.wire,
            repository: &self.repository,
            mount_from: self.mount_from.as_deref(),
            whole: self.whole,
        };
        // Also where the tag is right: a registry that lost a blob gets it back.
        let jobs = self.wire.client().options().jobs;
        let brought = parallel::map(jobs, &artifact.blobs, |blob| upload.bring(blob))?;
        let blobs = brought.into_iter().filter(|brought| *brought).count();
        if tagged {
            return Ok(Stored { digest, written: blobs, tagged: false });
        }
        let known = blobs == 0 && self.has_manifest(&artifact.manifest)?;
        self.put_manifest(artifact, tag)?;
        Ok(Stored { digest, written: blobs + usize::from(!known), tagged: true })
    }
}
