//! The folders registries.d.
#![allow(clippy::disallowed_methods, reason = "it lists the folder that the user names")]

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

use super::load::read;
use crate::{
    diag::{Code, Diagnostic},
    fs, limits,
    policy::consumer::RegistriesD,
};

/// The files `*.yaml` of a registries.d.
pub(in crate::ops::verify) fn files(directory: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let failed = |e: io::Error| Diagnostic::from(fs::FsError::read(e, directory));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            files.push(path);
        }
        if files.len() > limits::HOST_FILES {
            let what = format!("{} holds more than {} files", directory.display(), limits::HOST_FILES);
            return Err(Diagnostic::new(Code::PolicyInvalid, what));
        }
    }
    files.sort();
    Ok(files)
}

/// Adds the files of a folder but the one of this name, as the consumer does: one that it can't read ends every pull.
pub(super) fn add(
    registries: &mut RegistriesD,
    directory: &Path,
    but: Option<&OsStr>,
) -> Result<(), Diagnostic> {
    for path in files(directory)?.into_iter().filter(|path| but.is_none() || path.file_name() != but) {
        let name = path.display().to_string();
        let bytes = read(&path, limits::CONFIG)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Diagnostic::new(Code::PolicyInvalid, format!("{name}: it is not UTF-8")))?;
        registries.add(&name, &text).map_err(|e| Diagnostic::new(Code::PolicyInvalid, e.to_string()))?;
    }
    Ok(())
}
