use super::{Chain, KeyId, OpenPgpKey, PublicKey};

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

    /// Whether both are the same key. Two copies of an OpenPGP key may differ in content and still be the same key.
    pub fn is_same_key(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OpenPgp(a), Self::OpenPgp(b)) => a.is_same_key(b),
            _ => self == other,
        }
    }

    /// Combines two copies of one key.
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
