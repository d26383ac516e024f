#![allow(clippy::disallowed_types, reason = "this is the HTTP client")]

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{
    Method, StatusCode,
    blocking::{Client as Blocking, ClientBuilder},
    header::{AUTHORIZATION, LOCATION},
    redirect::Policy,
};
use url::Url;

use super::{
    Body, HttpError, Options, Origin, Replay, Request, Response, Unfit, is_loopback, resolve, retry, shown,
};

/// The maximum number of redirects per request. A registry with an object store behind it needs one, sometimes two.
const HOPS: usize = 5;

/// The slowest acceptable upload, in bytes per second.
const SLOWEST_UPLOAD: u64 = 16 << 10;

/// The HTTP client. It may be shared by threads; at most [`Options::jobs`] requests are in flight at once.
#[derive(Debug)]
pub struct Client {
    options: Options,
    /// One connection pool per origin, because certificates belong to hosts (containers-certs.d(5)).
    pools: Mutex<HashMap<Origin, Blocking>>,
}

impl Client {
    /// A client configured by `options`. Nothing is read or sent yet.
    pub fn new(options: Options) -> Self {
        Self { options, pools: Mutex::default() }
    }

    /// The options.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Sends a request and reads the response, up to `limit` bytes. An interrupted response is requested again.
    pub fn fetch(&self, request: &Request<'_>, limit: u64) -> Result<Response<Vec<u8>>, HttpError> {
        self.persist(request, |answer| answer.read_counted(limit, |_| {}))
    }

    /// Like `fetch`, for a response of known length whose progress is shown.
    pub fn fetch_counted(
        &self,
        request: &Request<'_>,
        limit: u64,
        expected: u64,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        self.persist(request, |answer| {
            let mut transfer = self.options.meter.begin(expected);
            answer.read_counted(limit, |bytes| transfer.pass(bytes))
        })
    }

    /// Pauses before retry number `attempt`, counted from 0; `why` is the reason for the failure.
    pub fn pause(&self, attempt: u32, why: &str) {
        let pause = retry::backoff(self.options.pause, self.options.longest_pause, attempt);
        self.wait(pause, attempt, why);
    }

    fn wait(&self, pause: Duration, attempt: u32, why: &str) {
        if let Some(notice) = &self.options.notice {
            let (n, of) = (attempt + 1, self.options.retries);
            notice.say(&format!("{why}; trying again in {} s ({n} of {of})", pause.as_secs_f32().ceil()));
        }
        std::thread::sleep(retry::spread(pause));
    }

    /// Retries until there is a final answer.
    fn persist<B>(
        &self,
        request: &Request<'_>,
        finish: impl Fn(Response<Body>) -> Result<Response<B>, HttpError>,
    ) -> Result<Response<B>, HttpError> {
        let Options { retries, pause, longest_pause, .. } = self.options;
        for attempt in 0.. {
            let last = attempt >= retries;
            let usual = retry::backoff(pause, longest_pause, attempt);
            let answer = match self.follow(request) {
                Err(e) if e.is_transient() && !last && request.replay == Replay::Safe => {
                    self.wait(usual, attempt, &e.to_string());
                    continue;
                }
                other => other?,
            };
            if !retry::is_transient(answer.status) {
                match finish(answer) {
                    Err(e) if e.is_transient() && !last && request.replay == Replay::Safe => {
                        self.wait(usual, attempt, &e.to_string());
                        continue;
                    }
                    other => return other,
                }
            }
            let wanted = retry::retry_after(&answer.headers);
            let again = request.replay == Replay::Safe || retry::is_untouched(answer.status);
            if last || !again || wanted.is_some_and(|wait| wait > longest_pause) {
                return Err(exhausted(&answer, wanted));
            }
            let why = format!("{} answers {}", shown(&answer.url), answer.status.as_u16());
            drop(answer);
            self.wait(wanted.unwrap_or(usual), attempt, &why);
        }
        unreachable!("the last attempt returns")
    }

    /// One attempt: the request and any redirects.
    fn follow(&self, request: &Request<'_>) -> Result<Response<Body>, HttpError> {
        let reading = matches!(request.method, Method::GET | Method::HEAD);
        let home = Origin::of(&request.url);
        let (mut url, mut elsewhere) = (request.url.clone(), false);
        for _ in 0..=HOPS {
            let origin = Origin::of(&url).ok_or_else(|| HttpError::Settings {
                origin: shown(&url),
                reason: Unfit::Scheme.to_string(),
            })?;
            let answer = self.once(request, &url, &origin, elsewhere)?;
            let kept = matches!(answer.status().as_u16(), 307 | 308);
            let moved = kept || matches!(answer.status().as_u16(), 301..=303);
            let location = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok());
            let (true, Some(location)) = (moved, location) else {
                let (status, headers) = (answer.status(), answer.headers().clone());
                return Ok(Response {
                    status,
                    headers,
                    url,
                    elsewhere,
                    body: Body::new(answer, self.options.silence),
                });
            };
            let next = resolve(&url, location).map_err(|why| {
                HttpError::redirect(&origin, location.split(['?', '#']).next().unwrap_or(""), why)
            })?;
            // Once another origin has been reached, credentials are never sent again, even if that origin redirects
            // back.
            elsewhere |= Origin::of(&next) != home;
            if !reading && (elsewhere || !kept) {
                return Err(HttpError::Redirect {
                    from: origin.to_string(),
                    to: shown(&next),
                    reason: "what is written goes only to the registry that was named".into(),
                });
            }
            url = next;
        }
        Err(HttpError::Redirect {
            from: home.map_or_else(String::new, |o| o.to_string()),
            to: shown(&url),
            reason: format!("more than {HOPS} redirects"),
        })
    }

    fn once(
        &self,
        request: &Request<'_>,
        url: &Url,
        origin: &Origin,
        elsewhere: bool,
    ) -> Result<reqwest::blocking::Response, HttpError> {
        let send = |pool: Blocking| {
            let mut builder =
                pool.request(request.method.clone(), url.clone()).headers(request.headers.clone());
            if let Some(value) = request.authorization.as_ref().filter(|_| !elsewhere) {
                let mut value = value.clone();
                value.set_sensitive(true);
                builder = builder.header(AUTHORIZATION, value);
            }
            if let Some(body) = request.body {
                let sending = Duration::from_secs(body.len() as u64 / SLOWEST_UPLOAD);
                builder = builder.body(body.to_vec()).timeout(self.options.silence + sending);
            }
            let permit = self.options.jobs.acquire();
            let answer = builder.send();
            match &answer {
                Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => permit.refused(),
                Ok(_) => permit.answered(),
                Err(_) => {}
            }
            answer
        };
        let mut result = send(self.pool(origin)?);
        if let Err(e) = &result
            && HttpError::is_certificate(e)
            && let Some(pool) = self.self_signed_pool(origin)?
        {
            let again = send(pool.clone());
            // If that does not help either, report the first error.
            if !again.as_ref().is_err_and(HttpError::is_certificate) {
                self.pools().insert(origin.clone(), pool);
                result = again;
            }
        }
        result.map_err(|e| HttpError::sort(origin, url, self.options.silence, &e))
    }

    fn pools(&self) -> MutexGuard<'_, HashMap<Origin, Blocking>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self, origin: &Origin) -> Result<Blocking, HttpError> {
        let mut pools = self.pools();
        if let Some(pool) = pools.get(origin) {
            return Ok(pool.clone());
        }
        let builder = self.builder(origin);
        let builder = if origin.is_https() {
            self.options.tls.apply(origin, builder)?
        } else {
            // There is nothing to verify, and reading the system's roots would be most of the cost of a small request.
            builder.tls_certs_only([])
        };
        let pool = builder.build().map_err(|e| unusable(origin, &e))?;
        pools.insert(origin.clone(), pool.clone());
        Ok(pool)
    }

    fn self_signed_pool(&self, origin: &Origin) -> Result<Option<Blocking>, HttpError> {
        let builder = self.options.tls.apply_self_signed(origin, self.builder(origin))?;
        builder.map(|b| b.build().map_err(|e| unusable(origin, &e))).transpose()
    }

    fn builder(&self, origin: &Origin) -> ClientBuilder {
        let builder = Blocking::builder()
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("keypack/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.options.connect_timeout)
            .timeout(self.options.silence);
        // `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` select the proxy; the local machine is never reached
        // through one.
        if is_loopback(origin.host()) { builder.no_proxy() } else { builder }
    }
}

fn unusable(origin: &Origin, e: &reqwest::Error) -> HttpError {
    HttpError::Settings { origin: origin.to_string(), reason: cause(e) }
}

impl Drop for Client {
    /// Closes the connections on a separate thread, so that the program can exit at once.
    fn drop(&mut self) {
        let pools = std::mem::take(self.pools.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !pools.is_empty() {
            // If no thread can be started, they are dropped here.
            let _ = std::thread::Builder::new().spawn(move || drop(pools));
        }
    }
}

fn exhausted<B>(answer: &Response<B>, wanted: Option<Duration>) -> HttpError {
    // Show the full address: it may be the only one that is limited.
    let origin = shown(&answer.url);
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        HttpError::RateLimited { origin, wait: wanted.map(|d| d.as_secs()) }
    } else {
        HttpError::Unavailable { origin, status: answer.status.as_u16() }
    }
}

/// The innermost cause: reqwest's outer messages contain addresses.
fn cause(e: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = e;
    while let Some(next) = last.source() {
        last = next;
    }
    if std::ptr::addr_eq(last, e) { "it can't be set up".into() } else { last.to_string() }
}
