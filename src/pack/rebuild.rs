use jiff::Timestamp;

use super::{Build, Draft, Expiry, Include, PackError, VerifiedChain, build, tuf_anchor};
use crate::{
    key::{Grade, KeyRef, Provenance, Role, Validity},
    oci::Digest,
};

/// A pack of the same keys with nothing else of what its maker said: no provenance, no rules, no revocations; dated now.
/// What a TUF repository says of a key, its address and its time of use, is authenticated and stays; of a pinned key
/// nobody says anything.
///
/// A Rekor v2 log's id is made from its origin, so the origin stays: another one would be another id, and no
/// signature names it.
pub(super) fn rebuild(
    draft: &Draft,
    verified: &[VerifiedChain],
    lineage: &str,
    now: Timestamp,
) -> Result<Draft, PackError> {
    let mut keys = Vec::new();
    for (record, material) in draft.keys() {
        let pinned = || Provenance {
            grade: Grade::Pinned,
            source: "pinned".into(),
            sha256: Digest::of(material.to_pem().as_bytes()),
            date: None,
        };
        let items = tuf_anchor::items(verified, record, material)?;
        let item = items.first();
        keys.push(Include {
            key: KeyRef { role: record.role, id: record.id },
            material: material.clone(),
            url: item.and_then(|item| item.key.url.clone()),
            origin: (record.role == Role::Rekor2).then(|| record.origin.clone()).flatten(),
            validity: item.map_or_else(Validity::default, |item| item.key.validity),
            // All who list it, or the chains of the others would not go on with it.
            provenance: match items.as_slice() {
                [] => vec![pinned()],
                all => all.iter().map(|item| item.provenance.clone()).collect(),
            },
            // Only the maker says so, and he is not authenticated. The stricter reading of the first can't harm.
            ct_required: record.ct_required,
            proved: false,
        });
    }
    let built = build(&Build {
        name: lineage,
        keys,
        chains: verified.iter().map(|v| v.chain.clone()).collect(),
        replaces: None,
        prune: true,
        rules: None,
        revoked: Vec::new(),
        created: now,
        expires: Expiry::Never,
        collected_by: None,
        given_by: None,
        refresh_after: Build::default_refresh_after(),
    })?;
    Ok(built.draft)
}
