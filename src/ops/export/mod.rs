//! Writes the policy of a consumer from an authenticated keys/ and its rules, checked against a mirror before it can stop a cluster.

mod names;
mod policy_json;
mod write;

use std::path::PathBuf;

use jiff::Timestamp;

pub use crate::export::{Others, PulledBy};
use crate::{
    diag::{Code, Diagnostic},
    export::{About, CheckedAgainst, ExportKeys, ExportTree, PackOf},
    ops::{
        Context,
        ends::warn_of_ends,
        verify::{self, AdmitRequest, Authentication, check_times},
    },
    outcome::{
        admission::AdmissionReport,
        export::{ExportReport, ExportedFile, TargetReport},
    },
    policy::target::Target,
};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// policy.json with registries.d.
    PolicyJson,
    /// registries.d alone.
    RegistriesD,
}

impl Format {
    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PolicyJson => "policy-json",
            Self::RegistriesD => "registries-d",
        }
    }
}

/// What to write, from what, and what it is checked against.
#[derive(Debug, Clone)]
pub struct Request {
    /// The format.
    pub format: Format,
    /// The keys.
    pub keys_dir: PathBuf,
    /// What authenticates them.
    pub authentication: Authentication,
    /// The folder that is written.
    pub output: PathBuf,
    /// The consumers, all of which must be able to read it: `podman@5.3`.
    pub targets: Vec<String>,
    /// What the policy does about images that no rule is about.
    pub others: Others,
    /// By which names images are pulled.
    pub pulled_by: PulledBy,
    /// The folder on the host that the key files will be in; without it the keys are written into the policy.
    pub keys_at: Option<PathBuf>,
    /// The mirror that it is checked against; without places it is not. The policy that it names is not used.
    pub check: AdmitRequest,
    /// Whether it is written although images of the mirror would not run.
    pub allow_rejects: bool,
}

impl Request {
    fn is_checked(&self) -> bool {
        !self.check.places.is_empty() || self.check.images.is_some()
    }
}

/// Writes the files, unless the mirror shows that they would stop images from running.
pub fn export(request: &Request, ctx: &Context) -> Result<ExportReport, Diagnostic> {
    let targets = targets(request)?;
    // The consumer would look for a relative one in whatever folder it runs in.
    if let Some(at) = request.keys_at.as_ref().filter(|at| !at.is_absolute()) {
        let what = format!("--keys-at {} is not a whole path", at.display());
        return Err(Diagnostic::usage(what, "write the folder on the host, such as /etc/pki/keypack"));
    }
    let keys = request.authentication.of_directory(
        &request.keys_dir,
        &[],
        request.check.cache_dir.as_deref(),
        ctx,
    )?;
    let draft = keys.pack.draft();
    let inventory = draft.inventory();
    check_times(inventory, &keys.state, ctx)?;
    warn_of_ends(draft, ctx);
    if inventory.rules.is_empty() {
        let what =
            format!("the pack in {} has no rules, and only rules make policy", request.keys_dir.display());
        return Err(Diagnostic::new(Code::NoRules, what));
    }
    let names = verify::given(&request.check)?;
    let survey =
        request.is_checked().then(|| verify::survey(&request.check, names.clone(), ctx)).transpose()?;
    let mirrored = survey.as_ref().map(names::mirrored).unwrap_or_default();
    let of_pack = ExportKeys::of(draft);
    let made = policy_json::make(request, &inventory.rules, &of_pack, &targets, (&names, &mirrored))?;
    let check = match survey {
        Some(survey) => Some(policy_json::check(request, &made, survey, ctx)?),
        None => None,
    };
    let mut report = ExportReport {
        schema_version: 1,
        command: "export",
        format: request.format.as_str(),
        targets: targets.iter().map(TargetReport::of).collect(),
        directory: request.output.display().to_string(),
        pack: draft.digest(),
        change: None,
        files: Vec::new(),
        notes: made.notes.clone(),
        left_out: keys.left_out,
        check,
        failure: None,
    };
    let stops = report.check.as_ref().and_then(|check| check.failure.clone());
    if let Some(failure) = stops.filter(|_| !request.allow_rejects) {
        let what = format!("nothing was written: with this policy, {}", failure.message);
        report.failure =
            Some(Diagnostic { message: what, ..failure }.also("write it all the same with --allow-rejects"));
        return Ok(report);
    }
    let about = About {
        format: request.format.as_str().to_owned(),
        r#for: targets.iter().map(ToString::to_string).collect(),
        pack: PackOf { name: inventory.name.clone(), version: inventory.version, digest: draft.digest() },
        checked: report.check.as_ref().map(|check| checked(check, ctx.now)),
    };
    let tree =
        ExportTree::new(&about, made.files(request.format, &about.first_line(), request.keys_at.as_deref()));
    report.files = tree.files.iter().map(|(path, text)| ExportedFile::of(path, text)).collect();
    report.change = Some(write::write(&request.output, request.format.as_str(), &tree, ctx)?.into());
    Ok(report)
}

/// The consumers, if they read what is written.
fn targets(request: &Request) -> Result<Vec<Target>, Diagnostic> {
    let targets: Result<Vec<Target>, _> = request.targets.iter().map(|text| text.parse()).collect();
    let targets = targets.map_err(|e| {
        Diagnostic::usage(format!("--for: {e}"), "name the consumer with its version, such as podman@5.3")
    })?;
    match targets.iter().find(|target| !target.reads_policy_json()) {
        Some(target) => Err(Diagnostic::usage(
            format!("{target} does not read what {} writes", request.format.as_str()),
            "podman, crio, skopeo and rhel do; OpenShift writes these files on its nodes itself",
        )),
        None => Ok(targets),
    }
}

fn checked(check: &AdmissionReport, now: Timestamp) -> CheckedAgainst {
    CheckedAgainst {
        sources: check.sources.iter().map(|place| place.place.clone()).collect(),
        on: now.strftime("%F").to_string(),
        pulls: check.counts.pulls,
        refused: check.counts.refused + check.counts.not_judged,
    }
}
