//! The roots from which chains are verified: built in, or a file that the user obtained out of band.

use std::{path::PathBuf, str::FromStr};

use sigstore_tuf::TrustedMetadataSet;

use super::TufError;
use crate::oci::Digest;

/// A repository whose root is built in. The files in `roots/` are those of `sigstore-trust-root` 0.15.1, which provides
/// them only together with an HTTP client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instance {
    /// The public-good instance of sigstore.
    PublicGood,
    /// Its staging instance: for tests, never for production.
    Staging,
    /// GitHub's, for attestations of private repositories.
    GitHub,
}

/// An initial root. It is trusted because the user or this program says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    bytes: Vec<u8>,
    version: u64,
    instance: Option<Instance>,
}

/// An initial root as the user names it: `builtin` (the public-good one), `builtin:NAME`, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootName {
    /// One that is built in.
    Builtin(Instance),
    /// A file.
    File(PathBuf),
}

impl FromStr for RootName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "builtin" {
            return Ok(Self::Builtin(Instance::PublicGood));
        }
        let Some(name) = text.strip_prefix("builtin:") else { return Ok(Self::File(text.into())) };
        let known = Instance::ALL.into_iter().find(|instance| instance.name() == name);
        let names = Instance::ALL.map(Instance::name).join(", ");
        known.map(Self::Builtin).ok_or_else(|| format!("{name:?} is not built in; these are: {names}"))
    }
}

impl Instance {
    /// All instances.
    pub const ALL: [Self; 3] = [Self::PublicGood, Self::Staging, Self::GitHub];

    /// The name in `--tuf-root` and in file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PublicGood => "sigstore",
            Self::Staging => "sigstore-staging",
            Self::GitHub => "github",
        }
    }

    /// Its address.
    pub const fn url(self) -> &'static str {
        match self {
            Self::PublicGood => "https://tuf-repo-cdn.sigstore.dev",
            Self::Staging => "https://tuf-repo-cdn.sigstage.dev",
            Self::GitHub => "https://tuf-repo.github.com",
        }
    }

    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::PublicGood => include_bytes!("roots/public-good.json"),
            Self::Staging => include_bytes!("roots/staging.json"),
            Self::GitHub => include_bytes!("roots/github.json"),
        }
    }

    /// The built-in root.
    pub fn root(self) -> Result<Root, TufError> {
        Ok(Root { instance: Some(self), ..Root::new(self.bytes().to_vec())? })
    }

    /// The instance whose built-in root has exactly these bytes.
    pub fn of(root: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|instance| instance.bytes() == root)
    }
}

impl Root {
    /// Parses a root; it must have the signatures that it requires of itself.
    pub fn new(bytes: Vec<u8>) -> Result<Self, TufError> {
        let set =
            TrustedMetadataSet::from_root(&bytes).map_err(|e| TufError::Root(super::error::chain(&e)))?;
        super::keys::root(set.root())?;
        Ok(Self { version: set.root().version, instance: Instance::of(&bytes), bytes })
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its version.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// sha256 of the file.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The instance, if this is a built-in root.
    pub const fn instance(&self) -> Option<Instance> {
        self.instance
    }

    /// The name of what is verified from it: the address of a built-in instance, otherwise the root's fingerprint. It
    /// must not be taken from a pack, where it is not authenticated.
    pub fn label(&self) -> String {
        self.instance
            .map_or_else(|| format!("TUF root {}", self.digest()), |instance| instance.url().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_roots_are_those_that_were_looked_at() {
        let seen = Instance::ALL.map(|instance| {
            let root = instance.root().unwrap();
            assert_eq!(Root::new(root.bytes().to_vec()).unwrap().instance(), Some(instance));
            (root.version(), root.digest().hex()[..16].to_owned())
        });
        let expected = [(16, "27aea7e372aa7864"), (15, "3cfd686011642e1f"), (9, "eb303461e0109458")];
        assert_eq!(seen, expected.map(|(version, digest)| (version, digest.to_owned())));
    }
}
