use std::{fmt, sync::Arc, time::Duration};

use super::{Limiter, Tls};
use crate::events::Progress;

/// A callback that is called when a request has to wait, with the reason as a single line of text.
#[derive(Clone)]
pub struct Notice(Arc<dyn Fn(&str) + Send + Sync>);

/// The default number of concurrent requests: with a round trip of 100 ms, half as many take almost twice as long, and
/// registries cope with just as many from oras and skopeo.
pub const JOBS: usize = 16;

/// The options of a [`super::Client`].
#[derive(Debug, Clone)]
pub struct Options {
    /// How often a request is tried again (`--retry-times`).
    pub retries: u32,
    /// The pause before the first retry; it doubles each time.
    pub pause: Duration,
    /// The longest pause. If a server asks for more, the request fails at once.
    pub longest_pause: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a server may be silent, before its response and between two parts of a body.
    pub silence: Duration,
    /// Concurrent requests (`--jobs`).
    pub jobs: Limiter,
    /// TLS settings.
    pub tls: Tls,
    /// Called with the reason for each pause.
    pub notice: Option<Notice>,
    /// Counts the bytes of large bodies. Only the callers that know a body's length report to it.
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
