//! Sigstore attachments as containers/image judges them (`signature/policy_eval_sigstore.go`): podman, CRI-O, skopeo and bootc
//! admit by this.
//!
//! It is not what [`super::Verifier`] decides. That one wants all evidence that a signature brings to hold, with the keys of a
//! pack. This one looks at what one requirement of a policy names and at nothing else: under a key alone a broken log entry
//! beside the signature does no harm, and SHA-256 is the only hash. The cryptography is the same: `crypto` and `path`.

mod certificate;
mod hostname;
mod log_entry;

use std::collections::BTreeMap;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
pub(crate) use certificate::{certificates, pem_blocks};
use jiff::Timestamp;
use sigstore_types::SignatureBytes;

use super::crypto;
use crate::{
    diag::Code,
    key::{Certificate, PublicKey},
    signature::annotation,
};

/// What a requirement `sigstoreSigned` trusts.
#[derive(Debug, Clone)]
pub(crate) struct Trusted {
    /// Who may sign.
    pub(crate) signer: TrustedSigner,
    /// The logs, one of which must hold the signature; `None` asks for no log.
    pub(crate) logs: Option<Vec<PublicKey>>,
}

/// Who may sign.
#[derive(Debug, Clone)]
pub(crate) enum TrustedSigner {
    /// The holder of one of these keys.
    Keys(Vec<PublicKey>),
    /// The holder of a certificate of a Fulcio CA, at the time of the log entry.
    Fulcio {
        /// Each of these is trusted by itself, also one that is no root.
        authorities: Vec<Certificate>,
        /// The OIDC issuer in the certificate.
        issuer: String,
        /// An e-mail address in the certificate.
        email: String,
    },
    /// The holder of a certificate of a private CA, which is good now.
    Pki {
        /// Each of these is trusted by itself.
        authorities: Vec<Certificate>,
        /// What may lie between them and the certificate.
        intermediates: Vec<Certificate>,
        /// An e-mail address in the certificate.
        email: Option<String>,
        /// A host name that the certificate is for.
        hostname: Option<String>,
    },
}

/// A layer of a signature manifest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attached<'a> {
    /// What is signed.
    pub(crate) payload: &'a [u8],
    /// What cosign keeps beside it.
    pub(crate) annotations: &'a BTreeMap<String, String>,
}

/// Why a requirement does not take a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Objection {
    /// It is not signed by whom the requirement names.
    Signature(String),
    /// No log entry is beside it, and the requirement asks for one.
    NotLogged,
    /// The log entry is not good, or about something else.
    LogEntry(String),
    /// No certificate is beside it, and the requirement asks for one.
    NoCertificate,
    /// The certificate is not good.
    Certificate(String),
    /// The certificate is good, and for somebody else.
    Subject(String),
    /// keypack can't tell what the consumer would find.
    NotJudged(String),
}

impl Objection {
    /// The stable code.
    pub(crate) const fn code(&self) -> Code {
        match self {
            Self::Signature(_) => Code::SignatureDoesNotMatch,
            Self::NotLogged => Code::NotLogged,
            Self::LogEntry(_) => Code::LogEntryRefused,
            Self::NoCertificate => Code::NoCertificate,
            Self::Certificate(_) => Code::CertificateRefused,
            Self::Subject(_) => Code::SubjectNotAccepted,
            Self::NotJudged(_) => Code::UnsupportedByVerifier,
        }
    }

    /// What is true.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Signature(why) | Self::Certificate(why) | Self::Subject(why) | Self::NotJudged(why) => {
                why.clone()
            }
            Self::LogEntry(why) => format!("its log entry is refused: {why}"),
            Self::NotLogged => "the policy requires a Rekor entry, but the signature has none".into(),
            Self::NoCertificate => "the policy requires a certificate, but the signature has none".into(),
        }
    }
}

impl Trusted {
    /// Whether the signature is by whom this names. What the payload says is not looked at.
    pub(crate) fn accepts(&self, attached: &Attached<'_>, now: Timestamp) -> Result<(), Objection> {
        let note = |name: &str| attached.annotations.get(name).map(String::as_str);
        let Some(text) = note(annotation::SIGNATURE) else {
            return Err(Objection::Signature(format!("it has no annotation {}", annotation::SIGNATURE)));
        };
        let log = |logs: &[PublicKey], signer: &[u8]| {
            let entry = note(annotation::BUNDLE).ok_or(Objection::NotLogged)?;
            log_entry::verify(logs, entry, signer, text, attached.payload).map_err(Objection::LogEntry)
        };
        let certificate = || note(annotation::CERTIFICATE).ok_or(Objection::NoCertificate);
        let chain = note(annotation::CHAIN).unwrap_or_default();
        let keys = match (&self.signer, &self.logs) {
            (TrustedSigner::Keys(keys), None) => keys.clone(),
            (TrustedSigner::Keys(keys), Some(logs)) => vec![logged_key(keys, |key| log(logs, key))?],
            (TrustedSigner::Fulcio { authorities, issuer, email }, logs) => {
                // The order is that of containers/image: first what is missing is said.
                if note(annotation::BUNDLE).is_none() {
                    return Err(Objection::NotLogged);
                }
                let leaf = certificate()?;
                let der = certificate::pem_block(leaf.as_bytes())
                    .ok_or_else(|| Objection::LogEntry("the certificate next to it is not PEM".into()))?;
                let time = log(logs.as_deref().unwrap_or_default(), &der)?;
                let expected = certificate::Fulcio { authorities, issuer, email };
                vec![expected.verify(leaf, chain, time)?]
            }
            (TrustedSigner::Pki { authorities, intermediates, email, hostname }, _) => {
                let expected = certificate::Pki {
                    authorities,
                    intermediates,
                    email: email.as_deref(),
                    hostname: hostname.as_deref(),
                };
                vec![expected.verify(certificate()?, chain, now)?]
            }
        };
        let signature = base64(text)
            .ok_or_else(|| Objection::Signature("its signature annotation is not base64".into()))?;
        let signature = SignatureBytes::new(signature);
        if keys.iter().any(|key| crypto::signed_with_sha256(key, attached.payload, &signature)) {
            return Ok(());
        }
        Err(Objection::Signature(match (&self.signer, keys.as_slice()) {
            (TrustedSigner::Keys(_), [_]) => "the key of the policy did not make it with SHA-256".into(),
            (TrustedSigner::Keys(_), keys) => {
                format!("none of the {} keys of the policy made it with SHA-256", keys.len())
            }
            _ => "the key in its certificate did not make it with SHA-256".into(),
        }))
    }
}

/// The one key that the log entry is about.
fn logged_key(
    keys: &[PublicKey],
    log: impl Fn(&[u8]) -> Result<Timestamp, Objection>,
) -> Result<PublicKey, Objection> {
    let mut objection = Objection::NotLogged;
    for key in keys {
        match log(key.spki()) {
            Ok(_) => return Ok(key.clone()),
            Err(why) => objection = why,
        }
    }
    Err(objection)
}

/// Base64 as Go's `StdEncoding` reads it: line breaks are skipped, padding is a must, spare bits are not looked at.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    const GO: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
    );
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    GO.decode(text).ok()
}
