//! `--image-config`: the registries that a cluster allows and blocks, merged into its policy.

use std::{fmt::Display, path::Path};

use super::{AdmitRequest, load::read};
use crate::{
    diag::{Code, Diagnostic},
    limits,
    outcome::admission::RegistriesReport,
    policy::{
        consumer::openshift::{ImageConfig, PAYLOAD, RegistryRules, Rendered},
        mapping::{NameMap, Pull},
    },
};

fn invalid(path: &Path, what: &dyn Display) -> Diagnostic {
    Diagnostic::new(Code::PolicyInvalid, format!("{}: {what}", path.display()))
}

/// Refuses it beside a policy that is not OpenShift's.
pub(super) fn refuse(request: &AdmitRequest) -> Result<(), Diagnostic> {
    if request.image_config.is_none() {
        return Ok(());
    }
    Err(Diagnostic::usage(
        "--image-config is a part of OpenShift's policy, and a policy.json has its own default",
        "leave --image-config out; or give ClusterImagePolicies, openshift or builtin:openshift@VERSION",
    ))
}

/// What the nodes get of it.
pub(super) fn rules(request: &AdmitRequest, mirrors: &NameMap) -> Result<RegistryRules, Diagnostic> {
    let Some(path) = &request.image_config else { return Ok(RegistryRules::default()) };
    let text =
        String::from_utf8(read(path, limits::CONFIG)?).map_err(|_| invalid(path, &"it is not UTF-8"))?;
    let config = ImageConfig::parse(&text).map_err(|e| invalid(path, &e))?;
    // A disconnected cluster has a mirror of its release, also where no configuration of mirrors is given.
    let has_mirror = |config: &ImageConfig| {
        let places = mirrors.places(PAYLOAD, Pull::Digest);
        places.is_none_or(|places| places.mirrors.iter().any(|mirror| !config.blocks(mirror)))
    };
    config.rules(has_mirror).map_err(|e| invalid(path, &e))
}

/// Merges the rules into a policy.
pub(super) fn restrict(
    rendered: &mut Rendered,
    rules: &RegistryRules,
    policy: &str,
    request: &AdmitRequest,
) -> Result<(), Diagnostic> {
    let Some(path) = &request.image_config else { return Ok(()) };
    rendered.restrict(rules).map_err(|e| {
        let stops = "the machine-config-operator fails then, and the nodes keep their old configuration";
        invalid(path, &format!("with the policy {policy}, {e}; {stops}")).hinting(
            "change the lists (oc edit image.config.openshift.io cluster), or the scopes of the policy",
        )
    })
}

/// What of it has no effect.
pub(super) fn notes(rules: &RegistryRules) -> impl Iterator<Item = Diagnostic> {
    rules.notes.iter().map(|what| Diagnostic::new(Code::RegistryNotBlocked, what.clone()))
}

pub(super) fn report(request: &AdmitRequest, rules: &RegistryRules) -> Option<RegistriesReport> {
    request.image_config.as_ref().map(|file| RegistriesReport {
        file: file.display().to_string(),
        allowed: rules.allowed.clone(),
        blocked: rules.blocked.clone(),
    })
}
