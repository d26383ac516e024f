//! Keys that a person revoked on this host. The state says which, and never the directory that they lie in.

use std::path::Path;

use super::{Context, Env, state_dir};
use crate::{
    diag::Diagnostic,
    key::Material,
    outcome::RevokedKey,
    pack::{Draft, KeyRecord},
    state::{self, RevokedHere},
};

/// What this host's state says. Without a place for a state there is none.
pub(super) fn load(state_dir: Option<&Path>, env: &Env) -> Result<RevokedHere, Diagnostic> {
    match state_dir::path(state_dir, env) {
        Ok(dir) => Ok(state::revoked_here(&dir)?),
        Err(_) => Ok(RevokedHere::default()),
    }
}

/// What a pack would be here: without the keys that were revoked.
pub(super) fn without(draft: Draft, here: &RevokedHere) -> Draft {
    draft.without(&|record, material| here.of(record, material).is_some())
}

/// The keys that are left out of a pack, for people.
pub(super) fn left_out(draft: &Draft, here: &RevokedHere) -> Vec<RevokedKey> {
    let describe = |(record, there): (&KeyRecord, Option<&Material>)| {
        let (_, revocation) = here.of(record, there)?;
        Some(RevokedKey {
            file: record.file.clone(),
            role: record.role,
            fingerprint: record.fingerprint,
            at: revocation.at,
            since: revocation.since,
            reason: revocation.reason.clone(),
            still_there: there.is_some(),
        })
    };
    draft.left_out().filter_map(describe).collect()
}

/// Warns of keys that are left out and lie there all the same: a run was broken off, or somebody put them back.
pub(super) fn warn_of_those_there(directory: &Path, left_out: &[RevokedKey], ctx: &Context) {
    for key in left_out.iter().filter(|key| key.still_there) {
        ctx.events.warn(&format!(
            "{key}; it does not count, but it is still in {0}, where other programs may use it: remove it with keypack \
             revoke {1} --reason … --keys-dir {0}",
            directory.display(),
            key.fingerprint
        ));
    }
}
