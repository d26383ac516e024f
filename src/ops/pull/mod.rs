//! Fetching a pack, authenticating it, and unpacking it into keys/.

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
    pack::{Anchor, INVENTORY, PackError, UnverifiedPack},
    state,
};

/// Which pack, what authenticates it, and where it goes.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Where the pack is.
    pub source: String,
    /// The directory to write; without it, `keys`, or keys/ in the folder of oc-mirror that is read.
    pub output: Option<PathBuf>,
    /// What authenticates the pack. Without an anchor it is refused.
    pub anchors: Vec<AnchorSpec>,
    /// What the administrator of this host demands beside them: these anchors hold by themselves, whatever the others
    /// allow, and they do not have to be given with each pull.
    pub enforced: Vec<AnchorSpec>,
    /// The files that some of the anchors are from: they must not have travelled with the pack either.
    pub settings: Vec<PathBuf>,
    /// The lineage that the pack must have; without it, that of the directory in place if this host knows it, or
    /// `default`.
    pub name: Option<String>,
    /// Where this host remembers what it authenticated; without it, the usual directory.
    pub state_dir: Option<PathBuf>,
    /// Whether to refuse where this host remembers nothing of the lineage and the anchor.
    pub require_state: bool,
    /// The lowest version to take.
    pub min_version: Option<u64>,
    /// How old a pack may be; without it, 180 days.
    pub max_age: Option<SignedDuration>,
    /// How long after it was made a pack may end. With it, one that does not say when it ends is refused.
    pub max_expires: Option<SignedDuration>,
    /// Rules that are set aside.
    pub exceptions: Exceptions,
    /// Keys that must not be trusted any more.
    pub revoked: Vec<Fingerprint>,
    /// A cache of oc-mirror.
    pub cache_dir: Option<PathBuf>,
}

/// What was installed, by `schemas/results-v1.schema.json`.
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
    /// Whether just this was installed before.
    pub unchanged: bool,
    /// The files of keys.
    pub keys: Vec<String>,
}

/// Fetches a pack, authenticates it with the anchors, and installs it.
///
/// Nothing is written unless every anchor holds, the pack is not too old, and this host's state has nothing against it. A
/// pack for which no anchor was given is in the failure, to be shown.
///
/// A run that came as far as a pack to authenticate is in the log of the state, however it ended.
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

    // Authenticate: every anchor holds, and the lineage is the expected one.
    let state_dir = state_dir::path(request.state_dir.as_deref(), &ctx.env)?;
    let lineage = match &request.name {
        Some(name) => name.clone(),
        None => expected_lineage(&directory, &state_dir)?,
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

    // Admit, install, remember. One lock holds all three together: of two pulls at once the second sees what the first did.
    let installed = state::update(&state_dir, &state_dir::lineage(&lineage)?, |state| {
        let in_place = keys(&directory)?;
        let known = in_place.as_ref().is_some_and(|draft| state.known(draft.digest()).is_some());
        let step =
            Step { request, ctx, directory: &directory, pack: &pack, in_place: in_place.as_ref(), known };
        let admitted = step.admit(state, &anchors)?;
        if !log.entry.decisions.is_empty() {
            log.begin()?;
        }
        step.note_same_keys(state);
        let installed = step.install()?;
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
        keys: inventory.keys.iter().map(|key| key.file.clone()).collect(),
    })
}

fn refuse_directory(path: &Path) -> Result<(), Diagnostic> {
    if !path.join(INVENTORY).is_file() {
        return Ok(());
    }
    Err(Diagnostic::usage(
        format!("{} is a directory with keys, and pull takes a place that holds a pack", path.display()),
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

/// The refusal of a pack without an anchor, with what the pack says of itself.
fn without_anchor(fetched: Fetched, now: jiff::Timestamp) -> Result<Failure<inspect::Outcome>, Diagnostic> {
    let manifest = fetched.pack.manifest_digest();
    let draft = fetched.pack.into_draft()?;
    let none = Diagnostic::from(PackError::NoAnchor);
    let verifiable = !draft.inventory().tuf.is_empty();
    let none =
        if verifiable { none.also("--tuf-root, with which its TUF chain is verified again") } else { none };
    Ok(Failure::after(none, inspect::Outcome::unauthenticated(draft, manifest, now)))
}

/// The lineage that is expected where the caller names none: that of the keys/ in place, if this host knows it. Of one
/// that it does not know, anybody may have written the name: on a carried disk, keys/ lies where pull writes by default.
fn expected_lineage(directory: &Path, state_dir: &Path) -> Result<String, Diagnostic> {
    let known = match keys(directory)? {
        Some(draft) if state_dir::is_known(state_dir, &draft)? => Some(draft.inventory().name.clone()),
        _ => None,
    };
    Ok(known.unwrap_or_else(|| "default".into()))
}

/// Says what the maker of the pack wrote and no anchor covers.
fn warn_of_dropped(pack: &UnverifiedPack, ctx: &Context) {
    let Ok(draft) = pack.clone().into_draft() else { return };
    let inventory = draft.inventory();
    let dropped = [(inventory.rules.len(), "rule"), (inventory.revoked.len(), "revocation")];
    let dropped: Vec<_> =
        dropped.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
    if !dropped.is_empty() {
        ctx.events.warn(&format!(
            "the pack also has {}: neither pins nor TUF roots vouch for that, so it is left out; --digest or --verify-key do",
            dropped.join(" and ")
        ));
    }
}
