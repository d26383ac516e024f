use thiserror::Error;

use crate::{
    diag::{Code, Diagnostic},
    key::Role,
    oci::Digest,
    signature::SignatureError,
};

/// Why a signature does not verify, or a key is not accepted. Each variant has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The signature is for another image.
    #[error("the signature is for {}, not {image}", list(claimed))]
    OtherImage {
        /// The digests that it claims to cover.
        claimed: Vec<Digest>,
        /// The image being verified.
        image: Digest,
    },
    /// A key that it needs is missing.
    #[error("the key of the {} is missing: {needed}", role.title())]
    NoKey {
        /// The role of the key.
        role: Role,
        /// The key as named by the signature.
        needed: String,
    },
    /// The signature does not verify with any of the keys.
    #[error("the signature does not verify: {0}")]
    Signature(String),
    /// The certificate is not valid: chain, time, usage.
    #[error("the signing certificate is refused: {0}")]
    Certificate(String),
    /// The CT log's timestamp in the certificate is not valid.
    #[error("the certificate's CT timestamp is refused: {0}")]
    CtTimestamp(String),
    /// The certificate has no CT log timestamp, although its CA's instance has CT logs.
    #[error("the certificate has no CT log timestamp, although its CA's instance has CT logs")]
    CtMissing,
    /// The log entry is not valid: its timestamp, proof, checkpoint, or content.
    #[error("the log entry is refused: {0}")]
    LogEntry(String),
    /// The RFC 3161 timestamp is not valid, or nothing shows when the certificate was used.
    #[error("the timestamp is refused: {0}")]
    Timestamp(String),
    /// An available key can't be used.
    #[error("a key is refused: {0}")]
    Key(String),
    /// The key made it, and was revoked by its owner.
    #[error("the signature does not count: {0}")]
    Revoked(String),
    /// A key that it rests on was revoked on this host, and no other log or authority says that it is from before.
    #[error("{name} was revoked on this host{}", since.map(|since| format!(", and no log or authority that counts dates the signature before {since}")).unwrap_or_default())]
    RevokedHere {
        /// The file of the key.
        name: String,
        /// Since when its signatures don't count.
        since: Option<jiff::Timestamp>,
    },
    /// The key made it and must not be used: it has expired or is not meant for signing; or the signature has expired.
    #[error("the signature does not count: {0}")]
    Lapsed(String),
    /// It relies on a hash that can be forged.
    #[error("the signature does not count: {0}")]
    Weak(String),
    /// A chain of certificates is not valid: its links, or the dates at the time of use.
    #[error("the certificate chain is refused: {0}")]
    Chain(String),
    /// Not supported by the verifying crate, although sigstore-go accepts it. This does not mean that it is invalid.
    #[error("it can't be verified here: {0}")]
    Unsupported(String),
    /// The signature itself can't be parsed or is of a kind that is not verified here.
    #[error(transparent)]
    Unreadable(#[from] SignatureError),
    /// It is dated in the future according to this host's clock.
    #[error("{what} is dated {time}, which is in the future by the clock of this host")]
    ClockBehind {
        /// The piece of evidence.
        what: &'static str,
        /// The time at which it was made.
        time: jiff::Timestamp,
    },
    /// A key that it needs is not in use yet according to this host's clock.
    #[error("the {} is in use from {start} on, which is in the future by the clock of this host", role.title())]
    NotInUseYet {
        /// The role of the key.
        role: Role,
        /// When its period of use begins.
        start: jiff::Timestamp,
    },
    /// The limit on the number of keys tried for the signatures of one image was reached.
    #[error(
        "not verified: the limit of {} key trials for the signatures of one image was reached",
        crate::limits::TRIALS
    )]
    Budget,
    /// There is nothing to check.
    #[error("the signature holds no evidence that could be checked")]
    NoEvidence,
}

impl Refusal {
    /// The stable code of this refusal.
    pub const fn code(&self) -> Code {
        match self {
            Self::OtherImage { .. } => Code::SignedForOtherImage,
            Self::NoKey { .. } => Code::NoKey,
            Self::Signature(_) => Code::SignatureDoesNotMatch,
            Self::Certificate(_) => Code::CertificateRefused,
            Self::CtTimestamp(_) => Code::CtTimestampRefused,
            Self::CtMissing => Code::CtTimestampMissing,
            Self::LogEntry(_) => Code::LogEntryRefused,
            Self::Timestamp(_) => Code::TimestampRefused,
            Self::Key(_) => Code::KeyUnusable,
            Self::Revoked(_) => Code::SigningKeyRevoked,
            Self::RevokedHere { .. } => Code::RevokedHere,
            Self::Lapsed(_) => Code::SignatureLapsed,
            Self::Weak(_) => Code::SignatureWeak,
            Self::Chain(_) => Code::ChainRefused,
            Self::Unsupported(_) => Code::UnsupportedByVerifier,
            Self::Unreadable(e) => e.code(),
            Self::ClockBehind { .. } | Self::NotInUseYet { .. } => Code::ClockBehind,
            Self::Budget => Code::VerificationBudget,
            Self::NoEvidence => Code::NoEvidence,
        }
    }

    /// Whether it is evidence against a key of this role. For the other keys that the signature needs, it only means
    /// that they are not proved.
    pub const fn is_against(&self, role: Role) -> bool {
        match self {
            Self::NoKey { .. }
            | Self::CtMissing
            | Self::Unsupported(_)
            | Self::ClockBehind { .. }
            | Self::NotInUseYet { .. }
            | Self::Budget
            | Self::NoEvidence => false,
            Self::Certificate(_) | Self::Chain(_) => role.is_chain(),
            Self::CtTimestamp(_) => matches!(role, Role::CtLog),
            Self::LogEntry(_) => role.logs_signatures(),
            Self::Timestamp(_) => matches!(role, Role::Tsa),
            _ => true,
        }
    }
}

impl From<&Refusal> for Diagnostic {
    fn from(refusal: &Refusal) -> Self {
        Self::new(refusal.code(), refusal.to_string())
    }
}

fn list(digests: &[Digest]) -> String {
    match digests {
        [] => "nothing".into(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}
