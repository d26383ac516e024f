use jiff::Timestamp;

use super::{KeySet, Reading, Refusal, crypto::Prepared, evidence, path::Paths};
use crate::{
    key::{KeyRef, Role, SubjectName},
    oci::Digest,
    signature::{UntrustedBundle, UntrustedSignature},
};

/// Verifies signatures with exactly the keys of one set. What is prepared for one signature (the verifying crate's part for a
/// combination of log, CA and CT log; the path above a CA) is kept for the next ones, of all threads.
#[derive(Default)]
pub struct Verifier {
    pub(super) keys: KeySet,
    pub(super) prepared: Prepared,
    pub(super) paths: Paths,
}

/// How to treat evidence whose key is not at hand.
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

    /// Decides whether `signature` is good for the manifest `image`. All that the signature brings must hold: every log
    /// entry, every timestamp, the certificate with its CT log. `now` is what the dates of GPG keys and signatures, and of
    /// certificates that nothing else dates, are compared with.
    pub fn judge(
        &self,
        signature: &UntrustedSignature,
        image: &Digest,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        evidence::weigh(&Reading::new(signature, image)?, self, Missing::Refuse, now)
    }

    /// Decides whether a bundle is good for a file, as strictly as the clients of sigstore do: a certificate needs a log entry
    /// or a timestamp, and a key's signature a log entry or a timestamp as well, since nothing else says that it is meant
    /// to be verified later. `bytes` is the file, where it is at hand; some signatures can't be verified by its digest.
    pub fn judge_blob(
        &self,
        bundle: &UntrustedBundle,
        digest: &Digest,
        bytes: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let signature = UntrustedSignature::Bundle(Box::new(bundle.clone()));
        let reading = Reading::new(&signature, digest)?.of_file(bytes);
        evidence::is_strict(&reading)?;
        evidence::weigh(&reading, self, Missing::Refuse, now)
    }

    /// Tells which of the keys `signature` confirms. A log key is confirmed by an entry even while the signer's own key is
    /// missing: the entry names the signer's key, and that claim serves for this check and for nothing else.
    pub fn prove(
        &self,
        signature: &UntrustedSignature,
        image: &Digest,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        self.prove_reading(&Reading::new(signature, image)?, now)
    }

    /// The same of a signature that was read before.
    pub(crate) fn prove_reading(&self, reading: &Reading<'_>, now: Timestamp) -> Result<Verified, Refusal> {
        evidence::weigh(reading, self, Missing::LeaveOut, now)
    }
}

/// What a signature has been found to say. Only `evidence::weigh` makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub(super) keys: Vec<KeyRef>,
    pub(super) identity: Option<String>,
    pub(super) oidc_issuer: Option<String>,
    pub(super) names: Vec<SubjectName>,
    pub(super) time: Option<(Timestamp, Clock)>,
    pub(super) refused: Vec<(KeyRef, Refusal)>,
}

/// Whose clock says when a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clock {
    /// The transparency log's: its signed entry timestamp.
    Log,
    /// A timestamp authority's.
    Timestamp,
    /// This host's: nothing dates the signature, and its certificate was judged as of now.
    Host,
}

impl Verified {
    /// A signature that needs this key and nothing else.
    pub(super) fn by(key: KeyRef) -> Self {
        Self {
            keys: vec![key],
            identity: None,
            oidc_issuer: None,
            names: Vec::new(),
            time: None,
            refused: Vec::new(),
        }
    }

    /// The keys at hand that it names and did not verify with, with the reason. Only [`Verifier::prove`] lets a signature
    /// pass that has any: its log is confirmed, and its certificate is not.
    pub fn refused(&self) -> &[(KeyRef, Refusal)] {
        &self.refused
    }

    /// The keys that the signature verified with, each of them needed.
    pub fn keys(&self) -> &[KeyRef] {
        &self.keys
    }

    /// The certificate's subject alternative name, where a certificate signed.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// All names in the certificate that can be compared, each with its kind, where a certificate signed.
    pub fn names(&self) -> &[SubjectName] {
        &self.names
    }

    /// The earliest time at which the signature is known to have been there, and whose clock says so. A signature without
    /// log entry, timestamp and certificate has none.
    pub const fn time(&self) -> Option<(Timestamp, Clock)> {
        self.time
    }

    /// Whether a transparency log holds it.
    pub fn is_logged(&self) -> bool {
        self.keys.iter().any(|key| matches!(key.role, Role::Rekor | Role::Rekor2))
    }

    /// The OIDC issuer in the certificate, where a certificate signed.
    pub fn oidc_issuer(&self) -> Option<&str> {
        self.oidc_issuer.as_deref()
    }
}
