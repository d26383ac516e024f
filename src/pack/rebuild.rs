use jiff::Timestamp;

use super::{Build, Draft, Expiry, Include, PackError, VerifiedChain, build, tuf_anchor};
use crate::{
    key::{Grade, KeyRef, Provenance, Role, Validity},
    oci::Digest,
};

/// A pack of the same keys without anything else from its maker: no provenance, no rules, no revocations; dated now.
/// The address and the period of use that a TUF repository states for a key are authenticated and kept; for a pinned
/// key there is no such information.
///
/// The id of a Rekor v2 log depends on its origin, so the origin is kept: with another one the id would be one that no
/// signature names.
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
            // Include all repositories that list it; otherwise the chains of the others would be dropped.
            provenance: match items.as_slice() {
                [] => vec![pinned()],
                all => all.iter().map(|item| item.provenance.clone()).collect(),
            },
            // Only the unauthenticated maker states this. Requiring the timestamp is stricter, so it can do no harm.
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
