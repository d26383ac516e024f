//! A registry client: OCI distribution-spec 1.1, and the token service of distribution (docs/spec/auth). It is meant
//! for packs and signatures, which are small: every response is read whole and within a limit, and every upload is one
//! request.
//!
//! # Why not `oci-client`
//! Version 0.18 keeps one credential per registry, the first one used; uses the token realm that the registry names
//! (CVE-2026-48978, GHSA-xf85-363p-868w); ignores a refused token and continues anonymously; reads manifests without a
//! limit; retries nothing and ignores `Retry-After`; follows `urls`; does not support identity tokens, client
//! certificates, or pagination of referrers. The part of it that we could still use is smaller than this module.
//!
//! # Where credentials are sent
//! To the registry's own origin, and to its token service if that is on the same host, in the small table of `realm`,
//! or allowed (`--allow-realm`). Nowhere else: redirects are followed without them, and upload locations and pagination
//! links of another origin are refused.
//!
//! # Number of requests
//! There is no HEAD before a GET. A registry for which there are credentials is asked once for its authentication
//! scheme (`/v2/`). A tag costs one request: its manifest is read to learn the digest, and kept until it is opened. A
//! repository costs one token if the registry uses tokens, and one request per page of tags. A repository without a
//! referrers API is asked for it once.

mod catalog;
mod challenge;
pub mod credentials;
mod error;
mod manifest;
mod pages;
mod realm;
mod reference;
mod referrers;
mod silence;
mod token;
mod transport;
mod upload;

use std::sync::Arc;

use credentials::CredentialStore;
pub use error::RegistryError;
pub use realm::AllowedRealm;
pub use reference::{Host, ReferenceError, RegistryRef, is_repository, is_tag};
pub(crate) use reference::{is_part, without_user};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use token::Scope;
use transport::Transport;
pub use upload::Repository;

use crate::{
    http::{self, HttpError, Method, Request, StatusCode},
    limits,
    oci::{Blob, Descriptor, Digest},
    workers::WorkerPool,
};

/// Options for connecting to a registry.
#[derive(Debug)]
pub struct Options {
    /// The client: retries, timeouts, `--jobs`, TLS, proxy.
    pub http: http::Options,
    /// http instead of https (`--plain-http`).
    pub plain_http: bool,
    /// The credentials for the registry.
    pub credentials: CredentialStore,
    /// Additional hosts that may receive the credentials (`--allow-realm`).
    pub allowed: Vec<AllowedRealm>,
}

impl Default for Options {
    /// https, without credentials.
    fn default() -> Self {
        Self {
            http: http::Options::default(),
            plain_http: false,
            credentials: CredentialStore::anonymous(),
            allowed: Vec::new(),
        }
    }
}

/// A registry. It may be shared by threads, and clones share connections, tokens and cached manifests.
#[derive(Debug, Clone)]
pub struct Registry {
    transport: Arc<Transport>,
    kept: Arc<manifest::Kept>,
    /// The scope of the tokens to request.
    scope: fn(String) -> Scope,
}

impl Registry {
    /// A client for a registry. No request is sent yet.
    pub fn new(host: Host, options: Options) -> Self {
        Self { transport: Arc::new(Transport::new(host, options)), kept: Arc::default(), scope: Scope::Pull }
    }

    /// The same registry, but reading with the token required for writing, so that one token is enough for both.
    #[must_use]
    pub fn for_writing(self) -> Self {
        Self { scope: Scope::Push, ..self }
    }

    /// The registry's name in messages, with or without a repository.
    pub fn place(&self, repository: &str) -> String {
        self.transport.place(repository)
    }

    /// The registry's host.
    pub fn host(&self) -> &Host {
        self.transport.host()
    }

    /// The worker pool for its requests.
    pub fn workers(&self) -> &WorkerPool {
        &self.transport.workers
    }

    /// A repository to write to.
    pub fn repository(&self, name: &str) -> Result<Repository, RegistryError> {
        Repository::new(self.transport.clone(), self.kept.clone(), name)
    }

    /// The tags of a repository, sorted. A repository that does not exist has none.
    pub fn tags(&self, repository: &str) -> Result<Vec<String>, RegistryError> {
        let scope = (self.scope)(repository.to_owned());
        let url = self.transport.url(repository, "tags/list?n=1000", "")?;
        let mut tags = Vec::new();
        let refused = pages::read(&self.transport, &scope, url, "the list of tags", |page| {
            let Names { tags: more, .. } = self.names(&page.body)?;
            // A name that is not a valid tag is kept: reading it fails, and so it is reported.
            let names = more.into_iter().filter(|tag| !tag.is_empty() && tag.parse::<Digest>().is_err());
            tags.extend(names.map(|tag| if is_tag(&tag) { tag } else { error::printable(&tag) }));
            Ok(())
        })?;
        match refused {
            Some(answer) if answer.status == StatusCode::OK => {
                return Err(self.transport.strange("it sends a web page instead of a list of tags"));
            }
            Some(answer) if answer.status != StatusCode::NOT_FOUND => {
                return Err(self.transport.refused(&scope, "list the tags", &answer));
            }
            _ => {}
        }
        tags.sort();
        tags.dedup();
        Ok(tags)
    }

    fn names(&self, page: &[u8]) -> Result<Names, RegistryError> {
        let names: Names =
            serde_json::from_slice(page).map_err(|_| self.transport.strange("it sends a malformed list"))?;
        if names.tags.len().max(names.repositories.len()) > limits::NAMES_A_PAGE {
            let reason = format!("a page has more than {} names", limits::NAMES_A_PAGE);
            let (place, what) = (self.place(""), "a list of names".to_owned());
            return Err(RegistryError::Endless { place, what, reason });
        }
        Ok(names)
    }

    /// Reads a manifest by tag or digest, and keeps it for [`Registry::kept`]. `Ok(None)` if it does not exist.
    pub fn manifest(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<(Descriptor, Blob)>, RegistryError> {
        let scope = (self.scope)(repository.to_owned());
        let found = manifest::get(&self.transport, &scope, repository, reference)?;
        if let Some((_, blob)) = &found {
            self.kept.put(repository, blob.clone());
        }
        Ok(found)
    }

    /// Reads a manifest that is opened only once, and so is not kept.
    pub fn read_manifest(&self, repository: &str, reference: &str) -> Result<Option<Blob>, RegistryError> {
        let scope = (self.scope)(repository.to_owned());
        Ok(manifest::get(&self.transport, &scope, repository, reference)?.map(|(_, blob)| blob))
    }

    /// A manifest that was read before and is still cached.
    pub fn kept(&self, repository: &str, digest: Digest) -> Option<Blob> {
        self.kept.get(repository, digest)
    }

    /// Records the manifest that a name refers to, for the next call of [`Repository::current`].
    pub fn note(&self, repository: &str, name: &str, manifest: Option<Blob>) {
        self.kept.note(repository, name, manifest);
    }

    /// Reads a blob without verifying it. If the descriptor states a size, at most one byte more than that is read.
    ///
    /// The `urls` of a descriptor are never fetched: GHSA-qvqc-4c52-x6qp.
    pub fn blob(&self, repository: &str, blob: &Descriptor) -> Result<Option<Vec<u8>>, RegistryError> {
        let scope = (self.scope)(repository.to_owned());
        let url = self.transport.url(repository, "blobs/", &blob.digest.to_string())?;
        let limit =
            blob.size.map_or(limits::PACK_FILE, |size| size.saturating_add(1).min(limits::PACK_TOTAL));
        let answer = self.transport.exchange(&scope, Request::new(Method::GET, url), |client, request| {
            client.fetch_counted(request, limit, blob.size.unwrap_or(0))
        });
        let answer = answer.map_err(|e| match e {
            RegistryError::Http(HttpError::TooLong { .. }) => {
                RegistryError::TooLarge { digest: blob.digest, size: blob.size, limit }
            }
            e => e,
        })?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.transport.refused(&scope, &format!("read the blob {}", blob.digest), &answer)),
        }
    }
}

/// A page of tags, or of repositories.
#[derive(Deserialize)]
struct Names {
    #[serde(default, deserialize_with = "list")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    repositories: Vec<String>,
}

/// Some registries write `null` for an empty list. One name more than the bound is kept, and the rest passed over.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct List;
    impl<'de> Visitor<'de> for List {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of names")
        }

        fn visit_unit<E>(self) -> Result<Vec<String>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Vec<String>, A::Error> {
            let mut kept = Vec::new();
            while kept.len() <= limits::NAMES_A_PAGE {
                let Some(name) = names.next_element()? else { return Ok(kept) };
                kept.push(name);
            }
            while names.next_element::<IgnoredAny>()?.is_some() {}
            Ok(kept)
        }
    }
    deserializer.deserialize_any(List)
}
