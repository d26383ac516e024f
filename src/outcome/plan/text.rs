//! A plan as text.

use super::{PlanReport, Written};
use crate::display::{count, shown};

/// The most names of images, unless all are asked for.
const SHOWN: usize = 30;

/// The plan as text.
pub(crate) fn render(plan: &PlanReport, all: bool) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    let PlanReport { consumer, one_key, is_apart, scopes, images, bridge, steps, written, .. } = plan;
    line("");
    line(&format!(
        "PLAN FOR {} (as {}, {}): {}",
        shown(&consumer.consumer.replace('@', " ").to_uppercase()),
        consumer.taken_for,
        consumer.library,
        if *one_key {
            "a policy holds one key for a scope"
        } else if *is_apart {
            "a policy takes several keys for a scope, but not these old and new signers at once"
        } else {
            "a policy takes several keys for a scope"
        }
    ));
    if scopes.is_empty() {
        line("no rule changes who must sign: the policy stays as it is");
        return out;
    }
    for scope in scopes {
        line(&format!("  {}", shown(&scope.scope)));
        for (side, rule) in [("old", &scope.old), ("new", &scope.new)] {
            let text = rule.as_ref().map_or_else(|| "no rule".to_owned(), |lines| lines.join("; "));
            line(&format!("    {side}  {}", shown(&text)));
        }
        if scope.old_is_revoked {
            line("    a key of the old rule was revoked");
        }
    }
    if let Some(images) = images {
        line(&format!(
            "{}: {} under both, {} under the old policy alone, {} under the new one alone, {} under neither, {} not judged",
            count(images.pulls, "pull"),
            images.both,
            images.only_old.len(),
            images.only_new.len(),
            images.neither,
            images.not_judged
        ));
        for (what, names) in
            [("only the old key verifies", &images.only_old), ("only the new key verifies", &images.only_new)]
        {
            let most = if all { names.len() } else { SHOWN };
            if !names.is_empty() {
                line(&format!("  {what}"));
            }
            names.iter().take(most).for_each(|name| line(&format!("    {}", shown(name))));
            if names.len() > most {
                line(&format!("    and {} more: -v", names.len() - most));
            }
        }
    }
    for (title, steps) in
        [("First", &steps.first), ("Keep", &steps.keep), ("Last", &steps.last), ("To go back", &steps.back)]
    {
        if !steps.is_empty() {
            line(title);
        }
        for step in steps {
            line(&format!("  - {}", shown(step)));
        }
    }
    if let Some(bridged) = images.as_ref().and_then(|images| images.bridged) {
        line(&format!(
            "With the scopes below, {bridged} of the pulls that only the old key verifies run (evaluated)"
        ));
    }
    if let Some(written) = written {
        let directory = shown(&written.directory);
        line(&match written.change {
            None => format!("Nothing was written to {directory}: nothing is to be bridged"),
            Some(Written::Unchanged) => {
                format!("{directory} is up to date: {}", count(written.files.len(), "file"))
            }
            Some(_) => format!("Wrote {} to {directory}", count(written.files.len(), "file")),
        });
    }
    for object in bridge {
        line(&format!("--- {}: {}", object.name, count(object.scopes.len(), "scope")));
        if written.is_none() {
            object.text.lines().for_each(&mut line);
        }
    }
    out
}
