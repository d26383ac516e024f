//! Parses signatures into `Untrusted…` values. Nothing is verified here.
//!
//! The needs that a signature *states* (log ids, an issuer, a key's fingerprint) select keys; they never make a key
//! trusted. `trust::Verifier` decides.

mod base64;
mod bundle;
mod cosign;
mod gpg;
mod need;
mod needs;
mod payload;
pub(crate) mod proposed;
mod rekor;
pub(crate) mod strict_json;
mod timestamp;

use std::borrow::Cow;

use crate::diag::{Code, Diagnostic};
use sigstore_types::Bundle;
use thiserror::Error;

pub(crate) use bundle::COSIGN_SIGN;
pub use bundle::UntrustedBundle;
pub use cosign::{SIGSTORE_JSON, UntrustedSimple, annotation};
pub use gpg::UntrustedGpg;
pub use need::{IssuerName, Need};
pub use needs::{CertificateNeeds, Needs, Signer};
pub(crate) use payload::{SimplePayload, consumer_claims};

use crate::oci::Digest;

/// Media types of signatures in layers.
pub mod media {
    /// cosign's simple signing payload (cosign `specs/SIGNATURE_SPEC.md`).
    pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
    /// The prefix of all sigstore bundle types: `application/vnd.dev.sigstore.bundle.v0.3+json` and
    /// `application/vnd.dev.sigstore.bundle+json;version=0.1`.
    pub const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
}

/// A parsed, unverified signature.
#[derive(Debug, Clone)]
pub enum UntrustedSignature {
    /// A simple-signing payload with cosign's annotations.
    Simple(Box<UntrustedSimple>),
    /// A sigstore bundle.
    Bundle(Box<UntrustedBundle>),
    /// An OpenPGP signed message with a simple-signing payload.
    Gpg(Box<UntrustedGpg>),
}

/// Why bytes are not a signature that keypack can read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
pub enum SignatureError {
    /// JSON with a duplicate key: two readers may see two different documents.
    #[error("{what} holds the JSON key {key:?} twice")]
    DuplicateKey {
        /// Which document.
        what: &'static str,
        /// The key.
        key: String,
    },
    /// A malformed document.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Which document.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Anyone can sign with the key that signed.
    #[error("{what} has a weak key: {reason}")]
    WeakKey {
        /// Which document.
        what: &'static str,
        /// The weakness of the key.
        reason: String,
    },
    /// A known format that keypack does not support.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// Which document.
        what: &'static str,
        /// The format.
        reason: String,
    },
}

impl SignatureError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::DuplicateKey { .. } => Code::DuplicateJsonKey,
            Self::Malformed { .. } => Code::SignatureMalformed,
            Self::WeakKey { .. } => Code::SignatureWeak,
            Self::Unsupported { .. } => Code::SignatureUnsupported,
        }
    }

    pub(crate) fn malformed(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Malformed { what, reason: reason.to_string() }
    }
}

impl From<&SignatureError> for Diagnostic {
    fn from(e: &SignatureError) -> Self {
        Self::new(e.code(), e.to_string())
    }
}

impl UntrustedSignature {
    /// The manifest digests that the signature claims to cover. Empty if it states none.
    pub fn claimed_images(&self) -> Vec<Digest> {
        match self {
            Self::Simple(simple) => vec![simple.claimed_image],
            Self::Bundle(bundle) => bundle.claimed_images.to_vec(),
            Self::Gpg(gpg) => vec![gpg.claimed_image],
        }
    }

    /// The reference that the signer wrote into the payload, if the format has one.
    pub fn claimed_reference(&self) -> Option<&str> {
        match self {
            Self::Simple(simple) => Some(&simple.claimed_reference),
            Self::Bundle(_) => None,
            Self::Gpg(gpg) => Some(&gpg.claimed_reference),
        }
    }

    /// The keys that the signature says it needs.
    pub fn needs(&self) -> Result<Needs, SignatureError> {
        Ok(self.read()?.0)
    }

    /// The same, with the signature as the bundle that the verifier takes; of a GPG signature there is none.
    pub(crate) fn read(&self) -> Result<(Needs, Option<Cow<'_, Bundle>>), SignatureError> {
        let (bundle, chain) = match self {
            Self::Simple(simple) => (Cow::Owned(simple.to_bundle()), simple.chain()),
            Self::Bundle(bundle) => (Cow::Borrowed(&*bundle.bundle), &[][..]),
            Self::Gpg(gpg) => return Ok((gpg.needs(), None)),
        };
        Ok((Needs::of(&bundle, chain)?, Some(bundle)))
    }
}
