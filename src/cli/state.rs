use super::{
    args::{Forget, State, StateCommand},
    output::{Format, Output},
};
use crate::{
    diag::{Diagnostic, Exit},
    ops::{self, state::Request},
};

pub(super) fn run(command: &StateCommand, output: &Output) -> Result<Exit, Diagnostic> {
    match command {
        StateCommand::Show(args) => show(args, output)?,
        StateCommand::Log(args) => {
            let ctx = output.local_context();
            ops::state::log(&args.into(), &ctx, &mut |entry| output.json_line(entry))?;
        }
        StateCommand::ForgetUnsafe(args) => forget(args, output)?,
    }
    Ok(Exit::Done)
}

impl From<&State> for Request {
    fn from(args: &State) -> Self {
        Self { state_dir: args.dir.clone() }
    }
}

fn show(args: &State, output: &Output) -> Result<(), Diagnostic> {
    let (shown, problem) = match ops::state::show(&args.into(), &output.local_context()) {
        Ok(shown) => (Some(shown), None),
        Err(failure) => (failure.found.map(|found| *found), Some(failure.diagnostic)),
    };
    match (&shown, output.format) {
        (Some(shown), Format::Text) => output.data(&shown.text(output.verbose))?,
        // A program gets one object.
        (Some(shown), Format::Json) if problem.is_none() => output.json(shown)?,
        _ => {}
    }
    problem.map_or(Ok(()), Err)
}

fn forget(args: &Forget, output: &Output) -> Result<(), Diagnostic> {
    let request = ops::state::Forget {
        lineage: args.lineage.clone(),
        reason: args.reason.clone(),
        all: args.all,
        state_dir: args.state.dir.clone(),
    };
    let mut ctx = output.local_context();
    ctx.caller.ticket.clone_from(&args.ticket.ticket);
    let forgot = ops::state::forget(&request, &ctx)?;
    match output.format {
        Format::Json => output.json(&forgot)?,
        Format::Text => output.note(if args.all {
            "forgotten; --min-version keeps older packs away at the next pull"
        } else {
            "forgotten; the highest versions and the revocations stay"
        }),
    }
    Ok(())
}
