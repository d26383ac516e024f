//! The images that only a revoked key verifies.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use super::Request;
use crate::{
    diag::Diagnostic,
    key::Fingerprint,
    ops::{
        Context, state_dir,
        verify::{self, Keys},
    },
    outcome::{
        revocation::{LostImage, LostImages},
        verify::{ImageVerdict, SignatureState},
    },
    pack::Draft,
    state,
};

/// Verifies the images of a place with the key and without it.
pub(super) fn lost(
    place: &str,
    directory: &Path,
    draft: &Draft,
    key: Fingerprint,
    state_dir: &Path,
    request: &Request,
    ctx: &Context,
) -> Result<LostImages, Diagnostic> {
    let here = state::revoked_here(state_dir)?;
    let state = state::load(state_dir, &state_dir::lineage(&draft.inventory().name)?)?;
    let pack = state.recognise(draft.clone(), &state_dir::absolute(directory))?;
    let after = verify::of_pack(&pack, PathBuf::from(directory), None, &here)?;
    let gone: BTreeSet<_> = draft
        .left_out()
        .filter(|(record, there)| here.falls_under(record, *there, &key))
        .map(|(record, _)| record.key_ref())
        .collect();
    let before = after.with_revoked(&gone)?;
    let wanted = verify::Request {
        places: vec![place.to_owned()],
        cache_dir: request.cache_dir.clone(),
        ..verify::Request::default()
    };
    let run = |keys: Keys| verify::with_keys(&wanted, keys, ctx);
    let (before, after) = (run(before)?, run(after)?);
    let name = |image: &ImageVerdict| (image.source.clone(), image.repository.clone(), image.digest);
    let standing = |image: &ImageVerdict| (image.state.is_good(), is_signed(image));
    let left: HashMap<_, _> = after.images.iter().map(|image| (name(&image), standing(&image))).collect();
    let lost = before.images.iter().filter(|was| {
        let (is_good, is_signed) = left.get(&name(was)).copied().unwrap_or_default();
        let (was_good, was_signed) = standing(was);
        (was_good && !is_good) || (was_signed && !is_signed)
    });
    let unread = after.counts.unreadable + after.sources.iter().map(|s| s.problems.len()).sum::<usize>();
    Ok(LostImages {
        place: place.to_owned(),
        read: after.images.len(),
        unread,
        images: lost.map(|image| LostImage::of(&image)).collect(),
    })
}

/// Whether a signature of it verifies, whoever is expected to sign.
fn is_signed(image: &ImageVerdict) -> bool {
    let verifies = |state| matches!(state, SignatureState::Good | SignatureState::Unexpected);
    image.signatures.iter().chain(&image.attestations).any(|signature| verifies(signature.state))
}
