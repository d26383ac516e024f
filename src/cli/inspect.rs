use super::{
    args,
    output::{Format, Output},
    program::program,
};
use crate::{
    diag::{Code, Diagnostic, Exit},
    ops::{self, inspect::Request},
};

pub(super) fn run(args: &args::Inspect, output: &Output) -> Result<Exit, Diagnostic> {
    let request = Request {
        place: args.place.clone(),
        state_dir: args.state.dir.clone(),
        cache_dir: args.cache.cache_dir.clone(),
        since: args.since.clone(),
        images: args.images.clone(),
    };
    let outcome = ops::inspect(&request, &output.context(&args.registry))?;
    match (output.format, args.sheet) {
        (Format::Json, _) => output.json(&outcome)?,
        (Format::Text, Some(form)) => output.data(&outcome.sheet(program(), form))?,
        (Format::Text, None) if args.ages || args.fail_on_stale || args.images.is_some() => {
            output.data(&outcome.ages())?;
        }
        (Format::Text, None) => output.data(&outcome.text(output.verbose))?,
    }
    if args.fail_on_stale && outcome.is_stale() {
        return Err(Diagnostic::new(
            Code::PackStale,
            format!("parts of {} have expired, expire within 30 days, or are lacking", args.place),
        ));
    }
    Ok(Exit::Done)
}
