use super::{
    args,
    output::{Format, Output},
};
use crate::{
    diag::{Code, Diagnostic, Exit},
    ops::{self, revoke::Request},
    outcome::revocation::Revocation,
};

pub(super) fn run(args: &args::Revoke, output: &Output) -> Result<Exit, Diagnostic> {
    let request = Request {
        fingerprint: args.fingerprint.clone(),
        reason: args.reason.clone(),
        since: args.since,
        keys_dir: args.keys_dir.clone(),
        images: args.images.clone(),
        cache_dir: args.cache.cache_dir.clone(),
        state_dir: args.state.dir.clone(),
        host_root: Some("/".into()),
        undo_unsafe: args.undo_unsafe,
    };
    let mut ctx = output.context(&args.registry);
    ctx.caller.ticket.clone_from(&args.ticket.ticket);
    let outcome = ops::revoke(&request, &ctx)?;
    match output.format {
        Format::Json => output.result(&outcome)?,
        Format::Text => output.data(&outcome.text())?,
    }
    match problems(&outcome) {
        None => Ok(Exit::Done),
        Some(problem) => Err(problem),
    }
}

/// What could not be done. It is revoked all the same, and the exit code says that something is left to do.
fn problems(outcome: &Revocation) -> Option<Diagnostic> {
    let first = outcome.problems.first()?;
    let all: Vec<_> =
        outcome.problems.iter().map(|problem| format!("{} ({})", problem.message, problem.code)).collect();
    let done = if outcome.recorded == "undone" { "no longer revoked" } else { "revoked" };
    let error = format!("{} is {done} on this host, but {}", outcome.fingerprint, all.join("; "));
    Some(Diagnostic::new(Code::RevocationIncomplete, error).hinting(first.hint.clone()))
}
