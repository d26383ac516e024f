use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::VerifyKeys;
use crate::{key::Pin, oci::Digest, trust::tuf::RootName};

/// The host-wide configuration file, which only the administrator can write.
pub const HOST_SETTING: &str = "/etc/keypack/keypack.yaml";

/// The default state directory of a host with `enforce`, unless its configuration names another: a directory that
/// depended on the environment could be exchanged for an empty one.
pub(super) const STATE: &str = "/var/lib/keypack";

/// Requirements that a host's administrator sets for every run. Flags, other configuration files and the environment
/// can make them stricter, but never weaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforce {
    /// The lineage.
    pub name: Option<String>,
    /// The directory in which this host records what it has authenticated.
    pub state: PathBuf,
    /// Whether to refuse if this host has no state for the lineage and the anchor.
    pub require_state: bool,
    /// The maximum age of a pack.
    pub max_age: Option<SignedDuration>,
    /// The maximum time between a pack's creation and its expiry.
    pub max_expires: Option<SignedDuration>,
    /// The only approved pack.
    pub digest: Option<Digest>,
    /// The organisation's keys.
    pub verify_keys: VerifyKeys,
    /// TUF root files.
    pub tuf_roots: Vec<RootName>,
    /// The exact set of keys that a pack must contain.
    pub pins: Vec<Pin>,
}

impl Enforce {
    /// The files whose content matters in addition to the configuration file.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let roots = self.tuf_roots.iter().filter_map(|root| match root {
            RootName::File(path) => Some(path),
            RootName::Builtin(_) => None,
        });
        self.verify_keys.keys.iter().chain(roots).map(PathBuf::as_path)
    }
}
