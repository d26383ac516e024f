use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, ValueEnum, error::ContextValue};

use super::{bar::Bar, heading, interrupt};
use crate::{
    address::quiet,
    diag::{Code, Diagnostic, Exit},
    display::{Paint, hidden, shown},
    events::{Interrupt, Progress},
    http::Notice,
};

/// What concerns every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// How results are written to stdout.
    #[arg(help_heading = heading::GENERAL, long, value_enum, default_value_t, global = true)]
    pub(super) format: Format,
    /// Print only results, warnings and errors.
    #[arg(help_heading = heading::GENERAL, short, long, global = true)]
    pub(super) quiet: bool,
    /// Print every image and where each key came from.
    #[arg(help_heading = heading::GENERAL, short, long, global = true, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// Show neither progress bars nor, where stderr is no terminal, a line for each step.
    #[arg(help_heading = heading::GENERAL, long, global = true)]
    pub(super) no_progress: bool,
    /// A setting, keypack.yaml: flags win over it. `keypack schema config-v1` prints what may stand in it.
    #[arg(help_heading = heading::GENERAL, long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: `keypack schema report-v1` describes what discover and collect print, `results-v1` all else.
    Json,
}

/// stdout, stderr, and how much the user wants to read.
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) verbose: bool,
    quiet: bool,
    steps: Steps,
    bar: Bar,
    /// Counts the bytes of a transfer that may take long.
    pub(super) progress: Progress,
    /// What a signal leaves behind.
    pub(super) interrupt: Interrupt,
}

/// How it is shown that work goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Steps {
    /// Not at all.
    Silent,
    /// As a line that is drawn while a step lasts.
    Drawn,
    /// As one line a step, that stays.
    Lines,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        let shown = !global.quiet && !global.no_progress;
        // A dumb terminal can't take a line back.
        let draws = io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|t| t != "dumb");
        let steps = match (shown, draws) {
            (false, _) => Steps::Silent,
            (true, true) => Steps::Drawn,
            (true, false) => Steps::Lines,
        };
        let bar = Bar::default();
        Self {
            format: global.format,
            verbose: global.verbose,
            quiet: global.quiet,
            progress: if steps == Steps::Drawn { Progress::counting() } else { Progress::default() },
            steps,
            interrupt: interrupt::listen(bar.clone()),
            bar,
        }
    }

    /// Colours for stdout: on a terminal, unless NO_COLOR (no-color.org) or TERM=dumb say otherwise.
    pub(super) fn paint(&self) -> Paint {
        Paint(self.format == Format::Text && io::stdout().is_terminal() && wants_colour())
    }

    /// Data, to stdout. A reader who went away (`| head`) is no error.
    pub(super) fn data(&self, text: &str) -> Result<(), Diagnostic> {
        self.bar.clear();
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Diagnostic::new(Code::WriteFailed, format!("could not write to stdout: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// A value as two-space JSON, to stdout.
    pub(super) fn json(&self, value: &impl serde::Serialize) -> Result<(), Diagnostic> {
        let text = plain_json(&serde_json::to_string_pretty(value).unwrap_or_default());
        self.data(&format!("{text}\n"))
    }

    /// Something to know, to stderr.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.say("", text);
        }
    }

    /// Something to look at, to stderr.
    pub(super) fn warn(&self, text: &str) {
        self.say(&stderr_paint().warn("warning: "), text);
    }

    fn say(&self, kind: &str, text: &str) {
        // Text from content may be in it: nothing that a terminal acts on gets through.
        self.bar.aside(|| drop(writeln!(io::stderr(), "keypack: {kind}{}", shown(&quiet(text)))));
    }

    /// A step begins: shown on a terminal while it lasts, elsewhere one line.
    pub(super) fn working(&self, text: &str) {
        if self.steps == Steps::Lines {
            self.say("", text);
        }
        self.further(text);
    }

    /// A step goes on: shown on a terminal alone.
    pub(super) fn further(&self, text: &str) {
        if self.steps == Steps::Drawn {
            self.bar.show(&quiet(text), &self.progress);
        }
    }

    /// Whoever waits says so here: one line, above the bar where there is one.
    pub(super) fn notice(&self) -> Notice {
        let bar = self.bar.clone();
        Notice::new(move |text: &str| {
            bar.aside(|| drop(writeln!(io::stderr(), "keypack: {}", shown(&quiet(text)))));
        })
    }

    /// A failure for machines: whoever reads JSON gets JSON.
    fn object(&self, failure: &Diagnostic) {
        if self.format == Format::Json {
            let _ = self.json(&serde_json::json!({
                "error": {
                    "code": failure.code,
                    "message": quiet(&failure.message),
                    "hint": quiet(&failure.hint),
                }
            }));
        }
    }

    /// Says how it ended. With `optional`, "could not" and "incomplete" are warnings.
    pub(super) fn finish(&self, result: Result<Exit, Diagnostic>, optional: bool) -> Exit {
        self.bar.clear();
        let forgiven = |exit| optional && matches!(exit, Exit::CouldNot | Exit::Incomplete);
        match result {
            Ok(exit) if forgiven(exit) => {
                self.warn("some keys are missing or some signatures could not be read; going on, for that is only a warning here");
                Exit::Done
            }
            Ok(exit) => {
                // The report on stdout tells all of it; a log that keeps only stderr needs the reason too.
                if exit == Exit::Incomplete {
                    let failure = Diagnostic::incomplete();
                    self.say(
                        &stderr_paint().bad("error: "),
                        &format!("{} [{}]", failure.message, failure.code),
                    );
                    self.say("hint: ", &failure.hint);
                }
                exit
            }
            Err(failure) if forgiven(failure.exit) => {
                self.object(&failure);
                self.warn(&format!("{} [{}]", failure.message, failure.code));
                self.say("hint: ", &failure.hint);
                Exit::Done
            }
            Err(failure) => {
                self.object(&failure);
                self.say(&stderr_paint().bad("error: "), &format!("{} [{}]", failure.message, failure.code));
                self.say("hint: ", &failure.hint);
                failure.exit
            }
        }
    }
}

/// What to do about a command line that clap refused.
const USAGE: &str = "run the command with --help; an example stands at its end";

/// A command line that clap refused, or a help text that was asked for.
pub(super) fn usage(error: clap::Error) -> ExitCode {
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

/// The same JSON with escapes for what a terminal acts on. JSON itself demands that only of the oldest controls.
fn plain_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && hidden(c) {
            // Above the basic plane, JSON takes two (RFC 8259 §7).
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn stderr_paint() -> Paint {
    Paint(io::stderr().is_terminal() && wants_colour())
}

fn wants_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}
