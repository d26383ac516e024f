use jiff::Timestamp;

use super::{Build, Draft, Expiry, Include, PackError, Vouched, build, vouch};
use crate::key::{Grade, KeyRef, Provenance, Role, Validity};

/// A pack of the same keys with nothing else of what its maker said: no provenance, no rules, no revocations; dated now.
/// What a TUF repository says of a key, its address and its time of use, is authenticated and stays; of a pinned key
/// nobody says anything.
///
/// A Rekor v2 log's id is made from its origin, so the origin stays: another one would be another id, and no
/// signature names it.
pub(super) fn rebuild(
    draft: &Draft,
    vouched: &[Vouched],
    lineage: &str,
    now: Timestamp,
) -> Result<Draft, PackError> {
    let mut keys = Vec::new();
    for (record, material) in draft.keys() {
        let pinned =
            || Provenance { grade: Grade::Pinned, source: "pinned".into(), sha256: record.spki, date: None };
        let item = vouch::item(vouched, record, material)?;
        keys.push(Include {
            key: KeyRef { role: record.role, id: record.id },
            material: material.clone(),
            url: item.and_then(|item| item.url.clone()),
            origin: (record.role == Role::Rekor2).then(|| record.origin.clone()).flatten(),
            validity: item.map_or_else(Validity::default, |item| item.validity),
            provenance: vec![item.map_or_else(pinned, |item| item.provenance.clone())],
        });
    }
    let built = build(&Build {
        name: lineage,
        keys,
        chains: vouched.iter().map(|v| v.chain.clone()).collect(),
        replaces: None,
        prune: true,
        rules: None,
        revoked: Vec::new(),
        created: now,
        expires: Expiry::Never,
        refresh_after: Build::default_refresh_after(),
    })?;
    Ok(built.draft)
}
