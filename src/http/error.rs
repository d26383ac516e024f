use crate::diag::Code;
use std::path::PathBuf;

use thiserror::Error;

use super::{Origin, Unfit, Url, shown};

/// Why a request failed. No message contains a query, a user name or a credential.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No connection, or a connection that broke.
    #[error("could not reach {origin}: {reason}")]
    Unreachable {
        /// The origin contacted.
        origin: String,
        /// The system's message.
        reason: String,
    },
    /// The server did not respond in time.
    #[error("{origin} did not answer within {seconds} s")]
    TimedOut {
        /// The origin contacted.
        origin: String,
        /// The time waited, in seconds.
        seconds: u64,
    },
    /// The server's certificate was not accepted, or there is no common TLS version or cipher.
    #[error("no TLS connection to {origin}: {reason}")]
    Tls {
        /// The origin contacted.
        origin: String,
        /// The message from rustls.
        reason: String,
    },
    /// A redirect that keypack does not follow.
    #[error("{from} redirects to {to}, which keypack does not follow: {reason}")]
    Redirect {
        /// The origin that sent the redirect.
        from: String,
        /// The target.
        to: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// 429 on every attempt.
    #[error("{origin} refuses more requests for now{}", wait.map(|s| format!(" and asks to wait {s} s")).unwrap_or_default())]
    RateLimited {
        /// The origin that refused.
        origin: String,
        /// What `Retry-After` says, in seconds.
        wait: Option<u64>,
    },
    /// 502, 503 or 504 on every attempt.
    #[error("{origin} is not available: it answers {status}")]
    Unavailable {
        /// The origin that answered.
        origin: String,
        /// The last status.
        status: u16,
    },
    /// A response that exceeds its limit.
    #[error("the answer of {from} is longer than {limit} bytes, the most that keypack reads of it")]
    TooLong {
        /// The address that sent it.
        from: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A certificate or key file that can't be used.
    #[error("{path}: {reason}", path = path.display())]
    CertificateFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The client could not be created.
    #[error("the settings for {origin} can't be used: {reason}")]
    Settings {
        /// The origin it was for.
        origin: String,
        /// What is wrong.
        reason: String,
    },
}

impl HttpError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::Unreachable,
            Self::TimedOut { .. } => Code::TimedOut,
            Self::Tls { .. } => Code::Tls,
            Self::Redirect { .. } => Code::RedirectRefused,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::Unavailable { .. } => Code::Unavailable,
            Self::TooLong { .. } => Code::AnswerTooLong,
            Self::CertificateFile { .. } => Code::CertificateFile,
            Self::Settings { .. } => Code::NetworkSettings,
        }
    }

    /// Whether the same request may succeed later.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. })
    }

    pub(super) fn redirect(from: &Origin, to: &str, why: Unfit) -> Self {
        Self::Redirect { from: from.to_string(), to: to.to_owned(), reason: why.to_string() }
    }

    /// Whether the server's certificate was rejected.
    pub(super) fn is_certificate(e: &reqwest::Error) -> bool {
        let mut next = std::error::Error::source(e);
        while let Some(cause) = next {
            if let Some(tls) = tls_cause(cause) {
                return matches!(tls, rustls::Error::InvalidCertificate(_));
            }
            next = cause.source();
        }
        false
    }

    /// Classifies a reqwest error. Its messages are not used because they contain full addresses.
    pub(super) fn sort(origin: &Origin, url: &Url, silence: std::time::Duration, e: &reqwest::Error) -> Self {
        if e.is_timeout() {
            return Self::TimedOut { origin: shown(url), seconds: silence.as_secs() };
        }
        let origin = origin.to_string();
        let mut reason = None;
        let mut next = std::error::Error::source(e);
        while let Some(cause) = next {
            if let Some(tls) = tls_cause(cause) {
                return Self::Tls { origin, reason: tls.to_string() };
            }
            reason = Some(cause.to_string());
            next = cause.source();
        }
        let reason = reason.unwrap_or_else(|| "the connection broke".into());
        Self::Unreachable { origin, reason }
    }
}

/// `io::Error` does not return the wrapped error from `source()`, and here errors are wrapped more than once.
fn tls_cause<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    let inner = cause.downcast_ref::<std::io::Error>()?.get_ref()?;
    tls_cause(inner)
}
