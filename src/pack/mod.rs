//! The pack: an inventory and its files. Building and checking are pure; where packs are stored is up to other modules.
//!
//! A [`Draft`] was built here or loaded from our own disk, and may be pushed. An [`UnverifiedPack`] was read from an
//! artifact. A [`Pack`] was authenticated by an anchor; [`authenticate`] returns it.

mod anchor;
mod artifact;
mod authenticate;
mod build;
mod chain;
mod description;
mod diff;
mod draft;
mod endorsement;
mod error;
mod expiry;
mod files;
mod freshness;
mod inventory;
mod key_set;
mod layer;
mod parse;
mod pins;
mod rebuild;
mod retained;
mod rotation;
mod tuf_anchor;
mod zstd;

pub use crate::key::Pin;
/// An inventory contains rules.
pub use crate::policy::rule::{
    Dropped, IdentityKind, KeySelector, Log, LogWord, Pattern, Rule, Scope, SignedIdentity, Signer,
};
pub use anchor::{Anchor, Evidence};
pub use artifact::{Form, to_artifact};
pub(crate) use authenticate::recognise;
pub use authenticate::{Demand, KnownHere, Pack, authenticate, refuse_revoked};
pub use build::{Build, Built, Change, Include, build};
pub use chain::{IncludeChain, TufRecord};
pub use diff::{ChainSide, ChangedChain, ChangedKey, ChangedRule, Diff, DiffKey, Side};
pub use draft::{Draft, LeftOut};
pub use endorsement::Coverage;
pub use error::PackError;
pub use expiry::{Expiry, parse_duration, parse_span, parse_time};
pub(crate) use files::trusted_root;
pub use files::{INVENTORY, README, SUMS, TRUSTED_ROOT, is_signature};
pub use freshness::{Age, KEPT_LONG, Limits, evidence_age, freshness, kept_long, not_from_the_future};
pub use inventory::{
    CertificateRecord, FileRecord, Inventory, KeyRecord, Revoked, SCHEMA_VERSION, is_lineage,
};
pub use parse::{UnverifiedPack, looks_like_a_pack, parse};
pub use rotation::{KnownKey, Rotation, rotations};
pub use tuf_anchor::{Dated, VerifiedChain};

/// Media types of packs.
pub mod media {
    /// The artifact type, and the type of the files in the artifact form.
    pub const KEYS: &str = "application/vnd.keypack.keys.v1";
    /// The inventory.
    pub const INVENTORY: &str = "application/vnd.keypack.inventory.v1+json";
    /// One file of keys/ as a layer of the artifact form.
    pub const FILE: &str = "application/vnd.keypack.file.v1";
}

/// Config labels of the image form. Annotations and the artifact type do not survive every tool; the config does.
pub mod label {
    /// Holds [`super::media::KEYS`].
    pub const TYPE: &str = "vnd.keypack.type";
    /// Holds the pack digest.
    pub const PACK_DIGEST: &str = "vnd.keypack.pack-digest";
}
