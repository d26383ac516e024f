use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Chain, KeyId, KeyRef, OpenPgpKey, PublicKey, Role, RoleError, note_key_id};
use crate::oci::Digest;

/// How a key reached us: the ladder of trust, best first. It says how hard it is to forge, not whether the
/// key is right; that a signature verifies with it is proved apart from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// A TUF repository, verified from a pinned root.
    Tuf,
    /// Its fingerprint was pinned by the user.
    Pinned,
    /// Found in a release payload and known by fingerprint.
    Release,
    /// Fetched over HTTPS from the address that is known for it.
    Tls,
    /// Built into this program.
    Builtin,
    /// A file that the user named.
    File,
}

impl Grade {
    /// The name in JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tuf => "tuf",
            Self::Pinned => "pinned",
            Self::Release => "release",
            Self::Tls => "tls",
            Self::Builtin => "builtin",
            Self::File => "file",
        }
    }
}

/// Who says that a key is what it is for, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provenance {
    /// How it reached us.
    pub grade: Grade,
    /// The source's name: a file's name without its folder, a URL, or what is built in.
    pub source: String,
    /// sha256 of the document that held the key.
    pub sha256: Digest,
    /// The date of that document, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
}

/// When a key was or is in use. The end is inclusive; without one the key is still in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
}

/// A key, or certificates with their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// One public key.
    Key(PublicKey),
    /// A certificate chain, the issuing or signing certificate first.
    Chain(Chain),
    /// An OpenPGP key with its subkeys and user ids.
    OpenPgp(OpenPgpKey),
}

impl Material {
    /// The OpenPGP key, if it is one.
    pub const fn openpgp(&self) -> Option<&OpenPgpKey> {
        if let Self::OpenPgp(key) = self { Some(key) } else { None }
    }

    /// Whether both are one key. Two copies of an OpenPGP key may hold more or less and still be that.
    pub fn is_same_key(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OpenPgp(a), Self::OpenPgp(b)) => a.is_same_key(b),
            _ => self == other,
        }
    }

    /// What two copies of one key say together.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::OpenPgp(a), Self::OpenPgp(b)) => Self::OpenPgp(a.merged(b)),
            _ => self.clone(),
        }
    }

    /// The id of the key in every role but Rekor v2.
    pub fn id(&self) -> KeyId {
        match self {
            Self::Key(key) => key.fingerprint(),
            Self::Chain(chain) => chain.id(),
            Self::OpenPgp(key) => key.id(),
        }
    }
}

/// A key and who says so. Nothing follows from it until a signature that needed it has verified with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What whoever gave it says it is for. It serves in this role alone, whatever signatures ask for: else a signer who
    /// also signs log entries would be their log.
    pub role: Role,
    /// The key.
    pub material: Material,
    /// The address of the log or authority, where the source says one.
    pub url: Option<String>,
    /// When it was or is in use.
    pub validity: Validity,
    /// Who says so.
    pub provenance: Provenance,
}

impl Candidate {
    /// A key of which nothing more is known than who gave it, and what for.
    pub fn new(role: Role, material: Material, provenance: Provenance) -> Result<Self, RoleError> {
        material.check_role(role)?;
        Ok(Self { role, material, url: None, validity: Validity::default(), provenance })
    }

    /// Its name in `role`: its own or, for a log whose version nobody says, [`Role::Rekor2`]. A Rekor v2 log is named
    /// by its origin too: the URL's host or, for a bare key file, the origin of the checkpoint that needs it.
    pub fn key_ref(&self, role: Role, origin: Option<&str>) -> KeyRef {
        let id = match (&self.material, role) {
            (Material::Key(key), Role::Rekor2) => {
                let own = self.url.as_deref().map(origin_of);
                note_key_id(own.as_deref().or(origin).unwrap_or_default(), key)
            }
            (material, _) => material.id(),
        };
        KeyRef { role, id }
    }
}

/// The origin of a Rekor v2 log: its URL's host, without scheme, port and path (sigstore-go `trust_root.go`).
pub fn origin_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.starts_with('[') {
        host.split_inclusive(']').next().unwrap_or_default().to_owned()
    } else {
        host.split(':').next().unwrap_or_default().to_owned()
    }
}
