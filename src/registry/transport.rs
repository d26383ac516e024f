use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    AllowedRealm, Host, RegistryError,
    challenge::Challenge,
    credentials::{CredentialStore, Credentials},
    error, is_repository, is_tag, realm,
    referrers::ReferrersApi,
    silence::Silence,
    token::{Authorization, Scope, TokenRequest},
};
use crate::{
    http::{self, HeaderValue, HttpError, Method, Origin, Request, Response, StatusCode, Url},
    limits,
    oci::Digest,
    workers::WorkerPool,
};

/// Sends all requests to one registry and adds its credentials, which are sent nowhere else.
#[derive(Debug)]
pub(super) struct Transport {
    host: Host,
    client: http::Client,
    credentials: CredentialStore,
    allowed: Vec<AllowedRealm>,
    plain_http: bool,
    /// One worker per permitted concurrent request, counting the calling thread as one.
    pub(super) workers: WorkerPool,
    base: Mutex<Option<Url>>,
    /// The registry's authentication scheme, once known.
    challenge: Mutex<Option<Challenge>>,
    /// Whether the registry was asked for it (see [`Transport::learn`]).
    learned: Mutex<bool>,
    /// One slot per scope, so that threads that need the same token request it only once.
    authorizations: Mutex<HashMap<Scope, Slot>>,
    pub(super) referrers: ReferrersApi,
    /// The number of bytes of lists read so far.
    names: AtomicU64,
    silence: Silence,
}

type Slot = Arc<Mutex<Option<Authorization>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Transport {
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn new(host: Host, options: super::Options) -> Self {
        let super::Options { mut http, plain_http, credentials, allowed } = options;
        host.as_str().clone_into(&mut http.tls.host);
        Self {
            host,
            workers: WorkerPool::new(http.jobs.most() - 1),
            client: http::Client::new(http),
            credentials,
            allowed,
            plain_http,
            base: Mutex::default(),
            challenge: Mutex::default(),
            learned: Mutex::default(),
            authorizations: Mutex::default(),
            referrers: ReferrersApi::default(),
            names: AtomicU64::new(0),
            silence: Silence::default(),
        }
    }

    /// The registry's name in messages, with or without a repository.
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

    /// `/v2/REPOSITORY/KIND/REFERENCE`, where the reference is a tag, a digest or empty. Nothing else can get into a
    /// path.
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

    /// The registry's own address. http is used with `--plain-http`, and for the local machine with
    /// `--tls-verify=false` if it does not accept https.
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

    /// Counts a page of a list; `false` if the total exceeds [`limits::NAMES`].
    pub(super) fn count_names(&self, bytes: u64) -> bool {
        self.names.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= limits::NAMES
    }

    pub(super) fn strange(&self, reason: &str) -> RegistryError {
        RegistryError::NotRegistry { place: self.place(""), reason: reason.to_owned() }
    }

    /// Whether an address named by the registry is its own, or is allowed by the user.
    pub(super) fn is_home(&self, url: &Url) -> Result<bool, RegistryError> {
        Ok(realm::is_home(&self.base()?, url, &self.allowed))
    }

    /// Sends a request and reads the response.
    pub(super) fn fetch(
        &self,
        scope: &Scope,
        request: Request<'_>,
        limit: u64,
    ) -> Result<Response<Vec<u8>>, RegistryError> {
        self.exchange(scope, request, |client, request| client.fetch(request, limit))
    }

    /// Sends the request, unless the registry has stopped answering.
    pub(super) fn exchange(
        &self,
        scope: &Scope,
        request: Request<'_>,
        ask: impl Fn(&http::Client, &Request<'_>) -> Result<Response<Vec<u8>>, HttpError>,
    ) -> Result<Response<Vec<u8>>, RegistryError> {
        if let Some(reason) = self.silence.gone() {
            return Err(RegistryError::Gone { place: self.place(""), reason });
        }
        let answer = self.ask(scope, request, ask);
        self.silence.count(answer.as_ref().err(), || {
            Ok(self.client.fetch(&Request::new(Method::GET, self.at("v2/")?), limits::ERROR_ANSWER)?)
        });
        answer
    }

    /// Answers at most one challenge per request: if that is not accepted, there is no second attempt.
    fn ask(
        &self,
        scope: &Scope,
        mut request: Request<'_>,
        ask: impl Fn(&http::Client, &Request<'_>) -> Result<Response<Vec<u8>>, HttpError>,
    ) -> Result<Response<Vec<u8>>, RegistryError> {
        let base = self.base()?;
        let home = realm::is_home(&base, &request.url, &self.allowed);
        let (known, new) = if home { self.known(&base, scope)? } else { (None, false) };
        request.authorization = known;
        let answer = ask(&self.client, &request)?;
        if answer.status != StatusCode::UNAUTHORIZED || answer.elsewhere || !home {
            return Ok(answer);
        }
        let Some(challenge) = Challenge::choose(&answer.headers) else { return Ok(answer) };
        if new && lock(&self.challenge).as_ref() == Some(&challenge) {
            return Ok(answer);
        }
        drop(answer);
        request.authorization = Some(self.renew(&base, scope, challenge, request.authorization.as_ref())?);
        Ok(ask(&self.client, &request)?)
    }

    /// The known authorization for this scope, without waiting for another challenge; and whether it was only just
    /// obtained.
    ///
    /// Available credentials are used from the first request on: many registries answer an anonymous request for
    /// private content with 404, 403 or a shorter list, without a challenge.
    fn known(&self, base: &Url, scope: &Scope) -> Result<(Option<HeaderValue>, bool), RegistryError> {
        let slot = self.slot(scope);
        let mut kept = lock(&slot);
        if let Some(known) = kept.as_ref().filter(|known| known.is_fresh()) {
            return Ok((Some(known.header.clone()), false));
        }
        let credentials = self.credentials(scope)?;
        if credentials.is_some() {
            self.learn(base)?;
        }
        let Some(challenge) = lock(&self.challenge).clone() else { return Ok((None, false)) };
        if challenge == Challenge::Basic && credentials.is_none() {
            return Ok((None, false));
        }
        let new = self.token_request(base, scope, credentials.as_ref()).answer(&challenge)?;
        Ok((Some(kept.insert(new).header.clone()), true))
    }

    /// Asks the registry once for its authentication scheme (distribution-spec, "Determining Support"). If there is no
    /// answer, requests are sent without credentials until there is a challenge.
    fn learn(&self, base: &Url) -> Result<(), RegistryError> {
        let mut learned = lock(&self.learned);
        if *learned || lock(&self.challenge).is_some() {
            return Ok(());
        }
        let url = base.join("v2/").map_err(|_| self.strange("its address can't be read"))?;
        let answer = self.client.fetch(&Request::new(Method::GET, url), limits::ERROR_ANSWER);
        let answer = match answer {
            // Neither the content nor the length of this response matters.
            Err(HttpError::TooLong { .. } | HttpError::Redirect { .. }) => None,
            answer => Some(answer?),
        };
        let challenged = answer.filter(|a| a.status == StatusCode::UNAUTHORIZED && !a.elsewhere);
        if let Some(challenge) = challenged.and_then(|answer| Challenge::choose(&answer.headers)) {
            *lock(&self.challenge) = Some(challenge);
        }
        *learned = true;
        Ok(())
    }

    /// Replaces the authorization `used`, which was not sufficient.
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

    /// The error for an unexpected response.
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
