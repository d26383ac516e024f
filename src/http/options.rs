use std::{fmt, sync::Arc, time::Duration};

use super::{Limiter, Tls};
use crate::events::Progress;

/// Somebody who wants to hear that a request waits and why. The text is one line.
#[derive(Clone)]
pub struct Notice(Arc<dyn Fn(&str) + Send + Sync>);

/// Which proxy is used. This machine itself is never reached through one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// As `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one, for everything.
    Url(String),
}

/// Requests at a time, where nobody says otherwise: over a round trip of 100 ms half as many take almost twice as long, and
/// registries answer so many clients of oras and skopeo as well.
pub const JOBS: usize = 16;

/// How a [`super::Client`] behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often a request is tried again (`--retry-times`).
    pub retries: u32,
    /// The pause before the first repetition; it doubles each time.
    pub pause: Duration,
    /// The longest pause. A server that asks for more is told off with an error at once.
    pub longest_pause: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a server may be silent: before its answer, and between two pieces of a body.
    pub silence: Duration,
    /// Requests at a time (`--jobs`).
    pub jobs: Limiter,
    /// Whom TLS trusts.
    pub tls: Tls,
    /// The proxy.
    pub proxy: Proxy,
    /// Who hears about pauses.
    pub notice: Option<Notice>,
    /// Who counts the bytes of large bodies. It is those who know how large one is that count here.
    pub meter: Progress,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retries: 3,
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(15),
            silence: Duration::from_secs(60),
            jobs: Limiter::new(JOBS),
            tls: Tls::default(),
            proxy: Proxy::default(),
            notice: None,
            meter: Progress::default(),
        }
    }
}

impl Notice {
    /// Calls `hear` with each line.
    pub fn new(hear: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(super) fn say(&self, line: &str) {
        (self.0)(line);
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notice")
    }
}
