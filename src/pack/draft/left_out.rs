//! Packs without the keys that this host revoked: the inventory stays as signed, and the keys go.

use super::{Draft, KeyRecord, PackError, material};
use crate::key::Material;

/// Whether a key is left out although the inventory describes it: this host revoked it. Its file may be gone, and then only
/// the record tells which key it was.
pub type LeftOut<'a> = &'a dyn Fn(&KeyRecord, Option<&Material>) -> bool;

impl Draft {
    /// The same pack without these keys.
    #[must_use]
    pub fn without(mut self, left_out: LeftOut<'_>) -> Self {
        for (record, material) in self.inventory.keys.iter().zip(&mut self.materials) {
            if let Some(gone) = material.take_if(|material| left_out(record, Some(material))) {
                self.lying.insert(record.key_ref(), gone);
            }
        }
        self
    }

    /// The same pack with those of the keys that are left out that are given here. Each is held to its record.
    pub fn with(mut self, give: &dyn Fn(&KeyRecord) -> Option<Material>) -> Result<Self, PackError> {
        for (record, gone) in self.inventory.keys.iter().zip(&mut self.materials) {
            if gone.is_none()
                && let Some(given) = give(record)
            {
                *gone = Some(material(record, given.to_pem().as_bytes())?);
                self.lying.remove(&record.key_ref());
            }
        }
        Ok(self)
    }

    /// The keys that are left out; one that lies there all the same comes with it.
    pub fn left_out(&self) -> impl Iterator<Item = (&KeyRecord, Option<&Material>)> {
        let all = self.inventory.keys.iter().zip(&self.materials);
        let gone = all.filter(|(_, material)| material.is_none());
        gone.map(|(record, _)| (record, self.lying.get(&record.key_ref())))
    }
}
