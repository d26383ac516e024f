use super::{args, output::Output};
use crate::{
    diag::{Diagnostic, Exit},
    ops,
};

pub(super) fn run(args: &args::Export, output: &Output) -> Result<Exit, Diagnostic> {
    let mut report = ops::export(&args.request()?, &output.context(&args.registry))?;
    output.exported(&report)?;
    report.failure.take().map_or(Ok(Exit::Done), Err)
}
