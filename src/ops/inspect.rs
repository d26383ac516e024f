//! What a keys/ directory or a pack says of itself. Nothing is authenticated by it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;

use super::{Context, ends::warn_of_ends, fetch::keys_or_pack, state_dir};
use crate::{
    diag::Diagnostic,
    oci::Digest,
    outcome::{self, Standing},
    pack::{ChainSide, Diff, Draft},
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
    /// A keys/ directory, or a place that holds a pack, to tell what changed since.
    pub since: Option<String>,
}

/// What it says of itself, by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    standing: Standing,
    manifest: Option<Digest>,
    draft: Draft,
    /// What it was compared with, and what differs.
    since: Option<(String, Diff)>,
    now: Timestamp,
}

/// Reads a keys/ directory or a pack.
pub fn inspect(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let (draft, manifest) = keys_or_pack(&request.place, request.cache_dir.as_deref(), ctx)?;
    // A host's memory is about the directories on it; a pack elsewhere is pulled to be believed.
    let standing = match (manifest, state_dir::path(request.state_dir.as_deref(), &ctx.env)) {
        (None, Ok(dir)) => state_dir::standing(&dir, &draft, Path::new(&request.place))?,
        _ => Standing::NotAuthenticated,
    };
    let since = match &request.since {
        Some(place) => {
            let (old, _) =
                keys_or_pack(place, request.cache_dir.as_deref(), ctx).map_err(|e| e.on("since"))?;
            let inventory = old.inventory();
            let what = format!(
                "{} version {}, made {}, pack {}",
                inventory.name,
                inventory.version,
                inventory.created,
                old.digest()
            );
            Some((what, Diff::of(Some(&old), &draft)))
        }
        None => None,
    };
    warn_of_ends(&draft, ctx);
    Ok(Outcome { standing, manifest, draft, since, now: ctx.now })
}

impl Outcome {
    /// A pack that nothing authenticates.
    pub(super) fn unauthenticated(draft: Draft, manifest: Digest, now: Timestamp) -> Self {
        Self { standing: Standing::NotAuthenticated, manifest: Some(manifest), draft, since: None, now }
    }

    /// Whether this host collected it, or pulled it with an anchor.
    pub const fn is_authenticated(&self) -> bool {
        self.standing.is_known()
    }

    /// The key-set digest: see docs/trust.md.
    pub fn key_set(&self) -> Digest {
        self.draft.inventory().key_set()
    }

    /// Whether something in it has ended, or ends within 30 days.
    pub fn is_stale(&self) -> bool {
        outcome::ends(&self.draft).iter().any(|end| end.is_near(self.now))
    }

    /// When what is in it ends, as a table.
    pub fn ages(&self) -> String {
        outcome::ends_table(&outcome::ends(&self.draft), self.now)
    }

    /// One page for two people to compare and sign. `program` is the digest of the program that prints it.
    pub fn sheet(&self, program: Option<Digest>) -> String {
        let standing = self.standing.to_string();
        let since = self.since.as_ref().map(|(what, diff)| (what.as_str(), diff));
        outcome::sheet(&self.draft, &outcome::SheetFacts { standing: &standing, program, since })
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
        outcome::inventory(&self.draft, self.manifest, &self.standing, verbose)
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signatures = self.draft.coverage();
        let signatures: BTreeMap<_, _> =
            signatures.iter().map(|(name, covers)| (name.to_string(), covers.as_str())).collect();
        serde_json::json!({
            "authenticated": self.standing.is_known(),
            "known": self.standing,
            "keySetDigest": self.key_set(),
            "ends": outcome::ends(&self.draft),
            "packDigest": self.draft.digest(),
            "manifestDigest": self.manifest,
            "inventory": self.draft.inventory(),
            "signatures": signatures,
            "tuf": ChainSide::all(&self.draft),
        })
        .serialize(serializer)
    }
}
