use std::sync::Arc;

use super::{
    ReferenceError, RegistryError, is_repository, is_tag, manifest, token::Scope, transport::Transport,
};
use crate::{
    http::{self, HttpError, Method, Request, Response, StatusCode, Url, header},
    limits,
    oci::{Blob, Digest},
    workers::WorkerPool,
};

/// One repository of a registry, for writing (distribution-spec, "Push").
#[derive(Debug, Clone)]
pub struct Repository {
    transport: Arc<Transport>,
    kept: Arc<manifest::Kept>,
    name: String,
}

impl Repository {
    pub(super) fn new(
        transport: Arc<Transport>,
        kept: Arc<manifest::Kept>,
        name: &str,
    ) -> Result<Self, RegistryError> {
        if is_repository(name) {
            return Ok(Self { transport, kept, name: name.to_owned() });
        }
        Err(ReferenceError { text: name.into(), reason: "no repository can be called so" }.into())
    }

    /// The repository's name in messages.
    pub fn place(&self) -> String {
        self.transport.place(&self.name)
    }

    /// The worker pool for requests to the registry.
    pub fn workers(&self) -> &WorkerPool {
        &self.transport.workers
    }

    fn scope(&self) -> Scope {
        Scope::Push(self.name.clone())
    }

    /// The manifest that the tag refers to. It is read in full rather than with HEAD, so as not to rely on a header; it
    /// is not read again if it was just read to decide whether it may be replaced.
    pub fn current(&self, tag: &str) -> Result<Option<Blob>, RegistryError> {
        if !is_tag(tag) {
            return Err(ReferenceError { text: tag.into(), reason: "it is not a tag" }.into());
        }
        if let Some(noted) = self.kept.noted(&self.name, tag) {
            return Ok(noted);
        }
        let read = manifest::get(&self.transport, &self.scope(), &self.name, tag)?;
        Ok(read.map(|(_, manifest)| manifest))
    }

    /// Whether the registry has this manifest. This is only used for counting: unless the answer is a clear yes, it is
    /// written again.
    pub fn has_manifest(&self, digest: Digest) -> Result<bool, RegistryError> {
        let url = self.transport.url(&self.name, "manifests/", &digest.to_string())?;
        let request = Request::new(Method::HEAD, url).header(header::ACCEPT, manifest::ACCEPT);
        Ok(self.transport.fetch(&self.scope(), request, limits::ERROR_ANSWER)?.status.is_success())
    }

    /// distribution-spec, "Pushing manifests": under a tag, which stores the manifest and moves the tag in one step.
    pub fn put_manifest(&self, tag: &str, media_type: &str, content: &Blob) -> Result<(), RegistryError> {
        let request = Request::new(Method::PUT, self.transport.url(&self.name, "manifests/", tag)?)
            .header(header::CONTENT_TYPE, media_type)
            .header(header::CONTENT_LENGTH, &content.size().to_string())
            .body(content.bytes());
        let answer = self.transport.fetch(&self.scope(), request, limits::ERROR_ANSWER)?;
        self.stored(&format!("the manifest {tag}"), content.digest(), &answer)?;
        match answer.text(manifest::DIGEST) {
            // The response states the digest that was stored, and it is compared.
            Some(said) if said.starts_with("sha256:") => Ok(()),
            _ => self.read_back(tag, content.digest()),
        }
    }

    /// Reads the manifest behind the tag after a write whose response had no digest (distribution-spec, "Pushing
    /// Manifests": it SHOULD have one): a registry that changed the manifest, or did not store it, is noticed here and
    /// not at the receiver.
    fn read_back(&self, tag: &str, digest: Digest) -> Result<(), RegistryError> {
        let found = manifest::get(&self.transport, &self.scope(), &self.name, tag)?;
        let found = found.map(|(_, manifest)| manifest.digest());
        if found == Some(digest) {
            return Ok(());
        }
        Err(RegistryError::NotStored { place: self.place(), tag: tag.to_owned(), digest, found })
    }

    /// Makes sure that the registry has the blob; `ask` is whether to check first. Returns whether it had to be
    /// uploaded.
    pub fn bring(&self, blob: &Blob, ask: bool) -> Result<bool, RegistryError> {
        let retries = self.transport.client().options().retries;
        let mut brought = false;
        for attempt in 0.. {
            // Check again after a failure: the response may have been lost, not the blob.
            if (ask || brought) && self.has_blob(blob)? {
                return Ok(brought);
            }
            brought = true;
            match self.upload(blob) {
                Ok(()) => return Ok(true),
                Err(e) if attempt < retries && may_pass(&e) => {
                    self.transport.client().pause(attempt, &e.to_string());
                }
                Err(e) => return Err(e),
            }
        }
        unreachable!("the last attempt returns")
    }

    fn has_blob(&self, blob: &Blob) -> Result<bool, RegistryError> {
        let url = self.transport.url(&self.name, "blobs/", &blob.digest().to_string())?;
        let scope = self.scope();
        let answer = self.transport.fetch(&scope, Request::new(Method::HEAD, url), limits::ERROR_ANSWER)?;
        match answer.status.as_u16() {
            200 => Ok(true),
            404 | 405 => Ok(false),
            // The object store behind the registry does not support HEAD, so upload.
            _ if answer.elsewhere => Ok(false),
            _ => {
                let what = format!("look for the blob {}", blob.digest());
                Err(self.transport.refused(&scope, &what, &answer))
            }
        }
    }

    /// distribution-spec, "Pushing a blob monolithically": POST then PUT.
    fn upload(&self, blob: &Blob) -> Result<(), RegistryError> {
        // Only confirmed bytes count: bytes handed to the operating system may not have arrived.
        let _transfer = self.transport.client().options().meter.begin(blob.size());
        let url = self.transport.url(&self.name, "blobs/uploads/", "")?;
        let begin = Request::new(Method::POST, url).header(header::CONTENT_LENGTH, "0");
        let answer = self.transport.fetch(&self.scope(), begin, limits::ERROR_ANSWER)?;
        match answer.status {
            // The registry has it already.
            StatusCode::CREATED => return Ok(()),
            status if status.is_success() => {}
            _ => return Err(self.transport.refused(&self.scope(), "upload a blob", &answer)),
        }
        let mut url = self.location(&answer)?;
        url.query_pairs_mut().append_pair("digest", &blob.digest().to_string());
        let request = Request::new(Method::PUT, url)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, &blob.size().to_string())
            .body(blob.bytes())
            .once();
        let answer = self.transport.fetch(&self.scope(), request, limits::ERROR_ANSWER)?;
        self.stored(&format!("the blob {}", blob.digest()), blob.digest(), &answer)
    }

    /// The address at which an upload continues.
    fn location(&self, answer: &Response<Vec<u8>>) -> Result<Url, RegistryError> {
        let Some(found) = answer.text(header::LOCATION) else {
            return Err(self.transport.strange("it begins an upload without saying where"));
        };
        let refused = |to: &str, reason: &str| RegistryError::LocationRefused {
            place: self.place(),
            to: super::error::printable(to.split(['?', '#']).next().unwrap_or("")),
            reason: reason.to_owned(),
        };
        let url = http::resolve(&answer.url, found).map_err(|why| refused(found, &why.to_string()))?;
        if self.transport.is_home(&url)? {
            Ok(url)
        } else {
            Err(refused(&http::shown(&url), "it is another origin"))
        }
    }

    /// The end of an upload. Any 2xx is success: older Quay answers 202 to a manifest, and others 200 or 204 to a blob.
    /// A digest in the response must be that of the content sent.
    fn stored(&self, what: &str, digest: Digest, answer: &Response<Vec<u8>>) -> Result<(), RegistryError> {
        if !answer.status.is_success() {
            return Err(self.transport.refused(&self.scope(), &format!("write {what}"), answer));
        }
        match answer.text(manifest::DIGEST).filter(|said| manifest::contradicts(said, digest)) {
            None => Ok(()),
            Some(said) => Err(RegistryError::HeaderDigest {
                place: self.place(),
                what: what.to_owned(),
                said: super::error::printable(said),
                actual: digest,
            }),
        }
    }
}

/// Whether a failed upload may succeed if restarted: the connection broke, or the session is gone.
fn may_pass(e: &RegistryError) -> bool {
    match e {
        RegistryError::Http(e) => matches!(
            e,
            HttpError::Unreachable { .. } | HttpError::TimedOut { .. } | HttpError::Unavailable { .. }
        ),
        RegistryError::Answer { status, .. } => matches!(status, 404 | 416 | 500),
        _ => false,
    }
}
