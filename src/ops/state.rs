//! This host's state for display: lineages, the log, and forgetting a lineage.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Context, Failure, log::RunLog, state_dir};
use crate::{
    diag::{Code, Diagnostic},
    state::{self, Forgotten, LogEntry, LogLine, RevokedHere, State},
};

/// Which state to read.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The state directory; the default one if omitted.
    pub state_dir: Option<PathBuf>,
}

/// All lineages; the JSON is described by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    directory: String,
    lineages: Vec<State>,
    /// What was revoked here by a person, for every lineage.
    revoked_here: RevokedHere,
}

impl Shown {
    /// The lineages as text; with all packs if `verbose`, otherwise the latest ones.
    pub fn text(&self, verbose: bool) -> String {
        state::text(Path::new(&self.directory), &self.lineages, &self.revoked_here, verbose)
    }
}

/// Reads the state of every lineage. If one is unreadable, the failure contains the others.
pub fn show(request: &Request, ctx: &Context) -> Result<Shown, Failure<Shown>> {
    let dir = state_dir::path(request.state_dir.as_deref(), &ctx.env)?;
    let (mut lineages, mut failed) = (Vec::new(), None);
    for lineage in state::lineages(&dir)? {
        match state::load(&dir, &lineage) {
            Ok(state) => lineages.push(state),
            Err(problem) => drop(failed.get_or_insert(problem)),
        }
    }
    let revoked_here = state::revoked_here(&dir).unwrap_or_else(|problem| {
        failed.get_or_insert(problem);
        RevokedHere::default()
    });
    let shown = Shown { directory: dir.display().to_string(), lineages, revoked_here };
    match failed {
        None => Ok(shown),
        Some(problem) => Err(Failure::after(problem, shown)),
    }
}

/// Reads the log, line by line; empty if there is none. An unreadable line causes a failure at the end, after all
/// others have been passed on.
pub fn log(
    request: &Request,
    ctx: &Context,
    line: &mut dyn FnMut(&LogEntry) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    let dir = state_dir::path(request.state_dir.as_deref(), &ctx.env)?;
    let mut unreadable = Vec::new();
    for read in state::read_log(&dir)? {
        match read? {
            LogLine::Entry(entry) => line(&entry)?,
            LogLine::Unreadable(number) => unreadable.push(number),
        }
    }
    let Some(first) = unreadable.first() else { return Ok(()) };
    let path = dir.join(state::LOG);
    let many = unreadable.len();
    Err(Diagnostic::new(
        Code::StateMalformed,
        format!("{}: line {first} is not one that keypack wrote ({many} such lines)", path.display()),
    )
    .hinting("a run may have been killed while it wrote, a newer keypack may have written, or someone changed the log"))
}

/// What to forget, and the reason.
#[derive(Debug, Clone, Default)]
pub struct Forget {
    /// The lineage.
    pub lineage: String,
    /// The reason.
    pub reason: String,
    /// Whether to forget the highest versions and the revocations too. Older packs and revoked keys can then be
    /// accepted again.
    pub all: bool,
    /// The state directory; the default one if omitted.
    pub state_dir: Option<PathBuf>,
}

/// What is left; the JSON is described by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forgot {
    /// The lineage.
    pub lineage: String,
    /// What is kept; `None` if everything was to be forgotten.
    pub kept: Option<State>,
}

/// Makes this host forget a lineage. This is logged first; if that fails, nothing is forgotten.
pub fn forget(request: &Forget, ctx: &Context) -> Result<Forgot, Diagnostic> {
    let dir = state_dir::path(request.state_dir.as_deref(), &ctx.env)?;
    let lineage = state_dir::lineage(&request.lineage)?;
    let mut log = RunLog::new("state forget-unsafe", Some(dir.clone()), ctx);
    log.entry.lineage.clone_from(&request.lineage);
    log.entry.reason = Some(request.reason.clone());
    log.entry.decisions.push("forget-unsafe".into());
    log.entry.decisions.extend(request.all.then(|| "--all".to_owned()));
    let unknown = || {
        let error = format!("{} holds nothing of a lineage {:?}", dir.display(), request.lineage);
        Diagnostic::new(Code::LineageUnknown, error)
    };
    if !state::lineages(&dir)?.contains(&lineage) {
        return Err(unknown());
    }
    if request.all {
        if !state::remove(&dir, &lineage, || log.begin())? {
            return Err(unknown());
        }
        log.done("forgotten");
        return Ok(Forgot { lineage: request.lineage.clone(), kept: None });
    }
    let kept = state::update(&dir, &lineage, |state| {
        log.begin()?;
        state.forget(Forgotten { at: ctx.now, reason: request.reason.chars().take(1000).collect() });
        Ok::<_, Diagnostic>(state.clone())
    })??;
    log.done("forgotten");
    Ok(Forgot { lineage: request.lineage.clone(), kept: Some(kept) })
}
