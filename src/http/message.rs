use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

use reqwest::{
    Method, StatusCode,
    header::{AsHeaderName, HeaderMap, HeaderName, HeaderValue},
};
use url::Url;

use super::{HttpError, shown};
use crate::limits;

/// What happens to a request whose fate is unknown: sent, and then the connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// It may happen twice.
    Safe,
    /// It must not: only a clear "not now" (429, 503) is followed by another try.
    Unsafe,
}

/// One question.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The headers, without the authorization.
    pub headers: HeaderMap,
    /// The credentials, for the origin of `url` alone.
    pub authorization: Option<HeaderValue>,
    /// The body.
    pub body: Option<&'a [u8]>,
    /// Whether it may happen twice.
    pub replay: Replay,
}

impl<'a> Request<'a> {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), authorization: None, body: None, replay: Replay::Safe }
    }

    /// Adds a header. A value that is no header value is left out: all of ours are.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Gives it a body.
    #[must_use]
    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = Some(body);
        self
    }

    /// Says that it must not happen twice.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.replay = Replay::Unsafe;
        self
    }
}

/// An answer; `B` is [`Body`] while it still flows, `Vec<u8>` once it was read.
#[derive(Debug)]
pub struct Response<B> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// Who answered: after a redirect, not the one who was asked.
    pub url: Url,
    /// Whether another origin than the one that was asked has answered.
    pub elsewhere: bool,
    /// The body.
    pub body: B,
}

impl<B> Response<B> {
    /// A header's value, where it is text.
    pub fn text(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A body that still flows. Each read waits for a bounded time, and a body that only drips is given up; nothing
/// bounds the length.
pub struct Body {
    inner: reqwest::blocking::Response,
    /// How long the other side may take without being measured.
    grace: Duration,
    /// Time spent waiting for it: what the reader does in between is not its fault.
    waited: Duration,
    got: u64,
}

/// A body is read in parts of this size.
const PART: u64 = 64 << 10;

/// The slowest body that is waited for, in bytes a second: a modem's. One byte a minute would keep us for ever.
const SLOWEST: u64 = 1 << 10;

impl Body {
    pub(super) const fn new(inner: reqwest::blocking::Response, grace: Duration) -> Self {
        Self { inner, grace, waited: Duration::ZERO, got: 0 }
    }
}

impl Response<Body> {
    /// Reads the body, at most `limit` bytes, and says so for each part. Of an error, which is no content, at most
    /// [`limits::ERROR_ANSWER`] where that is more.
    pub(super) fn read_counted(
        self,
        limit: u64,
        mut part: impl FnMut(u64),
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let Self { status, headers, url, elsewhere, mut body } = self;
        let limit = if status.is_success() { limit } else { limit.max(limits::ERROR_ANSWER) };
        let mut bytes = Vec::new();
        loop {
            let read = body
                .by_ref()
                .take(PART)
                .read_to_end(&mut bytes)
                .map_err(|e| HttpError::Unreachable { origin: shown(&url), reason: e.to_string() })?;
            if bytes.len() as u64 > limit {
                return Err(HttpError::TooLong { from: shown(&url), limit });
            }
            if read == 0 {
                break;
            }
            part(read as u64);
        }
        Ok(Response { status, headers, url, elsewhere, body: bytes })
    }
}

impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let began = Instant::now();
        // reqwest's own texts may hold the whole address.
        let n = self.inner.read(buf).map_err(|e| io::Error::new(e.kind(), broken(&e)))?;
        self.waited += began.elapsed();
        self.got += n as u64;
        let drips = self.waited > self.grace && self.got / SLOWEST < self.waited.as_secs().max(1);
        if drips && n > 0 {
            Err(io::Error::new(io::ErrorKind::TimedOut, "the answer only drips"))
        } else {
            Ok(n)
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body")
    }
}

fn broken(e: &io::Error) -> String {
    let stalled = e.kind() == io::ErrorKind::TimedOut
        || e.get_ref()
            .and_then(|e| e.downcast_ref::<reqwest::Error>())
            .is_some_and(reqwest::Error::is_timeout);
    if stalled { "the answer stalled" } else { "the answer broke off" }.into()
}
