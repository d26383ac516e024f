//! Finds and proves keys, and writes them into keys/ with their inventory.

mod install;
mod prior_state;
mod revocations;
mod select_keys;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Span, Timestamp};

use self::{
    install::{describe, install, warn_of_lapsed, warn_of_unknown_directory},
    prior_state::{PriorState, remember},
    revocations::{by_their_owners, check_unknown, explain, fingerprints, given},
    select_keys::{Selected, chains, select},
};
use super::{
    Context, Failure, Lifetime, Rules, Sources, discover_and_resolve::discover_and_resolve,
    kept::warn_of_long_kept, oc_mirror::keys_directory, place::keys, revoked_here,
};
use crate::{
    config::{IncludeKeys, When},
    diag::{Code, Diagnostic},
    key::Fingerprint,
    outcome::Report,
    pack::{Build, Draft, Expiry, PackError, build, not_from_the_future},
};

/// What to read, what to include, and where to write it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The locations and the key sources.
    pub sources: Sources,
    /// The directory to write; `keys` if omitted, or keys/ in the oc-mirror directory that is read.
    pub output: Option<PathBuf>,
    /// The lineage; if omitted, that of the existing directory, or `default`.
    pub name: Option<String>,
    /// When the pack expires; if omitted, as in the existing directory.
    pub expires: Option<Lifetime>,
    /// Who collects the keys; if omitted, as in the existing directory.
    pub collected_by: Option<String>,
    /// Who supplied the key files that are new in this run.
    pub given_by: Option<String>,
    /// The time of creation; now if omitted.
    pub created: Option<Timestamp>,
    /// Which keys to include.
    pub include: IncludeKeys,
    /// Whether to write if nothing is signed.
    pub when: When,
    /// Whether to leave out keys that only the existing directory has.
    pub prune: bool,
    /// The age at which a new version of an unchanged pack is made.
    pub refresh_after: Span,
    /// The whole fingerprints of keys to revoke from this run on, as a person wrote them.
    pub revoke: Vec<String>,
    /// The reason for revoking them.
    pub reason: Option<String>,
    /// Keys to accept although they are new at an address, or in a file, from which the existing directory has another
    /// key.
    pub accept_change: Vec<Fingerprint>,
    /// The rules on who must sign what; if omitted, those of the existing directory.
    pub rules: Option<Rules>,
    /// The state directory; the default one if omitted.
    pub state_dir: Option<PathBuf>,
}

impl Default for Request {
    /// Needed keys, if something is signed; a new version of an unchanged pack after 30 days.
    fn default() -> Self {
        Self {
            sources: Sources::default(),
            output: None,
            name: None,
            expires: None,
            collected_by: None,
            given_by: None,
            created: None,
            include: IncludeKeys::default(),
            when: When::default(),
            prune: false,
            refresh_after: Span::new().days(30),
            revoke: Vec::new(),
            reason: None,
            accept_change: Vec::new(),
            rules: None,
            state_dir: None,
        }
    }
}

/// The report, and whether keys/ was written.
#[derive(Debug)]
pub struct Outcome {
    /// The report; the pack is in [`Report::pack`].
    pub report: Report,
    /// Whether keys/ was written.
    pub ending: Ending,
}

/// Whether keys/ was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was written, or nothing changed.
    Written,
    /// Writing was not requested.
    Never,
    /// No image is signed, so it was not written.
    NothingSigned,
    /// No key could be proved, so it was not written.
    NothingProved,
}

/// Reads the locations, finds the signatures, proves the keys that they need, and writes these with their inventory.
///
/// # Errors
///
/// Fails as [`discover`](super::discover()) does, if the existing directory was not written by keypack or is newer than
/// this run, and if something cannot be written. If no pack can be built from the findings, the failure contains the
/// report. Finding nothing signed is not a failure: see [`Ending`].
pub fn collect(request: &Request, ctx: &Context) -> Result<Outcome, Failure<Report>> {
    let directory = keys_directory(request.output.as_deref(), &request.sources.locations()?);
    let created = request.created.unwrap_or(ctx.now);

    // Read the existing directory, and this host's state for it.
    let here = revoked_here::load(request.state_dir.as_deref(), &ctx.env)?;
    let old = keys(&directory, &here)?;
    let name = lineage(request, old.as_ref(), &directory)?;
    refuse_the_future(old.as_ref(), &directory, created, ctx.now)?;
    ctx.interrupt.leaves(format!("{} is as it was", directory.display()));
    let revoke = given(request, old.as_ref())?;
    let prior = PriorState::load(request, &revoke, &name, &directory, old.as_ref(), here, ctx)?;

    // Discover and resolve.
    let seen = Mutex::new(fingerprints(old.as_ref()));
    let revoked = |key: &Fingerprint| {
        seen.lock().unwrap_or_else(PoisonError::into_inner).insert(*key);
        prior.is_revoked(key)
    };
    let found = discover_and_resolve(&request.sources, &revoked, ctx)?;
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    check_unknown(request, &seen, old.as_ref(), &found, &directory, ctx)?;
    prior.admit(&found.gathered.chains)?;
    let mut report = Report::new("collect", &found.discovery, &found.resolution, &found.gathered);
    explain(&mut report, request, &prior, old.as_ref());
    report.mark_revoked(&found.revoked);

    // Select the keys.
    // Revocations and rules given in this run take effect even if nothing is signed.
    let decided =
        request.rules.as_ref().is_some_and(|rules| rules.accepted) || prior.revokes_more(old.as_ref());
    if request.when == When::Never {
        return Ok(Outcome { report, ending: Ending::Never });
    }
    if request.when == When::Auto && !(decided && old.is_some()) && report.counts.signatures == 0 {
        return Ok(Outcome { report, ending: Ending::NothingSigned });
    }
    let Selected { include, held } = select(request, &found, old.as_ref(), &prior, &mut report, ctx);
    if include.is_empty() && (old.is_none() || request.prune) {
        return Ok(Outcome { report, ending: Ending::NothingProved });
    }

    // Build and write.
    let expires = request.expires.map_or(Expiry::Keep, |lifetime| lifetime.0);
    refuse_expired(expires, old.as_ref(), &directory, created)?;
    let built = build(&Build {
        name: &name,
        keys: include,
        chains: chains(&found, &held, old.as_ref()),
        replaces: old.as_ref(),
        prune: request.prune,
        rules: request.rules.as_ref().map(|rules| rules.rules.clone()),
        revoked: [prior.revoked.clone(), by_their_owners(old.as_ref(), &found, created)].concat(),
        created,
        expires,
        collected_by: request.collected_by.as_deref(),
        given_by: request.given_by.as_deref(),
        refresh_after: request.refresh_after,
    });
    let built = match built {
        Ok(built) => built,
        // The report shows why a rule is not met.
        Err(e) => return Err(Failure::after(not_built(e, &directory), report)),
    };
    warn_of_lapsed(&built, ctx);
    let built = install(&directory, old.as_ref(), built, ctx)?;
    if !prior.known {
        warn_of_unknown_directory(old.as_ref(), &built, &directory, ctx);
    }
    let advice = "--prune leaves out what no image needs";
    warn_of_long_kept(built.draft.inventory(), created, advice, ctx.events.as_ref());

    // Update the state.
    remember(request, &directory, &built, &found.gathered, ctx);
    for key in &mut report.keys {
        let record = built.draft.inventory().key(key.key);
        key.given_by = record.and_then(|record| record.given_by.clone());
    }
    report.pack = Some(describe(&directory, &built));
    Ok(Outcome { report, ending: Ending::Written })
}

/// The lineage: the given one, otherwise that of the existing directory.
fn lineage(request: &Request, old: Option<&Draft>, directory: &Path) -> Result<String, Diagnostic> {
    let in_place = old.map(|old| &old.inventory().name);
    let name = request.name.clone().or_else(|| in_place.cloned()).unwrap_or_else(|| "default".into());
    match in_place.filter(|other| **other != name) {
        None => Ok(name),
        Some(other) => {
            let error = format!("{} belongs to the lineage {other:?}, not {name:?}", directory.display());
            Err(Diagnostic::new(Code::LineageMismatch, error))
        }
    }
}

/// Refuses an expiry date in the past, because the pack could never be pulled.
fn refuse_expired(
    expires: Expiry,
    old: Option<&Draft>,
    directory: &Path,
    created: Timestamp,
) -> Result<(), Diagnostic> {
    let before = old.and_then(|old| old.inventory().expires);
    match (expires, expires.of(created, before)) {
        (Expiry::At(_), Some(end)) if end <= created => Err(Diagnostic::usage(
            format!("the pack would expire at {end}, before it is made ({created:.0})"),
            "give --expires a time in the future, or a span such as \"180 days\"",
        )),
        (Expiry::Keep, Some(end)) if end <= created => {
            let directory = directory.display();
            let error =
                format!("the pack in {directory} expired at {end}, and a new one would keep that end");
            Err(Diagnostic::new(Code::ExpiresPassed, error))
        }
        _ => Ok(()),
    }
}

fn not_built(e: PackError, directory: &Path) -> Diagnostic {
    let nothing_left = matches!(e, PackError::NoKeys);
    let failure = Diagnostic::from(e);
    if !nothing_left {
        return failure;
    }
    failure.hinting(format!(
        "every key is revoked, and {} is unchanged: give the keys that replace them, and until then take it out of \
         use by hand",
        directory.display()
    ))
}

/// Refuses to continue from a version in the future: an attacker with write access to keys/ could use it to block all
/// later packs on the disconnected side, or to produce two packs with the same version.
fn refuse_the_future(
    old: Option<&Draft>,
    directory: &Path,
    created: Timestamp,
    now: Timestamp,
) -> Result<(), Diagnostic> {
    if created.duration_since(now) > SignedDuration::from_hours(24) {
        let error = format!("--created says {created}, but this host's clock says {now:.0}");
        return Err(Diagnostic::new(Code::VersionFromTheFuture, error)
            .hinting("give a time up to a day ahead of this host's clock, or set the clock"));
    }
    let Some(old) = old else { return Ok(()) };
    not_from_the_future(old.inventory(), now.max(created)).map_err(|e| {
        Diagnostic::from(e).on(&directory.display().to_string()).hinting(format!(
            "if this host's clock is right, that version was tampered with: check {0} with `keypack inspect`, move it \
             away, and collect again with the same --name",
            directory.display()
        ))
    })
}
