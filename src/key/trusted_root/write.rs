use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;

use super::{
    MEDIA_TYPE,
    wire::{Authority, CertChain, Log, LogId, LogKey, RawBytes, Root, Subject, Window},
};
use crate::key::{Algorithm, Chain, Key, KeyId, Material, PublicKey, Role, Validity};

/// One key to be written into a trusted root.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its role; a trusted root can't hold signer keys.
    pub role: Role,
    /// Its id.
    pub id: KeyId,
    /// The key.
    pub material: &'a Material,
    /// The address.
    pub url: Option<&'a str>,
    /// When the key was or is in use.
    pub validity: Validity,
}

impl<'a> From<&'a Key> for Entry<'a> {
    fn from(key: &'a Key) -> Self {
        let Key { role, id, material, url, validity, .. } = key;
        Self { role: *role, id: *id, material, url: url.as_deref(), validity: *validity }
    }
}

/// Writes a trusted root of version 0.1: oldest first, two-space JSON, one newline at the end.
///
/// A log without a known start gets 1970, because verifiers require a start and the true one is unknown. An authority
/// without one gets the start of its certificate.
pub fn write(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut entries: Vec<_> = entries.to_vec();
    entries.sort_by_key(|e| (e.validity.start, e.id));
    let mut root = Root::<serde_json::Value> {
        media_type: MEDIA_TYPE.into(),
        tlogs: Vec::new(),
        certificate_authorities: Vec::new(),
        ctlogs: Vec::new(),
        timestamp_authorities: Vec::new(),
    };
    for entry in entries {
        let (list, json) = match (entry.role, entry.material) {
            (Role::Rekor | Role::Rekor2, Material::Key(key)) => (&mut root.tlogs, log_entry(&entry, key)),
            (Role::CtLog, Material::Key(key)) => (&mut root.ctlogs, log_entry(&entry, key)),
            (Role::Fulcio, Material::Chain(chain)) => {
                (&mut root.certificate_authorities, authority_entry(&entry, chain))
            }
            (Role::Tsa, Material::Chain(chain)) => {
                (&mut root.timestamp_authorities, authority_entry(&entry, chain))
            }
            _ => continue,
        };
        list.push(json);
    }
    let mut json = serde_json::to_vec_pretty(&root).unwrap_or_default();
    json.push(b'\n');
    json
}

fn log_entry(entry: &Entry<'_>, key: &PublicKey) -> serde_json::Value {
    let log = Log {
        base_url: entry.url.unwrap_or_default().into(),
        hash_algorithm: "SHA2_256".into(),
        public_key: LogKey {
            raw_bytes: BASE64.encode(key.spki()),
            key_details: key_details(key).into(),
            valid_for: Some(Window {
                start: Some(entry.validity.start.unwrap_or(Timestamp::UNIX_EPOCH)),
                end: entry.validity.end,
            }),
        },
        log_id: Some(LogId { key_id: BASE64.encode(entry.id.as_bytes()) }),
        checkpoint_key_id: None,
    };
    serde_json::to_value(log).unwrap_or_default()
}

fn authority_entry(entry: &Entry<'_>, chain: &Chain) -> serde_json::Value {
    let last = chain.certificates().last().unwrap_or_else(|| chain.first());
    let not_before = Timestamp::from_second(chain.first().validity().0).ok();
    let authority = Authority {
        subject: Subject { organization: last.organisation(), common_name: Some(last.common_name()) },
        uri: entry.url.unwrap_or_default().into(),
        cert_chain: CertChain {
            certificates: chain
                .certificates()
                .iter()
                .map(|c| RawBytes { raw_bytes: BASE64.encode(c.der()) })
                .collect(),
        },
        valid_for: Some(Window { start: entry.validity.start.or(not_before), end: entry.validity.end }),
    };
    serde_json::to_value(authority).unwrap_or_default()
}

/// `PublicKeyDetails` of protos/sigstore_common.proto.
fn key_details(key: &PublicKey) -> &'static str {
    match key.algorithm() {
        Algorithm::EcdsaP256 => "PKIX_ECDSA_P256_SHA_256",
        Algorithm::EcdsaP384 => "PKIX_ECDSA_P384_SHA_384",
        Algorithm::Ed25519 => "PKIX_ED25519",
        // The specification lists three sizes; the length of the DER key tells them apart.
        Algorithm::Rsa => match key.spki().len() {
            ..350 => "PKIX_RSA_PKCS1V15_2048_SHA256",
            350..480 => "PKIX_RSA_PKCS1V15_3072_SHA256",
            _ => "PKIX_RSA_PKCS1V15_4096_SHA256",
        },
    }
}
