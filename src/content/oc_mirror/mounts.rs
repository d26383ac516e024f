//! Maps the content of an oc-mirror directory to namespaces.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Caches, WORKING_DIR,
    layers::Mount,
    survey::{Survey, cache_of, usual_cache_of},
};
use crate::content::{ContentError, DirFiles, Files, Segments, TarFiles, storage::BASES};

/// The namespaces found by a survey: the storage, and the working-dir.
pub(super) fn mounts(survey: &Survey) -> Result<(Vec<Mount>, Vec<Mount>), ContentError> {
    let (mut storage, mut working_dir) = (Vec::new(), Vec::new());
    if !survey.segments.is_empty() {
        let files: Arc<dyn Files> = Arc::new(TarFiles::open(&survey.segments, Segments::Set)?);
        for (mounts, at) in [(&mut storage, BASES[0]), (&mut working_dir, WORKING_DIR)] {
            mounts.push(Mount { files: Arc::clone(&files), at, from: at.to_owned() });
        }
    }
    for (folder, base) in &survey.storages {
        storage.push(folder_mount(folder, base)?);
    }
    if let Some(folder) = &survey.working_dir {
        let files = Arc::new(DirFiles::open(folder)?);
        working_dir.push(Mount { files, at: WORKING_DIR, from: String::new() });
    }
    Ok((storage, working_dir))
}

/// Whether segments lack the configuration (`isc_<time>`), which oc-mirror archives last. Release 4.20 may write it
/// into an incomplete set, so its presence proves nothing.
pub(super) fn is_unfinished(survey: &Survey, working_dir: &[Mount]) -> Result<bool, ContentError> {
    let Some(set) = working_dir.first().filter(|_| survey.is_set()) else { return Ok(false) };
    Ok(!set.files.list("")?.iter().any(|child| !child.is_dir && child.name.starts_with("isc_")))
}

fn folder_mount(folder: &Path, base: &str) -> Result<Mount, ContentError> {
    Ok(Mount { files: Arc::new(DirFiles::open(folder)?), at: BASES[0], from: base.to_owned() })
}

pub(super) fn named_cache(caches: &Caches) -> Result<Option<(PathBuf, Mount)>, ContentError> {
    let Some(base) = &caches.named else { return Ok(None) };
    DirFiles::open(base)?;
    let (folder, at) = cache_of(base)?.ok_or_else(|| {
        let reason = "it holds neither .oc-mirror/.cache nor docker/registry/v2";
        ContentError::wrong_place(base, "a cache of oc-mirror", reason)
    })?;
    let mount = folder_mount(&folder, at)?;
    Ok(Some((folder, mount)))
}

/// The cache that completes archive sets; only used if there are any, and if no cache was named.
pub(super) fn usual_cache(
    caches: &Caches,
    surveys: &[Survey],
) -> Result<Option<(PathBuf, Mount)>, ContentError> {
    if caches.named.is_some() || surveys.iter().all(|survey| survey.segments.is_empty()) {
        return Ok(None);
    }
    for base in &caches.usual {
        // An unreadable default cache is not an error, because the user did not name it.
        let Ok(Some((folder, at))) = usual_cache_of(base) else { continue };
        if surveys.iter().flat_map(|survey| &survey.storages).any(|(own, _)| *own == folder) {
            continue;
        }
        let mount = folder_mount(&folder, at)?;
        return Ok(Some((folder, mount)));
    }
    Ok(None)
}
