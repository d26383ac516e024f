use std::path::Path;

use super::{
    args,
    output::{Format, Output},
    registries_d,
};
use crate::{
    diag::{Diagnostic, Exit},
    ops::{
        self,
        discover::{DraftRules, Request},
    },
};

/// How many images are shown one by one by default: what fits a screen, with the summary.
const FEW: usize = 30;

pub(super) fn run(args: &args::Discover, output: &Output) -> Result<Exit, Diagnostic> {
    if let Some(directory) = &args.write_registries_d {
        return registries_d::run(args, directory, output);
    }
    let draft_rules = args.draft_rules.as_deref().map(|path| match path {
        path if path == Path::new("-") => DraftRules::Outcome,
        path => DraftRules::File(path.to_owned()),
    });
    if draft_rules == Some(DraftRules::Outcome) && output.format == Format::Json {
        return Err(Diagnostic::usage(
            "a draft of rules is not JSON, and both would go to stdout",
            "name a file: --draft-rules FILE",
        ));
    }
    let mut request = Request { sources: (&args.read).into(), draft_rules, targets: args.targets.clone() };
    request.sources.keys.keys_dir.clone_from(&args.keys_dir);
    request.sources.keys.state_dir.clone_from(&args.state.dir);
    let outcome = ops::discover(&request, &output.context(&args.read.registry))?;
    if let Some(DraftRules::File(path)) = &request.draft_rules {
        output.note(&format!("wrote a draft of rules to {}: review it before use", path.display()));
    }
    if let Some(draft) = &outcome.draft_rules {
        output.data(draft)?;
    } else {
        let few = outcome.report.images.len() <= FEW;
        output.report(&outcome.report, few || args.read.images_table)?;
    }
    if let Some(keys) = args.keys_dir.as_ref().filter(|_| outcome.report.is_complete()) {
        output.note(&format!("{} fits: every signature here verifies with its keys", keys.display()));
    }
    Ok(if outcome.report.is_complete() { Exit::Done } else { Exit::Incomplete })
}
