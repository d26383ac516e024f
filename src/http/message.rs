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

/// What may be done when the connection broke after sending, so that the outcome of the request is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// The request may be repeated.
    Safe,
    /// It must not be repeated: only a clear "not now" (429, 503) allows another attempt.
    Unsafe,
}

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The headers, without `Authorization`.
    pub headers: HeaderMap,
    /// The credentials, sent only to the origin of `url`.
    pub authorization: Option<HeaderValue>,
    /// The body.
    pub body: Option<&'a [u8]>,
    /// Whether it may be repeated.
    pub replay: Replay,
}

impl<'a> Request<'a> {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), authorization: None, body: None, replay: Replay::Safe }
    }

    /// Adds a header. An invalid header value is ignored; keypack never creates any.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = Some(body);
        self
    }

    /// Marks the request as one that must not be repeated.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.replay = Replay::Unsafe;
        self
    }
}

/// A response; `B` is [`Body`] while it is being streamed, `Vec<u8>` once it has been read.
#[derive(Debug)]
pub struct Response<B> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The address that answered, after redirects.
    pub url: Url,
    /// Whether the response came from a different origin than the one requested.
    pub elsewhere: bool,
    /// The body.
    pub body: B,
}

impl<B> Response<B> {
    /// A header's value, if it is text.
    pub fn text(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A response body as a stream. Each read waits for a bounded time, and a body that arrives too slowly is abandoned;
/// its length is not limited.
pub struct Body {
    inner: reqwest::blocking::Response,
    /// How long the server may take before its speed is measured.
    grace: Duration,
    /// Time spent waiting for the server, not counting the time that the reader takes between reads.
    waited: Duration,
    got: u64,
}

/// The size of the parts in which a body is read.
const PART: u64 = 64 << 10;

/// The slowest acceptable body, in bytes per second: a modem's speed. One byte per minute would keep us waiting
/// forever.
const SLOWEST: u64 = 1 << 10;

impl Body {
    pub(super) const fn new(inner: reqwest::blocking::Response, grace: Duration) -> Self {
        Self { inner, grace, waited: Duration::ZERO, got: 0 }
    }
}

impl Response<Body> {
    /// Reads the body, up to `limit` bytes, and reports each part. An error response may always be up to
    /// [`limits::ERROR_ANSWER`] long, because it is not content.
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
        // reqwest's own messages may contain the full address.
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
