use super::{
    args,
    output::{Format, Output},
};
use crate::{
    diag::{Diagnostic, Exit},
    ops::{self, diff::Request},
};

pub(super) fn run(args: &args::Diff, output: &Output) -> Result<Exit, Diagnostic> {
    let request = Request {
        old: args.old.clone(),
        new: args.new.clone(),
        state_dir: args.state.dir.clone(),
        cache_dir: args.cache.cache_dir.clone(),
        plan: args.plan(),
    };
    let outcome = ops::diff(&request, &output.context(&args.registry))?;
    match output.format {
        Format::Json => output.json(&outcome)?,
        Format::Text => output.data(&outcome.text(output.verbose))?,
    }
    Ok(Exit::Done)
}
