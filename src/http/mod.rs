//! The HTTP client: connections, redirects, retries and limits. It knows nothing of registries or key sources.
//!
//! - Credentials are sent to one [`Origin`] only (RFC 6454). A redirect to another origin is followed without them, and
//!   they are not sent again if a later hop returns.
//! - Never from https to http: not by a redirect, a link, or an upload location. [`resolve`] is the only place where an
//!   address from a response becomes a request.
//! - Every wait is bounded: connecting, the response headers, each read of a body, `Retry-After`.
//! - Every body is bounded, or is a stream whose reader is.
//! - 429, 502, 503, 504 and broken connections are retried with increasing pauses; `Retry-After` is honoured (RFC 9110
//!   §10.2.3, both forms).
//!
//! **Why `reqwest::blocking`.** keypack is synchronous and uses a handful of scoped threads. The blocking client keeps
//! its runtime on a separate thread, its `timeout` applies to the headers and then to *each read* of a body (not the
//! whole transfer), and it can be shared by many threads: that is all we need. HTTP/2, compression, cookies and
//! charsets are not compiled in. Redirects and retries are implemented here, not by reqwest.

mod client;
mod error;
mod limiter;
mod message;
mod options;
mod origin;
mod retry;
mod self_signed;
mod tls;

pub use client::Client;
pub use error::HttpError;
pub use limiter::Limiter;
pub use message::{Body, Replay, Request, Response};
pub use options::{JOBS, Notice, Options};
pub use origin::{Origin, Unfit, is_loopback, resolve, shown};
pub use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
pub use tls::Tls;
pub use url::Url;
