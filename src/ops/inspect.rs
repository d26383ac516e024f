//! Shows the contents of a keys/ directory or a pack. This authenticates nothing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Context, KeySources, Sources, discover, ends::warn_of_ends, fetch::keys_or_pack, revoked_here, state_dir,
};
use crate::{
    diag::Diagnostic,
    display::count,
    oci::Digest,
    outcome::{self, End, NeedState, OpenNeed, RevokedKey, SheetForm, Since, Standing},
    pack::{ChainSide, Diff, Draft},
};

/// What to inspect.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A keys/ directory, or a location with a pack.
    pub place: String,
    /// The state directory; the default one if omitted.
    pub state_dir: Option<PathBuf>,
    /// An oc-mirror cache.
    pub cache_dir: Option<PathBuf>,
    /// A keys/ directory, or a location with a pack, to compare with.
    pub since: Option<String>,
    /// A location whose signatures may need logs and authorities that a keys/ directory lacks.
    pub images: Option<String>,
}

/// The contents; the JSON is described by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    standing: Standing,
    manifest: Option<Digest>,
    draft: Draft,
    /// The keys that are left out of it.
    revoked_here: Vec<RevokedKey>,
    /// The pack that it was compared with, and the differences.
    since: Option<Since>,
    /// What expires, the earliest first.
    ends: Vec<End>,
    now: Timestamp,
}

/// Reads a keys/ directory or a pack.
///
/// # Errors
///
/// Fails if the location cannot be read, or if the pack is malformed or its files do not match its inventory.
pub fn inspect(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let here = revoked_here::load(request.state_dir.as_deref(), &ctx.env)?;
    let cache = request.cache_dir.as_deref();
    let (draft, manifest) = keys_or_pack(&request.place, cache, &here, ctx)?;
    // The state of a host concerns the directories on it; a pack from elsewhere has to be pulled first.
    let standing = match (manifest, state_dir::path(request.state_dir.as_deref(), &ctx.env)) {
        (None, Ok(dir)) => state_dir::standing(&dir, &draft, Path::new(&request.place))?,
        _ => Standing::NotAuthenticated,
    };
    let since = match &request.since {
        Some(place) => {
            let (old, _) = keys_or_pack(place, cache, &here, ctx).map_err(|e| e.on("since"))?;
            let inventory = old.inventory();
            let what = format!(
                "{} version {}, made {}, pack {}",
                inventory.name,
                inventory.version,
                inventory.created,
                old.digest()
            );
            let same_key_set = inventory.key_set() == draft.inventory().key_set();
            Some(Since { what, diff: Diff::of(Some(&old), &draft), same_key_set })
        }
        None => None,
    };
    let lacking = match &request.images {
        Some(images) => lacking(images, request, ctx)?,
        None => Vec::new(),
    };
    let ends = lacking.into_iter().chain(outcome::ends(&draft)).collect();
    warn_of_ends(&draft, ctx);
    let revoked_here = revoked_here::left_out(&draft, &here);
    if manifest.is_none() {
        revoked_here::warn_of_those_there(Path::new(&request.place), &revoked_here, ctx);
    }
    Ok(Outcome { standing, manifest, draft, revoked_here, since, ends, now: ctx.now })
}

/// The logs and authorities that signatures of these images name and keys/ lacks: an instance has opened a new log since,
/// or rolled its authority over. The pack itself can't tell.
fn lacking(images: &str, request: &Request, ctx: &Context) -> Result<Vec<End>, Diagnostic> {
    let keys = KeySources {
        keys_dir: Some(PathBuf::from(&request.place)),
        state_dir: request.state_dir.clone(),
        ..KeySources::default()
    };
    let sources = Sources {
        places: vec![images.to_owned()],
        keys,
        cache_dir: request.cache_dir.clone(),
        ..Sources::default()
    };
    let report =
        discover::discover(&discover::Request { sources, ..discover::Request::default() }, ctx)?.report;
    let lacks = |need: &&OpenNeed| need.state == NeedState::Missing && need.role.in_trusted_root();
    let unread = report.counts.unreadable;
    let unread = (unread > 0).then(|| End::not_known(&format!("{} of {images}", count(unread, "image"))));
    Ok(report.open.iter().filter(lacks).map(End::lacking).chain(unread).collect())
}

impl Outcome {
    /// A pack that is not authenticated.
    pub(super) fn unauthenticated(draft: Draft, manifest: Digest, now: Timestamp) -> Self {
        let (standing, manifest) = (Standing::NotAuthenticated, Some(manifest));
        let ends = outcome::ends(&draft);
        Self { standing, manifest, draft, revoked_here: Vec::new(), since: None, ends, now }
    }

    /// Whether this host collected it, or pulled it with an anchor.
    pub const fn is_authenticated(&self) -> bool {
        self.standing.is_known()
    }

    /// The key-set digest: see docs/trust.md.
    pub fn key_set(&self) -> Digest {
        self.draft.inventory().key_set()
    }

    /// Whether something in it has expired, or expires within 30 days.
    pub fn is_stale(&self) -> bool {
        self.ends.iter().any(|end| end.is_near(self.now))
    }

    /// The expiry dates in it, as a table.
    pub fn ages(&self) -> String {
        outcome::ends_table(&self.ends, self.now)
    }

    /// A one-page summary for two people to compare and sign. `program` is the digest of the running program.
    pub fn sheet(&self, program: Option<Digest>, form: SheetForm) -> String {
        let facts = outcome::SheetFacts {
            standing: &self.standing_in_words(),
            revoked_here: &self.revoked_here,
            program,
            since: self.since.as_ref(),
        };
        outcome::sheet(&self.draft, &facts, form)
    }

    /// The digest of `keypack.json`.
    pub fn pack_digest(&self) -> Digest {
        self.draft.digest()
    }

    /// The digest of the artifact's manifest, if it is an artifact.
    pub const fn manifest_digest(&self) -> Option<Digest> {
        self.manifest
    }

    /// The contents as text. With `verbose`, each source of a key is shown with its digest.
    pub fn text(&self, verbose: bool) -> String {
        let facts = outcome::InventoryFacts {
            standing: &self.standing_in_words(),
            revoked_here: &self.revoked_here,
            manifest: self.manifest,
        };
        outcome::inventory(&self.draft, &facts, verbose)
    }

    /// How this host came to know it, and how many of its keys were revoked here since.
    fn standing_in_words(&self) -> String {
        match self.revoked_here.len() {
            0 => self.standing.to_string(),
            gone => format!("{}; minus {gone} revoked here", self.standing),
        }
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
            "ends": self.ends,
            "packDigest": self.draft.digest(),
            "manifestDigest": self.manifest,
            "inventory": self.draft.inventory(),
            "revokedHere": self.revoked_here,
            "signatures": signatures,
            "tuf": ChainSide::all(&self.draft),
        })
        .serialize(serializer)
    }
}
