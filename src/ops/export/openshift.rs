//! ClusterImagePolicy and ImagePolicy.

use std::collections::BTreeSet;

use super::{
    Given, Made, OpenShift,
    options::check_name,
    policy_json::{not_expressible, nothing_in_scope},
};
use crate::{
    diag::{Code, Diagnostic},
    export::{BridgeObject, Objects, ObjectsInput, objects},
    ops::verify,
    outcome::admission::AdmissionReport,
    policy::consumer::ImageName,
};

/// The objects, and what they would do to the images of the mirror.
pub(super) fn make(given: &Given<'_>) -> Result<(Made, Option<AdmissionReport>), Diagnostic> {
    let OpenShift { name, namespace, leave_out_unsigned } = &given.request.openshift;
    let name = name.as_deref().unwrap_or("keypack");
    check_name(name)?;
    refuse_own_names(name)?;
    namespace.as_deref().map_or(Ok(()), |name| check_name(name).and_then(|()| refuse_own_names(name)))?;
    let [target] = given.targets else {
        return Err(Diagnostic::usage(
            "the objects of several releases may differ",
            "name one release: --for openshift@4.22",
        ));
    };
    let Some(api) = target.openshift else {
        return Err(Diagnostic::usage(
            format!("{target} has no image policies"),
            "name the release: --for openshift@4.22",
        ));
    };
    let mut unsigned = BTreeSet::new();
    loop {
        let input = ObjectsInput {
            rules: given.rules,
            keys: given.keys,
            target,
            api,
            name,
            namespace: namespace.as_deref(),
            names: given.names,
            mirrored: given.survey.map(|_| given.mirrored.as_slice()),
            unsigned: &unsigned,
        };
        let made = objects(&input).map_err(|refused| not_expressible(&refused))?;
        if made.texts.is_empty() {
            return Err(nothing_in_scope());
        }
        // The API server's rules, and those of the operator about registries, hold whether there is a mirror or not.
        let named = given.request.output.display().to_string();
        let check = &given.request.check;
        let loaded = verify::of_manifest(&named, &made.together(), check, given.names)?;
        let Some(survey) = given.survey else { return Ok((Made::Objects(made), None)) };
        let mut report = verify::judge_policy(survey, &loaded, check, given.ctx)?;
        report.policy.notes.retain(|note| note.code != Code::ScopeUnused);
        if *leave_out_unsigned && unsigned.is_empty() {
            unsigned = without_signatures(&report);
            if !unsigned.is_empty() {
                continue;
            }
        }
        return Ok((Made::Objects(made), Some(report)));
    }
}

/// What the objects with these in addition would do.
pub(super) fn judge_with(
    given: &Given<'_>,
    made: &Objects,
    bridge: &[BridgeObject],
) -> Result<Option<AdmissionReport>, Diagnostic> {
    let more: String = bridge.iter().map(|object| format!("---\n{}", object.text)).collect();
    let check = &given.request.check;
    let named = given.request.output.display().to_string();
    let loaded = verify::of_manifest(&named, &(made.together() + &more), check, given.names)?;
    given.survey.map(|survey| verify::judge_policy(survey, &loaded, check, given.ctx)).transpose()
}

/// The repositories in which no image has any signature. One with a wrong signature is not among them.
fn without_signatures(report: &AdmissionReport) -> BTreeSet<String> {
    let repository = |image: &crate::outcome::admission::PullReport| {
        Some(ImageName::parse(image.name.as_deref()?)?.name().to_owned())
    };
    let is_missing = |code: Option<Code>| code == Some(Code::SignatureMissing);
    let signed: BTreeSet<_> =
        report.images.iter().filter(|image| !is_missing(image.code)).filter_map(repository).collect();
    let missing = report.images.iter().filter(|image| is_missing(image.code));
    missing.filter_map(repository).filter(|name| !signed.contains(name)).collect()
}

/// The cluster uses these itself (MCO#5397).
fn refuse_own_names(name: &str) -> Result<(), Diagnostic> {
    if name.starts_with("openshift") {
        return Err(Diagnostic::usage(
            format!(
                "names that start with openshift, such as {name:?}, are the cluster's own, and block its upgrades"
            ),
            "choose another name",
        ));
    }
    Ok(())
}
