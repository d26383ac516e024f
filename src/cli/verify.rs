use super::{args, output::Output};
use crate::{
    diag::{Diagnostic, Exit},
    ops,
};

pub(super) fn run(args: &args::Verify, output: &Output) -> Result<Exit, Diagnostic> {
    if let Some(request) = args.policy()? {
        let mut report = ops::verify::admit(&request, &output.context(&args.registry))?;
        output.admission(&report)?;
        return report.failure.take().map_or(Ok(Exit::Done), Err);
    }
    let mut found = ops::verify(&args.request()?, &output.context(&args.registry))?;
    output.verification(&found)?;
    found.failure.take().map_or(Ok(Exit::Done), Err)
}
