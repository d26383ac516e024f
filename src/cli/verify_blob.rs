use super::{
    args,
    output::{Format, Output},
};
use crate::{
    diag::{Diagnostic, Exit},
    display::shown,
    ops::{self, verify_blob::Outcome},
};

pub(super) fn run(args: &args::VerifyBlob, output: &Output) -> Result<Exit, Diagnostic> {
    let outcome = ops::verify_blob(&args.request()?, &output.local_context())?;
    match output.format {
        Format::Json => output.json(&outcome)?,
        Format::Text => output.data(&text(&outcome))?,
    }
    Ok(Exit::Done)
}

fn text(outcome: &Outcome) -> String {
    let who = match (&outcome.identity, &outcome.issuer, &outcome.key) {
        (Some(identity), Some(issuer), _) => format!("{}, issuer {}", shown(identity), shown(issuer)),
        (_, _, Some(key)) => format!("the key {key}"),
        _ => "an unnamed certificate".into(),
    };
    let time = match (outcome.time, outcome.clock) {
        (Some(time), Some("log")) => format!("logged {time}"),
        (Some(time), _) => format!("timestamp {time}"),
        (None, _) => "no trusted time".into(),
    };
    let logged = if outcome.logged { "" } else { ", not logged" };
    format!("{} verified: signed by {who}, {time}{logged}\n", outcome.digest)
}
