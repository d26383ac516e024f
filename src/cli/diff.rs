use super::{
    args,
    output::{Format, Output},
    packs::keys_or_pack,
};
use crate::{
    diag::{Diagnostic, Exit},
    pack::Diff,
    report,
};

pub(super) fn run(args: &args::Diff, output: &Output) -> Result<Exit, Diagnostic> {
    let (old, _) = keys_or_pack(&args.old, &args.wire, &args.cache, output).map_err(|e| e.on("old"))?;
    let (new, _) = keys_or_pack(&args.new, &args.wire, &args.cache, output).map_err(|e| e.on("new"))?;
    let diff = Diff::of(Some(&old), &new);
    match output.format {
        Format::Json => output.json(&diff)?,
        Format::Text => output.data(&report::diff(&diff))?,
    }
    Ok(Exit::Done)
}
