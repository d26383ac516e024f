use super::{
    args,
    output::{Format, Output},
};
use crate::{
    diag::{Diagnostic, Exit},
    ops::{self, inspect::Request},
};

pub(super) fn run(args: &args::Inspect, output: &Output) -> Result<Exit, Diagnostic> {
    let request = Request {
        place: args.place.clone(),
        state_dir: args.state.dir.clone(),
        cache_dir: args.cache.cache_dir.clone(),
    };
    let outcome = ops::inspect(&request, &output.context(&args.registry))?;
    match output.format {
        Format::Json => output.json(&outcome)?,
        Format::Text => output.data(&outcome.text(output.verbose))?,
    }
    Ok(Exit::Done)
}
