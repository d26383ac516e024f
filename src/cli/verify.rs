use super::{args, output::Output};
use crate::{
    diag::{Diagnostic, Exit},
    ops,
};

pub(super) fn run(args: &args::Verify, output: &Output) -> Result<Exit, Diagnostic> {
    let mut found = ops::verify(&args.request()?, &output.context(&args.registry))?;
    output.verification(&found)?;
    found.failure.take().map_or(Ok(Exit::Done), Err)
}
