use std::path::Path;

use super::{
    args,
    find::{Found, find},
    output::{Format, Output},
};
use crate::{
    config::draft_rules,
    diag::{Code, Diagnostic, Exit},
    fs,
    key::Fingerprint,
    report::{Report, WhyMissing, render},
};

pub(super) fn run(args: &args::Discover, output: &Output) -> Result<Exit, Diagnostic> {
    let draft = args.draft_rules.as_deref();
    if draft == Some(Path::new("-")) && output.format == Format::Json {
        return Err(Diagnostic::usage(
            "a draft of rules is no JSON, and stdout is wanted for both",
            "name a file: --draft-rules=FILE",
        ));
    }
    if let Some(path) = draft.filter(|path| path.symlink_metadata().is_ok()) {
        let error = format!("{} is there already", path.display());
        return Err(Diagnostic::new(Code::DraftExists, error));
    }
    let revoked = |key: &Fingerprint| args.read.revoked.iter().any(|r| r.fingerprint == *key);
    let found = find(&args.read, &revoked, jiff::Timestamp::now(), output)?;
    let mut report = Report::new("discover", &found.discovery, &found.resolution, &found.gathered.unusable);
    report.tell_known(&|key| revoked(&key.into()).then_some(WhyMissing::Revoked));
    if !write_draft(draft, &found, output)? {
        match output.format {
            Format::Json => output.json(&report)?,
            Format::Text => output.data(&render(&report, output.paint(), true))?,
        }
    }
    Ok(if report.is_complete() { Exit::Done } else { Exit::Incomplete })
}

/// Writes the draft that was asked for; answers whether stdout has it.
fn write_draft(draft: Option<&Path>, found: &Found, output: &Output) -> Result<bool, Diagnostic> {
    let Some(path) = draft else { return Ok(false) };
    let text = draft_rules(&found.discovery, &found.resolution, jiff::Timestamp::now());
    if path == Path::new("-") {
        output.data(&text)?;
        return Ok(true);
    }
    fs::write(path, text.as_bytes())?;
    output.note(&format!(
        "wrote a draft of rules to {}; it is policy for nobody until a person went through it",
        path.display()
    ));
    Ok(false)
}
