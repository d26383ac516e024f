//! The state directory, and the record of a keys/ directory in it.

use std::path::{Path, PathBuf};

use super::Env;
use crate::{
    diag::{Code, Diagnostic},
    oci::Digest,
    outcome::Standing,
    pack::{Draft, PackError},
    state::{self, KnownPack, Origin, Signer, State},
    tree::SafeName,
};

/// The state directory: the given one, otherwise according to the XDG Base Directory specification, which says to
/// ignore relative paths.
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

/// The path of a directory of keys as recorded in the state.
pub(super) fn absolute(directory: &Path) -> PathBuf {
    std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned())
}

/// A lineage as the name of its state.
pub(super) fn lineage(name: &str) -> Result<SafeName, Diagnostic> {
    SafeName::new(name).map_err(|e| PackError::from(e).into())
}

/// Whether this host collected or authenticated exactly this.
pub(super) fn is_known(dir: &Path, draft: &Draft) -> Result<bool, Diagnostic> {
    let state = state::load(dir, &lineage(&draft.inventory().name)?)?;
    Ok(state.known(draft.digest()).is_some())
}

/// This host's record of the content of a directory. A key that has been revoked since is an error.
pub(super) fn standing(dir: &Path, draft: &Draft, directory: &Path) -> Result<Standing, Diagnostic> {
    let state = state::load(dir, &lineage(&draft.inventory().name)?)?;
    match state.recognise(draft.clone(), &absolute(directory)) {
        Ok(_) => Ok(standing_of(&state, draft.digest())),
        Err(PackError::NoAnchor) => Ok(Standing::NotAuthenticated),
        Err(e) => Err(e.into()),
    }
}

fn standing_of(state: &State, pack: Digest) -> Standing {
    match state.known(pack) {
        Some(KnownPack { origin: Origin::Collected, at, .. }) => Standing::Collected { at: *at },
        Some(KnownPack { origin: Origin::Pulled, at, .. }) => {
            let signed = state.highest().iter().filter(|(_, highest)| highest.digest == pack);
            let by = signed.map(|(signer, _)| match signer {
                Signer::Digest => "a digest that was given".to_owned(),
                Signer::Key(key) => format!("the key {key}"),
            });
            Standing::Authenticated { at: *at, by: by.collect() }
        }
        None => Standing::NotAuthenticated,
    }
}
