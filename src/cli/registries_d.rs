//! `discover --write-registries-d`.

use std::path::Path;

use super::{
    args,
    output::{Format, Output},
};
use crate::{
    diag::{Code, Diagnostic, Exit},
    display::shown,
    export::{Attachments, RegistriesD},
    ops::{self, registries_d::Request},
};

pub(super) fn run(args: &args::Discover, directory: &Path, output: &Output) -> Result<Exit, Diagnostic> {
    let request = Request { sources: (&args.read).into(), directory: directory.to_owned() };
    let outcome = ops::registries_d(&request, &output.context(&args.read.registry))?;
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "file": outcome.file.display().to_string(),
            "on": outcome.decision.with(Attachments::On).collect::<Vec<_>>(),
            "off": outcome.decision.with(Attachments::Off).collect::<Vec<_>>(),
        }))?,
        Format::Text => output.data(&text(&outcome.decision, &outcome.file))?,
    }
    if outcome.decision.is_complete() {
        return Ok(Exit::Done);
    }
    Err(Diagnostic::new(Code::Incomplete, "some images could not be read; their repositories stay on").hinting(
        "look at the images above with keypack discover, and run this again; until then oc-mirror asks for their \
         signatures",
    ))
}

fn text(decision: &RegistriesD, file: &Path) -> String {
    let repositories = |attachments| match decision.with(attachments).count() {
        1 => "1 repository".to_owned(),
        n => format!("{n} repositories"),
    };
    let mut text = format!(
        "Wrote {}: use-sigstore-attachments is off for {} without signatures, and on for {}.\n",
        shown(&file.display().to_string()),
        repositories(Attachments::Off),
        repositories(Attachments::On)
    );
    let mut list = |title: &str, images: Vec<&String>| {
        if !images.is_empty() {
            text.push_str(&format!("\n{title}\n"));
            text.extend(images.iter().map(|image| format!("  {image}\n")));
        }
    };
    list("Off:", decision.with(Attachments::Off).map(|repository| &repository.scope).collect());
    let on = || decision.with(Attachments::On);
    list(
        "Unsigned, in repositories that stay on because others are signed:",
        on().flat_map(|r| &r.unsigned).collect(),
    );
    list(
        "Signed by bundles alone, which oc-mirror does not mirror (copy them with oras cp -r, or have them signed with tags):",
        on().flat_map(|r| &r.bundles).collect(),
    );
    list("Could not be read; their repositories stay on:", on().flat_map(|r| &r.unread).collect());
    text
}
