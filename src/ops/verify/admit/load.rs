//! The policy with everything that it names, read before any registry is asked.

use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{AdmitRequest, registries, registries_d};
use crate::{
    diag::{Code, Diagnostic},
    fs, limits,
    oci::Digest,
    outcome::admission::PolicyReport,
    policy::{
        consumer::{
            ConsumerPolicy, Evaluator, Files, RegistriesD,
            openshift::{self, PayloadPolicy, RegistryRules, Rendered},
        },
        mapping::NameMap,
    },
};

/// Which policy is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySpec {
    /// The one in the mirror's own release payload.
    Payload,
    /// A copy of that of a release of OpenShift: its version.
    Builtin(String),
    /// A policy.json, or ClusterImagePolicies and ImagePolicies.
    File(PathBuf),
}

impl FromStr for PolicySpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("builtin:")) {
            ("openshift", _) => Ok(Self::Payload),
            (_, Some(name)) => match name.strip_prefix("openshift@").filter(|version| !version.is_empty()) {
                Some(version) => Ok(Self::Builtin(version.to_owned())),
                None => Err("write builtin:openshift@VERSION, such as builtin:openshift@4.22".into()),
            },
            ("", _) => Err("it names no file".into()),
            (path, None) => Ok(Self::File(path.into())),
        }
    }
}

/// A policy that can be evaluated.
pub(in crate::ops) struct Loaded {
    pub(super) report: PolicyReport,
    pub(super) evaluator: Evaluator,
    pub(super) registries: RegistriesD,
    /// Whether registries.d is looked up by the name that is pulled: OpenShift switches attachments on for the mirrors of its
    /// scopes as well.
    pub(super) by_name: bool,
    /// The registries that the cluster allows and blocks.
    pub(super) rules: RegistryRules,
}

/// The policy, if it is not one that must be read out of the mirror first.
pub(super) fn load(request: &AdmitRequest, mirrors: &NameMap) -> Result<Option<Loaded>, Diagnostic> {
    match &request.policy {
        PolicySpec::Payload => refuse_registries_d(request).map(|()| None),
        PolicySpec::Builtin(version) => {
            let named = format!("builtin:openshift@{version}");
            let (known, rendered) = openshift::builtin(version).map_err(|e| {
                Diagnostic::usage(
                    format!("{named}: {e}"),
                    "name one of these, or give the cluster's own policy as a file",
                )
            })?;
            let named = format!("{named} (cluster-update-keys {})", known.source);
            of_openshift(named, known.digest(), rendered, request, mirrors).map(Some)
        }
        PolicySpec::File(path) => {
            let bytes = read(path, limits::POLICY)?;
            let invalid = |what: &dyn Display| {
                Diagnostic::new(Code::PolicyInvalid, format!("{}: {what}", path.display()))
            };
            let (named, sha256) = (path.display().to_string(), Digest::of(&bytes));
            let text = std::str::from_utf8(&bytes).ok().filter(|text| openshift::is_manifest(text));
            let loaded = if let Some(text) = text {
                let rendered = openshift::render(text).map_err(|e| invalid(&e))?;
                of_openshift(named, sha256, rendered, request, mirrors)
            } else {
                let policy = ConsumerPolicy::parse(&bytes).map_err(|e| invalid(&e))?;
                of_file(named, sha256, &policy, request)
            };
            loaded.map(Some)
        }
    }
}

fn refuse_registries_d(request: &AdmitRequest) -> Result<(), Diagnostic> {
    if request.registries_d.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::usage(
        "OpenShift writes registries.d itself, from the scopes of its policies, and --registries-d names another",
        "leave --registries-d out; it requires a policy.json",
    ))
}

/// What OpenShift's nodes would have with the policy of each of these releases in turn.
pub(super) fn of_releases(
    named: String,
    policies: &[&PayloadPolicy],
    mut notes: Vec<Diagnostic>,
    request: &AdmitRequest,
    mirrors: &NameMap,
) -> Result<Loaded, Diagnostic> {
    let rules = registries::rules(request, mirrors)?;
    notes.extend(registries::notes(&rules));
    let text: String = policies.iter().map(|policy| policy.text.as_str()).collect();
    let rendered = if policies.is_empty() { Rendered::of_nothing() } else { openshift::render(&text) };
    let mut rendered = rendered.map_err(|e| Diagnostic::new(Code::PolicyInvalid, format!("{named}: {e}")))?;
    rendered.objects.dedup();
    let scopes = rendered.policy.scopes().map(str::to_owned).collect();
    // Without a policy, the lists of registries are all that is in force.
    let is_lists_alone = policies.is_empty() && !rules.decides_nothing();
    let each = policies.iter().map(|policy| policy.rendered.clone());
    let each = each.chain(is_lists_alone.then(|| rendered.clone()));
    let evaluators = each.map(|mut rendered| {
        registries::restrict(&mut rendered, &rules, &named, request)?;
        Ok(rendered.policy.with(&Files::new()))
    });
    let evaluators = evaluators.collect::<Result<Vec<_>, Diagnostic>>()?;
    Ok(Loaded {
        report: PolicyReport {
            file: named,
            kind: "openshift",
            sha256: Digest::of(text.as_bytes()),
            objects: rendered.objects,
            scopes,
            registries_d: Vec::new(),
            registries: registries::report(request, &rules),
            notes,
        },
        evaluator: Evaluator::all(evaluators),
        registries: rendered.registries,
        by_name: true,
        rules,
    })
}

/// What OpenShift's nodes would have.
fn of_openshift(
    named: String,
    sha256: Digest,
    mut rendered: Rendered,
    request: &AdmitRequest,
    mirrors: &NameMap,
) -> Result<Loaded, Diagnostic> {
    refuse_registries_d(request)?;
    let scopes = rendered.policy.scopes().map(str::to_owned).collect();
    let rules = registries::rules(request, mirrors)?;
    registries::restrict(&mut rendered, &rules, &named, request)?;
    let left_out = rendered.left_out.into_iter().map(|what| Diagnostic::new(Code::ScopeLeftOut, what));
    Ok(Loaded {
        report: PolicyReport {
            file: named,
            kind: "openshift",
            sha256,
            objects: rendered.objects,
            scopes,
            registries_d: Vec::new(),
            registries: registries::report(request, &rules),
            notes: left_out.chain(registries::notes(&rules)).collect(),
        },
        evaluator: rendered.policy.with(&Files::new()),
        registries: rendered.registries,
        by_name: true,
        rules,
    })
}

/// Objects of OpenShift that are not on disk yet.
pub(in crate::ops) fn of_manifest(
    named: &str,
    text: &str,
    request: &AdmitRequest,
    mirrors: &NameMap,
) -> Result<Loaded, Diagnostic> {
    let rendered =
        openshift::render(text).map_err(|e| Diagnostic::new(Code::PolicyInvalid, format!("{named}: {e}")))?;
    of_openshift(named.to_owned(), Digest::of(text.as_bytes()), rendered, request, mirrors)
}

/// A policy.json and a file of registries.d that are not on disk yet, with the files that the policy names. The other files of
/// registries.d are those of the request; one with the name of ours is the one that ours replaces.
pub(in crate::ops) fn of_policy_json(
    named: &str,
    policy: &[u8],
    (registries_named, registries_text): (&str, &str),
    files: &Files,
    request: &AdmitRequest,
) -> Result<Loaded, Diagnostic> {
    let invalid = |what: &dyn Display| Diagnostic::new(Code::PolicyInvalid, format!("{named}: {what}"));
    let sha256 = Digest::of(policy);
    let policy = ConsumerPolicy::parse(policy).map_err(|e| invalid(&e))?;
    let mut registries = RegistriesD::default();
    registries.add(registries_named, registries_text).map_err(|e| invalid(&e))?;
    for directory in &request.registries_d {
        registries_d::add(&mut registries, directory, Path::new(registries_named).file_name())?;
    }
    let others = request.registries_d.iter().map(|directory| directory.display().to_string());
    Ok(Loaded {
        report: PolicyReport {
            file: named.to_owned(),
            kind: "policy.json",
            sha256,
            objects: Vec::new(),
            scopes: policy.scopes().map(str::to_owned).collect(),
            registries_d: std::iter::once(registries_named.to_owned()).chain(others).collect(),
            registries: None,
            notes: Vec::new(),
        },
        evaluator: policy.with(files),
        registries,
        by_name: false,
        rules: RegistryRules::default(),
    })
}

fn of_file(
    named: String,
    sha256: Digest,
    policy: &ConsumerPolicy,
    request: &AdmitRequest,
) -> Result<Loaded, Diagnostic> {
    registries::refuse(request)?;
    let paths = policy.paths();
    if paths.len() > limits::HOST_FILES {
        let what = format!("{named}: it names more than {} key files", limits::HOST_FILES);
        return Err(Diagnostic::new(Code::PolicyInvalid, what));
    }
    // Relative paths follow the working folder, as they do there.
    let files: Files = paths
        .into_iter()
        .map(|path| {
            let bytes = read(&path, limits::KEY_FILE).map_err(|e| e.message);
            (path, bytes)
        })
        .collect();
    let mut registries = RegistriesD::default();
    for directory in &request.registries_d {
        registries_d::add(&mut registries, directory, None)?;
    }
    let mut notes = Vec::new();
    if request.registries_d.is_empty() && policy.asks_for_sigstore() {
        let what = "no registries.d was given, so the consumer would look for no sigstore attachments";
        notes.push(Diagnostic::new(Code::AttachmentsOff, what));
    }
    Ok(Loaded {
        report: PolicyReport {
            file: named,
            kind: "policy.json",
            sha256,
            objects: Vec::new(),
            scopes: policy.scopes().map(str::to_owned).collect(),
            registries_d: request.registries_d.iter().map(|dir| dir.display().to_string()).collect(),
            registries: None,
            notes,
        },
        evaluator: policy.with(&files),
        registries,
        by_name: false,
        rules: RegistryRules::default(),
    })
}

pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Diagnostic> {
    let failed = |e: io::Error| Diagnostic::from(fs::FsError::read(e, path));
    let read = fs::open(path).and_then(|file| fs::read(file, limit)).map_err(failed)?;
    read.ok_or_else(|| {
        let what = format!("{} has more than {limit} bytes", path.display());
        Diagnostic::new(Code::PolicyInvalid, what)
    })
}
