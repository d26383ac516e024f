//! Keys and certificates made on the spot.

use keypack::{
    key::{Certificate, Chain, KeyRef, Material, PublicKey, Role, Validity},
    trust::VerificationKey,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyUsagePurpose};
use sigstore_crypto::KeyPair;
use sigstore_types::SignatureBytes;

/// A new P-256 key.
pub fn pair() -> (KeyPair, PublicKey) {
    let pair = KeyPair::generate_ecdsa_p256().unwrap();
    let public = PublicKey::from_spki(pair.public_key_der().unwrap().as_bytes()).unwrap();
    (pair, public)
}

/// A new key in a role.
pub fn key(role: Role) -> VerificationKey {
    named(role, &pair().1)
}

/// This key in a role.
pub fn named(role: Role, key: &PublicKey) -> VerificationKey {
    VerificationKey {
        key: KeyRef { role, id: key.fingerprint() },
        material: Material::Key(key.clone()),
        url: None,
        validity: Validity::default(),
    }
}

pub fn sign(pair: &KeyPair, bytes: &[u8]) -> SignatureBytes {
    pair.sign(bytes).unwrap()
}

/// A certificate with the key that it certifies.
pub struct Authority {
    pub certificate: Certificate,
    params: CertificateParams,
    key: rcgen::KeyPair,
}

/// A root with this name.
pub fn root(name: &str) -> Authority {
    let params = ca(name);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Authority { certificate: Certificate::from_der(certificate.der()).unwrap(), params, key }
}

impl Authority {
    /// An intermediate.
    pub fn issue(&self, name: &str) -> Self {
        let params = ca(name);
        let key = rcgen::KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self { certificate: Certificate::from_der(certificate.der()).unwrap(), params, key }
    }
}

pub fn chain(certificates: &[&Certificate]) -> Chain {
    Chain::new(certificates.iter().map(|c| (*c).clone()).collect()).unwrap()
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}
