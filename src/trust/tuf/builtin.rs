//! The roots that a chain is verified from: built in, or a file that reached the user another way.

use std::{path::PathBuf, str::FromStr};

use sigstore_tuf::TrustedMetadataSet;

use super::TufError;
use crate::oci::Digest;

/// A repository whose root is built in. The files in `roots/` are those that `sigstore-trust-root` 0.15.1 carries; it
/// gives them away only together with an HTTP client of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instance {
    /// The public-good instance of sigstore.
    PublicGood,
    /// Its staging instance: for tests, never for production.
    Staging,
    /// GitHub's, for attestations of private repositories.
    GitHub,
}

/// A root to begin with. It is trusted because the user or this program says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    bytes: Vec<u8>,
    version: u64,
    instance: Option<Instance>,
}

/// A root as it is named: `builtin`, which is the public good's, `builtin:NAME`, or a file.
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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PublicGood, Self::Staging, Self::GitHub];

    /// The name in `--tuf-root` and in the names of files.
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

    /// The root that is built in.
    pub fn root(self) -> Result<Root, TufError> {
        Ok(Root { instance: Some(self), ..Root::new(self.bytes().to_vec())? })
    }

    /// The instance whose built-in root this is, byte for byte.
    pub fn of(root: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|instance| instance.bytes() == root)
    }
}

impl Root {
    /// Reads a root; it must carry the signatures that it asks for itself.
    pub fn new(bytes: Vec<u8>) -> Result<Self, TufError> {
        let set =
            TrustedMetadataSet::from_root(&bytes).map_err(|e| TufError::Root(super::error::chain(&e)))?;
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

    /// The instance, where it is one's built-in root.
    pub const fn instance(&self) -> Option<Instance> {
        self.instance
    }

    /// How what is verified from it is called: the address of a built-in instance, else the root's fingerprint. It must
    /// not come from a pack, which nobody vouches for.
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
