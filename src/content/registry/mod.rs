//! The live registry: one more house of [`Source`] and [`Sink`](super::Sink), over the wire (OCI distribution-spec 1.1, and the
//! token service of distribution: docs/spec/auth).
//!
//! # Why not `oci-client`
//! It is the crate that was named first, and a hybrid with it was considered: it does the wire, we do the trust. Its
//! 0.18 was read and run against a faulty registry, and too much would have had to be taken out of its hands: it
//! keeps one credential per registry and the first one wins; takes a token's realm as the registry names it; swallows
//! a refused token and goes on anonymously; reads manifests without bound; repeats nothing and forgets `Retry-After`;
//! takes a declined mount for an error; panics on a push by digest without `Location`; follows `urls`; accepts a junk CA
//! file; knows no identity tokens, no client certificates, no pages of referrers. What remains to be used of it after
//! that is smaller than this room, so this is a client of our own on [`crate::net`].
//!
//! # Who sees credentials
//! The registry's own origin; its token service if that is the same host, in the small table of `realm`, or allowed
//! (`--allow-realm`). Nobody else: redirects go on without them, upload locations and pagination links of another origin
//! are refused.
//!
//! # What it costs
//! There is no HEAD before a GET and no ping. A tag costs one request: its manifest is read to learn the digest, and kept
//! until it is opened. A payload that its digest tells is not read where only keys are looked for ([`Options::frugal`]). A repository costs one token where the registry wants tokens, and one request per page of tags.
//! A registry without a referrers API is asked for it once.

mod blob;
mod challenge;
mod error;
mod extent;
mod manifests;
mod pages;
mod realm;

mod sink;
mod token;
mod upload;
mod wire;

use std::{
    convert::Infallible,
    io::{Cursor, Read},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

pub use super::reference::{Host, ReferenceError, RegistryRef, is_repository, is_tag};
pub use error::RegistryError;
pub use extent::Extent;
pub use realm::AllowedRealm;
use serde::{Deserialize, Deserializer};
pub use sink::RegistrySink;
use token::Scope;
use wire::Wire;

use super::{Abilities, ContentError, Crew, Listed, Name, Referrers, Remote, Source, auth::Keyring};
use crate::{
    limits,
    net::{self, StatusCode},
    oci::{Blob, Descriptor, Digest, Document, media},
};

/// How many manifests are read before the first of them is handed over.
const LISTED_AT_ONCE: usize = 256;

/// How a registry is spoken to.
#[derive(Debug)]
pub struct Options {
    /// The client: retries, timeouts, `--jobs`, TLS, proxy.
    pub net: net::Options,
    /// http instead of https (`--plain-http`).
    pub plain_http: bool,
    /// Who we are there.
    pub keyring: Keyring,
    /// Further hosts that may see the credentials (`--allow-realm`).
    pub allowed: Vec<AllowedRealm>,
    /// Whether to leave unread what its digest tells ([`Remote::is_frugal`]): good for finding keys, not for seeing
    /// whether a mirror is whole.
    pub frugal: bool,
}

impl Default for Options {
    /// https, without credentials.
    fn default() -> Self {
        Self {
            net: net::Options::default(),
            plain_http: false,
            keyring: Keyring::anonymous(),
            allowed: Vec::new(),
            frugal: false,
        }
    }
}

/// A registry. It may be shared by threads; at most `--jobs` requests are under way at once.
#[derive(Debug, Clone)]
pub struct Registry {
    wire: Arc<Wire>,
    kept: Arc<manifests::Kept>,
    extent: Extent,
    /// What a token is asked for.
    scope: fn(String) -> Scope,
    /// Wanted images that are not there: repository and name.
    absent: Arc<Mutex<Vec<(String, String)>>>,
}

impl Registry {
    /// A registry, as far as `extent` says. Nothing is asked yet.
    pub fn new(host: Host, extent: Extent, options: Options) -> Self {
        Self {
            wire: Arc::new(Wire::new(host, options)),
            kept: Arc::default(),
            extent,
            scope: Scope::Pull,
            absent: Arc::default(),
        }
    }

    /// The same registry with its connections and tokens, seen to another extent.
    #[must_use]
    pub fn with_extent(&self, extent: Extent) -> Self {
        Self { extent, ..self.clone() }
    }

    /// The same registry read with the token that writing needs, so that one is enough for both.
    #[must_use]
    pub fn to_be_written(self) -> Self {
        Self { scope: Scope::Push, ..self }
    }

    /// A repository to be written.
    pub fn sink(&self, repository: &str) -> Result<RegistrySink, ContentError> {
        RegistrySink::new(self.wire.clone(), self.kept.clone(), repository)
    }

    /// The tags of a repository, sorted. A repository that does not exist has none.
    pub fn tags(&self, repository: &str) -> Result<Vec<String>, ContentError> {
        let scope = (self.scope)(repository.to_owned());
        let url = self.wire.url(repository, "tags/list?n=1000", "")?;
        let mut tags = Vec::new();
        let refused = pages::read(&self.wire, &scope, url, "the list of tags", |page| {
            let Names { tags: more, .. } = self.names(&page.body)?;
            // What is no tag could not be asked for anyway.
            tags.extend(more.into_iter().filter(|tag| is_tag(tag)));
            Ok(())
        })?;
        match refused {
            Some(answer) if answer.status != StatusCode::NOT_FOUND => {
                return Err(self.wire.refused(&scope, "list the tags", &answer));
            }
            _ => {}
        }
        tags.sort();
        tags.dedup();
        Ok(tags)
    }

    fn names(&self, page: &[u8]) -> Result<Names, ContentError> {
        let strange = || self.wire.strange("it sends a list that is no list");
        serde_json::from_slice(page).map_err(|_| strange().into())
    }

    fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError> {
        let scope = (self.scope)(repository.to_owned());
        let Some((descriptor, blob)) = manifests::get(&self.wire, &scope, repository, reference)? else {
            return Ok(None);
        };
        self.kept.put(repository, blob);
        Ok(Some(descriptor))
    }
}

impl Source for Registry {
    fn place(&self) -> String {
        match &self.extent {
            Extent::Repositories(names) if names.len() == 1 => self.wire.place(&names[0]),
            Extent::Repositories(_) => self.wire.place(""),
            Extent::Prefix(prefix) => self.wire.place(prefix),
            Extent::Images(images) => match images.iter().next() {
                Some((only, _)) if images.len() == 1 => self.wire.place(only),
                _ => self.wire.place(""),
            },
        }
    }

    fn repositories(&self) -> Result<Vec<String>, ContentError> {
        match &self.extent {
            Extent::Repositories(names) => Ok(names.clone()),
            Extent::Prefix(prefix) => self.below(prefix.trim_matches('/')),
            Extent::Images(images) => Ok(images.keys().cloned().collect()),
        }
    }

    /// The tags, for a registry does not tell what it holds without one; as errors those that it does not give, and
    /// wanted images that are not there.
    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        let mut listed = Vec::new();
        let mut tags = self.tags(repository)?;
        if let Extent::Images(images) = &self.extent {
            let wanted = images.get(repository).map_or(&[][..], Vec::as_slice);
            tags = self.around(repository, wanted, tags, &mut listed)?;
        }
        for listed in listed {
            take(Ok(listed));
        }
        for tags in tags.chunks(LISTED_AT_ONCE) {
            let ask = |tag: &String| Ok::<_, Infallible>(self.manifest(repository, tag));
            let Ok(found) = self.wire.crew.map(tags, ask);
            for (tag, found) in tags.iter().zip(found) {
                // A tag that went away since the list was made is not there.
                if let Some(found) = found.transpose() {
                    let name = Name::Tag(tag.clone());
                    take(found.map(|descriptor| Listed { descriptor, name }));
                }
            }
        }
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.wire.place(repository);
        for (_, name) in absent.iter().filter(|(r, _)| r == repository) {
            take(Err(ContentError::NoSuchName {
                place: place.clone(),
                name: format!("image with the name {name:?}"),
            }));
        }
        Ok(())
    }

    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError> {
        let found = self.manifest(repository, reference)?;
        let blob = found.as_ref().and_then(|descriptor| self.kept.get(repository, descriptor.digest));
        if found.is_some() == blob.is_some() {
            self.kept.note(repository, reference, blob);
        }
        Ok(found)
    }

    fn open(&self, repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError> {
        let is_manifest = match blob.media_type.as_str() {
            media::MANIFEST | media::INDEX | media::DOCKER_MANIFEST | media::DOCKER_LIST => Some(true),
            "" => None,
            _ => Some(false),
        };
        let bytes = |blob: Blob| -> Box<dyn Read> { Box::new(Cursor::new(blob.into_bytes())) };
        if is_manifest != Some(false) {
            if let Some(kept) = self.kept.get(repository, blob.digest) {
                return Ok(Some(bytes(kept)));
            }
            let scope = (self.scope)(repository.to_owned());
            let found = manifests::get(&self.wire, &scope, repository, &blob.digest.to_string())?;
            if found.is_some() || is_manifest == Some(true) {
                return Ok(found.map(|(_, blob)| bytes(blob)));
            }
        }
        let download = blob::Download::open(&self.wire, (self.scope)(repository.to_owned()), blob)?;
        Ok(download.map(|download| -> Box<dyn Read> { Box::new(download) }))
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities { referrers: Some(self), remote: Some(self), ..Abilities::default() }
    }
}

impl Remote for Registry {
    fn workers(&self) -> &Crew {
        &self.wire.crew
    }

    fn is_frugal(&self) -> bool {
        self.wire.frugal
    }
}

impl Referrers for Registry {
    /// distribution-spec, "Listing referrers": 404 means that there is no such API (or nothing there); the fallback tag is
    /// then found like any other tag. Any other answer is an error.
    fn referrers(&self, repository: &str, subject: &Digest) -> Result<Vec<Descriptor>, ContentError> {
        let mut found = Vec::new();
        if self.wire.without_referrers.load(Ordering::Relaxed) {
            return Ok(found);
        }
        let scope = (self.scope)(repository.to_owned());
        let url = self.wire.url(repository, "referrers/", &subject.to_string())?;
        let refused = pages::read(&self.wire, &scope, url, "the list of referrers", |page| {
            let Document::Index(index) = Document::parse(&Blob::new(page.body.clone()))? else {
                return Err(self.wire.strange("its list of referrers is no index").into());
            };
            found.extend(index.manifests);
            if found.len() > limits::REFERRERS {
                let (place, what) = (self.wire.place(repository), "the list of referrers".to_owned());
                let reason = format!("it has more than {} entries", limits::REFERRERS);
                return Err(RegistryError::Endless { place, what, reason }.into());
            }
            Ok(())
        })?;
        if let Some(answer) = refused {
            if answer.status != StatusCode::NOT_FOUND {
                return Err(self.wire.refused(&scope, "list the referrers", &answer));
            }
            // A registry with this API may still not know the repository: only the others are not asked again.
            let unknown = ["NAME_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_INVALID"];
            if !error::has_code(&answer.body, &unknown) {
                self.wire.without_referrers.store(true, Ordering::Relaxed);
            }
        }
        Ok(found)
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

/// Some registries write `null` for an empty list.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
