//! The parts of a state.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Signer;
use crate::oci::Digest;

/// The highest version that was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Highest {
    /// The pack's version.
    pub version: u64,
    /// The pack digest.
    pub digest: Digest,
    /// When it was installed here.
    pub at: Timestamp,
}

/// The result of comparing a version with the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is no state for this signer: a rollback can't be detected.
    First,
    /// Newer than all before.
    Newer,
    /// The same pack as the highest one.
    SamePack,
    /// Older than an installed one.
    Rollback {
        /// The installed one.
        have: Highest,
    },
    /// Another pack with the version of an installed one: its maker used a version twice, or is dishonest.
    Equivocation {
        /// The installed one.
        have: Highest,
    },
}

/// A pack that this host has made or authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownPack {
    /// The pack digest.
    pub digest: Digest,
    /// Its version.
    pub version: u64,
    /// How the host obtained it.
    pub origin: Origin,
    /// The time.
    pub at: Timestamp,
}

/// How a host obtained a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It was collected here.
    Collected,
    /// It was pulled here and authenticated by an anchor.
    Pulled,
}

/// When a key was revoked, and by which pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revocation {
    /// The first pack with the revocation.
    pub pack: Digest,
    /// When this host recorded it.
    pub at: Timestamp,
    /// The directories to which it applies, if it was collected there; all directories, if empty. Trying out a
    /// revocation in a separate directory must not affect the others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub only_in: BTreeSet<String>,
}

impl Revocation {
    /// Whether it applies to this directory.
    pub(super) fn holds_in(&self, directory: &Path) -> bool {
        self.only_in.is_empty() || self.only_in.contains(&*directory.to_string_lossy())
    }
}

/// An exception that the user allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acceptance {
    /// The flag that allowed it, for example `--allow-rollback-unsafe`.
    pub flag: String,
    /// The reason given by the user.
    pub reason: String,
    /// The pack that was accepted.
    pub pack: Digest,
    /// Its version.
    pub version: u64,
    /// The time.
    pub at: Timestamp,
    /// The highest version that each of the signers had authenticated before.
    pub instead_of: BTreeMap<Signer, Highest>,
}

/// A TUF role whose version is lower than one seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TufRollback {
    /// The role.
    pub role: String,
    /// The version seen before.
    pub have: u64,
    /// The version offered now.
    pub offered: u64,
}

/// The last pull of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pull {
    /// The time.
    pub at: Timestamp,
    /// The pack digest of the installed pack.
    pub pack: Digest,
    /// Its version.
    pub version: u64,
    /// The directory.
    pub directory: String,
    /// The anchors that authenticated it.
    pub anchors: Vec<String>,
}

/// A record that the user made this host forget a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forgotten {
    /// The time.
    pub at: Timestamp,
    /// The reason.
    pub reason: String,
}

impl From<KnownPack> for Highest {
    fn from(KnownPack { digest, version, at, .. }: KnownPack) -> Self {
        Self { version, digest, at }
    }
}
