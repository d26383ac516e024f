//! What a keys/ directory or a pack says of itself. Nothing is authenticated by it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{Context, fetch::keys_or_pack, state_dir};
use crate::{
    diag::Diagnostic,
    oci::Digest,
    outcome,
    pack::{ChainSide, Draft},
};

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A keys/ directory, or a place that holds a pack.
    pub place: String,
    /// Where this host remembers what it authenticated; without it, the usual directory.
    pub state_dir: Option<PathBuf>,
    /// A cache of oc-mirror.
    pub cache_dir: Option<PathBuf>,
}

/// What it says of itself, by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    authenticated: bool,
    manifest: Option<Digest>,
    draft: Draft,
}

/// Reads a keys/ directory or a pack.
pub fn inspect(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let (draft, manifest) = keys_or_pack(&request.place, request.cache_dir.as_deref(), ctx)?;
    // A host's memory is about the directories on it; a pack elsewhere is pulled to be believed.
    let authenticated = match (manifest, state_dir::path(request.state_dir.as_deref(), &ctx.env)) {
        (None, Ok(dir)) => state_dir::authenticated(&dir, &draft, Path::new(&request.place))?.is_some(),
        _ => false,
    };
    Ok(Outcome { authenticated, manifest, draft })
}

impl Outcome {
    /// A pack that nothing authenticates.
    pub(super) fn unauthenticated(draft: Draft, manifest: Digest) -> Self {
        Self { authenticated: false, manifest: Some(manifest), draft }
    }

    /// Whether this host collected it, or pulled it with an anchor.
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// The digest of `keypack.json`.
    pub fn pack_digest(&self) -> Digest {
        self.draft.digest()
    }

    /// The digest of the artifact's manifest, where it is an artifact.
    pub const fn manifest_digest(&self) -> Option<Digest> {
        self.manifest
    }

    /// For a person. With `verbose`, each source of a key comes with its digest.
    pub fn text(&self, verbose: bool) -> String {
        outcome::inventory(&self.draft, self.manifest, self.authenticated, verbose)
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signatures = self.draft.coverage();
        let signatures: BTreeMap<_, _> =
            signatures.iter().map(|(name, covers)| (name.to_string(), covers.as_str())).collect();
        serde_json::json!({
            "authenticated": self.authenticated,
            "packDigest": self.draft.digest(),
            "manifestDigest": self.manifest,
            "inventory": self.draft.inventory(),
            "signatures": signatures,
            "tuf": ChainSide::all(&self.draft),
        })
        .serialize(serializer)
    }
}
