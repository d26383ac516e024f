//! How a consumer gets from the keys of one pack to those of another without an image that stops: `diff --plan`.
//!
//! What the old and the new policy would do is evaluated as in `export --check`, from the same texts; the scopes that bridge a policy
//! with a single key are evaluated too, as one more policy.

mod bridge;
mod sides;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use self::sides::Sides;
use crate::{
    diag::{Code, Diagnostic},
    export::BridgeObject,
    key::Role,
    ops::{
        Context,
        verify::{AdmitRequest, Authentication},
    },
    outcome::{
        export::TargetReport,
        plan::{BridgeReport, PlanReport, ScopeReport, Steps},
    },
    pack::{Draft, Inventory},
    policy::{
        rule::{Log, LogWord, Rule, Scope, Signer},
        target::{Feature, Target},
    },
};

/// What to plan for.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// `openshift@4.22`.
    pub consumer: String,
    /// The mirror with the images, and what is known of their names; without places, no image can be named. The policy in it is not
    /// used.
    pub images: AdmitRequest,
    /// Where the policies for images that only the old key verifies are written; without it they are in the plan alone.
    pub bridge_to: Option<BridgeTo>,
}

/// A folder for policies with the old key.
#[derive(Debug, Clone)]
pub struct BridgeTo {
    /// The folder.
    pub directory: PathBuf,
    /// What authenticates the old keys, which must be a keys/ directory.
    pub authentication: Authentication,
}

/// Plans the change.
pub(in crate::ops) fn plan(
    request: &PlanRequest,
    old: &Draft,
    new: &Draft,
    ctx: &Context,
) -> Result<PlanReport, Diagnostic> {
    let target = target(&request.consumer)?;
    let one_key = target.openshift.is_some() || !target.has(Feature::SeveralKeys);
    for (draft, side) in [(old, "old"), (new, "new")] {
        if draft.inventory().rules.is_empty() {
            let what =
                format!("the {side} pack has no rules, and only rules make the policy that is changed");
            return Err(Diagnostic::new(Code::NoRules, what));
        }
    }
    let changed = changed(old.inventory(), new.inventory());
    let scopes: Vec<_> = changed
        .iter()
        .map(|(scope, (before, after))| scope_report(scope, *before, *after, old, new))
        .collect();
    let is_apart = changed.values().any(|(before, after)| match (before, after) {
        (Some(before), Some(after)) => !unites(before, after),
        _ => false,
    });
    let is_revoked = scopes.iter().any(|scope| scope.old_is_revoked);
    let mut report = PlanReport {
        is_openshift: target.openshift.is_some(),
        consumer: TargetReport::of(&target),
        one_key,
        is_apart,
        scopes,
        images: None,
        bridge: Vec::new(),
        written: None,
        steps: Steps::default(),
    };
    // Objects of OpenShift can't say that no one may sign.
    let is_gone = target.openshift.is_some() && report.scopes.iter().any(|scope| scope.old_is_gone);
    if !request.images.places.is_empty() && !changed.is_empty() && !is_gone {
        let sides = Sides { request, target: &target, one_key, old, new, changed: &changed, ctx };
        let (images, bridge) = sides.compare((one_key || is_apart) && !is_revoked)?;
        report.images = Some(images);
        report.written = bridge::write(request, &report, &bridge, old, ctx)?;
        let of_object = |BridgeObject { name, scopes, text }| BridgeReport { name, scopes, text };
        report.bridge = bridge.into_iter().map(of_object).collect();
    }
    report.steps = Steps::of(&report);
    Ok(report)
}

fn target(text: &str) -> Result<Target, Diagnostic> {
    let hint = "name podman, crio, skopeo, rhel or openshift with its version, such as --plan openshift@4.22";
    let target: Target = text.parse().map_err(|e| Diagnostic::usage(format!("--plan: {e}"), hint))?;
    if target.reads_policy_json() || target.openshift.is_some() {
        return Ok(target);
    }
    let what = format!("keypack evaluates no policy of {target}, so that it can't plan a change of its keys");
    Err(Diagnostic::usage(what, hint))
}

/// The rules of both that ask for other signers or logs, by scope.
type Changed<'a> = BTreeMap<&'a Scope, (Option<&'a Rule>, Option<&'a Rule>)>;

fn changed<'a>(old: &'a Inventory, new: &'a Inventory) -> Changed<'a> {
    let mut all = Changed::new();
    for rule in &old.rules {
        all.entry(&rule.scope).or_default().0 = Some(rule);
    }
    for rule in &new.rules {
        all.entry(&rule.scope).or_default().1 = Some(rule);
    }
    let asks = |rule: &Rule| {
        let signers: BTreeSet<_> = rule.signers.iter().cloned().collect();
        (signers, rule.log.clone(), rule.signed_identity.clone())
    };
    all.retain(|_, (old, new)| old.map(asks) != new.map(asks));
    all
}

/// Whether one requirement of policy.json accepts what either rule does: keys of a kind, or CAs for one name, with the same log and
/// the same identity.
fn unites(before: &Rule, after: &Rule) -> bool {
    let kind = |signer: &Signer| match signer {
        Signer::Key(key) => (key.role, None),
        Signer::Identity { authorities, subject, kind, issuer } => (
            authorities.first().map_or(Role::Fulcio, |key| key.role),
            Some((subject.clone(), *kind, issuer.clone())),
        ),
    };
    let mut kinds = before.signers.iter().chain(&after.signers).map(kind);
    let asks_log = |rule: &Rule| rule.log != Log::Word(LogWord::None);
    kinds.next().is_none_or(|first| kinds.all(|other| other == first))
        && asks_log(before) == asks_log(after)
        && before.signed_identity == after.signed_identity
}

fn scope_report(
    scope: &Scope,
    before: Option<&Rule>,
    after: Option<&Rule>,
    old: &Draft,
    new: &Draft,
) -> ScopeReport {
    let text = |rule: Option<&Rule>, draft: &Draft| {
        rule.map(|rule| {
            crate::outcome::rule(rule, draft.inventory())
                .lines()
                .skip(1)
                .map(str::trim)
                .map(str::to_owned)
                .collect()
        })
    };
    let fingerprint = |key| old.inventory().key(key).map(|record| record.fingerprint);
    let is_revoked = |key| {
        let revoked = &new.inventory().revoked;
        fingerprint(key).is_some_and(|print| revoked.iter().any(|revoked| revoked.fingerprint == print))
    };
    let here: BTreeSet<_> = old.keys().map(|(record, _)| record.key_ref()).collect();
    let keys: Vec<_> = before.into_iter().flat_map(Rule::keys).map(|(key, _)| key).collect();
    let gone = keys.iter().any(|key| !here.contains(key));
    ScopeReport {
        scope: scope.to_string(),
        old: text(before, old),
        new: text(after, new),
        old_is_revoked: gone || keys.iter().any(|key| is_revoked(*key)),
        old_is_gone: gone,
        new_has_several: after.is_some_and(|rule| rule.signers.len() > 1),
    }
}
