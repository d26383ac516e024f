use super::{Key, Material, Provenance, Role, RoleError};

/// A key and who says so. Nothing follows from it until a signature that needed it has verified with it.
///
/// The role is the one that its source gives. It serves in this role alone, whatever signatures ask for: else a signer who
/// also signs log entries would be their log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The key.
    pub key: Key,
    /// Who says so.
    pub provenance: Provenance,
}

impl Candidate {
    /// A key of which nothing more is known than who gave it, and what for.
    pub fn new(role: Role, material: Material, provenance: Provenance) -> Result<Self, RoleError> {
        Ok(Self { key: Key::new(role, material)?, provenance })
    }
}
