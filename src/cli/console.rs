//! stderr while an operation runs: progress, notes, warnings.

use std::io::{self, IsTerminal, Write};

use super::bar::Bar;
use crate::{
    address::quiet,
    display::{Paint, shown},
    events::{Events, Progress},
};

/// stderr, and how much the user wants to read there.
pub(super) struct Console {
    quiet: bool,
    steps: Steps,
    bar: Bar,
    /// Counts the bytes of a transfer that may take long.
    progress: Progress,
}

/// How progress is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Steps {
    /// Not at all.
    Silent,
    /// As a line that is shown while a step lasts.
    Drawn,
    /// As one permanent line per step.
    Lines,
}

impl Console {
    pub(super) fn new(quiet: bool, no_progress: bool) -> Self {
        // A dumb terminal can't take a line back.
        let draws = io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|t| t != "dumb");
        let steps = match (!quiet && !no_progress, draws) {
            (false, _) => Steps::Silent,
            (true, true) => Steps::Drawn,
            (true, false) => Steps::Lines,
        };
        let progress = if steps == Steps::Drawn { Progress::counting() } else { Progress::default() };
        Self { quiet, steps, bar: Bar::default(), progress }
    }

    pub(super) fn bar(&self) -> Bar {
        self.bar.clone()
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Removes the progress line.
    pub(super) fn clear(&self) {
        self.bar.clear();
    }

    /// One line, above the bar where there is one.
    pub(super) fn say(&self, kind: &str, text: &str) {
        // Text from content may be in it: nothing that a terminal acts on gets through.
        self.bar.aside(|| drop(writeln!(io::stderr(), "keypack: {kind}{}", shown(&quiet(text)))));
    }
}

impl Events for Console {
    /// Shown on a terminal while it lasts, elsewhere as one line.
    fn step(&self, text: &str) {
        if self.steps == Steps::Lines {
            self.say("", text);
        }
        self.advance(text);
    }

    /// Shown only on a terminal.
    fn advance(&self, text: &str) {
        if self.steps == Steps::Drawn {
            self.bar.show(&quiet(text), &self.progress);
        }
    }

    fn waiting(&self, text: &str) {
        self.say("", text);
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            self.say("", text);
        }
    }

    fn warn(&self, text: &str) {
        self.say(&stderr_paint().warn("warning: "), text);
    }
}

pub(super) fn stderr_paint() -> Paint {
    Paint(io::stderr().is_terminal() && wants_colour())
}

pub(super) fn wants_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}
