use super::{
    args,
    output::{Format, Output},
};
use crate::{
    diag::{Diagnostic, Exit},
    display::shown,
    ops::{self, push::Request},
};

pub(super) fn run(args: &args::Push, output: &Output) -> Result<Exit, Diagnostic> {
    let request = Request {
        keys: args.keys.clone(),
        dest: args.dest.clone(),
        form: args.form,
        digestfile: args.digestfile.clone(),
        pack_digestfile: args.pack_digestfile.clone(),
        state_dir: args.state.dir.clone(),
    };
    let outcome = ops::push(&request, &output.context(&args.registry))?;
    if outcome.written == 0 && !outcome.tagged {
        output.note(&format!("{} holds this pack already; nothing was written", outcome.place));
    }
    match output.format {
        // Members in the order of their names.
        Format::Json => output.json(&serde_json::json!(outcome))?,
        Format::Text => {
            output.data(&format!(
                "Reference: {}\nPack: {}\nDigest: {}\n",
                shown(&outcome.reference),
                outcome.pack_digest,
                outcome.manifest_digest
            ))?;
        }
    }
    Ok(Exit::Done)
}
