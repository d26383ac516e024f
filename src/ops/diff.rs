//! The differences between two keys/ directories or packs.

use std::path::PathBuf;

use serde::Serialize;

use super::{Context, fetch::keys_or_pack};
use crate::{diag::Diagnostic, outcome, pack::Diff};

/// What to compare.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A keys/ directory, or a location with a pack.
    pub old: String,
    /// The other one.
    pub new: String,
    /// An oc-mirror cache.
    pub cache_dir: Option<PathBuf>,
}

/// The differences; the JSON is described by `schemas/results-v1.schema.json`.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Outcome(Diff);

/// Compares two keys/ directories or packs. This authenticates neither.
///
/// # Errors
///
/// Fails as [`inspect`](super::inspect()) does; the message names the side.
pub fn diff(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let cache = request.cache_dir.as_deref();
    let (old, _) = keys_or_pack(&request.old, cache, ctx).map_err(|e| e.on("old"))?;
    let (new, _) = keys_or_pack(&request.new, cache, ctx).map_err(|e| e.on("new"))?;
    Ok(Outcome(Diff::of(Some(&old), &new)))
}

impl Outcome {
    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The differences as text, one per line.
    pub fn text(&self) -> String {
        outcome::diff(&self.0)
    }
}
