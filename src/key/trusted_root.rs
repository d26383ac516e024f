//! sigstore's `trusted_root.json`: reading media types 0.1 and 0.2, writing 0.1.
//!
//! The format is protos/sigstore_trustroot.proto of sigstore/protobuf-specs in protobuf JSON. Written is exactly
//! `application/vnd.dev.sigstore.trustedroot+json;version=0.1`, the one string that sigstore-go (and so cosign,
//! policy-controller, Talos) accepts, and every log gets a `validFor.start`, which sigstore-go demands.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    Algorithm, Candidate, Certificate, Chain, KeyId, Material, Provenance, PublicKey, Role, Validity,
    candidate::origin_of, note_key_id, secret,
};
use crate::oci::Digest;

/// The media type that keypack writes.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/// The media types that keypack reads: the old spelling with a parameter, and the registered ones.
const READ: [&str; 4] = [
    MEDIA_TYPE,
    "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/// The code of an entry that holds a private key where a public one belongs.
pub const PRIVATE_KEY: &str = "private-key";

/// Why a trusted root can't be read at all.
#[derive(Debug, Error)]
pub enum TrustedRootError {
    /// Not JSON of that shape.
    #[error("it is not a trusted root: {0}")]
    Form(#[from] serde_json::Error),
    /// Another media type.
    #[error("its media type is {0:?}; keypack reads trusted roots of version 0.1 and 0.2")]
    MediaType(String),
}

/// What is wrong with one entry of a trusted root. The other entries are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Which entry: `tlogs[2] https://…`.
    pub entry: String,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong.
    pub reason: String,
    /// The id that the entry claims, where its key does not have that id.
    pub claims: Option<(Role, KeyId)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Root<T> {
    media_type: String,
    #[serde(default = "Vec::new")]
    tlogs: Vec<T>,
    #[serde(default = "Vec::new")]
    certificate_authorities: Vec<T>,
    #[serde(default = "Vec::new")]
    ctlogs: Vec<T>,
    #[serde(default = "Vec::new")]
    timestamp_authorities: Vec<T>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(default)]
    base_url: String,
    #[serde(default)]
    hash_algorithm: String,
    public_key: LogKey,
    /// Version 0.1; in 0.2 a log may have only a `checkpointKeyId`, which is a prefix of the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_id: Option<LogId>,
    #[serde(default, skip_serializing)]
    checkpoint_key_id: Option<LogId>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogKey {
    raw_bytes: String,
    #[serde(default)]
    key_details: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_for: Option<Window>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authority {
    #[serde(default)]
    subject: Subject,
    #[serde(default)]
    uri: String,
    cert_chain: CertChain,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_for: Option<Window>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Subject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    common_name: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct CertChain {
    certificates: Vec<RawBytes>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBytes {
    raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
struct Window {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<Timestamp>,
}

/// Reads a trusted root. An entry that can't be used is told and left out; the others are candidates.
pub fn read(
    json: &[u8],
    provenance: &Provenance,
) -> Result<(Vec<Candidate>, Vec<Unusable>), TrustedRootError> {
    let root: Root<serde_json::Value> = serde_json::from_slice(json)?;
    if !READ.contains(&root.media_type.as_str()) {
        return Err(TrustedRootError::MediaType(root.media_type.chars().take(100).collect()));
    }
    let (mut candidates, mut unusable) = (Vec::new(), Vec::new());
    let lists: [(&str, Option<Role>, Vec<serde_json::Value>); 4] = [
        ("tlogs", None, root.tlogs),
        ("certificateAuthorities", Some(Role::Fulcio), root.certificate_authorities),
        ("ctlogs", Some(Role::CtLog), root.ctlogs),
        ("timestampAuthorities", Some(Role::Tsa), root.timestamp_authorities),
    ];
    for (list, role, entries) in lists {
        for (index, entry) in entries.into_iter().enumerate() {
            let read = match role {
                Some(role @ (Role::Fulcio | Role::Tsa)) => authority(entry, role, provenance),
                role => log(entry, role, provenance),
            };
            match read {
                Ok(candidate) => candidates.push(candidate),
                Err((url, code, reason, claims)) => unusable.push(Unusable {
                    entry: format!("{list}[{index}] {url}").trim_end().to_owned(),
                    code,
                    reason,
                    claims,
                }),
            }
        }
    }
    Ok((candidates, unusable))
}

type Wrong = (String, &'static str, String, Option<(Role, KeyId)>);

fn log(entry: serde_json::Value, role: Option<Role>, provenance: &Provenance) -> Result<Candidate, Wrong> {
    let entry: Log =
        serde_json::from_value(entry).map_err(|e| (String::new(), "key-malformed", e.to_string(), None))?;
    let url = entry.base_url;
    let wrong = |code, reason: String| (url.clone(), code, reason, None);
    let der = BASE64
        .decode(&entry.public_key.raw_bytes)
        .map_err(|e| wrong("key-malformed", format!("its key is not base64: {e}")))?;
    if let Some(label) = secret::label(&der) {
        return Err(wrong(PRIVATE_KEY, format!("its key is a private key ({label})")));
    }
    // A staging CT log has PKCS #1 bytes where all others have SubjectPublicKeyInfo (keyDetails PKCS1_RSA_PKCS1V5).
    let key = if entry.public_key.key_details.starts_with("PKCS1_") {
        PublicKey::from_pkcs1(&der)
    } else {
        PublicKey::from_spki(&der)
    }
    .map_err(|e| {
        let pem = der.starts_with(b"-----BEGIN");
        let hint = if pem {
            " (its rawBytes are PEM text in base64, a known fault of older trusted-root writers)"
        } else {
            ""
        };
        wrong(if pem { "key-malformed" } else { "key-unsupported" }, format!("{e}{hint}"))
    })?;
    let named = entry.log_id.or(entry.checkpoint_key_id);
    let claimed = match named {
        None => None,
        Some(id) => Some(
            BASE64
                .decode(&id.key_id)
                .map_err(|e| wrong("key-malformed", format!("its log id is not base64: {e}")))?,
        ),
    };
    let origin = origin_of(&url);
    let agrees = |id: KeyId| claimed.as_ref().is_none_or(|c| c.len() >= 4 && id.as_bytes().starts_with(c));
    let role = role.unwrap_or_else(|| {
        // An ECDSA log has the same id in both versions and is listed as v1; its URL tells a v2 need that it fits.
        let tiled = matches!(key.algorithm(), Algorithm::Ed25519 | Algorithm::Rsa)
            && (claimed.is_none() || !agrees(key.fingerprint()));
        if tiled { Role::Rekor2 } else { Role::Rekor }
    });
    let id = if role == Role::Rekor2 { note_key_id(&origin, &key) } else { key.fingerprint() };
    if !agrees(id) {
        let bytes = claimed.unwrap_or_default();
        let claims = <[u8; 32]>::try_from(bytes.as_slice()).ok().map(|b| (role, Digest::from_bytes(b)));
        let reason = format!("it names its key {}, but the key's id is {}", hex::encode(&bytes), id.hex());
        return Err((url, "key-id-mismatch", reason, claims));
    }
    let window = entry.public_key.valid_for;
    Ok(Candidate {
        role: Some(role),
        material: Material::Key(key),
        url: (!url.is_empty()).then_some(url),
        validity: validity(window),
        provenance: provenance.clone(),
    })
}

fn authority(entry: serde_json::Value, role: Role, provenance: &Provenance) -> Result<Candidate, Wrong> {
    let entry: Authority =
        serde_json::from_value(entry).map_err(|e| (String::new(), "key-malformed", e.to_string(), None))?;
    let url = entry.uri;
    let wrong = |reason: String| (url.clone(), "key-malformed", reason, None);
    let certificates = entry
        .cert_chain
        .certificates
        .iter()
        .map(|c| {
            let der = BASE64
                .decode(&c.raw_bytes)
                .map_err(|e| wrong(format!("a certificate is not base64: {e}")))?;
            Certificate::from_der(&der).map_err(|e| wrong(e.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let chain = Chain::new(certificates).map_err(|e| wrong(e.to_string()))?;
    Ok(Candidate {
        role: Some(role),
        material: Material::Chain(chain),
        url: (!url.is_empty()).then_some(url),
        validity: validity(entry.valid_for),
        provenance: provenance.clone(),
    })
}

fn validity(window: Option<Window>) -> Validity {
    window.map_or_else(Validity::default, |w| Validity { start: w.start, end: w.end })
}

/// One key to be written into a trusted root.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its role; signer keys have no place in a trusted root.
    pub role: Role,
    /// Its id.
    pub id: KeyId,
    /// The key.
    pub material: &'a Material,
    /// The address.
    pub url: Option<&'a str>,
    /// When it was or is in use.
    pub validity: Validity,
}

/// Writes a trusted root of version 0.1: oldest first, two-space JSON, one newline at the end.
///
/// A log without a known start gets 1970: verifiers demand a start, and the true one is unknown. An authority
/// without one gets its certificate's.
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
        // The specification names three sizes; a DER key's length tells which one is meant.
        Algorithm::Rsa => match key.spki().len() {
            ..350 => "PKIX_RSA_PKCS1V15_2048_SHA256",
            350..480 => "PKIX_RSA_PKCS1V15_3072_SHA256",
            _ => "PKIX_RSA_PKCS1V15_4096_SHA256",
        },
    }
}

#[cfg(test)]
mod tests {
    use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT, TrustedRoot};

    use super::*;
    use crate::key::Grade;

    fn provenance() -> Provenance {
        Provenance { grade: Grade::File, source: "t".into(), sha256: Digest::of(b""), date: None }
    }

    #[test]
    fn every_entry_of_the_public_roots_is_read_and_written_again() {
        for json in [SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT] {
            let (candidates, unusable) = read(json.as_bytes(), &provenance()).unwrap();
            assert_eq!(unusable, []);
            let entries: Vec<_> = candidates
                .iter()
                .map(|c| Entry {
                    role: c.role.unwrap(),
                    id: c.key_ref(c.role.unwrap(), None).id,
                    material: &c.material,
                    url: c.url.as_deref(),
                    validity: c.validity,
                })
                .collect();
            let ours = TrustedRoot::from_json(&String::from_utf8(write(&entries)).unwrap()).unwrap();
            let theirs = TrustedRoot::from_json(json).unwrap();
            let ids = |root: &TrustedRoot| {
                let mut ids: Vec<_> = root
                    .tlogs
                    .iter()
                    .map(|l| {
                        (l.base_url.clone(), l.log_id.key_id.clone().into_bytes(), l.public_key.valid_for)
                    })
                    .chain(root.ctlogs.iter().map(|l| {
                        (l.base_url.clone(), l.log_id.key_id.clone().into_bytes(), l.public_key.valid_for)
                    }))
                    .collect();
                ids.sort_by(|a, b| a.1.cmp(&b.1));
                ids
            };
            assert_eq!(ids(&ours), ids(&theirs));
            assert_eq!(ours.certificate_authorities.len(), theirs.certificate_authorities.len());
            assert_eq!(ours.timestamp_authorities.len(), theirs.timestamp_authorities.len());
        }
    }

    #[test]
    fn another_key_under_a_known_id_is_told_apart() {
        let mut root: serde_json::Value = serde_json::from_str(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
        root["tlogs"][0]["publicKey"]["rawBytes"] = root["ctlogs"][0]["publicKey"]["rawBytes"].clone();
        let (candidates, unusable) = read(root.to_string().as_bytes(), &provenance()).unwrap();
        assert_eq!(unusable.len(), 1);
        assert_eq!(unusable[0].code, "key-id-mismatch");
        assert_eq!(
            unusable[0].claims.unwrap().1.hex(),
            "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d"
        );
        assert!(candidates.len() > 4, "the rest is still used");
    }

    #[test]
    fn other_media_types_are_refused() {
        let json = SIGSTORE_PRODUCTION_TRUSTED_ROOT.replace("version=0.1", "version=9");
        assert!(matches!(read(json.as_bytes(), &provenance()), Err(TrustedRootError::MediaType(_))));
    }
}
