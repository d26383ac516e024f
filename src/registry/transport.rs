use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};

use super::{
    AllowedRealm, Host, RegistryError,
    challenge::Challenge,
    credentials::{CredentialStore, Credentials},
    error, is_repository, is_tag, realm,
    token::{Authorization, Scope, TokenRequest},
};
use crate::{
    http::{self, HeaderValue, HttpError, Method, Origin, Request, Response, StatusCode, Url},
    limits,
    oci::Digest,
    workers::WorkerPool,
};

/// Every request to one registry goes through here: it gets its credentials, and nothing else gets them.
#[derive(Debug)]
pub(super) struct Transport {
    host: Host,
    client: http::Client,
    credentials: CredentialStore,
    allowed: Vec<AllowedRealm>,
    plain_http: bool,
    /// As many as there may be requests at a time, with the thread that asks them.
    pub(super) workers: WorkerPool,
    base: Mutex<Option<Url>>,
    /// How the registry wants to be asked, once it said so.
    challenge: Mutex<Option<Challenge>>,
    /// One slot per scope, so that threads that need the same token ask for it once.
    authorizations: Mutex<HashMap<Scope, Slot>>,
    /// Whether the registry turned out to have no referrers API.
    pub(super) without_referrers: AtomicBool,
}

type Slot = Arc<Mutex<Option<Authorization>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Transport {
    pub(super) fn new(host: Host, options: super::Options) -> Self {
        let super::Options { mut http, plain_http, credentials, allowed } = options;
        host.as_str().clone_into(&mut http.tls.host);
        Self {
            host,
            workers: WorkerPool::new(http.jobs.saturating_sub(1)),
            client: http::Client::new(http),
            credentials,
            allowed,
            plain_http,
            base: Mutex::default(),
            challenge: Mutex::default(),
            authorizations: Mutex::default(),
            without_referrers: AtomicBool::new(false),
        }
    }

    /// How messages name the registry, with a repository or without.
    pub(super) fn place(&self, repository: &str) -> String {
        if repository.is_empty() {
            format!("docker://{}", self.host)
        } else {
            format!("docker://{}/{repository}", self.host)
        }
    }

    pub(super) const fn client(&self) -> &http::Client {
        &self.client
    }

    /// `/v2/REPOSITORY/KIND/REFERENCE`, where the reference is a tag, a digest or empty. Nothing else gets into a path.
    pub(super) fn url(&self, repository: &str, kind: &str, reference: &str) -> Result<Url, RegistryError> {
        let refuse = |text: &str, reason| {
            RegistryError::from(super::ReferenceError { text: error::printable(text), reason })
        };
        if !is_repository(repository) {
            return Err(refuse(repository, "no repository can be called so"));
        }
        if !(reference.is_empty() || is_tag(reference) || reference.parse::<Digest>().is_ok()) {
            return Err(refuse(reference, "it is neither a tag nor a sha256 digest"));
        }
        self.at(&format!("v2/{repository}/{kind}{reference}"))
    }

    pub(super) fn at(&self, path: &str) -> Result<Url, RegistryError> {
        let joined = self.base()?.join(path);
        joined.map_err(|_| self.strange("its address can't be built"))
    }

    /// The registry's own address. http is spoken where `--plain-http` says so, and to this machine where
    /// `--tls-verify=false` says that we need not be sure and https is not understood there.
    fn base(&self) -> Result<Url, RegistryError> {
        let mut base = lock(&self.base);
        if let Some(base) = &*base {
            return Ok(base.clone());
        }
        let parse = |scheme: &str| {
            let url = format!("{scheme}://{}/", self.host.api()).parse::<Url>();
            url.map_err(|_| self.strange("its address can't be read"))
        };
        let mut chosen = parse(if self.plain_http { "http" } else { "https" })?;
        if !self.plain_http && !self.client.options().tls.verify && self.host.is_loopback() {
            let probe = chosen.join("v2/").map_err(|_| self.strange("its address can't be read"))?;
            let answer = self.client.fetch(&Request::new(Method::GET, probe), limits::ERROR_ANSWER);
            if matches!(answer, Err(HttpError::Tls { .. } | HttpError::Unreachable { .. })) {
                chosen = parse("http")?;
            }
        }
        *base = Some(chosen.clone());
        Ok(chosen)
    }

    pub(super) fn strange(&self, reason: &str) -> RegistryError {
        RegistryError::NotRegistry { place: self.place(""), reason: reason.to_owned() }
    }

    /// Whether an address that the registry names is its own, or one that the user allowed.
    pub(super) fn is_home(&self, url: &Url) -> Result<bool, RegistryError> {
        Ok(realm::is_home(&self.base()?, url, &self.allowed))
    }

    /// Asks and reads the answer.
    pub(super) fn fetch(
        &self,
        scope: &Scope,
        request: Request<'_>,
        limit: u64,
    ) -> Result<Response<Vec<u8>>, RegistryError> {
        self.exchange(scope, request, |client, request| client.fetch(request, limit))
    }

    /// At most one challenge is answered per request: a registry that refuses what it asked for is not asked again.
    pub(super) fn exchange(
        &self,
        scope: &Scope,
        mut request: Request<'_>,
        ask: impl Fn(&http::Client, &Request<'_>) -> Result<Response<Vec<u8>>, HttpError>,
    ) -> Result<Response<Vec<u8>>, RegistryError> {
        let base = self.base()?;
        let home = realm::is_home(&base, &request.url, &self.allowed);
        request.authorization = if home { self.known(&base, scope)? } else { None };
        let answer = ask(&self.client, &request)?;
        if answer.status != StatusCode::UNAUTHORIZED || answer.elsewhere || !home {
            return Ok(answer);
        }
        let Some(challenge) = Challenge::choose(&answer.headers) else { return Ok(answer) };
        drop(answer);
        request.authorization = Some(self.renew(&base, scope, challenge, request.authorization.as_ref())?);
        Ok(ask(&self.client, &request)?)
    }

    /// What is known to open this scope, without waiting to be challenged again.
    fn known(&self, base: &Url, scope: &Scope) -> Result<Option<HeaderValue>, RegistryError> {
        let slot = self.slot(scope);
        let mut kept = lock(&slot);
        if let Some(known) = kept.as_ref().filter(|known| known.is_fresh()) {
            return Ok(Some(known.header.clone()));
        }
        let Some(challenge) = lock(&self.challenge).clone() else { return Ok(None) };
        let credentials = self.credentials(scope)?;
        if challenge == Challenge::Basic && credentials.is_none() {
            return Ok(None);
        }
        let new = self.token_request(base, scope, credentials.as_ref()).answer(&challenge)?;
        Ok(Some(kept.insert(new).header.clone()))
    }

    /// An authorization in place of `used`, which was not enough.
    fn renew(
        &self,
        base: &Url,
        scope: &Scope,
        challenge: Challenge,
        used: Option<&HeaderValue>,
    ) -> Result<HeaderValue, RegistryError> {
        let slot = self.slot(scope);
        let mut kept = lock(&slot);
        // Another thread may have been faster.
        if let Some(known) = kept.as_ref().filter(|known| known.is_fresh() && Some(&known.header) != used) {
            return Ok(known.header.clone());
        }
        let credentials = self.credentials(scope)?;
        let new = self.token_request(base, scope, credentials.as_ref()).answer(&challenge)?;
        *lock(&self.challenge) = Some(challenge);
        Ok(kept.insert(new).header.clone())
    }

    fn slot(&self, scope: &Scope) -> Slot {
        lock(&self.authorizations).entry(scope.clone()).or_default().clone()
    }

    fn credentials(&self, scope: &Scope) -> Result<Option<Credentials>, RegistryError> {
        Ok(self.credentials.lookup(self.host.as_str(), scope.repository())?)
    }

    fn token_request<'a>(
        &'a self,
        registry: &'a Url,
        scope: &'a Scope,
        credentials: Option<&'a Credentials>,
    ) -> TokenRequest<'a> {
        let (client, allowed) = (&self.client, self.allowed.as_slice());
        TokenRequest { client, place: self.host.as_str(), registry, allowed, credentials, scope }
    }

    /// The error that an unexpected answer is.
    pub(super) fn refused(&self, scope: &Scope, what: &str, answer: &Response<Vec<u8>>) -> RegistryError {
        let place = if answer.elsewhere {
            Origin::of(&answer.url).map_or_else(String::new, |o| o.to_string())
        } else {
            self.place(scope.repository())
        };
        let (what, message) = (what.to_owned(), error::message(&answer.body));
        match answer.status.as_u16() {
            401 => {
                let had = self.credentials(scope).is_ok_and(|c| c.is_some());
                RegistryError::Unauthorized { place, had, message }
            }
            403 => RegistryError::Denied { place, what, message },
            status => RegistryError::Answer { place, what, status, message },
        }
    }
}
