use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::VerifyKeys;
use crate::{key::Pin, oci::Digest, trust::tuf::RootName};

/// The setting of a host, which its administrator writes and nobody else.
pub const HOST_SETTING: &str = "/etc/keypack/keypack.yaml";

/// Where a host that enforces something remembers what it authenticated, unless its setting names another directory: one
/// that depended on the environment could be exchanged for an empty one.
pub(super) const STATE: &str = "/var/lib/keypack";

/// What the administrator of a host demands of every run. Flags, other settings and the environment can demand more and
/// never less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforce {
    /// The lineage.
    pub name: Option<String>,
    /// Where this host remembers what it authenticated.
    pub state: PathBuf,
    /// Whether to refuse where this host remembers nothing of the lineage and the anchor.
    pub require_state: bool,
    /// How old a pack may be at most.
    pub max_age: Option<SignedDuration>,
    /// How long after it was made a pack may end at most.
    pub max_expires: Option<SignedDuration>,
    /// The one pack that is approved.
    pub digest: Option<Digest>,
    /// Keys of the organisation.
    pub verify_keys: VerifyKeys,
    /// Roots of TUF repositories.
    pub tuf_roots: Vec<RootName>,
    /// The exact set of keys that a pack must have.
    pub pins: Vec<Pin>,
}

impl Enforce {
    /// The files that decide together with the setting.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let roots = self.tuf_roots.iter().filter_map(|root| match root {
            RootName::File(path) => Some(path),
            RootName::Builtin(_) => None,
        });
        self.verify_keys.keys.iter().chain(roots).map(PathBuf::as_path)
    }
}
