//! Which key is meant.

use crate::{
    diag::Diagnostic,
    key::Fingerprint,
    ops::key_named::{self, Known},
    pack::Draft,
    state::RevokedHere,
};

/// Reads the fingerprint of a key, as a person wrote it.
pub(super) fn fingerprint(
    text: &str,
    draft: Option<&Draft>,
    here: &RevokedHere,
) -> Result<Fingerprint, Diagnostic> {
    let there = draft.into_iter().flat_map(|draft| {
        let left_out = draft.left_out();
        let gone = left_out
            .filter_map(|(record, there)| Some((record, there.cloned().or_else(|| here.removed(record))?)));
        draft.keys().map(|(record, material)| (record, material.clone())).chain(gone)
    });
    let known: Vec<_> =
        there.map(|(record, key)| Known::named(&record.name, record.key_ref(), &key)).collect();
    key_named::fingerprint(text, &known, "keypack revoke")
}
