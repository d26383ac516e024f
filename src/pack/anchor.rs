use std::{fmt, num::NonZeroUsize};

use crate::{
    key::{Pin, PublicKey},
    oci::Digest,
    trust::tuf::Root,
};

/// Authenticates a pack; obtained out of band. If there are several anchors, all of them must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// The pack digest or the manifest digest.
    Digest(Digest),
    /// The organisation's keys.
    Keys {
        /// The keys, without duplicates.
        keys: Vec<PublicKey>,
        /// How many of them must have signed. One is enough while an old key is being replaced by a new one.
        threshold: NonZeroUsize,
    },
    /// The exact set of keys. Authenticates these keys, not the inventory.
    Pins(Vec<Pin>),
    /// TUF roots, for each of which the pack must contain a chain. They authenticate the keys listed by the chains, not
    /// the inventory.
    Tuf(Vec<Root>),
}

impl Anchor {
    /// Whether it authenticates the inventory, and with it everything in the pack.
    pub const fn covers_inventory(&self) -> bool {
        matches!(self, Self::Digest(_) | Self::Keys { .. })
    }
}

/// The evidence found by an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The sha256 of keypack.json. It does not change when the pack is repackaged.
    PackDigest,
    /// The manifest's digest. It changes when a tool repackages the pack.
    ManifestDigest,
    /// A signature of the inventory by the key with this fingerprint.
    InventorySignature(Digest),
    /// A signature of the manifest by the key with this fingerprint.
    ManifestSignature(Digest),
    /// The exact set of keys.
    Pins,
    /// A TUF chain from the root with this fingerprint.
    Tuf(Digest),
    /// This host's state: the host has already authenticated the pack.
    Host,
}

impl Evidence {
    /// The kind of evidence that a digest provides for a pack, if any.
    pub fn digest(digest: Digest, pack: Digest, manifest: Digest) -> Option<Self> {
        match () {
            () if digest == pack => Some(Self::PackDigest),
            () if digest == manifest => Some(Self::ManifestDigest),
            () => None,
        }
    }

    /// The fingerprint of the key that signed, if any.
    pub const fn signer(self) -> Option<Digest> {
        match self {
            Self::InventorySignature(key) | Self::ManifestSignature(key) => Some(key),
            _ => None,
        }
    }
}

impl Evidence {
    /// Machine-readable: the kind and, if there is one, the fingerprint after a colon.
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
