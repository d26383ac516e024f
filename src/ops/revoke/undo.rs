//! Taking a revocation back: the state still has the keys that it took out.

use std::path::Path;

use super::{Request, consequences::pulled_into, rewrite};
use crate::{
    diag::{Code, Diagnostic},
    key::Fingerprint,
    ops::{Context, log::RunLog, revoked_here, state_dir::absolute},
    outcome::revocation::Revocation,
    state::{self, RevokedHere},
};

/// Takes a revocation back, and puts the keys back into every keys/ that this host knows. It is in the log first; what can't
/// be logged is not done.
pub(super) fn undo(
    key: Fingerprint,
    request: &Request,
    state_dir: &Path,
    directory: &Path,
    log: RunLog<'_>,
    ctx: &Context,
) -> Result<Revocation, Diagnostic> {
    let here = state::revoked_here(state_dir)?;
    let Some(known) = here.all().get(&key) else {
        return Err(Diagnostic::new(Code::NotRevokedHere, format!("{key} is not revoked on this host")));
    };
    log.begin()?;
    let mut outcome = Revocation {
        fingerprint: key,
        reason: request.reason.clone(),
        since: known.since,
        at: known.at,
        recorded: "undone",
        directory: directory.display().to_string(),
        ..Revocation::default()
    };
    let mut left = here.clone();
    left.undo(&key);
    let own = absolute(directory);
    let others = pulled_into(state_dir).into_iter().filter(|other| *other != own);
    // The files first: while the state says that the key is revoked, they do not count.
    for directory in std::iter::once(own.clone()).chain(others) {
        match restore(&directory, state_dir, &here, &left, ctx) {
            Ok(files) if directory == own => outcome.keys = files,
            Ok(_) => {}
            Err(problem) => outcome.problems.push(problem),
        }
    }
    state::update_revoked_here(state_dir, |here| here.undo(&key))?;
    log.done("undone");
    Ok(outcome)
}

/// Puts back what is left out of a directory and would not be any more; answers what that is.
fn restore(
    directory: &Path,
    state_dir: &Path,
    here: &RevokedHere,
    left: &RevokedHere,
    ctx: &Context,
) -> Result<Vec<crate::outcome::RevokedKey>, Diagnostic> {
    let mut files = Vec::new();
    rewrite(directory, state_dir, here, ctx, |draft| {
        let before = revoked_here::left_out(&draft, here);
        let draft = draft.with(&|record| {
            here.removed(record).filter(|material| left.of(record, Some(material)).is_none())
        })?;
        let still = revoked_here::left_out(&draft, here);
        files = before.into_iter().filter(|key| still.iter().all(|other| other.file != key.file)).collect();
        Ok(draft)
    })?;
    Ok(files)
}
