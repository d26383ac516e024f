//! Public keys and their names: parsing, ids, certificate chains, candidates. No I/O, and no decisions about trust.

mod algorithm;
mod candidate;
mod chain;
mod file;
mod fingerprint;
mod id;
mod in_role;
mod material;
mod names;
mod openpgp;
mod pin;
mod provenance;
mod public_key;
mod role;
mod secret;
mod subject_name;
pub mod trusted_root;
mod weak;

pub use algorithm::Algorithm;
pub use candidate::Candidate;
pub(crate) use chain::serial;
pub use chain::{Certificate, Chain, ChainError};
pub use file::{KeyFileError, Parsed, UnusableBlock, parse_key_file, parse_named_key_file, private_key};
pub use fingerprint::Fingerprint;
pub use id::{KeyId, KeyRef, note_key_id};
pub use in_role::{Key, origin_of};
pub use material::Material;
pub(crate) use names::slug;
pub use names::{is_name_of, name_of, well_known};
pub use openpgp::{OpenPgpFault, OpenPgpKey, OpenPgpMessage, OpenPgpMessageError};
pub use pin::{Pin, PinRest};
pub use provenance::{Grade, Provenance, Validity};
pub use public_key::{PublicKey, PublicKeyError};
pub use role::RoleError;
pub use subject_name::{NameKind, SubjectName};

use serde::{Deserialize, Serialize};

/// What a key is for. Its lower-case name starts the key's file name in keys/.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A Rekor v1 transparency log: signs entry timestamps (SET) and checkpoints.
    Rekor,
    /// A Rekor v2 (tiled) transparency log: signs checkpoints only.
    Rekor2,
    /// A certificate transparency log: signs the SCT inside a Fulcio certificate.
    CtLog,
    /// A certificate authority that issues signing certificates.
    Fulcio,
    /// An RFC 3161 timestamp authority.
    Tsa,
    /// An organisation's private certificate authority, whose certificates sign without a log (BYOPKI: `pki` in
    /// containers-policy.json(5), `cosign verify --ca-roots`).
    Pki,
    /// A signer's own key (`cosign sign --key`, Red Hat's release key).
    Signer,
    /// An OpenPGP key (GPG): signs releases and lookaside signatures.
    Gpg,
}

impl Role {
    /// All roles, in the order in which an inventory lists them.
    pub const ALL: [Self; 8] =
        [Self::Rekor, Self::Rekor2, Self::CtLog, Self::Fulcio, Self::Tsa, Self::Pki, Self::Signer, Self::Gpg];

    /// The name in files, flags and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rekor => "rekor",
            Self::Rekor2 => "rekor2",
            Self::CtLog => "ctlog",
            Self::Fulcio => "fulcio",
            Self::Tsa => "tsa",
            Self::Pki => "pki",
            Self::Signer => "signer",
            Self::Gpg => "gpg",
        }
    }

    /// The display name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rekor => "Rekor v1 log",
            Self::Rekor2 => "Rekor v2 log",
            Self::CtLog => "CT log",
            Self::Fulcio => "Fulcio CA",
            Self::Tsa => "timestamp authority",
            Self::Pki => "private CA",
            Self::Signer => "signer key",
            Self::Gpg => "GPG key",
        }
    }

    /// Whether keys of this role are certificate chains.
    pub const fn is_chain(self) -> bool {
        matches!(self, Self::Fulcio | Self::Tsa | Self::Pki)
    }

    /// Whether sigstore's trusted_root.json can hold keys of this role.
    pub const fn in_trusted_root(self) -> bool {
        matches!(self, Self::Rekor | Self::Rekor2 | Self::CtLog | Self::Fulcio | Self::Tsa)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
