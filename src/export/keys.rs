//! The keys that an export may name: those of an authenticated pack, without the ones that were revoked here.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;

use crate::{
    key::{Algorithm, Chain, KeyRef, Material, Role, trusted_root},
    pack::{self, Draft, KeyRecord},
};

/// The keys of a pack, by role and id.
pub(crate) struct ExportKeys<'a>(BTreeMap<KeyRef, (&'a KeyRecord, Cow<'a, Material>)>);

impl<'a> ExportKeys<'a> {
    /// Those that the pack holds and that are not left out, as a policy names them: of a CA, the certificate that issues. A rule means that
    /// one, and with the whole chain consumers would accept what the CAs above it issue, and through them any other.
    pub(crate) fn of(draft: &'a Draft) -> Self {
        let issuer = |record: &KeyRecord, material: &'a Material| match material {
            Material::Chain(chain) if matches!(record.role, Role::Fulcio | Role::Pki) => {
                Chain::new(vec![chain.first().clone()])
                    .map_or(Cow::Borrowed(material), |chain| Cow::Owned(Material::Chain(chain)))
            }
            _ => Cow::Borrowed(material),
        };
        let keys = draft.keys();
        Self(keys.map(|(record, material)| (record.key_ref(), (record, issuer(record, material)))).collect())
    }

    /// The same with whole chains, for what holds keys and decides nothing.
    pub(crate) fn with_chains(draft: &'a Draft) -> Self {
        let keys = draft.keys();
        Self(keys.map(|(record, material)| (record.key_ref(), (record, Cow::Borrowed(material)))).collect())
    }

    /// Those of them that are asked for.
    pub(super) fn only(&self, asked: &dyn Fn(KeyRef) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| asked(**key)).map(|(key, both)| (*key, both.clone())).collect())
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

    pub(super) fn material(&self, key: KeyRef) -> Option<&Material> {
        self.0.get(&key).map(|(_, material)| material.as_ref())
    }

    /// Whether it is a CA with others above it.
    pub(super) fn is_chain(&self, key: KeyRef) -> bool {
        matches!(self.material(key), Some(Material::Chain(chain)) if chain.certificates().len() > 1)
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
        let asked = self.0.iter().filter(|(key, _)| asked(**key));
        let keys: Vec<_> = asked.map(|(_, (record, material))| (*record, material.as_ref())).collect();
        Some(String::from_utf8_lossy(&pack::trusted_root(&keys)?).into_owned())
    }

    pub(super) fn algorithm(&self, key: KeyRef) -> Option<Algorithm> {
        self.0.get(&key).map(|(record, _)| record.algorithm)
    }

    /// Whether the instance of this CA has CT logs.
    pub(super) fn has_ct_logs(&self, key: KeyRef) -> bool {
        self.0.get(&key).is_some_and(|(record, _)| record.ct_required)
    }

    /// The certificates of these CAs, one after the other.
    pub(super) fn pems(&self, authorities: &[KeyRef]) -> String {
        authorities.iter().map(|key| self.pem(*key)).collect()
    }

    /// A trusted root with these private CAs alone. It has one place for CAs of every kind.
    pub(super) fn private_root(&self, authorities: &[KeyRef]) -> String {
        let here = authorities.iter().filter_map(|key| self.0.get(key));
        let entries: Vec<_> = here
            .map(|(record, material)| trusted_root::Entry {
                role: Role::Fulcio,
                id: record.id,
                material,
                url: None,
                validity: record.validity,
            })
            .collect();
        String::from_utf8_lossy(&trusted_root::write(&entries)).into_owned()
    }
}
