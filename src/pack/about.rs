//! What the inventory says about a key, read out of the key.

use crate::{
    key::{Algorithm, Material, Validity},
    oci::Digest,
};

/// What a key says of itself.
pub(super) struct About {
    /// sha256 of the SubjectPublicKeyInfo; the id of a GPG key, which has none.
    pub(super) spki: Digest,
    pub(super) algorithm: Algorithm,
    /// The fingerprint of a GPG key.
    pub(super) openpgp: Option<String>,
    /// The subject of the first certificate, the first user id.
    pub(super) subject: Option<String>,
    /// When a GPG key may be used; other keys do not say it.
    pub(super) validity: Option<Validity>,
}

impl About {
    pub(super) fn of(material: &Material) -> Result<Self, String> {
        let (key, subject) = match material {
            Material::Key(key) => (key.clone(), None),
            Material::Chain(chain) => {
                let first = chain.first();
                let key = first.public_key().map_err(|e| e.to_string())?;
                (key, Some(first.subject()).filter(|s| !s.is_empty()))
            }
            Material::OpenPgp(key) => {
                return Ok(Self {
                    spki: key.id(),
                    algorithm: key.algorithm(),
                    openpgp: Some(key.fingerprint().to_owned()),
                    subject: key.user_ids().first().cloned(),
                    validity: Some(Validity { start: Some(key.created()), end: key.expires() }),
                });
            }
        };
        Ok(Self {
            spki: key.fingerprint(),
            algorithm: key.algorithm(),
            openpgp: None,
            subject,
            validity: None,
        })
    }
}
