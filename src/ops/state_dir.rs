//! Where this host remembers what it collected and authenticated, and what it remembers of a keys/ directory.

use std::path::{Path, PathBuf};

use super::Env;
use crate::{
    diag::{Code, Diagnostic},
    pack::{Draft, Pack, PackError},
    state,
    tree::SafeName,
};

/// The state directory: the one that is named, else as the XDG Base Directory specification says, in which a relative path
/// is to be ignored.
pub(super) fn path(named: Option<&Path>, env: &Env) -> Result<PathBuf, Diagnostic> {
    if let Some(dir) = named {
        return Ok(dir.to_owned());
    }
    let absolute = |path: &Option<PathBuf>| path.clone().filter(|path| path.is_absolute());
    absolute(&env.state_home)
        .or_else(|| absolute(&env.home).map(|home| home.join(".local/state")))
        .map(|dir| dir.join("keypack"))
        .ok_or_else(|| {
            let error = "neither --state nor XDG_STATE_HOME nor HOME says where to remember packs";
            Diagnostic::new(Code::NoStateDirectory, error)
        })
}

/// A directory of keys as the state names it.
pub(super) fn absolute(directory: &Path) -> PathBuf {
    std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned())
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
pub(super) fn authenticated(dir: &Path, draft: &Draft, directory: &Path) -> Result<Option<Pack>, Diagnostic> {
    let state = state::load(dir, &lineage(&draft.inventory().name)?)?;
    match state.recognise(draft.clone(), &absolute(directory)) {
        Ok(pack) => Ok(Some(pack)),
        Err(PackError::NoAnchor) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
