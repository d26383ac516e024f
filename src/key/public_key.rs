use std::fmt;

use pem::{EncodeConfig, LineEnding, Pem};
use rsa::pkcs1::RsaPublicKey;
use sigstore_types::DerPublicKey;
use thiserror::Error;
use x509_cert::{
    der::{
        Decode, Encode,
        asn1::{AnyRef, BitStringRef, Null},
    },
    spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef},
};

use super::{Algorithm, weak};
use crate::{diag::Code, oci::Digest};

/// rsaEncryption (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-ecPublicKey, and its curves (RFC 5480 §2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// id-Ed25519 (RFC 8410 §3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A public key that signatures can be verified with, as a DER SubjectPublicKeyInfo (RFC 5280 §4.1) in the one encoding
/// that RFC 3279, 5480 and 8410 define for it. It is rebuilt from the parsed numbers, so that a key has only one
/// fingerprint: a revoked key must not come back in another encoding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    spki: Vec<u8>,
    algorithm: Algorithm,
}

/// Bytes that are not a usable public key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// Not a SubjectPublicKeyInfo.
    #[error("it is not a DER public key: {0}")]
    Form(String),
    /// A key that is not encoded as the standards require: its numbers could be read in more than one way.
    #[error("its encoding does not follow the standard: {0}")]
    Encoding(String),
    /// A key of an algorithm, curve or size that keypack does not verify with.
    #[error("its algorithm, curve or size is not supported: {0}")]
    Unsupported(String),
    /// A key whose signatures prove nothing.
    #[error("anyone can sign with it: {0}")]
    Weak(String),
}

impl PublicKeyError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Form(_) | Self::Encoding(_) => Code::KeyMalformed,
            Self::Unsupported(_) | Self::Weak(_) => Code::KeyUnsupported,
        }
    }
}

use PublicKeyError::{Encoding, Form, Unsupported, Weak};

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo and checks that signatures can be verified with it.
    ///
    /// RSA's parameters may be missing, as some programs omit them and they carry no information. Everything else must
    /// follow the standards; a compressed curve point, which they allow, is refused because hardly any consumer reads
    /// one.
    ///
    /// The ids of logs are SHA-256 of this encoding too, whatever the encoding of the operator's key file: Rekor and
    /// CTFE read their key and compute the id with Go's `x509.MarshalPKIXPublicKey`.
    pub fn from_spki(der: &[u8]) -> Result<Self, PublicKeyError> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(form)?;
        let bits = spki.subject_public_key.as_bytes();
        let key = bits.ok_or_else(|| Encoding("its last byte is cut to a few bits".into()))?;
        let parameters = spki.algorithm.parameters;
        match spki.algorithm.oid {
            RSA if parameters.is_none_or(AnyRef::is_null) => Self::from_pkcs1(key).map_err(|e| match e {
                Form(reason) => Encoding(reason),
                e => e,
            }),
            EC => match spki.algorithm.parameters_oid() {
                Ok(P256) => Self::ec(Algorithm::EcdsaP256, P256, key, p256::PublicKey::from_sec1_bytes),
                Ok(P384) => Self::ec(Algorithm::EcdsaP384, P384, key, p384::PublicKey::from_sec1_bytes),
                Ok(other) => Err(Unsupported(format!("the curve {other}"))),
                Err(_) => Err(Unsupported("its curve has no name".into())),
            },
            ED25519 if parameters.is_none() => {
                let point = key.try_into().map_err(|_| Encoding("an Ed25519 key has 32 bytes".into()))?;
                weak::check_ed25519(point)?;
                Self::build(Algorithm::Ed25519, ED25519, None, key)
            }
            RSA | ED25519 => Err(Encoding("its algorithm has parameters that it can't have".into())),
            other => Err(Unsupported(format!("the algorithm {other}"))),
        }
    }

    /// Reads a PKCS #1 `RSAPublicKey` (RFC 8017, appendix A.1.1) and wraps it as SubjectPublicKeyInfo.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, PublicKeyError> {
        let key = RsaPublicKey::from_der(der).map_err(form)?;
        weak::check_rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())?;
        Self::build(Algorithm::Rsa, RSA, Some(Null.into()), &key.to_der().map_err(form)?)
    }

    /// A key on a curve (SEC 1 §2.3.3: the first byte gives the form of the point).
    fn ec<K, E>(
        algorithm: Algorithm,
        curve: ObjectIdentifier,
        point: &[u8],
        read: fn(&[u8]) -> Result<K, E>,
    ) -> Result<Self, PublicKeyError> {
        match point.first() {
            Some(4) if read(point).is_ok() => Self::build(algorithm, EC, Some((&curve).into()), point),
            Some(2 | 3) => Err(Unsupported("its curve point is compressed".into())),
            Some(0) => Err(Weak("its curve point is at infinity".into())),
            _ => Err(Encoding("its point is not on the curve, or has too many or too few bytes".into())),
        }
    }

    fn build(
        algorithm: Algorithm,
        oid: ObjectIdentifier,
        parameters: Option<AnyRef<'_>>,
        key: &[u8],
    ) -> Result<Self, PublicKeyError> {
        let spki = SubjectPublicKeyInfoRef {
            algorithm: AlgorithmIdentifierRef { oid, parameters },
            subject_public_key: BitStringRef::from_bytes(key).map_err(form)?,
        };
        Ok(Self { spki: spki.to_der().map_err(form)?, algorithm })
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Converts to the type of the verifying crate.
    pub fn to_der(&self) -> DerPublicKey {
        DerPublicKey::new(self.spki.clone())
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// sha256 of the SubjectPublicKeyInfo: the value that people compare. It does not depend on the original encoding.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.spki)
    }

    /// The key's own bits, without the algorithm around them.
    pub(super) fn raw(&self) -> Vec<u8> {
        SubjectPublicKeyInfoRef::from_der(&self.spki)
            .map(|spki| spki.subject_public_key.raw_bytes().to_vec())
            .unwrap_or_default()
    }

    /// PEM that every consumer reads: LF, 64 columns, one newline at the end, no surrounding text.
    pub fn to_pem(&self) -> String {
        to_pem("PUBLIC KEY", &self.spki)
    }
}

fn form(error: x509_cert::der::Error) -> PublicKeyError {
    Form(error.to_string())
}

/// Encodes one PEM block: LF, 64 columns, one newline at the end.
pub(super) fn to_pem(label: &str, der: &[u8]) -> String {
    pem::encode_config(
        &Pem::new(label, der),
        EncodeConfig::new().set_line_ending(LineEnding::LF).set_line_wrap(64),
    )
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.algorithm, self.fingerprint())
    }
}

#[cfg(test)]
mod tests;
