//! policy.json and registries.d.

use std::path::PathBuf;

use super::{Format, Given, Made, PulledBy, Request, options::check_name};
use crate::{
    diag::{Code, Diagnostic},
    display::count,
    export::{BridgeObject, PolicyFiles, PolicyInput, butane, machine_config, policy_json, with_bridge},
    ops::{
        Context,
        verify::{self, Survey},
    },
    outcome::admission::AdmissionReport,
    policy::consumer::Files,
};

/// The pool of nodes that no other one has.
const POOL: &str = "worker";

/// The texts, and what they would do to the images of the mirror.
pub(super) fn make(given: &Given<'_>) -> Result<(Made, Option<AdmissionReport>), Diagnostic> {
    let request = given.request;
    request.pool.as_deref().map_or(Ok(()), check_name)?;
    if request.pulled_by == PulledBy::Mirror && given.mirrored.is_empty() {
        return Err(Diagnostic::usage(
            "--pulled-by mirror needs the repositories of the mirror, because each is a scope of its own",
            "name the mirror: --check docker://HOST",
        ));
    }
    let input = PolicyInput {
        rules: given.rules,
        keys: given.keys,
        targets: given.targets,
        others: request.others,
        pulled_by: request.pulled_by,
        keys_at: request.keys_at.as_deref(),
        names: given.names,
        mirrored: &given.mirrored,
    };
    let made = policy_json(&input).map_err(|refused| not_expressible(&refused))?;
    if made.has_no_scope() {
        return Err(nothing_in_scope());
    }
    let checked = given.survey.map(|survey| check(request, &made, survey, given.ctx)).transpose()?;
    Ok((Made::Policy(made), checked))
}

pub(super) fn nothing_in_scope() -> Diagnostic {
    let what = "no rule is about any repository of the mirror, so that the policy would have no scope";
    Diagnostic::new(Code::NothingInScope, what)
}

/// All that can't be expressed, in one message.
pub(super) fn not_expressible(refused: &[Diagnostic]) -> Diagnostic {
    let all: Vec<_> = refused.iter().map(|refused| refused.message.as_str()).collect();
    let what = format!("{} can't be exported: {}", count(all.len(), "rule"), all.join("; "));
    Diagnostic::new(Code::RuleNotExpressible, what)
}

/// What the policy with these scopes in addition would do.
pub(super) fn judge_with(
    given: &Given<'_>,
    made: &PolicyFiles,
    bridge: &[BridgeObject],
) -> Result<Option<AdmissionReport>, Diagnostic> {
    let mut made = made.clone();
    made.policy = with_bridge(&made.policy, bridge);
    given.survey.map(|survey| check(given.request, &made, survey, given.ctx)).transpose()
}

fn check(
    request: &Request,
    made: &PolicyFiles,
    survey: &Survey,
    ctx: &Context,
) -> Result<AdmissionReport, Diagnostic> {
    let at = request.keys_at.clone().unwrap_or_default();
    let files: Files = made
        .keys
        .iter()
        .map(|(name, text)| -> (PathBuf, _) { (at.join(name), Ok(text.clone().into_bytes())) })
        .collect();
    let file = request.output.join("policy.json").display().to_string();
    let lookups = request.output.join("registries.d/keypack.yaml").display().to_string();
    let text = made.registries_d("");
    let loaded =
        verify::of_policy_json(&file, made.policy.as_bytes(), (&lookups, &text), &files, &request.check)?;
    let mut report = verify::judge_policy(survey, &loaded, &request.check, ctx)?;
    // That a rule is about more than this mirror holds is no surprise.
    report.policy.notes.retain(|note| note.code != Code::ScopeUnused);
    Ok(report)
}

/// The files, with this line on top of those that have comments.
pub(super) fn files(made: &PolicyFiles, request: &Request, first_line: &str) -> Vec<(String, String)> {
    let keys_at = request.keys_at.as_deref();
    match request.format {
        Format::MachineConfig => {
            return machine_config(made, request.pool.as_deref().unwrap_or(POOL), first_line, keys_at);
        }
        Format::Butane => return butane(made, first_line, keys_at),
        _ => {}
    }
    let has_policy = request.format == Format::PolicyJson;
    let mut files = vec![
        ("registries.d/keypack.yaml".to_owned(), made.registries_d(first_line)),
        ("README.txt".to_owned(), made.readme(first_line, has_policy, keys_at)),
    ];
    if has_policy {
        files.push(("policy.json".to_owned(), made.policy.clone()));
        files.extend(made.keys.iter().map(|(name, text)| (format!("keys/{name}"), text.clone())));
    }
    files
}
