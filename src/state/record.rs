//! What a state holds, piece by piece.

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

/// What a version means beside what is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is remembered of this signer: a rollback can't be told.
    First,
    /// Newer than all before.
    Newer,
    /// The very pack that is the highest.
    SamePack,
    /// Older than what was installed already.
    Rollback {
        /// What was.
        have: Highest,
    },
    /// Another pack under a version that was installed already: its maker numbered two packs alike, or lies.
    Equivocation {
        /// What was installed.
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
    /// How this host came to know it.
    pub origin: Origin,
    /// When.
    pub at: Timestamp,
}

/// How a host came to know a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It was collected here.
    Collected,
    /// It was pulled here and authenticated by an anchor.
    Pulled,
}

/// When and by which pack a key was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revocation {
    /// The pack that said so first.
    pub pack: Digest,
    /// When this host learnt it.
    pub at: Timestamp,
    /// The directories that it holds for, where they were collected here; everywhere, if there is none. Who tries a
    /// revocation out in a directory of its own has decided nothing about the others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub only_in: BTreeSet<String>,
}

impl Revocation {
    /// Whether it holds for what lies in this directory.
    pub(super) fn holds_in(&self, directory: &Path) -> bool {
        self.only_in.is_empty() || self.only_in.contains(&*directory.to_string_lossy())
    }
}

/// Something accepted against a rule, because a person said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acceptance {
    /// The flag that permitted it, as `--allow-rollback-unsafe`.
    pub flag: String,
    /// What the person gave as the reason.
    pub reason: String,
    /// The pack that was accepted.
    pub pack: Digest,
    /// Its version.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// What each of the signers had authenticated as the highest until then.
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
    /// When.
    pub at: Timestamp,
    /// The pack digest of what was installed.
    pub pack: Digest,
    /// Its version.
    pub version: u64,
    /// The directory.
    pub directory: String,
    /// What authenticated it.
    pub anchors: Vec<String>,
}

/// That a person made this host forget a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forgotten {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl From<KnownPack> for Highest {
    fn from(KnownPack { digest, version, at, .. }: KnownPack) -> Self {
        Self { version, digest, at }
    }
}
