//! Every decision about signatures, without I/O: bytes and keys come in, [`Verified`] or a [`Refusal`] goes out.
//!
//! [`judge`] decides whether a signature speaks for an image with exactly the keys at hand. [`prove`] is its weaker
//! sister for collecting: it tells which of the keys at hand this signature confirms, where others that it needs
//! are still missing. Both run the same checks; `prove` only leaves out the evidence whose key is absent.
//!
//! The cryptography, the Merkle proofs and the timestamps are `sigstore-verify`'s, the certificate paths `rustls-webpki`'s
//! (`path`). The verifying crate compares times with the machine's clock inside (a log entry from the future is refused); all other times are
//! arguments.

mod certificate;
mod chain;
mod crypto;
mod endorse;
mod evidence;
mod gpg;
mod path;
mod plain;
mod proposed;
mod refusal;
mod stamp;
pub mod tuf;
mod unsupported;

use jiff::Timestamp;

use crate::{
    key::{KeyRef, Material, Role, Validity, origin_of},
    oci::Digest,
    signature::{LogHint, UntrustedSignature},
};

pub use chain::check as check_chain;
pub use endorse::{endorses_bytes, endorses_manifest, signed_bytes};
pub use refusal::Refusal;

/// A key that may be used to verify. What makes it trusted is decided elsewhere: by an anchor, or (when collecting)
/// not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationKey {
    /// Role and id.
    pub key: KeyRef,
    /// The key.
    pub material: Material,
    /// The address, where it is known.
    pub url: Option<String>,
    /// When it was or is in use.
    pub validity: Validity,
    /// Of a CA: whether its certificates bear the timestamp of a CT log. They do where the CA's instance has CT logs.
    pub ct_required: bool,
}

/// The keys at hand. Two keys with one name can't be in it.
///
/// What is made of them for the first signature is kept for the next ones.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
    verifiers: crypto::Verifiers,
    paths: path::Paths,
}

impl KeySet {
    /// These keys; of several with the same name the first counts.
    pub fn new(keys: impl IntoIterator<Item = VerificationKey>) -> Self {
        let mut set = Self::default();
        for key in keys {
            if !set.keys.iter().any(|k| k.key == key.key) {
                set.keys.push(key);
            }
        }
        set
    }

    /// The keys of one role.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &VerificationKey> {
        self.keys.iter().filter(move |k| k.key.role == role)
    }

    /// The key of the log that a hint names.
    pub fn log(&self, hint: &LogHint) -> Option<&VerificationKey> {
        match hint {
            LogHint::V1 { log_id, .. } => self.of(Role::Rekor).find(|k| k.key.id == *log_id),
            LogHint::V2 { origin, key_id } => self.of(Role::Rekor2).find(|k| {
                k.key.id == *key_id && k.url.as_deref().is_none_or(|url| origin_of(url) == *origin)
            }),
        }
    }
}

/// What a signature has been found to say. Only this module makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    keys: Vec<KeyRef>,
    identity: Option<String>,
    oidc_issuer: Option<String>,
    refused: Vec<(KeyRef, Refusal)>,
}

impl Verified {
    /// A signature that needs this key and nothing else.
    fn by(key: KeyRef) -> Self {
        Self { keys: vec![key], identity: None, oidc_issuer: None, refused: Vec::new() }
    }

    /// The keys at hand that it names and did not verify with, with the reason. Only [`prove`] lets a signature pass
    /// that has any: its log is confirmed, and its certificate is not.
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

    /// The OIDC issuer in the certificate, where a certificate signed.
    pub fn oidc_issuer(&self) -> Option<&str> {
        self.oidc_issuer.as_deref()
    }
}

/// How to treat evidence whose key is not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Refuse the signature.
    Refuse,
    /// Leave that evidence out and check the rest.
    LeaveOut,
}

/// Decides whether `signature` speaks for the manifest `image`, with exactly these keys. All that the signature
/// brings must hold: every log entry, every timestamp, the certificate with its CT log. `now` is what the dates of GPG keys
/// and signatures are compared with.
pub fn judge(
    signature: &UntrustedSignature,
    image: &Digest,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    evidence::weigh(signature, image, keys, Missing::Refuse, now)
}

/// Tells which of these keys `signature` confirms. A log key is confirmed by an entry even while the signer's own
/// key is missing: the entry names the signer's key, and that claim serves for this check and for nothing else.
pub fn prove(
    signature: &UntrustedSignature,
    image: &Digest,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    evidence::weigh(signature, image, keys, Missing::LeaveOut, now)
}

/// Whether `signature` claims to speak for the manifest `image`. One that does not is nothing to find keys for.
pub fn claims(signature: &UntrustedSignature, image: &Digest) -> Result<(), Refusal> {
    evidence::claims(signature, image)
}
