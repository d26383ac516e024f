//! Where this host's memory lies.

use std::path::{Path, PathBuf};

use crate::{
    diag::{Code, Diagnostic},
    pack::{Draft, Pack, PackError},
    state,
    tree::SafeName,
};

/// The state directory: as the user says, else as the XDG Base Directory specification does, in which a relative path
/// is to be ignored.
pub(super) fn directory(named: Option<&Path>) -> Result<PathBuf, Diagnostic> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(dir) = named {
        return Ok(dir.to_owned());
    }
    variable("XDG_STATE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
        .map(|dir| dir.join("keypack"))
        .ok_or_else(|| {
            let error = "neither --state nor XDG_STATE_HOME nor HOME says where to remember packs";
            Diagnostic::new(Code::NoStateDirectory, error)
        })
}

/// A lineage as the name of its state.
pub(super) fn lineage(name: &str) -> Result<SafeName, Diagnostic> {
    SafeName::new(name).map_err(|e| PackError::from(e).into())
}

/// Whether this host collected or authenticated just this.
pub(super) fn is_known(dir: &Path, draft: &Draft) -> Result<bool, Diagnostic> {
    let state = state::load(dir, &lineage(&draft.inventory().name)?)?;
    Ok(state.known(draft.digest()).is_some())
}

/// Whether this host collected or authenticated what lies here, and refused none of its keys since.
pub(super) fn authenticated(dir: &Path, draft: &Draft) -> Result<Option<Pack>, Diagnostic> {
    let state = state::load(dir, &lineage(&draft.inventory().name)?)?;
    match state.recognise(draft.clone()) {
        Ok(pack) => Ok(Some(pack)),
        Err(PackError::NoAnchor) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
