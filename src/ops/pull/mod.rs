//! Fetches a pack, authenticates it, and unpacks it into keys/.

mod admit;
mod anchors;
mod freshness;
mod install;
mod travelled;

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::Serialize;

use self::{anchors::Anchors, install::Step};
pub(super) use self::{anchors::group as anchors_of, travelled::Travelled};
use super::{
    AnchorSpec, Context, Exceptions, Failure,
    ends::warn_of_ends,
    fetch::{self, Fetched, Wanted},
    inspect,
    kept::warn_of_long_kept,
    log::{RunLog, named},
    oc_mirror::keys_directory,
    place::{keys, location},
    state_dir,
};
use crate::{
    address::quiet,
    diag::Diagnostic,
    display::count,
    key::Fingerprint,
    oci::Digest,
    outcome::{KeyStanding, RevokedKey},
    pack::{Anchor, INVENTORY, PackError, UnverifiedPack},
    state,
};

/// Which pack, what authenticates it, and where to write it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The pack's location.
    pub source: String,
    /// The directory to write; `keys` if omitted, or keys/ in the oc-mirror directory that is read.
    pub output: Option<PathBuf>,
    /// The anchors of the pack. Without any it is refused.
    pub anchors: Vec<AnchorSpec>,
    /// Anchors additionally required by this host's administrator: they must match independently of the others, and
    /// need not be given with each pull.
    pub enforced: Vec<AnchorSpec>,
    /// The files that contain some of the anchors: they must not have been transferred with the pack either.
    pub settings: Vec<PathBuf>,
    /// The required lineage; if omitted, that of the existing directory if it is in this host's state, or `default`.
    pub name: Option<String>,
    /// The state directory; the default one if omitted.
    pub state_dir: Option<PathBuf>,
    /// Whether to refuse if this host has no state for the lineage and the anchor.
    pub require_state: bool,
    /// The lowest version to accept.
    pub min_version: Option<u64>,
    /// The maximum age of a pack; 180 days if omitted.
    pub max_age: Option<SignedDuration>,
    /// The maximum time between a pack's creation and its expiry. If set, a pack without an expiry date is refused.
    pub max_expires: Option<SignedDuration>,
    /// Rules to override.
    pub exceptions: Exceptions,
    /// Revoked keys.
    pub revoked: Vec<Fingerprint>,
    /// An oc-mirror cache.
    pub cache_dir: Option<PathBuf>,
}

/// What was installed; the JSON is described by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The directory.
    pub directory: String,
    /// The lineage.
    pub name: String,
    /// The version.
    pub version: u64,
    /// The digest of `keypack.json`.
    pub pack_digest: Digest,
    /// The digest of the artifact's manifest.
    pub manifest_digest: Digest,
    /// Whether exactly this was already installed.
    pub unchanged: bool,
    /// The keys.
    pub keys: Vec<KeyStanding>,
    /// The keys of the pack that were revoked here, and were not installed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revoked_here: Vec<RevokedKey>,
}

/// Fetches a pack, authenticates it with the anchors, and installs it.
///
/// Nothing is written unless every anchor matches, the pack is not too old, and this host's state permits it. If no
/// anchor was given, the failure contains the pack for display.
///
/// A run that got as far as a pack to authenticate is in the state's log, whatever its result.
///
/// # Errors
///
/// Codes that exit with [`Exit::Refused`](crate::diag::Exit::Refused) mean that the pack is not authenticated,
/// malformed, too old, or older than one installed before; an existing keys/ stays as it is. Otherwise the request is
/// wrong, or the pack could not be fetched, written or recorded.
pub fn pull(request: &Request, ctx: &Context) -> Result<Outcome, Failure<inspect::Outcome>> {
    let dir = state_dir::path(request.state_dir.as_deref(), &ctx.env).ok();
    let mut log = RunLog::new("pull", dir, ctx);
    let result = fetch_and_install(request, &mut log, ctx);
    log.end(match &result {
        Ok(outcome) if outcome.unchanged => "unchanged",
        Ok(_) => "installed",
        Err(failure) => failure.diagnostic.code.as_str(),
    });
    result
}

fn fetch_and_install(
    request: &Request,
    log: &mut RunLog<'_>,
    ctx: &Context,
) -> Result<Outcome, Failure<inspect::Outcome>> {
    refuse_directory(Path::new(&request.source))?;
    let location = location(&request.source)?;
    let directory = keys_directory(request.output.as_deref(), std::slice::from_ref(&location));
    let anchors = Anchors::read(request, &location, &directory, ctx)?;
    refuse_min_version_without_inventory(request, &anchors)?;
    ctx.interrupt.leaves(format!("{} is as it was", directory.display()));

    // Fetch and parse.
    ctx.events.step(&format!("fetching from {location}"));
    let digests = anchors.digests();
    let wanted = Wanted { location: &location, cache_dir: request.cache_dir.as_deref(), digests: &digests };
    let fetched = fetch::pack(&wanted, ctx)?;
    let manifest_digest = fetched.pack.manifest_digest();
    if anchors.all().next().is_none() {
        return Err(without_anchor(fetched, ctx.now)?);
    }

    // Authenticate: every anchor matches, and the lineage is the expected one.
    let state_dir = state_dir::path(request.state_dir.as_deref(), &ctx.env)?;
    let here = state::revoked_here(&state_dir)?;
    let lineage = match &request.name {
        Some(name) => name.clone(),
        None => expected_lineage(&directory, &state_dir, &here)?,
    };
    log.names(fetched.pack.digest(), None);
    log.entry.lineage.clone_from(&lineage);
    log.entry.place = Some(quiet(&request.source).into_owned());
    log.entry.directory = Some(named(&directory));
    log.entry.decisions = request.exceptions.flags();
    log.entry.reason = Some(request.exceptions.reason.clone()).filter(|reason| !reason.is_empty());
    let pack = anchors.authenticate(&fetched, &lineage, ctx)?;
    log.names(fetched.pack.digest(), Some(pack.draft().inventory().version));
    log.entry.anchors = pack.evidence().iter().map(|evidence| evidence.id()).collect();

    // Freshness.
    let overruled = freshness::check(request, &pack, ctx)?;
    if !pack.is_whole() {
        warn_of_dropped(&fetched.pack, ctx);
    }

    // Admit, install, record. One lock covers all three, so that the second of two pulls sees what the first one did.
    let installed = state::update(&state_dir, &state_dir::lineage(&lineage)?, |state| {
        let here = state::revoked_here(&state_dir)?;
        let in_place = keys(&directory, &here)?;
        let known = in_place.as_ref().is_some_and(|draft| state.known(draft.digest()).is_some());
        let step = Step {
            request,
            ctx,
            directory: &directory,
            pack: &pack,
            in_place: in_place.as_ref(),
            known,
            here: &here,
        };
        let admitted = step.admit(state, &anchors)?;
        if !log.entry.decisions.is_empty() {
            log.begin()?;
        }
        step.note_same_keys(state);
        let installed = step.install(&state_dir)?;
        step.remember(state, &installed.draft, &admitted, overruled);
        Ok::<_, Diagnostic>(installed)
    })??;
    for evidence in pack.evidence() {
        ctx.events.note(&format!("authenticated by {evidence}"));
    }
    anchors.signed(&pack).for_each(|signed| ctx.events.note(&signed));
    let inventory = installed.draft.inventory();
    log.names(installed.draft.digest(), Some(inventory.version));
    let advice = "ask the pack's maker whether they are still wanted";
    warn_of_long_kept(inventory, ctx.now, advice, ctx.events.as_ref());
    warn_of_ends(&installed.draft, ctx);
    Ok(Outcome {
        directory: directory.display().to_string(),
        name: inventory.name.clone(),
        version: inventory.version,
        pack_digest: installed.draft.digest(),
        manifest_digest,
        unchanged: installed.unchanged,
        keys: installed.draft.keys().map(|(key, _)| key.into()).collect(),
        revoked_here: installed.left_out,
    })
}

fn refuse_directory(path: &Path) -> Result<(), Diagnostic> {
    if !path.join(INVENTORY).is_file() {
        return Ok(());
    }
    Err(Diagnostic::usage(
        format!("{} is a directory with keys, but pull requires a place that holds a pack", path.display()),
        format!(
            "keypack inspect {0} prints it; keypack push {0} oci-archive:FILE:TAG packs it",
            path.display()
        ),
    ))
}

fn refuse_min_version_without_inventory(request: &Request, anchors: &Anchors) -> Result<(), Diagnostic> {
    let whole = anchors.all().any(Anchor::covers_inventory);
    if request.min_version.is_none() || anchors.all().next().is_none() || whole {
        return Ok(());
    }
    Err(Diagnostic::usage(
        "--min-version has nothing to compare with: pins and TUF roots authenticate keys, not a version",
        "give --digest or --verify-key too",
    ))
}

/// The refusal of a pack without an anchor, with the contents of the pack.
fn without_anchor(fetched: Fetched, now: jiff::Timestamp) -> Result<Failure<inspect::Outcome>, Diagnostic> {
    let manifest = fetched.pack.manifest_digest();
    let draft = fetched.pack.into_draft()?;
    let none = Diagnostic::from(PackError::NoAnchor);
    let verifiable = !draft.inventory().tuf.is_empty();
    let none =
        if verifiable { none.also("--tuf-root, with which its TUF chain is verified again") } else { none };
    Ok(Failure::after(none, inspect::Outcome::unauthenticated(draft, manifest, now)))
}

/// The expected lineage if the caller gives none: that of the existing keys/ if it is in this host's state. Otherwise
/// the name is not trusted: on a transferred disk, keys/ is in the directory to which pull writes by default.
fn expected_lineage(
    directory: &Path,
    state_dir: &Path,
    here: &state::RevokedHere,
) -> Result<String, Diagnostic> {
    let known = match keys(directory, here)? {
        Some(draft) if state_dir::is_known(state_dir, &draft)? => Some(draft.inventory().name.clone()),
        _ => None,
    };
    Ok(known.unwrap_or_else(|| "default".into()))
}

/// Warns of statements by the maker of the pack that no anchor covers.
fn warn_of_dropped(pack: &UnverifiedPack, ctx: &Context) {
    let Ok(draft) = pack.clone().into_draft() else { return };
    let inventory = draft.inventory();
    let dropped = [(inventory.rules.len(), "rule"), (inventory.revoked.len(), "revocation")];
    let dropped: Vec<_> =
        dropped.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
    if !dropped.is_empty() {
        ctx.events.warn(&format!(
            "the pack also has {}: neither pins nor TUF roots vouch for that, so it is left out; --digest or \
             --verify-key would",
            dropped.join(" and ")
        ));
    }
}
