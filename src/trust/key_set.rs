use thiserror::Error;

use crate::{
    key::{Key, KeyRef, Role},
    signature::Need,
};

/// The keys that a signature may be verified with. Whether they are trusted is decided elsewhere: by an anchor, or
/// (when collecting) not yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

/// Two keys have the same role and id. Which of them is meant can't be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("two different keys are called {0}")]
pub struct KeyConflict(pub KeyRef);

impl KeySet {
    /// A set of these keys. An identical key counts once; a different one with the same role and id, or with another
    /// address or period of use, is a conflict.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, KeyConflict> {
        let mut set = Self::default();
        for key in keys {
            match set.0.iter().find(|known| known.key_ref() == key.key_ref()) {
                None => set.0.push(key),
                Some(known) if *known == key => {}
                Some(_) => return Err(KeyConflict(key.key_ref())),
            }
        }
        Ok(set)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// The keys of one role.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |key| key.role == role)
    }

    /// The keys that a signature may refer to, in the role that it needs.
    pub fn fitting(&self, need: &Need) -> impl Iterator<Item = &Key> {
        self.of(need.role()).filter(|key| need.fits(key))
    }
}
