//! What the host's setting enforces takes precedence over the command line, other settings and the environment: they
//! may require more. Anything that would require less is refused by name, so that no one believes it had an effect.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::{
    args::{Command, Pull, State, StateCommand},
    output::Output,
};
use crate::{
    config::{Enforce, HOST_SETTING},
    diag::{Code, Diagnostic},
    fs,
    ops::{AnchorSpec, verify::Authentication},
};

/// Refuses what would weaken it, and puts it into the arguments.
pub(super) fn hold(command: &mut Command, enforce: Enforce, output: &Output) -> Result<(), Diagnostic> {
    match command {
        Command::Discover(args) => {
            refuse(args.read.forgive.warns(), "--optional (onFailure: warn)")?;
            state(&mut args.state, enforce.state)
        }
        Command::Collect(args) => {
            refuse(args.read.forgive.warns(), "--optional (onFailure: warn)")?;
            name(&mut args.name, enforce.name)?;
            state(&mut args.state, enforce.state)
        }
        Command::Push(args) => {
            refuse(args.forgive.warns(), "--optional (onFailure: warn)")?;
            state(&mut args.state, enforce.state)
        }
        Command::Diff(args) => {
            args.enforced = Some(Authentication {
                enforced: anchors(&enforce),
                name: enforce.name.clone(),
                ..Authentication::default()
            });
            state(&mut args.state, enforce.state)
        }
        Command::Inspect(args) => state(&mut args.state, enforce.state),
        Command::HostState(args) => {
            refuse(matches!(args.command, StateCommand::ForgetUnsafe(_)), "state forget-unsafe")?;
            state(args.command.state(), enforce.state)
        }
        Command::Revoke(args) => {
            refuse(args.undo_unsafe, "revoke --undo-unsafe")?;
            state(&mut args.state, enforce.state)
        }
        Command::Pull(args) => {
            output.note(&format!("held to what {HOST_SETTING} enforces"));
            pull(args, enforce)
        }
        // What this host pulled is held to it again; nothing else may take its place.
        Command::Verify(args) => {
            refuse(args.brings_own_keys(), "keys or anchors on the command line of verify")?;
            args.anchors.enforced = anchors(&enforce);
            args.anchors.forget();
            name(&mut args.name, enforce.name)?;
            state(&mut args.state, enforce.state)
        }
        Command::Export(args) => {
            refuse(args.allow_rejects, "--allow-rejects")?;
            refuse(args.leave_out_unsigned, "--leave-out-unsigned")?;
            refuse(args.anchors.are_given(), "anchors on the command line of export")?;
            args.anchors.enforced = anchors(&enforce);
            args.anchors.forget();
            name(&mut args.name, enforce.name)?;
            state(&mut args.state, enforce.state)
        }
        Command::VerifyBlob(args) => {
            args.enforced = Some(Authentication {
                enforced: anchors(&enforce),
                name: enforce.name,
                state_dir: Some(enforce.state),
                ..Authentication::default()
            });
            Ok(())
        }
        Command::Schema(_) => Ok(()),
    }
}

fn pull(args: &mut Pull, enforce: Enforce) -> Result<(), Diagnostic> {
    refuse(args.except.allow_stale_unsafe, "--allow-stale-unsafe")?;
    refuse(args.except.accept_future_unsafe, "--accept-future-unsafe")?;
    refuse(args.except.allow_rollback_unsafe, "--allow-rollback-unsafe")?;
    args.anchors.enforced = anchors(&enforce);
    name(&mut args.name, enforce.name)?;
    state(&mut args.state, enforce.state)?;
    args.require_state |= enforce.require_state;
    at_most(&mut args.max_age, enforce.max_age, "a longer --max-age")?;
    at_most(&mut args.max_expires, enforce.max_expires, "a longer --max-expires")?;
    Ok(())
}

fn anchors(enforce: &Enforce) -> Vec<AnchorSpec> {
    let digest = enforce.digest.map(AnchorSpec::Digest);
    let keys = enforce.verify_keys.keys.iter().cloned().map(AnchorSpec::Key);
    let threshold = enforce.verify_keys.threshold.map(AnchorSpec::Threshold);
    let pins = enforce.pins.iter().cloned().map(AnchorSpec::Pin);
    let roots = enforce.tuf_roots.iter().cloned().map(|root| AnchorSpec::TufRoot(root.into()));
    digest.into_iter().chain(keys).chain(threshold).chain(pins).chain(roots).collect()
}

fn name(given: &mut Option<String>, enforced: Option<String>) -> Result<(), Diagnostic> {
    let Some(enforced) = enforced else { return Ok(()) };
    refuse(given.as_ref().is_some_and(|given| *given != enforced), "another --name")?;
    *given = Some(enforced);
    Ok(())
}

fn state(given: &mut State, enforced: PathBuf) -> Result<(), Diagnostic> {
    refuse(given.dir.as_ref().is_some_and(|dir| *dir != enforced), "another --state")?;
    given.dir = Some(enforced);
    Ok(())
}

fn at_most(
    given: &mut Option<SignedDuration>,
    enforced: Option<SignedDuration>,
    what: &str,
) -> Result<(), Diagnostic> {
    let Some(limit) = enforced else { return Ok(()) };
    refuse(given.is_some_and(|given| given > limit), what)?;
    *given = given.or(enforced);
    Ok(())
}

fn refuse(weakens: bool, what: &str) -> Result<(), Diagnostic> {
    if weakens {
        let error = format!("{HOST_SETTING} does not permit {what} on this host");
        return Err(Diagnostic::new(Code::SettingEnforced, error));
    }
    Ok(())
}

/// Refuses a file of the host's setting that someone other than root may change.
pub(super) fn only_root_changes(path: &Path) -> Result<(), Diagnostic> {
    let looked = fs::exposed(path).map_err(|e| {
        Diagnostic::new(Code::ConfigNotReadable, format!("could not look at {}: {e}", path.display()))
    })?;
    let Some(exposed) = looked else { return Ok(()) };
    let error = if exposed.path == path {
        format!("{} decides for this host, but {}", path.display(), exposed.reason)
    } else {
        format!(
            "{} decides for this host, but {}, above it, is not safe: {}",
            path.display(),
            exposed.path.display(),
            exposed.reason
        )
    };
    Err(Diagnostic::new(Code::SettingExposed, error))
}
