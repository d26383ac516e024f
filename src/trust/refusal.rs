use thiserror::Error;

use crate::{
    diag::{Code, Diagnostic},
    key::Role,
    oci::Digest,
    signature::SignatureError,
};

/// Why a signature does not verify, or a key is not accepted. Closed: each has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The signature is about another image.
    #[error("the signature speaks for {}, not for {image}", list(claimed))]
    OtherImage {
        /// What it claims to cover.
        claimed: Vec<Digest>,
        /// What was asked.
        image: Digest,
    },
    /// A key that it needs is not at hand.
    #[error("the key of the {} is missing: {needed}", role.title())]
    NoKey {
        /// What kind of key.
        role: Role,
        /// Which one, as the signature names it.
        needed: String,
    },
    /// The signature does not verify with any of the keys.
    #[error("the signature does not verify: {0}")]
    Signature(String),
    /// The certificate is not good: chain, time, usage.
    #[error("the signing certificate is refused: {0}")]
    Certificate(String),
    /// The timestamp of the CT log in the certificate is not good.
    #[error("the certificate's CT timestamp is refused: {0}")]
    CtTimestamp(String),
    /// The certificate bears no timestamp of a CT log, and the instance of its CA has CT logs.
    #[error("no CT log saw the certificate, and this CA belongs to an instance that has CT logs")]
    CtMissing,
    /// The log entry is not good: its timestamp, proof, checkpoint, or what it is about.
    #[error("the log entry is refused: {0}")]
    LogEntry(String),
    /// The RFC 3161 timestamp is not good, or none says when the certificate was used.
    #[error("the timestamp is refused: {0}")]
    Timestamp(String),
    /// A key at hand can't be used.
    #[error("a key is refused: {0}")]
    Key(String),
    /// The key made it, and its owner took the key back.
    #[error("the signature does not count: {0}")]
    Revoked(String),
    /// The key made it and may not be used: it is expired or not meant for signing; or the signature is over.
    #[error("the signature does not count: {0}")]
    Lapsed(String),
    /// It rests on a hash that can be forged.
    #[error("the signature does not count: {0}")]
    Weak(String),
    /// A chain of certificates is not good: its links, or that they were good when they were used.
    #[error("the certificate chain is refused: {0}")]
    Chain(String),
    /// The verifying crate does not take what sigstore-go takes. Nothing is known against it.
    #[error("it can't be verified here: {0}")]
    Unsupported(String),
    /// The signature itself can't be read or is of a kind that is not verified here.
    #[error(transparent)]
    Unreadable(#[from] SignatureError),
    /// It is of a time to come, by the clock of this host.
    #[error("{what} is of {time}, which is still to come by the clock of this host")]
    ClockBehind {
        /// The piece of evidence.
        what: &'static str,
        /// When it was made.
        time: jiff::Timestamp,
    },
    /// A key that it needs is not in use yet, by the clock of this host.
    #[error("the {} is in use from {start} on, which is still to come by the clock of this host", role.title())]
    NotInUseYet {
        /// What kind of key.
        role: Role,
        /// When its period of use begins.
        start: jiff::Timestamp,
    },
    /// More keys would have to be tried on the signatures of its image than are.
    #[error(
        "not verified: the budget of {} trials of a key on a signature of one image is spent",
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

    /// Whether it says something against a key of this role. Of the other keys that the signature needs, it only says
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
            Self::LogEntry(_) => matches!(role, Role::Rekor | Role::Rekor2),
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
