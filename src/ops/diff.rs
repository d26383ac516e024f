//! The differences between two keys/ directories or packs.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    Context,
    export::{PlanRequest, plan},
    fetch::keys_or_pack,
    revoked_here,
    verify::{Authenticated, Authentication},
};
use crate::{
    diag::Diagnostic,
    outcome::{self, RevokedKey, plan::PlanReport},
    pack::Diff,
};

/// What to compare.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A keys/ directory, or a location with a pack.
    pub old: String,
    /// The other one.
    pub new: String,
    /// Where this host remembers what was revoked here; without it, the usual directory.
    pub state_dir: Option<PathBuf>,
    /// An oc-mirror cache.
    pub cache_dir: Option<PathBuf>,
    /// The consumer whose change of keys is planned.
    pub plan: Option<PlanRequest>,
}

/// The differences; the JSON is described by `schemas/results-v1.schema.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    #[serde(flatten)]
    diff: Diff,
    /// The keys of either that were revoked on this host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revoked_here: Vec<RevokedKey>,
    /// How a consumer gets from the old keys to the new ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanReport>,
}

/// Compares two keys/ directories or packs. This authenticates neither.
///
/// # Errors
///
/// Fails as [`inspect`](super::inspect()) does; the message names the side.
pub fn diff(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let cache = request.cache_dir.as_deref();
    let here = revoked_here::load(request.state_dir.as_deref(), &ctx.env)?;
    let (old, _) = keys_or_pack(&request.old, cache, &here, ctx).map_err(|e| e.on("old"))?;
    let (new, _) = keys_or_pack(&request.new, cache, &here, ctx).map_err(|e| e.on("new"))?;
    // What is written must be made of keys that this host has authenticated.
    let bridge_to = request.plan.as_ref().and_then(|plan| plan.bridge_to.as_ref());
    let authenticated = bridge_to
        .map(|to| authenticate(&request.old, &to.authentication, cache, ctx))
        .transpose()
        .map_err(|e| e.on("old"))?;
    let old = authenticated.as_ref().map_or(&old, |keys| keys.pack.draft());
    let mut revoked_here = revoked_here::left_out(&new, &here);
    for key in revoked_here::left_out(old, &here) {
        if revoked_here.iter().all(|known| (known.role, known.fingerprint) != (key.role, key.fingerprint)) {
            revoked_here.push(key);
        }
    }
    let plan = request.plan.as_ref().map(|wanted| plan(wanted, old, &new, ctx)).transpose()?;
    Ok(Outcome { diff: Diff::of(Some(old), &new), revoked_here, plan })
}

fn authenticate(
    old: &str,
    authentication: &Authentication,
    cache: Option<&Path>,
    ctx: &Context,
) -> Result<Authenticated, Diagnostic> {
    let directory = Path::new(old);
    if !directory.is_dir() {
        return Err(Diagnostic::usage(
            format!(
                "-o writes a policy with the old keys, and {old} is no directory of keys that this host has authenticated"
            ),
            "name the keys/ that `keypack pull` wrote here as OLD, or leave -o out",
        ));
    }
    authentication.of_directory(directory, &[], cache, ctx)
}

impl Outcome {
    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.diff.is_empty()
    }

    /// The differences as text, one per line, and the plan; `all` names every image of it.
    pub fn text(&self, all: bool) -> String {
        let left_out = self.revoked_here.iter().map(|key| format!("! {key}; it is left out here\n"));
        let plan = self.plan.iter().map(|plan| outcome::plan::render(plan, all));
        std::iter::once(outcome::diff(&self.diff)).chain(left_out).chain(plan).collect()
    }
}
