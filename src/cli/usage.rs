use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{address::quiet, diag::Exit, display::shown};

/// What to do about a command line that clap refused.
const USAGE: &str = "run the command with --help; it ends with an example";

/// Flags of other tools, and what they are called here.
const ELSEWHERE: [(&str, &str); 12] = [
    ("--json", "--format json"),
    ("--output-format", "--format json"),
    ("--insecure", "--tls-verify=false"),
    ("--insecure-skip-tls-verify", "--tls-verify=false"),
    ("--allow-insecure-registry", "--tls-verify=false"),
    ("--src-tls-verify", "--tls-verify=false"),
    ("--dest-tls-verify", "--tls-verify=false"),
    ("--allow-http-registry", "--plain-http"),
    ("--registry-config", "--authfile FILE"),
    ("--username", "--creds USER[:PASSWORD]"),
    ("--password", "--creds USER[:PASSWORD]"),
    ("--concurrency", "--jobs N"),
];

/// The flag whose value is optional: the next word is its value only if it is one, and otherwise an argument.
const TLS_VERIFY: &str = "--tls-verify";

/// The command line with `--tls-verify true` and `--tls-verify false` written with an equals sign.
pub(super) fn with_values(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut out: Vec<OsString> = Vec::new();
    let mut options = true;
    for arg in args {
        options &= arg != "--";
        match out.last_mut() {
            Some(last) if options && last == TLS_VERIFY && (arg == "true" || arg == "false") => {
                last.push("=");
                last.push(arg);
            }
            _ => out.push(arg),
        }
    }
    out
}

/// What to do about a flag that no command has.
fn hint(error: &clap::Error) -> String {
    let flag = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) => flag.split('=').next(),
        _ => None,
    };
    match ELSEWHERE.iter().find(|(other, _)| Some(*other) == flag) {
        Some((other, ours)) => format!("here {other} is {ours}"),
        None => USAGE.to_owned(),
    }
}

/// A command line that clap refused, or a help text that was asked for.
pub(super) fn refused(error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done.into();
    }
    let hint = hint(&error);
    let text = echoed(error);
    match text.strip_prefix("error: ") {
        Some(rest) => {
            let rest = rest.trim_end().trim_end_matches("For more information, try '--help'.").trim_end();
            let _ = writeln!(io::stderr(), "keypack: error: {rest}\nkeypack: hint: {hint}");
        }
        None => drop(write!(io::stderr(), "{text}")),
    }
    Exit::Usage.into()
}

/// What clap says, without anything that a terminal acts on: it repeats what was typed, or what a script passed.
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
