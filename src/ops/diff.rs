//! What changes from one keys/ directory or pack to another.

use std::path::PathBuf;

use serde::Serialize;

use super::{Context, fetch::keys_or_pack};
use crate::{diag::Diagnostic, outcome, pack::Diff};

/// What to compare.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A keys/ directory, or a place that holds a pack.
    pub old: String,
    /// The same, to compare with.
    pub new: String,
    /// A cache of oc-mirror.
    pub cache_dir: Option<PathBuf>,
}

/// The differences, by `schemas/results-v1.schema.json`.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Outcome(Diff);

/// Compares two keys/ directories or packs. Neither is authenticated by it.
pub fn diff(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let cache = request.cache_dir.as_deref();
    let (old, _) = keys_or_pack(&request.old, cache, ctx).map_err(|e| e.on("old"))?;
    let (new, _) = keys_or_pack(&request.new, cache, ctx).map_err(|e| e.on("new"))?;
    Ok(Outcome(Diff::of(Some(&old), &new)))
}

impl Outcome {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For a person, one difference a line.
    pub fn text(&self) -> String {
        outcome::diff(&self.0)
    }
}
