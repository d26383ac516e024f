//! What the program prints: results to stdout, how it ended to stderr.

use std::{
    cell::Cell,
    io::{self, BufWriter, IsTerminal, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum};

use super::{
    args::Registry,
    caller::caller,
    clock,
    console::{Console, stderr_paint, wants_colour},
    heading, interrupt,
};
use crate::{
    address::quiet,
    diag::{Code, Diagnostic, Exit},
    display::{Paint, Plain},
    events::{Events, Interrupt},
    ops::{Context, Env},
    outcome::{
        self, Detail, Report, admission::AdmissionReport, export::ExportReport, render, verify::Verification,
    },
};

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The format of the results on stdout.
    #[arg(help_heading = heading::GENERAL, long, value_enum, default_value_t, global = true)]
    pub(super) format: Format,
    /// Print only results, warnings and errors.
    #[arg(help_heading = heading::GENERAL, short, long, global = true)]
    pub(super) quiet: bool,
    /// Print every image with its signatures and their keys; for a pack, the sha256 of each key's source.
    #[arg(help_heading = heading::GENERAL, short, long, global = true, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// Show neither progress bars nor, where stderr is no terminal, a line for each step.
    #[arg(help_heading = heading::GENERAL, long, global = true)]
    pub(super) no_progress: bool,
    /// A setting, keypack.yaml, over the user's and the host's own; flags win over it. `keypack schema config-v1` prints its fields.
    #[arg(help_heading = heading::GENERAL, long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: `keypack schema report-v1` describes what discover and collect print, `verify-v1` what verify prints, with --policy `admission-v1`, `export-v1` what export prints, `results-v1` everything else.
    Json,
}

/// stdout, stderr, and how much the user wants to read.
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) verbose: bool,
    /// Whether stdout has its one JSON object, which says how it ended.
    reported: Cell<bool>,
    console: Arc<Console>,
    interrupt: Interrupt,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        let console = Console::new(global.quiet, global.no_progress);
        Self {
            format: global.format,
            verbose: global.verbose,
            reported: Cell::new(false),
            interrupt: interrupt::listen(console.bar()),
            console: Arc::new(console),
        }
    }

    /// What an operation of this run is given: the time, the environment, and this console.
    pub(super) fn context(&self, registry: &Registry) -> Context {
        Context { net: registry.into(), ..self.local_context() }
    }

    /// The same for operations that contact no registry.
    pub(super) fn local_context(&self) -> Context {
        let uid = rustix::process::getuid().as_raw();
        Context {
            caller: caller(),
            events: self.console.clone(),
            progress: self.console.progress(),
            interrupt: self.interrupt.clone(),
            ..Context::new(clock::now(), Env::from_vars(|name| std::env::var_os(name), Some(uid)))
        }
    }

    /// Colours for stdout: on a terminal, unless NO_COLOR (no-color.org) or TERM=dumb say otherwise.
    fn paint(&self) -> Paint {
        Paint(self.format == Format::Text && io::stdout().is_terminal() && wants_colour())
    }

    /// A report; as text, with a line for each image where `lines`.
    pub(super) fn report(&self, report: &Report, lines: bool) -> Result<(), Diagnostic> {
        let images = match (self.verbose, lines) {
            (true, _) => Detail::Whole,
            (false, true) => Detail::Lines,
            (false, false) => Detail::Counted,
        };
        match self.format {
            Format::Json => self.json(report),
            Format::Text => self.data(&render(report, self.paint(), images)),
        }
    }

    /// The result of `verify`; as text, with every image where that was asked for.
    pub(super) fn verification(&self, found: &Verification) -> Result<(), Diagnostic> {
        match self.format {
            Format::Json => {
                self.reported.set(true);
                self.json(found)
            }
            Format::Text => self.data(&outcome::verify::render(found, self.paint(), self.verbose)),
        }
    }

    /// The result of `verify --policy`; as text, with every pull where that was asked for.
    pub(super) fn admission(&self, report: &AdmissionReport) -> Result<(), Diagnostic> {
        match self.format {
            Format::Json => {
                self.reported.set(true);
                self.json(report)
            }
            Format::Text => self.data(&outcome::admission::render(report, self.paint(), self.verbose)),
        }
    }

    /// The result of `export`.
    pub(super) fn exported(&self, report: &ExportReport) -> Result<(), Diagnostic> {
        match self.format {
            Format::Json => self.result(report),
            Format::Text => self.data(&outcome::export::render(report, self.paint(), self.verbose)),
        }
    }

    /// Something to know, to stderr.
    pub(super) fn note(&self, text: &str) {
        self.console.note(text);
    }

    /// Something to look at, to stderr.
    pub(super) fn warn(&self, text: &str) {
        self.console.warn(text);
    }

    /// Data, to stdout.
    pub(super) fn data(&self, text: &str) -> Result<(), Diagnostic> {
        self.stdout(|out| out.write_all(text.as_bytes()))
    }

    /// A value as two-space JSON, to stdout.
    pub(super) fn json(&self, value: &impl serde::Serialize) -> Result<(), Diagnostic> {
        self.stdout(|out| {
            serde_json::to_writer_pretty(Plain(&mut *out), value)?;
            out.write_all(b"\n")
        })
    }

    /// A reader that went away (`| head`) is not an error.
    fn stdout(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Diagnostic> {
        self.console.clear();
        let mut stdout = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        match write(&mut stdout).and_then(|()| stdout.flush()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Diagnostic::new(Code::WriteFailed, format!("could not write to stdout: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// A value as one line of JSON, to stdout.
    pub(super) fn json_line(&self, value: &impl serde::Serialize) -> Result<(), Diagnostic> {
        self.stdout(|out| {
            serde_json::to_writer(Plain(&mut *out), value)?;
            out.write_all(b"\n")
        })
    }

    /// The one JSON object of a run that also says what could not be done.
    pub(super) fn result(&self, value: &impl serde::Serialize) -> Result<(), Diagnostic> {
        self.reported.set(true);
        self.json(value)
    }

    /// A failure for machines, as JSON.
    fn object(&self, failure: &Diagnostic) {
        if self.format == Format::Json && !self.reported.get() {
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
        self.console.clear();
        let forgiven = |exit| optional && matches!(exit, Exit::CouldNot | Exit::Incomplete);
        match result {
            Ok(exit) if forgiven(exit) => {
                self.warn(
                    "some keys are missing or some signatures could not be read; continuing, because this is \
                     only a warning here",
                );
                Exit::Done
            }
            Ok(exit) => {
                // The report on stdout tells all of it; a log that keeps only stderr needs the reason too.
                if exit == Exit::Incomplete {
                    let failure = Diagnostic::incomplete();
                    self.console.say(
                        &stderr_paint().bad("error: "),
                        &format!("{} [{}]", failure.message, failure.code),
                    );
                    self.console.say("hint: ", &failure.hint);
                }
                exit
            }
            Err(failure) if forgiven(failure.exit) => {
                self.object(&failure);
                self.warn(&format!("{} [{}]", failure.message, failure.code));
                self.console.say("hint: ", &failure.hint);
                Exit::Done
            }
            Err(failure) => {
                self.object(&failure);
                self.console
                    .say(&stderr_paint().bad("error: "), &format!("{} [{}]", failure.message, failure.code));
                self.console.say("hint: ", &failure.hint);
                failure.exit
            }
        }
    }
}
