use std::{fmt, num::NonZeroUsize};

use crate::{
    key::{Pin, PublicKey},
    oci::Digest,
    trust::tuf::Root,
};

/// What authenticates a pack, obtained out of band. Several anchors are AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// The pack digest or the manifest digest.
    Digest(Digest),
    /// Keys of the organisation.
    Keys {
        /// The keys; one that is given twice counts once.
        keys: Vec<PublicKey>,
        /// How many of them must have signed. One is enough where an old and a new key stand side by side while one
        /// replaces the other.
        threshold: NonZeroUsize,
    },
    /// The exact set of keys. It authenticates these keys, not the inventory.
    Pins(Vec<Pin>),
    /// Roots of TUF repositories: for each there must be a chain in the pack. They authenticate the keys that the chains
    /// list, not the inventory.
    Tuf(Vec<Root>),
}

impl Anchor {
    /// Whether it authenticates the inventory, and by it everything in the pack.
    pub const fn covers_inventory(&self) -> bool {
        matches!(self, Self::Digest(_) | Self::Keys { .. })
    }
}

/// What an anchor found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The sha256 of keypack.json: it survives every repackaging.
    PackDigest,
    /// The manifest's digest: it changes when a tool repackages.
    ManifestDigest,
    /// A signature of the inventory by the key with this fingerprint.
    InventorySignature(Digest),
    /// A signature of the manifest by the key with this fingerprint.
    ManifestSignature(Digest),
    /// The exact set of keys.
    Pins,
    /// A TUF chain from the root with this fingerprint.
    Tuf(Digest),
    /// The state of this host, which authenticated the pack before.
    Host,
}

impl Evidence {
    /// How a digest relates to a pack.
    pub fn digest(digest: Digest, pack: Digest, manifest: Digest) -> Option<Self> {
        match () {
            () if digest == pack => Some(Self::PackDigest),
            () if digest == manifest => Some(Self::ManifestDigest),
            () => None,
        }
    }

    /// The fingerprint of the key that signed.
    pub const fn signer(self) -> Option<Digest> {
        match self {
            Self::InventorySignature(key) | Self::ManifestSignature(key) => Some(key),
            _ => None,
        }
    }
}

impl Evidence {
    /// For programs: the kind and, where there is one, the fingerprint behind a colon.
    pub fn id(self) -> String {
        match self {
            Self::PackDigest => "pack-digest".into(),
            Self::ManifestDigest => "manifest-digest".into(),
            Self::InventorySignature(key) => format!("inventory-signature:{key}"),
            Self::ManifestSignature(key) => format!("manifest-signature:{key}"),
            Self::Pins => "pins".into(),
            Self::Tuf(root) => format!("tuf-root:{root}"),
            Self::Host => "host".into(),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PackDigest => f.write_str("the pack digest that was given"),
            Self::ManifestDigest => f.write_str("the manifest digest that was given"),
            Self::InventorySignature(key) => write!(f, "a signature of the inventory by the key {key}"),
            Self::ManifestSignature(key) => write!(f, "a signature of the manifest by the key {key}"),
            Self::Pins => f.write_str("the pins, as the exact set of keys"),
            Self::Tuf(root) => write!(f, "the TUF repository of the root {root}, verified again from it"),
            Self::Host => f.write_str("this host, which authenticated it before"),
        }
    }
}
