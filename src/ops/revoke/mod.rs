//! Revoking a key on this host, now: the state says so from then on, keys/ goes on without it, and what follows is listed.

mod consequences;
mod images;
mod name;
mod undo;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{
    Context,
    context::whole_second,
    log::{RunLog, named},
    oc_mirror::keys_directory,
    place::{file_names, keys, location},
    revoked_here, state_dir,
};
use crate::{
    diag::{Code, Diagnostic},
    key::Fingerprint,
    outcome::{RevokedKey, revocation::Revocation},
    pack::Draft,
    state::{self, HereRevocation, Recorded, RevokedHere, Signer},
    write,
};

/// Which key, why, and where to look for what follows.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The whole fingerprint, as a person wrote it.
    pub fingerprint: String,
    /// Why.
    pub reason: String,
    /// Since when its signatures don't count; without it, none counts.
    pub since: Option<Timestamp>,
    /// The keys/ to take it out of; without it, `keys`, or keys/ in the folder of oc-mirror that holds the images.
    pub keys_dir: Option<PathBuf>,
    /// A place whose images are looked through for those that only this key signed.
    pub images: Option<String>,
    /// A cache of oc-mirror.
    pub cache_dir: Option<PathBuf>,
    /// Where this host remembers it; without it, the usual directory.
    pub state_dir: Option<PathBuf>,
    /// The directory below which this host's /etc lies, to see whether its policy uses the key; without it, no host is
    /// looked at.
    pub host_root: Option<PathBuf>,
    /// Take a revocation back in place of making one.
    pub undo_unsafe: bool,
}

/// Revokes a key on this host, for every lineage, or takes that back.
///
/// The state is written first, and whoever reads keys/ asks it: from then on the key does not count, wherever it lies. What
/// can't be done then is in the outcome's problems.
pub fn revoke(request: &Request, ctx: &Context) -> Result<Revocation, Diagnostic> {
    let locations: Vec<_> = request.images.iter().map(|place| location(place)).collect::<Result<_, _>>()?;
    let directory = keys_directory(request.keys_dir.as_deref(), &locations);
    let state_dir = state_dir::path(request.state_dir.as_deref(), &ctx.env)?;
    let since = request.since.map(whole_second);
    if let Some(since) = since.filter(|since| *since > ctx.now) {
        return Err(Diagnostic::usage(
            format!("--since says {since}, and it is {:.0}", ctx.now),
            "a revocation holds from now on at the latest; leave --since out if none of its signatures counts any more",
        ));
    }
    let here = state::revoked_here(&state_dir)?;
    // Whatever lies there must not keep a key from being revoked.
    let in_place = keys(&directory, &here);
    let draft = in_place.as_ref().ok().and_then(Option::as_ref);
    let key = name::fingerprint(&request.fingerprint, draft, &here)?;

    let mut log = RunLog::new("revoke", Some(state_dir.clone()), ctx);
    log.entry.directory = Some(named(&directory));
    log.entry.reason = Some(request.reason.clone());
    log.entry.decisions.push(match (request.undo_unsafe, since) {
        (true, _) => format!("revoke {key} --undo-unsafe"),
        (false, Some(since)) => format!("revoke {key} --since {since}"),
        (false, None) => format!("revoke {key}"),
    });
    if let Some(draft) = draft {
        log.entry.lineage.clone_from(&draft.inventory().name);
        log.names(draft.digest(), Some(draft.inventory().version));
    }
    if request.undo_unsafe {
        return undo::undo(key, request, &state_dir, &directory, log, ctx);
    }
    // It is no way around a rule: what can't be logged is done all the same.
    let now = whole_second(ctx.now);
    let new = HereRevocation {
        reason: request.reason.chars().take(1000).collect(),
        since,
        at: now,
        user: ctx.caller.user.clone(),
        keys: Vec::new(),
    };
    let recorded = state::update_revoked_here(&state_dir, |here| here.revoke(key, new))?;
    ctx.interrupt.leaves(format!("{key} is revoked on this host; run this again to finish"));

    let mut problems = Vec::new();
    let trimmed = trim(&directory, &state_dir, ctx);
    let here = state::revoked_here(&state_dir)?;
    let of_this = |key: &RevokedKey, draft: &Draft, fingerprint: Fingerprint| {
        draft.left_out().any(|(record, material)| {
            record.file == key.file && here.falls_under(record, material, &fingerprint)
        })
    };
    let mut outcome = Revocation {
        fingerprint: key,
        reason: request.reason.clone(),
        since,
        at: now,
        recorded: match recorded {
            Recorded::New => "new",
            Recorded::Again => "again",
            Recorded::Stricter => "stricter",
        },
        directory: directory.display().to_string(),
        ..Revocation::default()
    };
    if let Some(known) = here.all().get(&key) {
        (outcome.since, outcome.at) = (known.since, known.at);
        outcome.reason.clone_from(&known.reason);
    }
    match &trimmed {
        Ok(Some(draft)) => {
            let all = revoked_here::left_out(draft, &here).into_iter();
            outcome.keys = all.filter(|left_out| of_this(left_out, draft, key)).collect();
            outcome.left = Some(draft.keys().count());
            outcome.rules = consequences::rules(draft, &outcome.keys);
        }
        Ok(None) => {}
        Err(problem) => problems.push(problem.clone()),
    }
    outcome.is_organisations = consequences::is_organisations(&state_dir, key);
    outcome.also_in = consequences::also_in(&state_dir, &directory, key, &here);
    outcome.exported = consequences::exported(&state_dir, key, &outcome.keys);
    outcome.used_by_host = consequences::used_by_host(request.host_root.as_deref(), key);
    let found = !outcome.keys.is_empty() || outcome.is_organisations || !outcome.also_in.is_empty();
    if !found && trimmed.is_ok() {
        problems.push(consequences::not_here(
            key,
            trimmed.as_ref().ok().and_then(Option::as_ref),
            &directory,
        ));
    }
    if let (Some(place), Ok(Some(draft))) = (&request.images, &trimmed) {
        match images::lost(place, &directory, draft, key, &state_dir, request, ctx) {
            Ok(images) => outcome.images = Some(images),
            Err(problem) => problems.push(problem),
        }
    }
    outcome.problems = problems;
    log.done(match (recorded, outcome.problems.is_empty()) {
        (_, false) => Code::RevocationIncomplete.as_str(),
        (Recorded::New, _) => "revoked",
        (Recorded::Again, _) => "unchanged",
        (Recorded::Stricter, _) => "stricter",
    });
    Ok(outcome)
}

/// Takes the key out of keys/, and keeps it in the state.
fn trim(directory: &Path, state_dir: &Path, ctx: &Context) -> Result<Option<Draft>, Diagnostic> {
    let here = state::revoked_here(state_dir)?;
    rewrite(directory, state_dir, &here, ctx, |draft| {
        if draft.left_out().any(|(_, there)| there.is_some()) {
            state::update_revoked_here(state_dir, |here| here.keep(&draft))?;
        }
        Ok(draft)
    })
}

/// Rewrites keys/, if this host collected or authenticated its content, under the lock that `pull` holds. None if there
/// are no keys.
fn rewrite(
    directory: &Path,
    state_dir: &Path,
    here: &RevokedHere,
    ctx: &Context,
    change: impl FnOnce(Draft) -> Result<Draft, Diagnostic>,
) -> Result<Option<Draft>, Diagnostic> {
    let Some(seen) = keys(directory, here)? else { return Ok(None) };
    let lineage = state_dir::lineage(&seen.inventory().name)?;
    state::update(state_dir, &lineage, |state| {
        let Some(draft) = keys(directory, here)? else { return Ok(None) };
        if state.known(draft.digest()).is_none() {
            let error =
                format!("nothing authenticates {}, and its files are as they were", directory.display());
            return Err(Diagnostic::new(Code::KeysNotAuthenticated, error).hinting(
                "nothing of it counts on this host; pull the pack with an anchor, which leaves the key out",
            ));
        }
        let names = file_names(&draft);
        let draft = change(draft)?;
        let written = ctx.interrupt.whole(format!("{} is written", directory.display()), || {
            write::replace(directory, &draft.to_files(), &|name| names.iter().any(|n| n == name))
        })?;
        written.warnings().for_each(|warning| ctx.events.warn(&warning));
        Ok(Some(draft))
    })?
}

/// Whether the key signed a pack that this host remembers as the highest.
fn signed(state: &state::State, key: Fingerprint) -> bool {
    state.highest().keys().any(|signer| matches!(signer, Signer::Key(signer) if key == (*signer).into()))
}
