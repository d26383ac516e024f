//! Refuses options that mean nothing, or something else, in a format.

use super::{Format, OpenShift, Others, PulledBy, Request, format::Readers};
use crate::{
    diag::Diagnostic,
    policy::target::{Feature, Target},
};

/// Whether a consumer reads it.
type Reads = Box<dyn Fn(&Target) -> bool>;

/// The consumers, if they read what is written.
pub(super) fn targets(request: &Request) -> Result<Vec<Target>, Diagnostic> {
    let targets: Result<Vec<Target>, _> = request.targets.iter().map(|text| text.parse()).collect();
    let targets = targets.map_err(|e| {
        Diagnostic::usage(format!("--for: {e}"), "name the consumer with its version, such as podman@5.3")
    })?;
    let (reads, hint): (Reads, _) = match request.format.readers() {
        Readers::PolicyJson => (
            Box::new(Target::reads_policy_json),
            "podman, crio, skopeo and rhel do; OpenShift writes these files on its nodes itself: export cluster-image-policy",
        ),
        Readers::OpenShift => (
            Box::new(|target| target.openshift.is_some()),
            "name the release of OpenShift: --for openshift@4.22",
        ),
        Readers::Cosign => (
            Box::new(|target| target.consumer == "cosign" && target.has(Feature::TrustedRoot)),
            "cosign from 2.6 on takes a trusted root and asks no network then: --for cosign@2.6,cosign@3.1",
        ),
        Readers::Admission(name) => (
            Box::new(move |target| target.consumer == name),
            "name it with its version: --for kyverno@1.19, --for policy-controller@0.15, --for talos@1.13",
        ),
        Readers::Sigstore => (
            Box::new(|_| false),
            "leave --for out: a trusted root is the same for every version; --as writes it for one consumer",
        ),
    };
    if targets.is_empty() && request.format.readers() != Readers::Sigstore {
        let what = format!("export {} needs the consumer that reads it", request.format.as_str());
        return Err(Diagnostic::usage(what, "name it with its version: --for podman@5.3"));
    }
    match targets.iter().find(|target| !reads(target)) {
        Some(target) => Err(Diagnostic::usage(
            format!("{target} does not read what {} writes", request.format.as_str()),
            hint,
        )),
        None => Ok(targets),
    }
}

pub(super) fn refuse(request: &Request) -> Result<(), Diagnostic> {
    // The consumer would look for a relative one in whatever folder it runs in.
    if let Some(at) = request.keys_at.as_ref().filter(|at| !at.is_absolute()) {
        let what = format!("--keys-at {} is not a whole path", at.display());
        return Err(Diagnostic::usage(what, "write the folder on the host, such as /etc/pki/keypack"));
    }
    if request.pool.is_some() && request.format != Format::MachineConfig {
        return Err(Diagnostic::usage(
            "--pool is about a MachineConfig",
            "leave it out, or export machine-config",
        ));
    }
    request.admission.refuse(request.format)?;
    if let Err(why) = request.format.is_checkable() {
        refuse_checks(request, why)?;
    }
    let OpenShift { name, namespace, leave_out_unsigned } = &request.openshift;
    let of_objects = name.is_some() || request.check.image_config.is_some() || *leave_out_unsigned;
    let of_files = request.keys_at.is_some()
        || request.others != Others::default()
        || request.pulled_by != PulledBy::default();
    let refuse = |what: &'static str, hint: &'static str| Err(Diagnostic::usage(what, hint));
    match request.format.readers() {
        Readers::PolicyJson if of_objects || namespace.is_some() => refuse(
            "--object-name, --namespace, --image-config and --leave-out-unsigned are about objects of OpenShift",
            "leave them out, or export cluster-image-policy",
        ),
        Readers::OpenShift if of_files => refuse(
            "--keys-at, --default and --pulled-by are about policy.json",
            "leave them out: OpenShift holds keys in the object, runs what is in no scope, and pulls by the sources' names",
        ),
        Readers::OpenShift if request.format == Format::ImagePolicy && namespace.is_none() => {
            refuse("an ImagePolicy is one of a namespace", "name it: --namespace NAME")
        }
        Readers::OpenShift if request.format == Format::ClusterImagePolicy && namespace.is_some() => {
            refuse("a ClusterImagePolicy is in no namespace", "leave --namespace out, or export image-policy")
        }
        Readers::Sigstore | Readers::Cosign if of_files || request.check.image_config.is_some() => refuse(
            "--keys-at, --default, --pulled-by and --image-config are about policies of clusters and hosts",
            "leave them out",
        ),
        Readers::Sigstore | Readers::Cosign if name.is_some() && !request.format.has_a_name() => {
            refuse("this form is no object with a name", "leave --object-name out")
        }
        Readers::Sigstore | Readers::Cosign if namespace.is_some() && !request.format.has_a_namespace() => {
            refuse("this form is no object of a namespace", "leave --namespace out")
        }
        Readers::Admission(_) if is_foreign_to_admission(request) => refuse(
            "--keys-at, --default, --image-config, --leave-out-unsigned and --namespace are about other formats",
            "leave them out: keys are in the objects, what is in no rule runs, and they are of the whole cluster",
        ),
        _ => Ok(()),
    }
}

fn is_foreign_to_admission(request: &Request) -> bool {
    let OpenShift { name: _, namespace, leave_out_unsigned } = &request.openshift;
    request.keys_at.is_some()
        || request.others != Others::default()
        || request.check.image_config.is_some()
        || *leave_out_unsigned
        || namespace.is_some()
}

/// What is not checked says so, and never looks as if it were.
fn refuse_checks(request: &Request, why: &str) -> Result<(), Diagnostic> {
    let check = &request.check;
    // By the mirrors' names, they are what the objects are about.
    let has_names = matches!(request.format.readers(), Readers::Admission(_));
    let is_given = !check.platforms.is_empty()
        || !check.registries_d.is_empty()
        || !(has_names || check.mappings.is_empty() && check.mapping_files.is_empty());
    if request.is_checked() || is_given || request.allow_rejects {
        return Err(Diagnostic::usage(
            format!("{} can't be checked against a mirror: {why}", request.format.as_str()),
            "leave --check and what belongs to it out; `keypack verify` and `verify --policy` judge the mirror",
        ));
    }
    Ok(())
}

/// A name as Kubernetes takes it: RFC 1123.
pub(super) fn check_name(name: &str) -> Result<(), Diagnostic> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_name = !name.is_empty() && name.len() <= 63 && name.bytes().all(good);
    if !is_name || name.starts_with('-') || name.ends_with('-') {
        return Err(Diagnostic::usage(
            format!("{name:?} is not a name: at most 63 lower-case letters, digits and hyphens"),
            "write one such as keypack",
        ));
    }
    Ok(())
}
