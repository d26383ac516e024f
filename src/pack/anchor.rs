use std::{fmt, str::FromStr};

use crate::{
    key::{KeyRef, PublicKey, Role},
    oci::Digest,
    trust::tuf::Root,
};

/// What authenticates a pack, and arrived by another way than the pack. Several anchors are AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// The pack digest or the manifest digest.
    Digest(Digest),
    /// Keys of the organisation: a signature by one of them is enough, so that an old and a new key may stand side
    /// by side while one replaces the other.
    Keys(Vec<PublicKey>),
    /// The exact set of keys. It authenticates these keys, not the inventory.
    Pins(Vec<Pin>),
    /// Roots of TUF repositories: each must be met by a chain in the pack. They authenticate the keys that the chains
    /// list, not the inventory.
    Tuf(Vec<Root>),
}

impl Anchor {
    /// Whether it authenticates the inventory, and by it everything in the pack.
    pub const fn covers_inventory(&self) -> bool {
        matches!(self, Self::Digest(_) | Self::Keys(_))
    }
}

/// What an anchor met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
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
    /// The memory of this host, which authenticated the pack before.
    Host,
}

impl Met {
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

impl fmt::Display for Met {
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

/// One pinned key: what it is for, and the sha256 of its SubjectPublicKeyInfo or its id; of a chain, the sha256 of the
/// first certificate. The whole fingerprint, for a short one can be met by a forged key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// What the key is for.
    pub role: Role,
    /// Its fingerprint.
    pub fingerprint: Digest,
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (role, fingerprint) =
            text.split_once(':').ok_or_else(|| format!("{text:?} is not ROLE:FINGERPRINT"))?;
        let roles = || Role::ALL.map(Role::as_str).join(", ");
        let role = Role::ALL
            .into_iter()
            .find(|r| r.as_str() == role)
            .ok_or_else(|| format!("{role:?} is not a role; the roles are {}", roles()))?;
        // As fingerprints are printed: with or without their algorithm.
        let hex = fingerprint.strip_prefix("sha256:").unwrap_or(fingerprint);
        let fingerprint = Digest::from_hex(hex).map_err(|_| {
            "a fingerprint is the whole sha256, 64 lower-case hex digits; shortened ones can be forged"
                .to_owned()
        })?;
        Ok(Self { role, fingerprint })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The spelling of a key's name, but a fingerprint is not always the id.
        KeyRef { role: self.role, id: self.fingerprint }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_whole_fingerprints() {
        let digest = Digest::of(b"x");
        let pin = Pin { role: Role::Signer, fingerprint: digest };
        assert_eq!(format!("signer:{}", digest.hex()).parse(), Ok(pin));
        assert_eq!(format!("signer:{digest}").parse(), Ok(pin));
        assert_eq!(pin.to_string().parse(), Ok(pin));
        let hex = digest.hex();
        for wrong in ["signer:deadbeef", "signer:0xdeadbeefdeadbeef", "signer", "nobody:00", ""] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
        assert!(format!("signer:md5:{hex}").parse::<Pin>().is_err());
        assert!(format!("signer:{}", &hex[..40]).parse::<Pin>().is_err());
        assert!(format!("pgp:{hex}").parse::<Pin>().unwrap_err().contains("rekor2"));
    }
}
