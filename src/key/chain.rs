use std::fmt;

use thiserror::Error;
use x509_cert::{
    der::{Decode, Encode},
    ext::pkix::{
        AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SignedCertificateTimestampList,
        SubjectKeyIdentifier, sct,
    },
};

use super::{KeyId, PublicKey, PublicKeyError, public_key::to_pem};
use crate::{diag::Code, oci::Digest};

/// One X.509 certificate, with the fields needed to look it up and to name it. Nothing here is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    pub(super) parsed: x509_cert::Certificate,
}

/// Certificates that form a chain: the issuing certificate first, the root last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain(Vec<Certificate>);

/// Bytes that are not a certificate or a chain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainError {
    /// Not a certificate.
    #[error("it is not a DER certificate: {0}")]
    Form(String),
    /// No certificate at all.
    #[error("it holds no certificate")]
    Empty,
    /// A certificate in the middle was not issued by the next one.
    #[error("the certificate {subject:?} is not issued by the next one, {issuer:?}")]
    Broken {
        /// The subject of the certificate whose issuer does not come next.
        subject: String,
        /// The subject of the certificate that comes next.
        issuer: String,
    },
    /// A certificate's own key is not usable.
    #[error("the key in the certificate {subject:?} is not usable: {source}")]
    Key {
        /// The certificate's subject.
        subject: String,
        /// What is wrong with the key.
        source: PublicKeyError,
    },
}

impl ChainError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Form(_) | Self::Empty | Self::Broken { .. } => Code::KeyMalformed,
            Self::Key { source, .. } => source.code(),
        }
    }
}

impl Certificate {
    /// Reads a DER certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, ChainError> {
        let parsed = x509_cert::Certificate::from_der(der).map_err(|e| ChainError::Form(e.to_string()))?;
        Ok(Self { der: der.to_vec(), parsed })
    }

    /// The DER bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// PEM, one newline at the end.
    pub fn to_pem(&self) -> String {
        to_pem("CERTIFICATE", &self.der)
    }

    /// sha256 of the DER bytes.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// The subject, RFC 4514.
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate.subject.to_string()
    }

    /// The issuer, RFC 4514.
    pub fn issuer(&self) -> String {
        self.parsed.tbs_certificate.issuer.to_string()
    }

    /// The serial number in lower-case hex, without leading zeros.
    pub fn serial(&self) -> String {
        serial(&self.parsed.tbs_certificate.serial_number)
    }

    /// The common name or, without one, the whole subject.
    pub fn common_name(&self) -> String {
        let subject = self.subject();
        attribute(&subject, "CN").map_or(subject.clone(), str::to_owned)
    }

    /// The organisation, where the subject names one.
    pub fn organisation(&self) -> Option<String> {
        attribute(&self.subject(), "O").map(str::to_owned)
    }

    /// The key inside.
    pub fn public_key(&self) -> Result<PublicKey, ChainError> {
        self.parsed
            .tbs_certificate
            .subject_public_key_info
            .to_der()
            .map_err(|e| PublicKeyError::Form(e.to_string()))
            .and_then(|der| PublicKey::from_spki(&der))
            .map_err(|source| ChainError::Key { subject: self.subject(), source })
    }

    /// Subject key identifier (RFC 5280 §4.2.1.2).
    pub fn subject_key_id(&self) -> Option<Vec<u8>> {
        let (_, id) = self.parsed.tbs_certificate.get::<SubjectKeyIdentifier>().ok()??;
        Some(id.0.as_bytes().to_vec())
    }

    /// Authority key identifier (RFC 5280 §4.2.1.1).
    pub fn authority_key_id(&self) -> Option<Vec<u8>> {
        let (_, id) = self.parsed.tbs_certificate.get::<AuthorityKeyIdentifier>().ok()??;
        Some(id.key_identifier?.as_bytes().to_vec())
    }

    /// Whether a certificate with this authority key identifier and issuer may refer to this one: by key identifier if
    /// there is one, otherwise by name (RFC 5280 §4.2.1.1).
    pub fn is_named(&self, key_id: Option<&[u8]>, name: &str) -> bool {
        match (key_id, self.subject_key_id()) {
            (Some(wanted), Some(own)) => own == wanted,
            _ => self.subject() == name,
        }
    }

    /// Whether the certificate may issue others: basic constraints and key usage (RFC 5280 §4.2.1.3, §4.2.1.9).
    pub fn may_issue(&self) -> bool {
        let tbs = &self.parsed.tbs_certificate;
        let authority = matches!(tbs.get::<BasicConstraints>(), Ok(Some((_, c))) if c.ca);
        let usage = match tbs.get::<KeyUsage>() {
            Ok(Some((_, usage))) => usage.key_cert_sign(),
            Ok(None) => true,
            Err(_) => false,
        };
        authority && usage
    }

    /// The ids of the CT logs whose timestamps are embedded (RFC 6962 §3.3). A list that can't be read is an error, not
    /// an empty list.
    pub fn ct_logs(&self) -> Result<Vec<[u8; 32]>, ChainError> {
        let form = |e: String| ChainError::Form(format!("its list of signed certificate timestamps: {e}"));
        let Some((_, list)) = self
            .parsed
            .tbs_certificate
            .get::<SignedCertificateTimestampList>()
            .map_err(|e| form(e.to_string()))?
        else {
            return Ok(Vec::new());
        };
        let stamps = list.parse_timestamps().map_err(|e| form(described(&e)))?;
        stamps
            .iter()
            .map(|stamp| Ok(stamp.parse_timestamp().map_err(|e| form(described(&e)))?.log_id.key_id))
            .collect()
    }

    /// Start and end of the validity, as Unix seconds.
    pub fn validity(&self) -> (i64, i64) {
        let validity = &self.parsed.tbs_certificate.validity;
        let seconds =
            |t: x509_cert::time::Time| i64::try_from(t.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        (seconds(validity.not_before), seconds(validity.not_after))
    }

    /// The bytes that the issuer signed.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, ChainError> {
        self.parsed.tbs_certificate.to_der().map_err(|e| ChainError::Form(e.to_string()))
    }

    /// The issuer's signature and the OID of its algorithm.
    pub fn signature(&self) -> (Vec<u8>, String) {
        (self.parsed.signature.raw_bytes().to_vec(), self.parsed.signature_algorithm.oid.to_string())
    }
}

impl Chain {
    /// A chain in the order of `certificates`, the issuing one first. Every certificate must name the next as its
    /// issuer; `trust` decides whether the next one's signature is on it too.
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, ChainError> {
        if certificates.is_empty() {
            return Err(ChainError::Empty);
        }
        for pair in certificates.windows(2) {
            if pair[0].issuer() != pair[1].subject() {
                return Err(ChainError::Broken { subject: pair[0].subject(), issuer: pair[1].subject() });
            }
        }
        for certificate in &certificates {
            certificate.public_key()?;
        }
        Ok(Self(certificates))
    }

    /// The certificates.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// The certificate that issues or signs.
    pub fn first(&self) -> &Certificate {
        &self.0[0]
    }

    /// The id, which is the chain's fingerprint.
    pub fn id(&self) -> KeyId {
        self.fingerprint()
    }

    /// PEM of all certificates in order, one newline at the end of each block.
    pub fn to_pem(&self) -> String {
        self.0.iter().map(Certificate::to_pem).collect()
    }
}

/// Describes what is wrong with a list of timestamps, because the crate's error has no text of its own.
fn described(error: &sct::Error) -> String {
    match error {
        sct::Error::Der(e) => e.to_string(),
        sct::Error::Tls(_) => "it is not encoded as RFC 6962 says, or ends too early".into(),
    }
}

/// A serial number as lower-case hex without leading zeros.
pub(crate) fn serial(number: &x509_cert::serial_number::SerialNumber) -> String {
    let digits = hex::encode(number.as_bytes());
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
}

/// One attribute of an RFC 4514 name, if its value needs no escaping.
fn attribute<'a>(name: &'a str, key: &str) -> Option<&'a str> {
    name.split(',').find_map(|part| part.trim().strip_prefix(key)?.strip_prefix('='))
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({:?}, {})", self.subject(), self.fingerprint())
    }
}
