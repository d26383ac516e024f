use crate::{
    key::{Certificate, Key, Material, OpenPgpKey, Role},
    oci::Digest,
};

/// A key that some signature needs for verification, as named by the signature. Its author chose that name: it selects
/// keys and never makes one trusted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The log key with this Rekor v1 log id.
    Rekor {
        /// sha256 of the key.
        log_id: Digest,
    },
    /// The key of the Rekor v2 log with this checkpoint origin.
    Rekor2 {
        /// The first line of the checkpoint.
        origin: String,
        /// The note id of the key.
        key_id: Digest,
    },
    /// The key of a certificate transparency log.
    CtLog {
        /// sha256 of the key.
        log_id: Digest,
    },
    /// The CA that issued the signing certificate.
    Fulcio(IssuerName),
    /// The private CA of a certificate whose time of use has no evidence: the issuer of the certificate, and those of
    /// the certificates supplied with the signature.
    Pki(Vec<IssuerName>),
    /// The timestamp authority.
    Tsa {
        /// The issuer of the authority's certificate, RFC 4514.
        issuer: String,
        /// The certificate's serial number, hex.
        serial: String,
    },
    /// The signer's own key.
    Signer {
        /// sha256 of the key, if the signature states it.
        fingerprint: Option<Digest>,
    },
    /// A GPG key.
    Gpg {
        /// Its fingerprint in upper case, if the signature states it.
        fingerprint: Option<String>,
        /// Its key id, which other keys may share; empty if the signature states none.
        key_id: String,
    },
}

/// How a certificate identifies its issuer (RFC 5280 §4.2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerName {
    /// Authority key identifier, if the certificate has one.
    pub key_id: Option<Vec<u8>>,
    /// The issuer's name, RFC 4514.
    pub name: String,
}

impl IssuerName {
    /// The issuer of this certificate.
    pub(super) fn of(certificate: &Certificate) -> Self {
        let key_id = certificate.authority_key_id().filter(|id| !id.is_empty());
        Self { key_id, name: certificate.issuer() }
    }

    fn means(&self, authority: &Certificate) -> bool {
        authority.is_named(self.key_id.as_deref(), &self.name)
    }

    fn id(&self) -> String {
        match &self.key_id {
            Some(key_id) => format!("{} ({})", hex::encode(key_id), self.name),
            None => self.name.clone(),
        }
    }
}

impl Need {
    /// The role of the needed key.
    pub const fn role(&self) -> Role {
        match self {
            Self::Rekor { .. } => Role::Rekor,
            Self::Rekor2 { .. } => Role::Rekor2,
            Self::CtLog { .. } => Role::CtLog,
            Self::Fulcio(_) => Role::Fulcio,
            Self::Pki(_) => Role::Pki,
            Self::Tsa { .. } => Role::Tsa,
            Self::Signer { .. } => Role::Signer,
            Self::Gpg { .. } => Role::Gpg,
        }
    }

    /// Whether this key may be the one that the signature names. No other code compares keys with a signature's claims;
    /// it does not mean that the signature verifies with the key.
    pub fn fits(&self, key: &Key) -> bool {
        if !key.role.may_serve_as(self.role()) {
            return false;
        }
        let first = if let Material::Chain(chain) = &key.material { Some(chain.first()) } else { None };
        match self {
            Self::Rekor { log_id } | Self::CtLog { log_id } => key.id == *log_id,
            Self::Rekor2 { origin, key_id } => {
                key.own_origin().is_none_or(|own| own == *origin) && key.rekor2_id(origin) == *key_id
            }
            Self::Fulcio(issuer) => first.is_some_and(|first| issuer.means(first)),
            Self::Pki(issuers) => first.is_some_and(|first| issuers.iter().any(|issuer| issuer.means(first))),
            Self::Tsa { issuer, serial } => {
                first.is_some_and(|first| first.issuer() == *issuer && first.serial() == *serial)
            }
            Self::Signer { fingerprint } => fingerprint.is_none_or(|wanted| key.id == wanted),
            Self::Gpg { fingerprint, key_id } => {
                let named = |key: &OpenPgpKey| key.is_named(fingerprint.as_deref(), key_id);
                key.material.openpgp().is_some_and(named)
            }
        }
    }

    /// The key in the needed role, if it fits.
    pub fn met_by(&self, key: &Key) -> Option<Key> {
        let named = || match self {
            Self::Rekor2 { origin, .. } => key.clone().of_rekor2(origin),
            _ => key.clone(),
        };
        self.fits(key).then(named)
    }

    /// Whether this key fits without the certificates supplied with the signature.
    pub(crate) fn is_direct(&self, key: &Key) -> bool {
        match (self, &key.material) {
            (Self::Pki(issuers), Material::Chain(chain)) => {
                issuers.first().is_some_and(|issuer| issuer.means(chain.first()))
            }
            _ => true,
        }
    }

    /// Whether each signature with this need must be verified separately: its name for the key may match several keys,
    /// and that one of them is proved says nothing about this signature.
    pub(crate) const fn is_vague(&self) -> bool {
        matches!(self, Self::Signer { fingerprint: None } | Self::Gpg { .. })
    }

    /// Whether the signature does not name its key.
    pub const fn is_unnamed(&self) -> bool {
        matches!(self, Self::Signer { fingerprint: None })
    }

    /// Whether this is the signer's own key.
    pub(crate) const fn is_signer(&self) -> bool {
        matches!(self, Self::Signer { .. } | Self::Gpg { .. })
    }

    /// The id as stated by the signature, for display: enough to look the key up.
    pub fn id(&self) -> String {
        match self {
            Self::Rekor { log_id } | Self::CtLog { log_id } => log_id.hex(),
            Self::Rekor2 { origin, key_id } => format!("{origin} {}", key_id.hex()),
            Self::Fulcio(issuer) => issuer.id(),
            Self::Pki(issuers) => issuers.first().map(IssuerName::id).unwrap_or_default(),
            Self::Tsa { issuer, serial } => format!("{serial} issued by {issuer}"),
            Self::Signer { fingerprint: Some(fingerprint) } => fingerprint.hex(),
            Self::Signer { fingerprint: None } => "not named by the signature".into(),
            Self::Gpg { fingerprint, key_id } => fingerprint.as_ref().unwrap_or(key_id).clone(),
        }
    }
}
