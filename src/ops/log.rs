//! Writes one line to the state's log for each run that got as far as a pack, and one before any action that is only
//! allowed by an `--…-unsafe`.

use std::path::{Path, PathBuf};

use super::Context;
use crate::{
    diag::{Code, Diagnostic},
    oci::Digest,
    state::{self, LogEntry},
};

/// The log line of this run.
pub(super) struct RunLog<'a> {
    dir: Option<PathBuf>,
    ctx: &'a Context,
    pub(super) entry: LogEntry,
}

impl<'a> RunLog<'a> {
    /// A line that is only written if the run gets as far as a pack.
    pub(super) fn new(command: &str, dir: Option<PathBuf>, ctx: &'a Context) -> Self {
        let caller = ctx.caller.clone();
        let entry = LogEntry {
            time: ctx.now,
            time_source: caller.time_source,
            uid: caller.uid,
            user: caller.user,
            login_uid: caller.login_uid,
            host: caller.host,
            ticket: caller.ticket,
            keypack: env!("CARGO_PKG_VERSION").into(),
            command: command.into(),
            ..LogEntry::default()
        };
        Self { dir, ctx, entry }
    }

    pub(super) const fn names(&mut self, pack: Digest, version: Option<u64>) {
        self.entry.pack = Some(pack);
        self.entry.version = version;
    }

    /// Records that an action is about to be taken which is only allowed by an `--…-unsafe`. If that fails, it is not
    /// taken.
    pub(super) fn begin(&self) -> Result<(), Diagnostic> {
        match &self.dir {
            Some(dir) => Ok(state::append(dir, &LogEntry { result: "begun".into(), ..self.entry.clone() })?),
            None => Err(Diagnostic::new(Code::NoStateDirectory, "there is no place for the log")),
        }
    }

    /// Records the result of the run, if it got as far as a pack.
    pub(super) fn end(self, result: &str) {
        if self.entry.pack.is_some() {
            self.done(result);
        }
    }

    /// Records the result of the run. A failure is only a warning, because the action has been taken.
    pub(super) fn done(mut self, result: &str) {
        let Some(dir) = self.dir else { return };
        self.entry.result = result.into();
        if let Err(problem) = state::append(&dir, &self.entry) {
            let problem = Diagnostic::from(problem);
            self.ctx
                .events
                .warn(&format!("this run is not in the log: {} [{}]", problem.message, problem.code));
        }
    }
}

/// A directory's name in the log.
pub(super) fn named(directory: &Path) -> String {
    super::state_dir::absolute(directory).display().to_string()
}
