mod form;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PackError, Rule, TufRecord, media};
use crate::{
    key::{Algorithm, Certificate, Fingerprint, Key, KeyId, KeyRef, Material, Provenance, Role, Validity},
    oci::Digest,
    policy::rule::NamedKey,
};

/// The only schema version.
pub const SCHEMA_VERSION: u64 = 1;

/// `keypack.json`: the contents of a pack, their origin, and what the organisation allows them to be used for. The
/// specification is `schemas/pack-v1.schema.json`; a test checks this type against it.
///
/// It changes only when its meaning changes. Counts, per-image evidence and which signature proved which key are in the
/// report of `collect` instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inventory {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u64,
    /// [`media::INVENTORY`].
    pub media_type: String,
    /// The lineage: versions are compared only within the same one.
    pub name: String,
    /// Strictly increasing within a lineage.
    pub version: u64,
    /// When this version was made, in whole seconds.
    pub created: Timestamp,
    /// When it expires, if its maker set a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Who collected it, as stated by the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_by: Option<String>,
    /// The keys, by role and name.
    pub keys: Vec<KeyRecord>,
    /// The files of the keys and of the TUF chains, and trusted_root.json, by name.
    pub files: Vec<FileRecord>,
    /// The TUF repositories from which keys are derived, by name; each is stored in a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tuf: Vec<TufRecord>,
    /// The organisation's rules on who must sign what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Revoked keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<Revoked>,
    /// Data added by other programs. keypack keeps and ignores it; unknown fields anywhere else are refused.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extensions: serde_json::Map<String, serde_json::Value>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRecord {
    /// Its permanent name: the file's name without the extension.
    pub name: String,
    /// The key's role.
    pub role: Role,
    /// Its id: see [`KeyId`].
    pub id: KeyId,
    /// The value that people compare: see [`Fingerprint`].
    pub fingerprint: Fingerprint,
    /// The algorithm of the key, or of the key in the chain's first certificate.
    pub algorithm: Algorithm,
    /// The file that holds it.
    pub file: String,
    /// The log's or authority's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The checkpoint origin of a Rekor v2 log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The certificates of a chain, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateRecord>,
    /// The first user id of a GPG key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// When the key was or is in use.
    pub validity: Validity,
    /// For a CA: whether its instance has certificate transparency logs, so that each of its certificates must have the
    /// timestamp of one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ct_required: bool,
    /// Whether a signature that needed it has verified with it, in this run or an earlier one.
    pub proved: bool,
    /// Who supplied it, if the collector stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_by: Option<String>,
    /// Its sources, best grade first.
    pub provenance: Vec<Provenance>,
    /// Since when no run has needed it. It is retained because an earlier run did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Timestamp>,
}

/// One certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateRecord {
    /// sha256 of its DER, as printed by `openssl x509 -fingerprint -sha256`.
    pub sha256: Digest,
    /// Its subject, RFC 4514.
    pub subject: String,
    /// The start of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Its name.
    pub name: String,
    /// sha256 of its content.
    pub sha256: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// A revoked key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Its fingerprint, or that of a certificate, of a certificate's key or of a subkey.
    pub fingerprint: Fingerprint,
    /// The reason.
    pub reason: String,
    /// When the revocation was recorded.
    pub date: Timestamp,
    /// Signatures by it don't count from this time on. If omitted, none counts, however old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Inventory {
    /// Parses an inventory strictly: unknown fields, duplicate fields and other versions are refused.
    pub fn parse(json: &[u8]) -> Result<Self, PackError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Probe {
            schema_version: u64,
        }
        let malformed = |e: serde_json::Error| PackError::Inventory(e.to_string());
        let probe: Probe = serde_json::from_slice(json).map_err(malformed)?;
        if probe.schema_version != SCHEMA_VERSION {
            return Err(PackError::Version(probe.schema_version));
        }
        let inventory: Self = serde_json::from_slice(json).map_err(|e| {
            // Before its first release keypack wrote `spki` instead of `fingerprint`.
            let before = serde_json::from_slice::<serde_json::Value>(json).unwrap_or_default();
            if before["keys"][0]["spki"].is_string() { PackError::Superseded } else { malformed(e) }
        })?;
        if inventory.media_type != media::INVENTORY {
            return Err(PackError::Inventory(format!("its media type is {:?}", inventory.media_type)));
        }
        inventory.check_form()?;
        Ok(inventory)
    }

    /// The serialised form: JSON indented by two spaces, fields in the order of the type, one newline at the end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }

    /// The record of a key.
    pub fn key(&self, key: KeyRef) -> Option<&KeyRecord> {
        self.keys.iter().find(|k| k.role == key.role && k.id == key.id)
    }
}

impl CertificateRecord {
    pub(super) fn of(certificate: &Certificate) -> Self {
        let (start, end) = certificate.validity();
        let time = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        Self {
            sha256: certificate.fingerprint(),
            subject: certificate.subject(),
            not_before: time(start),
            not_after: time(end),
        }
    }
}

impl KeyRecord {
    /// The key's own name: the subject of the chain's first certificate, or the first user id.
    pub fn subject(&self) -> Option<&str> {
        let first = self.certificates.first().map(|certificate| certificate.subject.as_str());
        first.filter(|subject| !subject.is_empty()).or(self.user_id.as_deref())
    }

    /// The log's or authority's address; for a Rekor v2 log whose own is not known, that of its origin.
    pub(crate) fn address(&self) -> Option<String> {
        self.url.clone().or_else(|| self.origin.as_ref().map(|origin| format!("https://{origin}")))
    }

    /// The key that this record describes.
    pub fn key(&self, material: &Material) -> Key {
        Key {
            role: self.role,
            id: self.id,
            material: material.clone(),
            url: self.url.clone(),
            origin: self.origin.clone(),
            validity: self.validity,
            ct_required: self.ct_required,
        }
    }

    /// Role and id.
    pub const fn key_ref(&self) -> KeyRef {
        KeyRef { role: self.role, id: self.id }
    }

    /// The key as rules name it.
    pub(super) fn named(&self) -> NamedKey<'_> {
        NamedKey {
            key: self.key_ref(),
            fingerprint: self.fingerprint,
            name: &self.name,
            file: &self.file,
            url: self.url.as_deref(),
            origin: self.origin.as_deref(),
        }
    }
}

/// Whether a text is a valid lineage.
pub fn is_lineage(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}
