//! The pack: an inventory and its files. Building and checking are pure; where packs lie is others' business.
//!
//! A [`Draft`] is what we built or loaded from our own disk and may push. An [`UntrustedPack`] is what came out of an
//! artifact. A [`Pack`] is what an anchor authenticated; only [`check`] makes one.

mod about;
mod anchor;
mod artifact;
mod build;
mod carry;
mod chain;
mod check;
mod diff;
mod draft;
mod endorsement;
mod error;
mod expiry;
mod files;
mod freshness;
mod inventory;
mod known;
mod layer;
mod parse;
mod pins;
mod rebuild;
mod rule;
mod vouch;
mod zstd;

pub use crate::key::Pin;
pub use anchor::{Anchor, Met};
pub use artifact::{Form, to_artifact};
pub use build::{Build, Built, Change, Include, build};
pub use chain::{IncludeChain, TufRecord};
pub use check::{Demand, Pack, check, recognise, refuse_revoked};
pub use diff::{ChainSide, ChangedChain, ChangedKey, ChangedRule, Diff, DiffKey, Side};
pub use draft::Draft;
pub use endorsement::Coverage;
pub use error::PackError;
pub use expiry::{Expiry, parse_span, parse_time};
pub use files::{INVENTORY, README, SUMS, TRUSTED_ROOT, is_signature};
pub use freshness::{Age, KEPT_LONG, Limits, evidence_age, freshness, kept_long, not_from_the_future};
pub use inventory::{
    CertificateRecord, FileRecord, Inventory, KeyRecord, Revoked, SCHEMA_VERSION, is_lineage,
};
pub use known::{KnownKey, NewAtPlace, new_at_known_places};
pub use parse::{UntrustedPack, looks_like_a_pack, parse};
pub use rule::{Dropped, IdentityKind, Log, LogWord, Mention, Pattern, Rule, Scope, SignedIdentity, Signer};
pub use vouch::{Dated, Vouched};

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
