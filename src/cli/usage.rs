use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::error::ContextValue;

use crate::{address::quiet, diag::Exit, display::shown};

/// What to do about a command line that clap refused.
const USAGE: &str = "run the command with --help; an example stands at its end";

/// A command line that clap refused, or a help text that was asked for.
pub(super) fn refused(error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done.into();
    }
    let text = echoed(error);
    match text.strip_prefix("error: ") {
        Some(rest) => {
            let rest = rest.trim_end().trim_end_matches("For more information, try '--help'.").trim_end();
            let _ = writeln!(io::stderr(), "keypack: error: {rest}\nkeypack: hint: {USAGE}");
        }
        None => drop(write!(io::stderr(), "{text}")),
    }
    Exit::Usage.into()
}

/// What clap says, with nothing in it that a terminal acts on: it repeats what was typed, or what a script passed.
fn echoed(mut error: clap::Error) -> String {
    let one_line = |value: &ContextValue| match value {
        ContextValue::String(text) => ContextValue::String(shown(text)),
        ContextValue::Strings(all) => ContextValue::Strings(all.iter().map(|text| shown(text)).collect()),
        ContextValue::StyledStrs(all) => {
            ContextValue::StyledStrs(all.iter().map(|text| shown(&text.to_string()).into()).collect())
        }
        other => other.clone(),
    };
    // A line break in it would begin a line of its own.
    let context: Vec<_> = error.context().map(|(kind, value)| (kind, one_line(value))).collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
    let lines = error.render().to_string();
    lines.lines().map(|line| shown(&quiet(line)) + "\n").collect()
}
