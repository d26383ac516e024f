//! The parts of an inventory record that are derived from the key.

use super::CertificateRecord;
use crate::key::{Algorithm, Fingerprint, Material, Validity};

/// The properties of a key.
#[derive(PartialEq, Eq)]
pub(super) struct KeyDescription {
    pub(super) fingerprint: Fingerprint,
    pub(super) algorithm: Algorithm,
    pub(super) certificates: Vec<CertificateRecord>,
    /// The first user id of a GPG key.
    pub(super) user_id: Option<String>,
    /// The validity of a GPG key; other keys do not state theirs.
    pub(super) validity: Option<Validity>,
}

impl KeyDescription {
    pub(super) fn of(material: &Material) -> Result<Self, String> {
        let mut about = Self {
            fingerprint: material.fingerprint(),
            algorithm: Algorithm::Rsa,
            certificates: Vec::new(),
            user_id: None,
            validity: None,
        };
        match material {
            Material::Key(key) => about.algorithm = key.algorithm(),
            Material::Chain(chain) => {
                about.algorithm = chain.first().public_key().map_err(|e| e.to_string())?.algorithm();
                about.certificates = chain.certificates().iter().map(CertificateRecord::of).collect();
            }
            Material::OpenPgp(key) => {
                about.algorithm = key.algorithm();
                about.user_id = key.user_ids().first().cloned();
                about.validity = Some(Validity { start: Some(key.created()), end: key.expires() });
            }
        }
        Ok(about)
    }
}
