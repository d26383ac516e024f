use super::{Key, Material, Provenance, Role, RoleError};

/// A key and its claimed provenance. It is not trusted until a signature that needs it has verified with it.
///
/// The role is the one assigned by the source. The key is used in this role alone, whatever role a signature asks for:
/// otherwise a signer who also signs log entries could act as their own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The key.
    pub key: Key,
    /// Where the key came from.
    pub provenance: Provenance,
}

impl Candidate {
    /// A key of which only the role and the provenance are known.
    pub fn new(role: Role, material: Material, provenance: Provenance) -> Result<Self, RoleError> {
        Ok(Self { key: Key::new(role, material)?, provenance })
    }
}
