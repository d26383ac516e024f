//! `--report FILE`: what `verify` found, for people who sign it off and for an archive.
//!
//! It is written whenever there is a result, the more so when it is a bad one.

mod custody;
mod inputs;

use std::{ffi::OsStr, path::PathBuf};

pub(super) use self::inputs::Inputs;
use super::keys::UsedPack;
use crate::{
    diag::{Code, Diagnostic, Exit},
    fs, limits,
    oci::Digest,
    ops::{Context, log::RunLog, own_file, state_dir, verify::Authentication},
    outcome::{
        Beside, Clock, Facts, Found, Input, ReportAgainst, ReportFile, ReportForm, WrittenReport, is_report,
    },
};

/// Where a report is written, and what it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRequest {
    /// The file.
    pub to: ReportTo,
    /// An earlier report; without it, the one that the file holds.
    pub since: Option<PathBuf>,
    /// sha256 of the running program.
    pub program: Option<Digest>,
}

/// The file of a report, whose name says its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTo {
    file: PathBuf,
    form: ReportForm,
}

impl ReportTo {
    /// Parses it.
    pub fn parse(text: &OsStr) -> Result<Self, String> {
        let file = PathBuf::from(text);
        let form = match file.extension().and_then(OsStr::to_str) {
            Some("html") => ReportForm::Html,
            Some("json") => ReportForm::Json,
            _ => return Err("a report is a page or JSON: write FILE.html or FILE.json".into()),
        };
        Ok(Self { file, form })
    }
}

/// A report that is going to be written.
pub(super) struct Report<'a> {
    request: &'a ReportRequest,
    authentication: &'a Authentication,
    places: &'a [String],
    inputs: Vec<Input>,
    since: Option<(ReportAgainst, Facts)>,
}

impl<'a> Report<'a> {
    /// Looks at everything that may be wrong with it before images are read, which can take an hour.
    pub(super) fn prepare(
        request: Option<&'a ReportRequest>,
        authentication: &'a Authentication,
        places: &'a [String],
        inputs: &Inputs<'_>,
    ) -> Result<Option<Self>, Diagnostic> {
        let Some(request) = request else { return Ok(None) };
        own_file::has_parent(&request.to.file)?;
        own_file::refuse_other(&request.to.file, Code::ReportTaken, is_report)?;
        let since = earlier(request)?;
        let mut inputs = inputs.digests()?;
        let consumers = crate::policy::target::digest();
        inputs.push(Input {
            what: "consumer data",
            name: "consumers/*.json, built in".into(),
            sha256: consumers,
        });
        let name = format!("keypack {}", env!("CARGO_PKG_VERSION"));
        inputs.extend(request.program.map(|sha256| Input { what: "program", name, sha256 }));
        Ok(Some(Self { request, authentication, places, inputs, since }))
    }

    /// Writes the report on a result. One that is a failure is reported if it says something about the images.
    pub(super) fn write<T>(
        self,
        result: &Result<T, Diagnostic>,
        found: impl Fn(&T) -> Found<'_>,
        used: Option<&UsedPack>,
        ctx: &Context,
    ) -> Result<Option<WrittenReport>, Diagnostic> {
        let found = match result {
            Ok(result) => found(result),
            Err(failure) if failure.exit == Exit::Incomplete => Found::Nothing(failure),
            Err(_) => return Ok(None),
        };
        let state_dir = state_dir::path(self.authentication.state_dir.as_deref(), &ctx.env).ok();
        let clock = Clock {
            time: ctx.now,
            source: ctx.caller.time_source.clone(),
            host: ctx.caller.host.clone(),
            user: ctx.caller.user.clone(),
            ..Clock::default()
        };
        let pack = used.map(|used| custody::pack(used, state_dir.as_deref(), ctx));
        let report = ReportFile::new(found, Beside { clock, pack, inputs: self.inputs, since: self.since });
        let bytes = report.bytes(self.request.to.form);
        fs::write(&self.request.to.file, &bytes)?;
        let file = self.request.to.file.display().to_string();
        let written = WrittenReport { file, sha256: Digest::of(&bytes) };
        if state_dir.is_none() {
            ctx.events
                .warn("the report is not in the log: nothing says where this host's state is (--state)");
        }
        let mut log = RunLog::new("verify", state_dir, ctx);
        if let Some(used) = used {
            let inventory = used.draft.inventory();
            log.names(used.draft.digest(), Some(inventory.version));
            log.entry.lineage.clone_from(&inventory.name);
            log.entry.directory = Some(crate::ops::log::named(&used.directory));
        }
        log.entry.place = Some(self.places.join(" ")).filter(|places| !places.is_empty());
        log.entry.report = Some(crate::ops::log::named(&self.request.to.file));
        log.entry.report_sha256 = Some(written.sha256);
        log.done(report.verdict());
        if result.is_err() {
            ctx.events.note(&format!("wrote the report {}, {}", written.file, written.sha256));
        }
        Ok(Some(written))
    }
}

/// The report that this one is compared with. One at its own place that can't be read is replaced all the same: it is keypack's.
fn earlier(request: &ReportRequest) -> Result<Option<(ReportAgainst, Facts)>, Diagnostic> {
    let (file, is_named) = match &request.since {
        Some(file) => (file, true),
        None => (&request.to.file, false),
    };
    let bytes = match fs::open(file).and_then(|opened| fs::read(opened, limits::REPORT)) {
        Ok(Some(bytes)) => bytes,
        Ok(None) | Err(_) if !is_named => return Ok(None),
        Ok(None) => return Err(not_a_report(file)),
        Err(e) => return Err(fs::FsError::read(e, file).into()),
    };
    let facts = if is_report(&bytes) { Facts::read(&bytes) } else { None };
    let since = ReportAgainst { file: file.display().to_string(), sha256: Digest::of(&bytes) };
    match facts {
        Some(facts) => Ok(Some((since, facts))),
        None if is_named => Err(not_a_report(file)),
        None => Ok(None),
    }
}

fn not_a_report(file: &std::path::Path) -> Diagnostic {
    let what = format!("{} is no report of keypack, or was changed since", file.display());
    Diagnostic::new(Code::ReportUnreadable, what)
}
