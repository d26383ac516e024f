//! Known places: an address, or a file's name, at which a pack has a key already. That another key stands there now is
//! what a rotation looks like, and what an attack at collection looks like (a Rekor that lost its key; a page that was
//! changed; a key beside the right one). A person tells them apart.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Include, Inventory, KeyRecord};
use crate::{
    key::{Grade, KeyRef, Provenance, Role, well_known},
    oci::Digest,
};

/// A key that a pack does not have, at a place where it has others of that role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAtPlace {
    /// The new key.
    pub key: KeyRef,
    /// The address, or the file's name.
    pub place: String,
    /// The new key's fingerprint; of a chain, that of its first certificate.
    pub fingerprint: Digest,
    /// Those that the pack has.
    pub known: Vec<KnownKey>,
}

/// A key that a pack has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownKey {
    /// Its file.
    pub file: String,
    /// Its fingerprint; of a chain, that of its first certificate.
    pub fingerprint: Digest,
}

/// A key and who gave it.
struct Given<'a> {
    key: KeyRef,
    url: Option<&'a str>,
    provenance: &'a [Provenance],
    fingerprint: Digest,
}

/// Finds the keys among `include` that are new at a place which the replaced pack knows.
pub fn new_at_known_places(old: &Inventory, include: &[Include]) -> Vec<NewAtPlace> {
    let given = |include: &Include| {
        let fingerprint = include.material.id();
        let Include { key, url, provenance, .. } = include;
        new_at_place(&Given { key: *key, url: url.as_deref(), provenance, fingerprint }, old)
    };
    include.iter().filter_map(given).collect()
}

/// The same of two packs, one after the other.
pub(super) fn new_in(old: &Inventory, new: &Inventory) -> Vec<NewAtPlace> {
    let given = new.keys.iter().map(|record| Given {
        key: record.key_ref(),
        url: record.url.as_deref(),
        provenance: &record.provenance,
        fingerprint: fingerprint(record),
    });
    given.filter_map(|given| new_at_place(&given, old)).collect()
}

/// One document that held both keys all along changed nothing (the second is needed for the first time now), nor is a key
/// new that this program knows by its id. But a changed document that still gives the old key counts: a key more is what
/// an attacker wants, for one of several keys is enough.
fn new_at_place(given: &Given<'_>, old: &Inventory) -> Option<NewAtPlace> {
    let builtin = given.provenance.iter().any(|p| p.grade == Grade::Builtin);
    if old.key(given.key).is_some() || builtin || well_known(given.key).is_some() {
        return None;
    }
    let others = old.keys.iter().filter(|record| record.role == given.key.role);
    let (place, known): (_, Vec<_>) = if let Some(url) = given.url {
        let there = |r: &&KeyRecord| r.url.as_deref().is_some_and(|known| address(known) == address(url));
        (url, others.filter(there).collect())
    } else {
        let file = &given.provenance.iter().find(|p| p.grade == Grade::File)?.source;
        let of_file = |p: &Provenance| p.grade == Grade::File && p.source == *file;
        (file, others.filter(|r| r.provenance.iter().any(of_file)).collect())
    };
    let documents: BTreeSet<_> = given.provenance.iter().map(|p| p.sha256).collect();
    let same_document = |r: &&KeyRecord| r.provenance.iter().any(|p| documents.contains(&p.sha256));
    if known.is_empty() || known.iter().any(same_document) {
        return None;
    }
    let known =
        known.into_iter().map(|r| KnownKey { file: r.file.clone(), fingerprint: fingerprint(r) }).collect();
    Some(NewAtPlace { key: given.key, place: place.to_owned(), fingerprint: given.fingerprint, known })
}

/// What people compare.
const fn fingerprint(record: &KeyRecord) -> Digest {
    if record.role.is_chain() || matches!(record.role, Role::Gpg) { record.id } else { record.spki }
}

/// An address without what two spellings of it differ in: http and https, case, a slash at the end.
fn address(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.trim_end_matches('/').to_ascii_lowercase()
}
