//! The keys that an export may name: those of an authenticated pack, without the ones that were revoked here.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    key::{Algorithm, KeyRef, Material, Role},
    pack::{self, Draft, KeyRecord},
};

/// The keys of a pack, by role and id.
pub(crate) struct ExportKeys<'a>(BTreeMap<KeyRef, (&'a KeyRecord, &'a Material)>);

impl<'a> ExportKeys<'a> {
    /// Those that the pack holds and that are not left out.
    pub(crate) fn of(draft: &'a Draft) -> Self {
        Self(draft.keys().map(|(record, material)| (record.key_ref(), (record, material))).collect())
    }

    /// Those of them that are asked for.
    pub(super) fn only(&self, asked: &dyn Fn(KeyRef) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| asked(**key)).map(|(key, both)| (*key, *both)).collect())
    }

    pub(super) fn has(&self, key: KeyRef) -> bool {
        self.0.contains_key(&key)
    }

    /// The keys of a role.
    pub(super) fn of_role(&self, role: Role) -> impl Iterator<Item = KeyRef> {
        self.0.keys().filter(move |key| key.role == role).copied()
    }

    /// Its file in keys/, or what it would be called there.
    pub(super) fn file(&self, key: KeyRef) -> String {
        self.0.get(&key).map_or_else(|| key.to_string(), |(record, _)| record.file.clone())
    }

    /// PEM, or armour for GPG.
    pub(super) fn pem(&self, key: KeyRef) -> String {
        self.0.get(&key).map(|(_, material)| material.to_pem()).unwrap_or_default()
    }

    pub(super) fn material(&self, key: KeyRef) -> Option<&'a Material> {
        self.0.get(&key).map(|(_, material)| *material)
    }

    /// The address of the log or authority, as trusted_root.json has it.
    pub(super) fn url(&self, key: KeyRef) -> Option<String> {
        self.0.get(&key).and_then(|(record, _)| record.address())
    }

    /// Until when it was in use.
    pub(super) fn end(&self, key: KeyRef) -> Option<Timestamp> {
        self.0.get(&key).and_then(|(record, _)| record.validity.end)
    }

    /// `trusted_root.json` with those of the keys that are asked for; none, if no key is of its kind.
    pub(crate) fn trusted_root(&self, asked: &dyn Fn(KeyRef) -> bool) -> Option<String> {
        let keys: Vec<_> = self.0.iter().filter(|(key, _)| asked(**key)).map(|(_, both)| *both).collect();
        Some(String::from_utf8_lossy(&pack::trusted_root(&keys)?).into_owned())
    }

    pub(super) fn algorithm(&self, key: KeyRef) -> Option<Algorithm> {
        self.0.get(&key).map(|(record, _)| record.algorithm)
    }

    /// Whether the instance of this CA has CT logs.
    pub(super) fn has_ct_logs(&self, key: KeyRef) -> bool {
        self.0.get(&key).is_some_and(|(record, _)| record.ct_required)
    }

    /// The certificates of these CAs as PEM: the roots, and those in between.
    pub(super) fn bundles(&self, authorities: &[KeyRef]) -> (String, String) {
        let (mut roots, mut between) = (String::new(), String::new());
        for key in authorities {
            let Some((_, Material::Chain(chain))) = self.0.get(key) else { continue };
            for certificate in chain.certificates() {
                let is_root = certificate.subject() == certificate.issuer();
                if is_root { &mut roots } else { &mut between }.push_str(&certificate.to_pem());
            }
        }
        (roots, between)
    }
}
