use super::{
    args,
    digest::{DigestArg, ask},
    output::{Format, Output},
};
use crate::{
    diag::{Diagnostic, Exit},
    display::count,
    ops::{
        self, AnchorSpec,
        pull::{Outcome, Request},
    },
};

pub(super) fn run(args: &args::Pull, output: &Output) -> Result<Exit, Diagnostic> {
    let mut request: Request = args.into();
    if args.anchors.digest == Some(DigestArg::Ask) {
        request.anchors.push(AnchorSpec::Digest(ask()?));
    }
    let mut ctx = output.context(&args.registry);
    ctx.caller.ticket.clone_from(&args.ticket.ticket);
    let outcome = ops::pull(&request, &ctx).map_err(|failure| {
        // A program gets one object, the failure; `inspect` gives it what the pack says.
        let shown = match &failure.found {
            Some(found) if output.format == Format::Text => output.data(&found.text(false)),
            _ => Ok(()),
        };
        shown.err().unwrap_or(failure.diagnostic)
    })?;
    output.note(&words(&outcome));
    match output.format {
        // Members in the order of their names.
        Format::Json => output.json(&serde_json::json!(outcome))?,
        Format::Text => {
            let mut text: String = outcome.keys.iter().map(|key| format!("{key}\n")).collect();
            text.push_str(&format!("Pack: {}\n", outcome.pack_digest));
            output.data(&text)?;
        }
    }
    Ok(Exit::Done)
}

fn words(outcome: &Outcome) -> String {
    let Outcome { directory, version, keys, .. } = outcome;
    if outcome.unchanged {
        format!("version {version} is already installed in {directory}")
    } else {
        format!("wrote {}, version {version}, to {directory}", count(keys.len(), "key"))
    }
}
