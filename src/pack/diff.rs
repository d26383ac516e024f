//! The differences between the inventories of two packs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{CertificateRecord, Draft, Inventory, KeyRecord, Revoked, Rotation, Rule, Scope, rotation};
use crate::{
    key::{Fingerprint, Role},
    oci::Digest,
    trust::tuf::Evidence,
};

/// The changes from one pack to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// The old pack, if there is one.
    pub old: Option<Side>,
    /// The new pack.
    pub new: Side,
    /// Keys that only the new one has.
    pub added: Vec<DiffKey>,
    /// Keys that only the old one has.
    pub removed: Vec<DiffKey>,
    /// Keys in both, described differently.
    pub changed: Vec<ChangedKey>,
    /// Added keys from an address or a file from which the old pack has a different key.
    pub new_at_known_places: Vec<Rotation>,
    /// Fingerprints that the new one revokes and the old one did not.
    pub revoked: Vec<Revoked>,
    /// Fingerprints that the old one revoked and the new one does not. They stay revoked on this host.
    pub unrevoked: Vec<Revoked>,
    /// Rules that differ, by scope.
    pub rules: Vec<ChangedRule>,
    /// TUF chains that were added, removed or changed, by their own statements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tuf: Vec<ChangedChain>,
}

/// A TUF chain that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedChain {
    /// Its file.
    pub file: String,
    /// The chain in the old pack.
    pub old: Option<ChainSide>,
    /// The chain in the new pack.
    pub new: Option<ChainSide>,
}

/// The contents of a chain, unverified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainSide {
    /// The repository.
    pub repository: String,
    /// The version of each role.
    pub versions: BTreeMap<String, u64>,
    /// The timestamp was signed no earlier than this. Known only if the repository states how long one is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_after: Option<Timestamp>,
    /// When the first of its metadata expires.
    pub good_until: Option<Timestamp>,
}

/// One of the two packs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// The lineage.
    pub name: String,
    /// The version.
    pub version: u64,
    /// The pack digest.
    pub pack_digest: Digest,
}

/// A key that was added or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffKey {
    /// Its file.
    pub file: String,
    /// The key's role.
    pub role: Role,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The certificates of a chain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateRecord>,
    /// Whether no signature has verified with it yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unproved: bool,
}

/// A key that is described differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedKey {
    /// The key.
    #[serde(flatten)]
    pub key: DiffKey,
    /// The inventory fields that differ.
    pub what: Vec<&'static str>,
}

/// A rule that was added, removed or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedRule {
    /// The scope.
    pub scope: Scope,
    /// The old rule.
    pub old: Option<Rule>,
    /// The new rule.
    pub new: Option<Rule>,
}

impl Diff {
    /// Compares two packs. Without an old pack, everything is added.
    pub fn of(old: Option<&Draft>, new: &Draft) -> Self {
        let was = old.map(Draft::inventory);
        let is = new.inventory();
        let old_keys = was.map(|i| i.keys.as_slice()).unwrap_or_default();
        let old_revoked = was.map(|i| i.revoked.as_slice()).unwrap_or_default();
        let absent = |key: &&KeyRecord, keys: &[KeyRecord]| keys.iter().all(|k| k.key_ref() != key.key_ref());
        let fresh = |r: &&Revoked, all: &[Revoked]| all.iter().all(|o| o.fingerprint != r.fingerprint);
        Self {
            old: old.map(Side::of),
            new: Side::of(new),
            added: is.keys.iter().filter(|k| absent(k, old_keys)).map(DiffKey::of).collect(),
            removed: old_keys.iter().filter(|k| absent(k, &is.keys)).map(DiffKey::of).collect(),
            changed: was.map(|was| changed(was, is)).unwrap_or_default(),
            new_at_known_places: was.map(|was| rotation::new_in(was, is)).unwrap_or_default(),
            revoked: is.revoked.iter().filter(|r| fresh(r, old_revoked)).cloned().collect(),
            unrevoked: old_revoked.iter().filter(|r| fresh(r, &is.revoked)).cloned().collect(),
            rules: rules(was.map(|i| i.rules.as_slice()).unwrap_or_default(), &is.rules),
            tuf: chains(old, new),
        }
    }

    /// Whether both have the same keys with the same descriptions, rules and revocations.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.removed.is_empty()
            && self.changed.is_empty()
            && self.revoked.is_empty()
            && self.unrevoked.is_empty()
            && self.rules.is_empty()
            && self.tuf.is_empty()
    }
}

impl Side {
    fn of(draft: &Draft) -> Self {
        let inventory = draft.inventory();
        Self { name: inventory.name.clone(), version: inventory.version, pack_digest: draft.digest() }
    }
}

impl DiffKey {
    fn of(record: &KeyRecord) -> Self {
        Self {
            file: record.file.clone(),
            role: record.role,
            fingerprint: record.fingerprint,
            certificates: record.certificates.clone(),
            unproved: !record.proved,
        }
    }
}

fn rules(was: &[Rule], is: &[Rule]) -> Vec<ChangedRule> {
    let scopes: BTreeSet<_> = was.iter().chain(is).map(|rule| &rule.scope).collect();
    let of = |rules: &[Rule], scope: &Scope| rules.iter().find(|rule| rule.scope == *scope).cloned();
    scopes
        .into_iter()
        .map(|scope| ChangedRule { scope: scope.clone(), old: of(was, scope), new: of(is, scope) })
        .filter(|change| change.old != change.new)
        .collect()
}

impl ChainSide {
    /// The chains of a pack, by file.
    pub fn all(draft: &Draft) -> BTreeMap<String, Self> {
        let sides = draft.described().into_iter().map(|(record, described)| {
            let described = described.ok();
            let side = Self {
                repository: record.repository.clone(),
                versions: described.as_ref().map(|d| d.versions.clone()).unwrap_or_default(),
                signed_after: described.as_ref().and_then(|d| d.signed_after),
                good_until: described.as_ref().map(Evidence::good_until),
            };
            (record.file.clone(), side)
        });
        sides.collect()
    }
}

fn chains(old: Option<&Draft>, new: &Draft) -> Vec<ChangedChain> {
    let (was, is) = (old.map(ChainSide::all).unwrap_or_default(), ChainSide::all(new));
    let content =
        |draft: &Draft, name: &str| draft.inventory().files.iter().find(|f| f.name == name).map(|f| f.sha256);
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.and_then(|old| content(old, name)) != content(new, name))
        .map(|name| ChangedChain {
            file: name.clone(),
            old: was.get(name).cloned(),
            new: is.get(name).cloned(),
        })
        .collect()
}

/// A key is identified by its role and id: the same material under another id is another key, and is shown as added and
/// removed.
fn changed(was: &Inventory, is: &Inventory) -> Vec<ChangedKey> {
    let file =
        |inventory: &Inventory, name: &str| inventory.files.iter().find(|f| f.name == name).map(|f| f.sha256);
    is.keys
        .iter()
        .filter_map(|new| {
            let old = was.key(new.key_ref())?;
            let differs = [
                ("file", old.file != new.file || file(was, &old.file) != file(is, &new.file)),
                ("url", old.url != new.url),
                ("origin", old.origin != new.origin),
                ("validity", old.validity != new.validity),
                ("ctRequired", old.ct_required != new.ct_required),
                ("proved", old.proved != new.proved),
                ("givenBy", old.given_by != new.given_by),
                ("provenance", old.provenance != new.provenance),
                ("kept", old.kept.is_some() != new.kept.is_some()),
            ];
            let what: Vec<_> = differs.into_iter().filter(|(_, d)| *d).map(|(name, _)| name).collect();
            (!what.is_empty()).then(|| ChangedKey { key: DiffKey::of(new), what })
        })
        .collect()
}
