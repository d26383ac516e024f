//! Signatures as they were found: bytes become `Untrusted…`, and nothing here believes them.
//!
//! What a signature *says* it needs (log ids, an issuer, a key's fingerprint) selects among keys; it never makes a key
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
mod strict_json;
mod timestamp;

use crate::diag::{Code, Diagnostic};
use thiserror::Error;

pub use bundle::UntrustedBundle;
pub use cosign::{SIGSTORE_JSON, UntrustedSimple, annotation};
pub use gpg::UntrustedGpg;
pub use need::{IssuerName, Need};
pub use needs::{CertificateNeeds, Needs, Signer};
pub(crate) use payload::SimplePayload;

use crate::oci::Digest;

/// Media types of signatures in layers.
pub mod media {
    /// cosign's simple signing payload (cosign `specs/SIGNATURE_SPEC.md`).
    pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
    /// What all sigstore bundle types start with: `application/vnd.dev.sigstore.bundle.v0.3+json` and
    /// `application/vnd.dev.sigstore.bundle+json;version=0.1`.
    pub const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
}

/// A signature, parsed and not believed.
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
    /// JSON with a key twice: two readers may see two documents.
    #[error("{what} holds the JSON key {key:?} twice")]
    DuplicateKey {
        /// Which document.
        what: &'static str,
        /// The key.
        key: String,
    },
    /// A document that is not of its form.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Which document.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The key that signed is one with which anybody can sign.
    #[error("{what} has a weak key: {reason}")]
    WeakKey {
        /// Which document.
        what: &'static str,
        /// How the key is weak.
        reason: String,
    },
    /// A form that exists but that keypack does not read.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// Which document.
        what: &'static str,
        /// Which form.
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
    /// The manifest digests that the signature claims to cover. Empty where it does not say.
    pub fn claimed_images(&self) -> Vec<Digest> {
        match self {
            Self::Simple(simple) => vec![simple.claimed_image],
            Self::Bundle(bundle) => bundle.claimed_images.to_vec(),
            Self::Gpg(gpg) => vec![gpg.claimed_image],
        }
    }

    /// The reference that the signer wrote into the payload, where the form has one.
    pub fn claimed_reference(&self) -> Option<&str> {
        match self {
            Self::Simple(simple) => Some(&simple.claimed_reference),
            Self::Bundle(_) => None,
            Self::Gpg(gpg) => Some(&gpg.claimed_reference),
        }
    }

    /// The keys that it says it needs.
    pub fn needs(&self) -> Result<Needs, SignatureError> {
        match self {
            Self::Simple(simple) => Needs::of(&simple.to_bundle(), simple.chain()),
            Self::Bundle(bundle) => Needs::of(&bundle.bundle, &[]),
            Self::Gpg(gpg) => Ok(gpg.needs()),
        }
    }
}
