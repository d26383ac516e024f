use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, de::IgnoredAny};

use super::{RegistryError, token::Scope, transport::Transport};
use crate::{
    http::{HttpError, Method, Request, StatusCode, header},
    limits,
    oci::{Blob, BlobError, Descriptor, Digest, ManifestError, media},
};

/// The types that we accept. A registry that has none of them may convert or refuse; both would be noticed.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// The codes in an error document for missing content (distribution-spec, "Error Codes").
pub(super) const UNKNOWN: [&str; 5] =
    ["NAME_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_INVALID", "MANIFEST_INVALID", "TAG_INVALID"];

pub(super) const DIGEST: &str = "docker-content-digest";

/// Reads a manifest by tag or digest (distribution-spec, "Pulling manifests"): with a size limit, a digest that matches
/// the reference and the header, and the type stated in the header. `Ok(None)` if it does not exist.
pub(super) fn get(
    transport: &Transport,
    scope: &Scope,
    repository: &str,
    reference: &str,
) -> Result<Option<(Descriptor, Blob)>, RegistryError> {
    let request = Request::new(Method::GET, transport.url(repository, "manifests/", reference)?)
        .header(header::ACCEPT, ACCEPT);
    let expected = reference.parse::<Digest>().ok();
    let answer = transport.fetch(scope, request, limits::MANIFEST).map_err(|e| match (e, expected) {
        (RegistryError::Http(HttpError::TooLong { .. }), Some(digest)) => {
            RegistryError::TooLarge { digest, size: None, limit: limits::MANIFEST }
        }
        (e, _) => e,
    })?;
    match answer.status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        // Quay's response to an unknown name.
        StatusCode::BAD_REQUEST if super::error::has_code(&answer.body, &UNKNOWN) => return Ok(None),
        _ => return Err(transport.refused(scope, &format!("read the manifest {reference}"), &answer)),
    }
    let claimed =
        answer.text(header::CONTENT_TYPE).unwrap_or("").split(';').next().unwrap_or("").trim().to_owned();
    if claimed.eq_ignore_ascii_case("text/html") {
        return Err(transport.strange("it sends a web page instead of a manifest"));
    }
    let said = answer.text(DIGEST).filter(|said| !said.is_empty()).map(ToOwned::to_owned);
    let blob = Blob::new(answer.body);
    if let Some(expected) = expected.filter(|d| *d != blob.digest()) {
        return Err(BlobError::Digest { expected, actual: blob.digest() }.into());
    }
    if let Some(said) = said.filter(|said| contradicts(said, blob.digest())) {
        let (place, what) = (transport.place(repository), format!("the manifest {reference}"));
        let said = super::error::printable(&said);
        return Err(RegistryError::HeaderDigest { place, what, said, actual: blob.digest() });
    }
    let media_type = media_type(&blob, &claimed)?;
    let descriptor =
        Descriptor { media_type, size: Some(blob.size()), ..Descriptor::of_digest(blob.digest()) };
    Ok(Some((descriptor, blob)))
}

/// Whether a `Docker-Content-Digest` is for different content. A digest whose algorithm we do not compute is ignored.
pub(super) fn contradicts(said: &str, actual: Digest) -> bool {
    said.split_once(':').is_none_or(|(algorithm, _)| algorithm == "sha256") && said != actual.to_string()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Shape {
    media_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    manifests: Option<IgnoredAny>,
}

fn is_index(media_type: &str) -> Option<bool> {
    match media_type {
        media::INDEX | media::DOCKER_LIST => Some(true),
        media::MANIFEST | media::DOCKER_MANIFEST => Some(false),
        _ => None,
    }
}

/// The type of a manifest according to its content; the header must agree (CVE-2021-41190). What can't be parsed here
/// is left to [`crate::oci::Document::parse`].
fn media_type(blob: &Blob, claimed: &str) -> Result<String, RegistryError> {
    let ambiguous = |reason: String| ManifestError::Ambiguous { digest: blob.digest(), reason };
    let shape: Shape = serde_json::from_slice(blob.bytes()).unwrap_or_default();
    if let Some(own) = &shape.media_type
        && is_index(claimed).is_some()
        && own != claimed
    {
        let own = super::error::printable(own);
        return Err(ambiguous(format!("it is sent as {claimed}, but says that it is {own}")).into());
    }
    let fields = (shape.manifests.is_some(), shape.layers.is_some() || shape.config.is_some());
    match (is_index(claimed), fields) {
        (Some(true), (false, true)) => {
            return Err(ambiguous("it is sent as an index, but is a manifest".into()).into());
        }
        (Some(false), (true, false)) => {
            return Err(ambiguous("it is sent as a manifest, but is an index".into()).into());
        }
        _ => {}
    }
    Ok(shape.media_type.unwrap_or_else(|| match (is_index(claimed), fields) {
        (None, (true, false)) => media::INDEX.to_owned(),
        (None, (false, true)) => media::MANIFEST.to_owned(),
        _ => claimed.to_owned(),
    }))
}

/// Manifests that were read to learn their digest, kept until they are opened.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Cache>);

#[derive(Debug, Default)]
struct Cache {
    /// The last manifest read by name, kept until that name is written.
    named: Option<(String, String, Option<Blob>)>,
    blobs: HashMap<(String, Digest), Blob>,
    order: VecDeque<(String, Digest)>,
    bytes: usize,
}

impl Kept {
    pub(super) fn get(&self, repository: &str, digest: Digest) -> Option<Blob> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blobs
            .get(&(repository.to_owned(), digest))
            .cloned()
    }

    /// Records the manifest that a name refers to; `None` if there is none.
    pub(super) fn note(&self, repository: &str, name: &str, manifest: Option<Blob>) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.named = Some((repository.to_owned(), name.to_owned(), manifest));
    }

    /// Takes the manifest recorded for this name by [`Kept::note`].
    #[allow(clippy::option_option, reason = "not asked yet, and asked: it is not there")]
    pub(super) fn noted(&self, repository: &str, name: &str) -> Option<Option<Blob>> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, _, manifest) = cache.named.take_if(|(r, n, _)| r == repository && n == name)?;
        Some(manifest)
    }

    pub(super) fn put(&self, repository: &str, blob: Blob) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (repository.to_owned(), blob.digest());
        let size = blob.bytes().len();
        if cache.blobs.insert(key.clone(), blob).is_some() {
            return;
        }
        cache.order.push_back(key);
        cache.bytes += size;
        while cache.bytes > limits::MANIFEST_CACHE {
            let Some(oldest) = cache.order.pop_front() else { return };
            let freed = cache.blobs.remove(&oldest).map_or(0, |blob| blob.bytes().len());
            cache.bytes -= freed;
        }
    }
}
