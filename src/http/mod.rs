//! The HTTP client: connections, redirects, repetitions and bounds. It knows nothing of registries or key sources.
//!
//! - Credentials travel to one [`Origin`] only (RFC 6454). A redirect to another origin goes on without them, and they
//!   do not come back if a later hop returns.
//! - Never from https to http: not by a redirect, not by a link, not by an upload location. [`resolve`] is the one
//!   place where an address from an answer becomes a request.
//! - Every wait has an end: connecting, the answer's head, each read of a body, `Retry-After`.
//! - Every body has a bound, or is a stream whose reader has one.
//! - 429, 502, 503, 504 and broken connections are tried again with growing pauses; `Retry-After` is obeyed
//!   (RFC 9110 §10.2.3, both forms).
//!
//! **Why `reqwest::blocking`.** keypack is synchronous and its concurrency is a handful of scoped threads. The
//! blocking client keeps its runtime on a thread of its own, its `timeout` bounds the head and then *each read* of a
//! body (not the whole transfer), and it may be used by many threads at once: all that is needed. HTTP/2,
//! compression, cookies and charsets are not compiled in. Redirects and retries are ours, not reqwest's.

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
pub use options::{JOBS, Notice, Options, Proxy};
pub use origin::{Origin, Unfit, is_loopback, resolve, shown};
pub use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
pub use tls::Tls;
pub use url::Url;
