use super::{
    args, clock,
    output::{Format, Output},
};
use crate::{
    diag::{Diagnostic, Exit},
    display::count,
    ops::{
        self,
        collect::{Ending, Request},
    },
};

pub(super) fn run(args: &args::Collect, output: &Output) -> Result<Exit, Diagnostic> {
    let created = match args.created {
        None => clock::source_date_epoch()?,
        created => created,
    };
    let request = Request { created, ..args.into() };
    let mut ctx = output.context(&args.read.registry);
    ctx.caller.ticket.clone_from(&args.ticket.ticket);
    let outcome = ops::collect(&request, &ctx).map_err(|failure| {
        // A program gets one object, the failure.
        let shown = match &failure.found {
            Some(report) if output.format == Format::Text => output.report(report, args.read.images_table),
            _ => Ok(()),
        };
        shown.err().unwrap_or(failure.diagnostic)
    })?;
    output.report(&outcome.report, args.read.images_table)?;
    match outcome.ending {
        Ending::Written | Ending::Never => {}
        Ending::NothingSigned if outcome.report.counts.unreadable > 0 => output.warn(&format!(
            "no signature could be read, and {} could not be read at all, so nothing was written",
            count(outcome.report.counts.unreadable, "image")
        )),
        Ending::NothingSigned => output.warn(
            "no image is signed here, so nothing was written; oc-mirror 4.19 and 4.20 leave signatures out unless it is \
             run with --remove-signatures=false, and no release mirrors bundles: keypack discover --images isc.yaml names \
             the images that are signed so",
        ),
        Ending::NothingProved => output.warn("no key could be proved, so nothing was written"),
    }
    let complete = outcome.report.is_complete() && outcome.ending != Ending::NothingProved;
    Ok(if complete { Exit::Done } else { Exit::Incomplete })
}
