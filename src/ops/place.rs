//! Parses locations, and loads keys/ directories.

use std::{collections::BTreeSet, path::Path};

use crate::{
    content::Location,
    diag::{Code, Diagnostic},
    fs,
    pack::{self, Draft},
    state::RevokedHere,
    tree::OutFile,
    write,
};

/// Parses a location as the user wrote it.
pub(super) fn location(text: &str) -> Result<Location, Diagnostic> {
    Ok(Location::parse(text, fs::may_be_there)?)
}

/// The number of registries among these locations.
pub(super) fn hosts(locations: &[Location]) -> usize {
    let hosts: BTreeSet<_> = locations.iter().filter_map(Location::host).collect();
    hosts.len()
}

/// Loads a keys/ directory, without the keys that were revoked here; `None` if it does not exist or is empty.
pub(super) fn keys(path: &Path, here: &RevokedHere) -> Result<Option<Draft>, Diagnostic> {
    let Some(contents) = write::read(path)? else { return Ok(None) };
    if contents.files.is_empty() && contents.foreign.is_empty() {
        return Ok(None);
    }
    if !contents.foreign.is_empty() {
        return Err(write::WriteError::foreign(path, &contents.foreign).into());
    }
    // Without these two it is not a damaged keys/ but another directory.
    let ours = |file: &OutFile| [pack::INVENTORY, pack::SUMS].contains(&file.name.as_str());
    if !contents.files.iter().any(ours) {
        let names = contents.files.iter().map(|file| file.name.to_string()).collect();
        return Err(write::WriteError::not_ours(path, names).into());
    }
    let draft = Draft::from_files_without(contents.files, &|key, material| here.of(key, material).is_some());
    draft.map(Some).map_err(|e| Diagnostic::from(e).on(&path.display().to_string()))
}

/// Loads a keys/ directory for reading: it must exist, and contain nothing else.
pub(super) fn keys_to_read(path: &Path, here: &RevokedHere) -> Result<Draft, Diagnostic> {
    let loaded = keys(path, here).map_err(|e| match e.code {
        Code::TargetHasForeignFiles => Diagnostic::new(Code::KeysWithForeignFiles, e.message),
        _ => e,
    })?;
    loaded.ok_or_else(|| Diagnostic::new(Code::KeysNotFound, format!("{} holds no keys", path.display())))
}

/// The files that keypack wrote into a keys/, including those of keys that were revoked on this host since.
pub(super) fn file_names(draft: &Draft) -> Vec<String> {
    let files = draft.to_files();
    let listed = draft.inventory().files.iter().map(|file| file.name.clone());
    files.iter().map(|file| file.name.to_string()).chain(listed).collect()
}
