use std::fmt;

use pem::{EncodeConfig, LineEnding, Pem};
use sigstore_crypto::{KeyAlgorithm, VerificationKey};
use sigstore_types::DerPublicKey;
use thiserror::Error;
use x509_cert::{
    der::{
        Decode, Encode, Reader, SliceReader,
        asn1::{BitString, Null, UintRef},
    },
    spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned},
};

use super::Algorithm;
use crate::oci::Digest;

/// rsaEncryption (RFC 8017, appendix A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The sizes of RSA keys that the verifying crate takes. It asks for them only when it verifies: a smaller key would
/// be listed as good until then.
pub(super) const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key that signatures can be verified with, as a DER SubjectPublicKeyInfo (RFC 5280 §4.1).
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
    /// A key of an algorithm, curve or size that keypack does not verify with.
    #[error("its algorithm, curve or size is not supported: {0}")]
    Unsupported(String),
}

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo and checks that signatures can be verified with it.
    ///
    /// An EC point must be uncompressed: a compressed spelling of the same key has another fingerprint, and
    /// most consumers refuse it.
    pub fn from_spki(der: &[u8]) -> Result<Self, PublicKeyError> {
        SubjectPublicKeyInfoOwned::from_der(der).map_err(|e| PublicKeyError::Form(e.to_string()))?;
        let key = DerPublicKey::new(der.to_vec());
        let unsupported = |e: sigstore_crypto::Error| PublicKeyError::Unsupported(e.to_string());
        let algorithm = match KeyAlgorithm::from_spki(&key).map_err(unsupported)? {
            KeyAlgorithm::EcdsaP256 => Algorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384 => Algorithm::EcdsaP384,
            KeyAlgorithm::Ed25519 => Algorithm::Ed25519,
            KeyAlgorithm::Rsa => Algorithm::Rsa,
            other => return Err(PublicKeyError::Unsupported(format!("{other:?}"))),
        };
        // Building a verification key also refuses points that are not on the curve.
        VerificationKey::from_spki(&key).map_err(unsupported)?;
        let key = Self { spki: der.to_vec(), algorithm };
        // SEC 1 §2.3.3: an uncompressed point starts with 4.
        let ec = matches!(algorithm, Algorithm::EcdsaP256 | Algorithm::EcdsaP384);
        if ec && key.raw().first() != Some(&4) {
            return Err(PublicKeyError::Unsupported("its curve point is compressed".into()));
        }
        if algorithm == Algorithm::Rsa {
            let bits = key.modulus_bits().unwrap_or_default();
            if !RSA_BITS.contains(&bits) {
                return Err(PublicKeyError::Unsupported(format!("RSA of {bits} bits")));
            }
        }
        Ok(key)
    }

    /// The size of an RSA key: `RSAPublicKey` is a sequence of modulus and exponent.
    fn modulus_bits(&self) -> Option<usize> {
        let raw = self.raw();
        let mut outer = SliceReader::new(&raw).ok()?;
        let (modulus, exponent) = outer
            .sequence(|inner| Ok((inner.decode::<UintRef<'_>>()?, inner.decode::<UintRef<'_>>()?)))
            .ok()?;
        let (first, rest) = modulus.as_bytes().split_first()?;
        // With an exponent of 1 anyone can sign.
        let usable = exponent.as_bytes() != [1];
        usable.then(|| rest.len() * 8 + 8 - first.leading_zeros() as usize)
    }

    /// Reads a PKCS #1 `RSAPublicKey` (RFC 8017, appendix A.1.1) and wraps it as SubjectPublicKeyInfo.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, PublicKeyError> {
        let form = |e: x509_cert::der::Error| PublicKeyError::Form(e.to_string());
        let spki = SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned { oid: RSA_ENCRYPTION, parameters: Some(Null.into()) },
            subject_public_key: BitString::from_bytes(der).map_err(form)?,
        };
        Self::from_spki(&spki.to_der().map_err(form)?)
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The same as a type of the verifying crate.
    pub fn to_der(&self) -> DerPublicKey {
        DerPublicKey::new(self.spki.clone())
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// sha256 of the SubjectPublicKeyInfo: what people compare.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.spki)
    }

    /// The key's own bits, without the algorithm around them.
    pub(super) fn raw(&self) -> Vec<u8> {
        SubjectPublicKeyInfoOwned::from_der(&self.spki)
            .map(|spki| spki.subject_public_key.raw_bytes().to_vec())
            .unwrap_or_default()
    }

    /// PEM as every consumer reads it: LF, 64 columns, one newline at the end, nothing around.
    pub fn to_pem(&self) -> String {
        to_pem("PUBLIC KEY", &self.spki)
    }
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
