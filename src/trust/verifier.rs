use jiff::Timestamp;

use super::{KeySet, Reading, Refusal, crypto::Prepared, evidence, path::Paths};
use crate::{
    key::{KeyRef, SubjectName},
    oci::Digest,
    signature::{UntrustedBundle, UntrustedSignature},
};

/// Verifies signatures with exactly the keys of one set. The parts prepared for one signature (the verifying crate's
/// part for a combination of log, CA and CT log; the path above a CA) are reused for later ones, by all threads.
#[derive(Default)]
pub struct Verifier {
    pub(super) keys: KeySet,
    pub(super) prepared: Prepared,
    pub(super) paths: Paths,
}

/// How to treat evidence whose key is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Refuse the signature.
    Refuse,
    /// Leave that evidence out and check the rest.
    LeaveOut,
}

impl Verifier {
    /// A verifier that knows these keys.
    pub fn new(keys: KeySet) -> Self {
        Self { keys, prepared: Prepared::default(), paths: Paths::default() }
    }

    /// Decides whether `signature` is valid for the manifest `image`. All of its evidence must be valid: every log
    /// entry, every timestamp, the certificate with its CT log. `now` is compared with the dates of GPG keys and
    /// signatures, and of certificates without any evidence of their time of use.
    pub fn judge(
        &self,
        signature: &UntrustedSignature,
        image: &Digest,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        evidence::weigh(&Reading::new(signature, image)?, self, Missing::Refuse, now)
    }

    /// Decides whether a bundle is valid for a file, as strictly as sigstore clients do: a certificate needs a log
    /// entry or a timestamp, and so does a key's signature, because nothing else shows that it is meant to be verified
    /// later. `bytes` is the file, if available; some signatures can't be verified by its digest alone.
    pub fn judge_blob(
        &self,
        bundle: &UntrustedBundle,
        digest: &Digest,
        bytes: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let signature = UntrustedSignature::Bundle(Box::new(bundle.clone()));
        let reading = match bytes {
            Some(file) => Reading::of_file(&signature, file, digest)?,
            None => Reading::new(&signature, digest)?,
        };
        evidence::is_strict(&reading)?;
        evidence::weigh(&reading, self, Missing::Refuse, now)
    }

    /// Finds the available keys that `signature` confirms. An entry confirms a log key even if the signer's own key is
    /// missing: the entry contains the signer's key, and that claim is used for this check only.
    #[cfg(feature = "internals")]
    pub fn prove(
        &self,
        signature: &UntrustedSignature,
        image: &Digest,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        self.prove_reading(&Reading::new(signature, image)?, now)
    }

    /// Like `prove`, for a signature that has already been parsed.
    pub(crate) fn prove_reading(&self, reading: &Reading<'_>, now: Timestamp) -> Result<Verified, Refusal> {
        evidence::weigh(reading, self, Missing::LeaveOut, now)
    }
}

/// The verified content of a signature. Only `evidence::weigh` creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub(super) keys: Vec<KeyRef>,
    pub(super) identity: Option<String>,
    pub(super) oidc_issuer: Option<String>,
    pub(super) names: Vec<SubjectName>,
    pub(super) time: Option<(Timestamp, Clock)>,
    pub(super) dated: Vec<(Timestamp, KeyRef)>,
    pub(super) refused: Vec<(KeyRef, Refusal)>,
}

/// The source of the time at which a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clock {
    /// The transparency log's: its signed entry timestamp.
    Log,
    /// A timestamp authority's.
    Timestamp,
    /// This host's clock: nothing dates the signature, so its certificate was judged as of now.
    Host,
}

impl Clock {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Timestamp => "timestamp",
            Self::Host => "host",
        }
    }
}

impl Verified {
    /// A signature that needs only this key.
    pub(super) fn by(key: KeyRef) -> Self {
        Self {
            keys: vec![key],
            identity: None,
            oidc_issuer: None,
            names: Vec::new(),
            time: None,
            dated: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// The available keys that it names but did not verify with, with the reason. Only [`Verifier::prove`] accepts a
    /// signature with any of these: its log is confirmed, and its certificate is not.
    pub fn refused(&self) -> &[(KeyRef, Refusal)] {
        &self.refused
    }

    /// The keys that the signature verified with, each of them needed.
    pub fn keys(&self) -> &[KeyRef] {
        &self.keys
    }

    /// The certificate's subject alternative name, if the signature was made with a certificate.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// All names in the certificate that can be compared, each with its kind, if the signature was made with a
    /// certificate.
    pub fn names(&self) -> &[SubjectName] {
        &self.names
    }

    /// The earliest time at which the signature is known to have existed, and the clock it is from. `None` without a
    /// log entry, a timestamp and a certificate.
    pub const fn time(&self) -> Option<(Timestamp, Clock)> {
        self.time
    }

    /// Every time at which a log or a timestamp authority says that the signature was there, with the key that says so.
    pub fn dated(&self) -> &[(Timestamp, KeyRef)] {
        &self.dated
    }

    /// Whether it is in a transparency log.
    pub fn is_logged(&self) -> bool {
        self.keys.iter().any(|key| key.role.logs_signatures())
    }

    /// The OIDC issuer in the certificate, if the signature was made with a certificate.
    pub fn oidc_issuer(&self) -> Option<&str> {
        self.oidc_issuer.as_deref()
    }
}
