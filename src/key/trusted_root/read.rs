use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use thiserror::Error;

use super::{
    MEDIA_TYPE,
    wire::{Authority, Log, Root, Window},
};
use crate::{
    address::plain,
    diag::{Code, Diagnostic},
    key::{
        Algorithm, Candidate, Certificate, Chain, Key, KeyId, Material, Provenance, PublicKey, Role,
        Validity, note_key_id, origin_of, secret,
    },
    oci::Digest,
};

/// The media types that keypack reads: the old spelling with a parameter, and the registered ones.
const READ: [&str; 4] = [
    MEDIA_TYPE,
    "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/// Why a trusted root can't be read at all.
#[derive(Debug, Error)]
pub enum TrustedRootError {
    /// Not JSON of the expected shape.
    #[error("it is not a trusted root: {0}")]
    Form(String),
    /// An unsupported media type.
    #[error("its media type is {0:?}; keypack reads trusted roots of version 0.1 and 0.2")]
    MediaType(String),
}

impl TrustedRootError {
    /// What the file is, if it is recognised, or else the parser's message.
    pub(crate) fn form(bytes: &[u8], e: &serde_json::Error) -> Self {
        let start = bytes.trim_ascii_start();
        Self::Form(match start {
            [] => "it is empty".into(),
            [b'<', ..] => "it looks like a web page; was a login page saved in its place?".into(),
            [0x1f, 0x8b, ..] => "it is compressed; unpack it first".into(),
            [b'[', ..] => "it is a JSON array; write one trusted root a line instead".into(),
            _ if start.starts_with(b"-----BEGIN ") => {
                "it is PEM; give keys and certificates with --key".into()
            }
            _ => e.to_string(),
        })
    }
}

/// What is wrong with one entry of a trusted root. The other entries are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The list that holds it, for example `tlogs`.
    pub list: &'static str,
    /// Which entry, for example `tlogs[2] https://…`.
    pub entry: String,
    /// What is wrong.
    pub problem: Diagnostic,
    /// The id that the entry claims, if its key has a different id.
    pub claims: Option<(Role, KeyId)>,
}

/// The content of a trusted root.
#[derive(Debug, Default)]
pub struct Contents {
    /// The keys.
    pub candidates: Vec<Candidate>,
    /// Entries that can't be used.
    pub unusable: Vec<Unusable>,
    /// Logs that are candidates although they have no `validFor.start`. sigstore-go refuses an entire trusted root with
    /// one.
    pub undated: Vec<String>,
}

/// Reads a trusted root. An entry that can't be used is reported and left out; the others become candidates.
pub fn read(json: &[u8], provenance: &Provenance) -> Result<Contents, TrustedRootError> {
    let root: Root<serde_json::Value> =
        serde_json::from_slice(json).map_err(|e| TrustedRootError::form(json, &e))?;
    if !READ.contains(&root.media_type.as_str()) {
        return Err(TrustedRootError::MediaType(root.media_type.chars().take(100).collect()));
    }
    let mut contents = Contents::default();
    let lists: [(&'static str, Option<Role>, Vec<serde_json::Value>); 4] = [
        ("tlogs", None, root.tlogs),
        ("certificateAuthorities", Some(Role::Fulcio), root.certificate_authorities),
        ("ctlogs", Some(Role::CtLog), root.ctlogs),
        ("timestampAuthorities", Some(Role::Tsa), root.timestamp_authorities),
    ];
    for (list, role, entries) in lists {
        for (index, entry) in entries.into_iter().enumerate() {
            let name = |url: &str| format!("{list}[{index}] {url}").trim_end().to_owned();
            let read = match role {
                Some(role @ (Role::Fulcio | Role::Tsa)) => authority(entry, role, provenance),
                role => log(entry, role, provenance),
            };
            match read {
                Ok(candidate) => {
                    if candidate.key.role.is_log() && candidate.key.validity.start.is_none() {
                        contents.undated.push(name(candidate.key.url.as_deref().unwrap_or_default()));
                    }
                    contents.candidates.push(candidate);
                }
                Err((url, code, reason, claims)) => contents.unusable.push(Unusable {
                    entry: name(&url),
                    list,
                    problem: Diagnostic::new(code, reason),
                    claims,
                }),
            }
        }
    }
    Ok(contents)
}

type Wrong = (String, Code, String, Option<(Role, KeyId)>);

fn log(entry: serde_json::Value, role: Option<Role>, provenance: &Provenance) -> Result<Candidate, Wrong> {
    let entry: Log = serde_json::from_value(entry)
        .map_err(|e| (String::new(), Code::KeyMalformed, e.to_string(), None))?;
    let url = plain(&entry.base_url).into_owned();
    let wrong = |code, reason: String| (url.clone(), code, reason, None);
    let der = BASE64
        .decode(&entry.public_key.raw_bytes)
        .map_err(|e| wrong(Code::KeyMalformed, format!("its key is not base64: {e}")))?;
    if let Some(label) = secret::label(&der) {
        return Err(wrong(Code::PrivateKey, format!("its key is a private key ({label})")));
    }
    // A staging CT log has PKCS #1 bytes where all others have SubjectPublicKeyInfo (keyDetails PKCS1_RSA_PKCS1V5).
    let key = if entry.public_key.key_details.starts_with("PKCS1_") {
        PublicKey::from_pkcs1(&der)
    } else {
        PublicKey::from_spki(&der)
    }
    .map_err(|e| match pem_in_base64(&der) {
        Some(reason) => wrong(Code::TrustedRootRhtas, reason.into()),
        None => wrong(Code::KeyUnsupported, e.to_string()),
    })?;
    let named = entry.log_id.or(entry.checkpoint_key_id);
    let claimed = match named {
        None => None,
        Some(id) => Some(
            BASE64
                .decode(&id.key_id)
                .map_err(|e| wrong(Code::KeyMalformed, format!("its log id is not base64: {e}")))?,
        ),
    };
    let origin = origin_of(&url);
    let agrees = |id: KeyId| claimed.as_ref().is_none_or(|c| c.len() >= 4 && id.as_bytes().starts_with(c));
    let role = role.unwrap_or_else(|| {
        // An ECDSA log has the same id in both versions and is listed as v1; its URL shows that it fits a v2 need.
        let tiled = matches!(key.algorithm(), Algorithm::Ed25519 | Algorithm::Rsa)
            && (claimed.is_none() || !agrees(key.fingerprint()));
        if tiled { Role::Rekor2 } else { Role::Rekor }
    });
    let id = if role == Role::Rekor2 { note_key_id(&origin, &key) } else { key.fingerprint() };
    if !agrees(id) {
        let bytes = claimed.unwrap_or_default();
        let claims = <[u8; 32]>::try_from(bytes.as_slice()).ok().map(|b| (role, Digest::from_bytes(b)));
        let reason = format!("it names its key {}, but the key's id is {}", hex::encode(&bytes), id.hex());
        return Err((url, Code::KeyIdMismatch, reason, claims));
    }
    let window = entry.public_key.valid_for;
    candidate(role, Material::Key(key), url, window, provenance)
}

/// Builds a candidate from an entry.
fn candidate(
    role: Role,
    material: Material,
    url: String,
    window: Option<Window>,
    provenance: &Provenance,
) -> Result<Candidate, Wrong> {
    let key = Key::new(role, material).map_err(|e| (url.clone(), Code::KeyRole, e.to_string(), None))?;
    let key = key.at((!url.is_empty()).then_some(url));
    Ok(Candidate { key: Key { validity: validity(window), ..key }, provenance: provenance.clone() })
}

fn authority(entry: serde_json::Value, role: Role, provenance: &Provenance) -> Result<Candidate, Wrong> {
    let entry: Authority = serde_json::from_value(entry)
        .map_err(|e| (String::new(), Code::KeyMalformed, e.to_string(), None))?;
    let url = plain(&entry.uri).into_owned();
    let wrong = |reason: String| (url.clone(), Code::KeyMalformed, reason, None);
    let certificates = entry
        .cert_chain
        .certificates
        .iter()
        .map(|c| {
            let der = BASE64
                .decode(&c.raw_bytes)
                .map_err(|e| wrong(format!("a certificate is not base64: {e}")))?;
            Certificate::from_der(&der).map_err(|e| match pem_in_base64(&der) {
                Some(reason) => (url.clone(), Code::TrustedRootRhtas, reason.into(), None),
                None => wrong(e.to_string()),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let chain = Chain::new(certificates).map_err(|e| wrong(e.to_string()))?;
    candidate(role, Material::Chain(chain), url, entry.valid_for, provenance)
}

/// A defect of the trusted roots that RHTAS wrote up to 1.3.2 (securesign/secure-sign-operator, `tuf_migration_v1.sh`):
/// PEM, even of a whole chain, in place of one DER key or certificate.
fn pem_in_base64(der: &[u8]) -> Option<&'static str> {
    der.trim_ascii_start().starts_with(b"-----BEGIN").then_some(
        "its rawBytes are PEM text in base64 where DER belongs, a known fault of the trusted roots that RHTAS wrote up \
         to 1.3.2",
    )
}

fn validity(window: Option<Window>) -> Validity {
    window.map_or_else(Validity::default, |w| Validity { start: w.start, end: w.end })
}
