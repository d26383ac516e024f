//! Writes the policy of a consumer from an authenticated keys/ and its rules, checked against a mirror before it can stop a cluster.

mod names;
mod openshift;
mod policy_json;
mod write;

use std::path::PathBuf;

use jiff::Timestamp;

pub use crate::export::{Others, PulledBy};
use crate::{
    diag::{Code, Diagnostic},
    export::{About, CheckedAgainst, ExportKeys, ExportTree, Mirrored, Objects, PackOf, PolicyFiles},
    ops::{
        Context,
        ends::warn_of_ends,
        verify::{self, AdmitRequest, Authentication, Survey, check_times},
    },
    outcome::{
        admission::AdmissionReport,
        export::{ExportReport, ExportedFile, TargetReport},
    },
    policy::{mapping::NameMap, rule::Rule, target::Target},
};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// policy.json with registries.d.
    PolicyJson,
    /// registries.d alone.
    RegistriesD,
    /// ClusterImagePolicies of OpenShift.
    ClusterImagePolicy,
    /// ImagePolicies of OpenShift, for one namespace.
    ImagePolicy,
}

impl Format {
    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PolicyJson => "policy-json",
            Self::RegistriesD => "registries-d",
            Self::ClusterImagePolicy => "cluster-image-policy",
            Self::ImagePolicy => "image-policy",
        }
    }

    const fn is_of_openshift(self) -> bool {
        matches!(self, Self::ClusterImagePolicy | Self::ImagePolicy)
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
    /// What only the objects of OpenShift have.
    pub openshift: OpenShift,
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

/// What only the objects of OpenShift have.
#[derive(Debug, Clone, Default)]
pub struct OpenShift {
    /// The beginning of the objects' names; `keypack` if there is none.
    pub name: Option<String>,
    /// The namespace of ImagePolicies.
    pub namespace: Option<String>,
    /// Whether repositories without any signature are left out of the scopes.
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
}

impl Made {
    fn notes(&self) -> &[Diagnostic] {
        match self {
            Self::Policy(files) => &files.notes,
            Self::Objects(objects) => &objects.notes,
        }
    }

    fn files(&self, request: &Request, first_line: &str) -> Vec<(String, String)> {
        match self {
            Self::Policy(files) => files.files(request.format, first_line, request.keys_at.as_deref()),
            Self::Objects(objects) => objects.files(first_line),
        }
    }
}

/// Writes the files, unless the mirror shows that they would stop images from running.
pub fn export(request: &Request, ctx: &Context) -> Result<ExportReport, Diagnostic> {
    let targets = targets(request)?;
    refuse_options(request)?;
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
    let mut survey =
        request.is_checked().then(|| verify::survey(&request.check, names.clone(), ctx)).transpose()?;
    let mirrored = survey.as_ref().map(names::mirrored).unwrap_or_default();
    if request.pulled_by == PulledBy::Mirror {
        survey.iter_mut().for_each(names::pull_by_mirror);
    }
    let given = Given {
        request,
        rules: &inventory.rules,
        keys: &ExportKeys::of(draft),
        targets: &targets,
        names: &names,
        survey: survey.as_ref(),
        mirrored,
        ctx,
    };
    let (made, check) =
        if request.format.is_of_openshift() { openshift::make(&given)? } else { policy_json::make(&given)? };
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
    let tree = ExportTree::new(&about, made.files(request, &about.first_line()));
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
    let of_openshift = request.format.is_of_openshift();
    match targets.iter().find(|target| target.reads_policy_json() == of_openshift) {
        Some(target) => Err(Diagnostic::usage(
            format!("{target} does not read what {} writes", request.format.as_str()),
            if of_openshift {
                "name the release of OpenShift: --for openshift@4.22"
            } else {
                "podman, crio, skopeo and rhel do; OpenShift writes these files on its nodes itself: export cluster-image-policy"
            },
        )),
        None => Ok(targets),
    }
}

/// Refuses options that mean nothing, or something else, in this format.
fn refuse_options(request: &Request) -> Result<(), Diagnostic> {
    // The consumer would look for a relative one in whatever folder it runs in.
    if let Some(at) = request.keys_at.as_ref().filter(|at| !at.is_absolute()) {
        let what = format!("--keys-at {} is not a whole path", at.display());
        return Err(Diagnostic::usage(what, "write the folder on the host, such as /etc/pki/keypack"));
    }
    let OpenShift { name, namespace, leave_out_unsigned } = &request.openshift;
    let of_objects = name.is_some() || request.check.image_config.is_some() || *leave_out_unsigned;
    let of_files = request.keys_at.is_some()
        || request.others != Others::default()
        || request.pulled_by != PulledBy::default();
    let refuse = |what: &'static str, hint: &'static str| Err(Diagnostic::usage(what, hint));
    match request.format {
        Format::PolicyJson | Format::RegistriesD if of_objects || namespace.is_some() => refuse(
            "--object-name, --namespace, --image-config and --leave-out-unsigned are about objects of OpenShift",
            "leave them out, or export cluster-image-policy",
        ),
        Format::ClusterImagePolicy | Format::ImagePolicy if of_files => refuse(
            "--keys-at, --default and --pulled-by are about policy.json",
            "leave them out: OpenShift holds keys in the object, runs what is in no scope, and pulls by the sources' names",
        ),
        Format::ImagePolicy if namespace.is_none() => {
            refuse("an ImagePolicy is one of a namespace", "name it: --namespace NAME")
        }
        Format::ClusterImagePolicy if namespace.is_some() => {
            refuse("a ClusterImagePolicy is in no namespace", "leave --namespace out, or export image-policy")
        }
        _ => Ok(()),
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
