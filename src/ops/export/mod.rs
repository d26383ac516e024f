//! Writes the policy of a consumer from an authenticated keys/ and its rules, checked against a mirror before it can stop a cluster.

mod admission;
mod cosign;
mod format;
mod names;
mod openshift;
mod options;
mod plan;
mod policy_json;
mod trusted_root;
mod write;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use self::format::Readers;
pub(in crate::ops) use self::plan::plan;
pub use self::{
    admission::Admission,
    format::Format,
    plan::{BridgeTo, PlanRequest},
};
pub use crate::export::{KyvernoKind, Others, PulledBy, TrustedRootForm};
use crate::{
    diag::{Code, Diagnostic},
    export::{
        About, AdmissionFiles, CheckedAgainst, CosignFiles, ExportKeys, ExportTree, Mirrored, Objects,
        PackOf, PolicyFiles, TrustedRootFiles,
    },
    ops::{
        Context,
        ends::warn_of_ends,
        log::{self, RunLog},
        state_dir,
        verify::{self, AdmitRequest, Authentication, Survey, check_times},
    },
    outcome::{
        admission::AdmissionReport,
        export::{ExportReport, ExportedFile, TargetReport},
    },
    pack::Draft,
    policy::{mapping::NameMap, rule::Rule, target::Target},
};

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
    /// What only objects of Kubernetes have.
    pub openshift: OpenShift,
    /// What only objects for admission controllers have.
    pub admission: Admission,
    /// The pool of a MachineConfig; `worker` if there is none.
    pub pool: Option<String>,
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

/// What only objects of Kubernetes have.
#[derive(Debug, Clone, Default)]
pub struct OpenShift {
    /// The beginning of the objects' names, or the name of the only one; `keypack` if there is none.
    pub name: Option<String>,
    /// The namespace of ImagePolicies, or of a Secret.
    pub namespace: Option<String>,
    /// Whether repositories without any signature are left out of OpenShift's scopes.
    pub leave_out_unsigned: bool,
}

/// What the pack and the mirror hold.
struct Given<'a> {
    request: &'a Request,
    rules: &'a [Rule],
    keys: &'a ExportKeys<'a>,
    targets: &'a [Target],
    names: &'a NameMap,
    survey: Option<&'a Survey>,
    mirrored: Vec<Mirrored>,
    ctx: &'a Context,
}

/// What was made of it.
enum Made {
    Policy(PolicyFiles),
    Objects(Objects),
    TrustedRoot(TrustedRootFiles),
    Cosign(CosignFiles),
    Admission(AdmissionFiles),
}

impl Made {
    fn notes(&self) -> &[Diagnostic] {
        match self {
            Self::Policy(files) => &files.notes,
            Self::Objects(objects) => &objects.notes,
            Self::TrustedRoot(files) => &files.notes,
            Self::Cosign(files) => &files.notes,
            Self::Admission(files) => &files.notes,
        }
    }

    fn files(&self, request: &Request, first_line: &str) -> Vec<(String, String)> {
        match self {
            Self::Policy(files) => policy_json::files(files, request, first_line),
            Self::Objects(objects) => objects.files(first_line),
            Self::TrustedRoot(files) => files.files(first_line),
            Self::Cosign(files) => files.files(first_line),
            Self::Admission(files) => files.files(),
        }
    }
}

/// Writes the files, unless the mirror shows that they would stop images from running.
pub fn export(request: &Request, ctx: &Context) -> Result<ExportReport, Diagnostic> {
    let targets = options::targets(request)?;
    options::refuse(request)?;
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
    if inventory.rules.is_empty() && request.format.readers() != Readers::Sigstore {
        let what =
            format!("the pack in {} has no rules, and only rules make policy", request.keys_dir.display());
        return Err(Diagnostic::new(Code::NoRules, what));
    }
    let export_keys = match request.format {
        // policy-controller takes a CA that did not sign itself for no anchor.
        Format::TrustedRoot(_) | Format::PolicyController => ExportKeys::with_chains(draft),
        _ => ExportKeys::of(draft),
    };
    let names = verify::given(&request.check)?;
    let mut survey =
        request.is_checked().then(|| verify::survey(&request.check, names.clone(), ctx)).transpose()?;
    let mirrored = survey.as_ref().map(names::mirrored).unwrap_or_default();
    if request.pulled_by == PulledBy::Mirror {
        survey.iter_mut().for_each(names::pull_by_mirror);
    }
    let given = Given {
        request,
        rules: &inventory.rules,
        keys: &export_keys,
        targets: &targets,
        names: &names,
        survey: survey.as_ref(),
        mirrored,
        ctx,
    };
    let (made, check) = match request.format {
        Format::TrustedRoot(form) => (trusted_root::make(form, &given)?, None),
        Format::Cosign => (cosign::make(&given)?, None),
        Format::Kyverno | Format::PolicyController | Format::Talos => (admission::make(&given)?, None),
        Format::ClusterImagePolicy | Format::ImagePolicy => openshift::make(&given)?,
        Format::PolicyJson | Format::RegistriesD | Format::MachineConfig | Format::Butane => {
            policy_json::make(&given)?
        }
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
        notes: made.notes().to_vec(),
        left_out: keys.left_out,
        not_checkable: request.format.is_checkable().err(),
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
    let tree = ExportTree::new(&about, made.files(request, &about.first_line(report.not_checkable)));
    report.files = tree.files.iter().map(|(path, text)| ExportedFile::of(path, text)).collect();
    report.change = Some(write::write(&request.output, request.format.as_str(), &tree, ctx)?.into());
    let written = Written {
        format: request.format.as_str(),
        directory: &request.output,
        // registries.d names no keys.
        names_keys: request.format != Format::RegistriesD,
        allow_rejects: request.allow_rejects,
    };
    record(&written, request.authentication.state_dir.as_deref(), draft, ctx)?;
    Ok(report)
}

/// A policy that was written.
struct Written<'a> {
    format: &'a str,
    directory: &'a Path,
    names_keys: bool,
    allow_rejects: bool,
}

/// Records which keys a policy names, so that `revoke` can say which policies must change.
fn record(
    what: &Written<'_>,
    state_dir: Option<&Path>,
    draft: &Draft,
    ctx: &Context,
) -> Result<(), Diagnostic> {
    let dir = state_dir::path(state_dir, &ctx.env)?;
    let mut log = RunLog::new(&format!("export {}", what.format), Some(dir), ctx);
    let inventory = draft.inventory();
    let named: BTreeSet<_> = inventory.rules.iter().flat_map(Rule::keys).map(|(key, _)| key).collect();
    // A key that was revoked here is in the rules, and not in the policy.
    let written = draft.keys().filter(|_| what.names_keys);
    let written = written.filter(|(record, _)| named.contains(&record.key_ref()));
    log.entry.keys = written.map(|(record, _)| record.fingerprint).collect();
    log.entry.lineage.clone_from(&inventory.name);
    log.entry.directory = Some(log::named(what.directory));
    log.entry.decisions.extend(what.allow_rejects.then(|| "--allow-rejects".to_owned()));
    log.names(draft.digest(), Some(inventory.version));
    log.end("exported");
    Ok(())
}

fn checked_on(now: Timestamp) -> String {
    now.strftime("%F").to_string()
}

fn checked(check: &AdmissionReport, now: Timestamp) -> CheckedAgainst {
    CheckedAgainst {
        sources: check.sources.iter().map(|place| place.place.clone()).collect(),
        on: checked_on(now),
        pulls: check.counts.pulls,
        refused: check.counts.refused + check.counts.not_judged,
    }
}
