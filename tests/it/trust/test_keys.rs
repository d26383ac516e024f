//! Generated keys and certificates.

use keypack::key::{Algorithm, Certificate, Chain, Key, Material, PublicKey, Role};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose,
};
use sigstore_crypto::KeyPair;
use sigstore_types::SignatureBytes;

/// A new P-256 key.
pub fn pair() -> (KeyPair, PublicKey) {
    let pair = KeyPair::generate_ecdsa_p256().unwrap();
    let public = PublicKey::from_spki(pair.public_key_der().unwrap().as_bytes()).unwrap();
    (pair, public)
}

/// A new key in a role.
pub fn key(role: Role) -> Key {
    named(role, &pair().1)
}

/// This key in a role.
pub fn named(role: Role, key: &PublicKey) -> Key {
    Key::new(role, Material::Key(key.clone())).unwrap()
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
    let mut params = ca();
    params.distinguished_name.push(DnType::CommonName, name);
    self_signed(params)
}

/// Our own root with the name and the key identifier of another.
pub fn namesake(of: &Certificate) -> Authority {
    self_signed(named_as(of))
}

pub fn self_signed(params: CertificateParams) -> Authority {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Authority { certificate: Certificate::from_der(certificate.der()).unwrap(), params, key }
}

impl Authority {
    /// An intermediate with its own name.
    pub fn issue(&self, name: &str) -> Self {
        let mut params = ca();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        self.authority(params)
    }

    /// The holder of an ordinary certificate, who issues certificates anyway.
    pub fn leaf_authority(&self, params: CertificateParams) -> Self {
        self.authority(params)
    }

    fn authority(&self, params: CertificateParams) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Self { certificate: Certificate::from_der(certificate.der()).unwrap(), params, key }
    }

    /// A certificate for someone who already has a key.
    pub fn certifies(&self, params: &CertificateParams, key: &rcgen::KeyPair) -> Certificate {
        let certificate = params.signed_by(key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Certificate::from_der(certificate.der()).unwrap()
    }

    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        rcgen::SigningKey::sign(&self.key, bytes).unwrap()
    }

    /// A certificate for someone who signs images.
    pub fn leaf(&self, params: CertificateParams) -> (Certificate, rcgen::KeyPair) {
        let Self { certificate, key, .. } = self.authority(params);
        (certificate, key)
    }

    /// The same key and name in another certificate.
    pub fn renewed(&self) -> Self {
        let mut params = self.params.clone();
        params.serial_number = Some(4711.into());
        let key = rcgen::KeyPair::try_from(self.key.serialize_der()).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate: Certificate::from_der(certificate.der()).unwrap(), params, key }
    }

    /// The key and name of someone else's CA, in a certificate by this one.
    pub fn certify(&self, of: &Certificate, usages: &[rcgen::ExtendedKeyUsagePurpose]) -> Certificate {
        let key = Foreign::of(&of.public_key().unwrap());
        let mut params = named_as(of);
        params.extended_key_usages = usages.to_vec();
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Certificate::from_der(certificate.der()).unwrap()
    }

    /// An intermediate with the name and the key identifier of another.
    pub fn issue_as(&self, of: &Certificate) -> Self {
        self.authority(named_as(of))
    }
}

/// Someone else's public key.
struct Foreign {
    point: Vec<u8>,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl Foreign {
    /// An EC key: its point is at the end of the SubjectPublicKeyInfo.
    fn of(key: &PublicKey) -> Self {
        let (algorithm, length) = match key.algorithm() {
            Algorithm::EcdsaP256 => (&rcgen::PKCS_ECDSA_P256_SHA256, 65),
            Algorithm::EcdsaP384 => (&rcgen::PKCS_ECDSA_P384_SHA384, 97),
            other => panic!("{other}"),
        };
        Self { point: key.spki()[key.spki().len() - length..].to_vec(), algorithm }
    }
}

impl rcgen::PublicKeyData for Foreign {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

pub fn chain(certificates: &[&Certificate]) -> Chain {
    Chain::new(certificates.iter().map(|c| (*c).clone()).collect()).unwrap()
}

pub fn ca() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn named_as(of: &Certificate) -> CertificateParams {
    let mut params = ca();
    // RFC 4514 writes a name backwards.
    for part in of.subject().split(',').rev() {
        let (kind, value) = part.split_once('=').unwrap();
        let kind = match kind {
            "CN" => DnType::CommonName,
            "O" => DnType::OrganizationName,
            other => panic!("the lab has no {other}"),
        };
        params.distinguished_name.push(kind, DnValue::PrintableString(value.try_into().unwrap()));
    }
    if let Some(id) = of.subject_key_id() {
        params.key_identifier_method = KeyIdMethod::PreSpecified(id);
    }
    params
}
