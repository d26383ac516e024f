use crate::{
    key::{Candidate, Certificate, KeyRef, Material, OpenPgpKey, Role, origin_of},
    oci::Digest,
    signature::{Hints, LogHint, SignerHint, TimestampHint},
};

/// A key that some signature can't be verified without, named as the signature names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The log key with this Rekor v1 log id.
    Rekor {
        /// sha256 of the key.
        log_id: Digest,
    },
    /// The key of the Rekor v2 log with this checkpoint origin.
    Rekor2 {
        /// The checkpoint's origin.
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
    Fulcio {
        /// The CA's key identifier, hex; empty where the certificate has none.
        authority_key_id: String,
        /// The CA's name.
        issuer: String,
    },
    /// The private CA of a certificate that nothing but the clock dates.
    Pki {
        /// The issuer of the certificate, and those of the certificates that the signature brings: each by its key
        /// identifier, hex, and its name.
        issuers: Vec<(String, String)>,
    },
    /// The timestamp authority.
    Tsa {
        /// The issuer of the authority's certificate.
        issuer: String,
        /// The certificate's serial number, hex.
        serial: String,
    },
    /// The signer's own key.
    Signer {
        /// sha256 of the key, where the signature says it.
        fingerprint: Option<Digest>,
    },
    /// A GPG key.
    Gpg {
        /// Its fingerprint, where the signature says it.
        fingerprint: Option<String>,
        /// Its key id, which other keys may have as well.
        key_id: String,
    },
}

impl Need {
    /// All needs of a signature, in role order, each once.
    pub fn of(hints: &Hints) -> Vec<Self> {
        let mut needs: Vec<_> = hints.logs.iter().map(Self::of_log).collect();
        needs.extend(hints.timestamps.iter().map(|TimestampHint { issuer, serial }| Self::Tsa {
            issuer: issuer.clone(),
            serial: serial.clone(),
        }));
        match &hints.signer {
            SignerHint::Key { fingerprint, .. } => needs.push(Self::Signer { fingerprint: *fingerprint }),
            SignerHint::OpenPgp { fingerprint, key_id } => {
                needs.push(Self::Gpg { fingerprint: fingerprint.clone(), key_id: key_id.clone() });
            }
            SignerHint::Certificate(certificate)
                if certificate.is_private(&hints.logs, &hints.timestamps) =>
            {
                let issuers = certificate.issuers();
                let issuers = issuers.map(|(id, name)| (id.map(hex::encode).unwrap_or_default(), name));
                needs.push(Self::Pki { issuers: issuers.collect() });
            }
            SignerHint::Certificate(certificate) => {
                needs.extend(certificate.ct_logs.iter().map(|id| Self::CtLog { log_id: *id }));
                needs.push(Self::Fulcio {
                    authority_key_id: certificate
                        .authority_key_id
                        .as_ref()
                        .map(hex::encode)
                        .unwrap_or_default(),
                    issuer: certificate.issuer.clone(),
                });
            }
        }
        needs.sort();
        needs.dedup();
        needs
    }

    fn of_log(hint: &LogHint) -> Self {
        match hint {
            LogHint::V1 { log_id, .. } => Self::Rekor { log_id: *log_id },
            LogHint::V2 { origin, key_id } => Self::Rekor2 { origin: origin.clone(), key_id: *key_id },
        }
    }

    /// Whether each signature with this need must be verified by itself: its name for the key may mean several, and
    /// that one of them is good says nothing about this signature.
    pub(super) const fn is_vague(&self) -> bool {
        matches!(self, Self::Signer { fingerprint: None } | Self::Gpg { .. })
    }

    /// Whether the signature does not say whose it is.
    pub(super) const fn is_unnamed(&self) -> bool {
        matches!(self, Self::Signer { fingerprint: None })
    }

    /// Whether the signer's keys go in together, and the judge tells which it was.
    pub(super) const fn is_signer(&self) -> bool {
        matches!(self, Self::Signer { .. } | Self::Gpg { .. })
    }

    /// The role of the key that is needed.
    pub const fn role(&self) -> Role {
        match self {
            Self::Rekor { .. } => Role::Rekor,
            Self::Rekor2 { .. } => Role::Rekor2,
            Self::CtLog { .. } => Role::CtLog,
            Self::Fulcio { .. } => Role::Fulcio,
            Self::Pki { .. } => Role::Pki,
            Self::Tsa { .. } => Role::Tsa,
            Self::Signer { .. } => Role::Signer,
            Self::Gpg { .. } => Role::Gpg,
        }
    }

    /// The name of this candidate as an answer to this need, if it could be one.
    pub fn met_by(&self, candidate: &Candidate) -> Option<KeyRef> {
        let role = self.role();
        // An ECDSA log has one id in both versions of Rekor, and trusted roots do not say the version.
        let either = matches!(self, Self::Rekor2 { .. }) && candidate.role == Role::Rekor;
        if candidate.role != role && !either {
            return None;
        }
        let origin = if let Self::Rekor2 { origin, .. } = self { Some(origin.as_str()) } else { None };
        let key = candidate.key_ref(role, origin);
        let chain = if let Material::Chain(chain) = &candidate.material { Some(chain.first()) } else { None };
        let meets = match self {
            Self::Rekor { log_id } | Self::CtLog { log_id } => key.id == *log_id,
            Self::Rekor2 { origin, key_id } => {
                key.id == *key_id && candidate.url.as_deref().is_none_or(|url| origin_of(url) == *origin)
            }
            Self::Fulcio { authority_key_id, issuer } => is_named(chain, authority_key_id, issuer),
            Self::Pki { issuers } => issuers.iter().any(|(id, name)| is_named(chain, id, name)),
            Self::Tsa { issuer, serial } => {
                chain.is_some_and(|c| c.issuer() == *issuer && c.serial() == *serial)
            }
            Self::Signer { fingerprint } => fingerprint.is_none_or(|wanted| key.id == wanted),
            Self::Gpg { fingerprint, key_id } => {
                let named = |key: &OpenPgpKey| key.is_named(fingerprint.as_deref(), key_id);
                candidate.material.openpgp().is_some_and(named)
            }
        };
        meets.then_some(key)
    }

    /// Whether this candidate would meet the need without certificates that the signature brings.
    pub(super) fn is_direct(&self, candidate: &Candidate) -> bool {
        match (self, &candidate.material) {
            (Self::Pki { issuers }, Material::Chain(chain)) => {
                issuers.first().is_some_and(|(id, name)| is_named(Some(chain.first()), id, name))
            }
            _ => true,
        }
    }

    /// The id as the signature names it, for tables: enough to look the key up.
    pub fn id(&self) -> String {
        match self {
            Self::Rekor { log_id } | Self::CtLog { log_id } => log_id.hex(),
            Self::Rekor2 { origin, key_id } => format!("{origin} {}", key_id.hex()),
            Self::Fulcio { authority_key_id, issuer } if authority_key_id.is_empty() => issuer.clone(),
            Self::Fulcio { authority_key_id, issuer } => format!("{authority_key_id} ({issuer})"),
            Self::Pki { issuers } => match issuers.first() {
                Some((id, name)) if id.is_empty() => name.clone(),
                Some((id, name)) => format!("{id} ({name})"),
                None => String::new(),
            },
            Self::Tsa { issuer, serial } => format!("{serial} issued by {issuer}"),
            Self::Signer { fingerprint: Some(fingerprint) } => fingerprint.hex(),
            Self::Signer { fingerprint: None } => "not named by the signature".into(),
            Self::Gpg { fingerprint, key_id } => fingerprint.as_ref().unwrap_or(key_id).clone(),
        }
    }
}

/// Whether a certificate with this key identifier, hex, and this name as its issuer may mean `authority`.
fn is_named(authority: Option<&Certificate>, key_id: &str, name: &str) -> bool {
    let key_id = hex::decode(key_id).ok().filter(|id| !id.is_empty());
    authority.is_some_and(|authority| authority.is_named(key_id.as_deref(), name))
}
