//! The state before a run: the revoked keys, and this host's record of the existing directory.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::Request;
use crate::{
    diag::Diagnostic,
    key::{Fingerprint, Grade},
    keysource::{Collected, Gathered},
    oci::Digest,
    ops::{
        Context,
        context::whole_second,
        log::{RunLog, named},
        state_dir::{self, absolute},
    },
    pack::{Built, Change, Draft, Revoked},
    state::{self, KnownPack, NotAdmitted, Origin, RevokedHere, State},
};

/// The state before the run.
pub(super) struct PriorState {
    /// Revocations for the inventory: those given by the user, and those in this host's state that concern the existing
    /// keys.
    pub(super) revoked: Vec<Revoked>,
    /// Whether this host made or authenticated the existing directory.
    pub(super) known: bool,
    state: Option<State>,
    old: Vec<Fingerprint>,
    here: RevokedHere,
    directory: PathBuf,
}

impl PriorState {
    pub(super) fn load(
        request: &Request,
        revoke: &[Fingerprint],
        name: &str,
        directory: &Path,
        old: Option<&Draft>,
        here: RevokedHere,
        ctx: &Context,
    ) -> Result<Self, Diagnostic> {
        // Without a state directory (a container without HOME) there is no state; an unreadable one is an error.
        let state = match state_dir::path(request.state_dir.as_deref(), &ctx.env) {
            Ok(dir) => Some(state::load(&dir, &state_dir::lineage(name)?)?),
            Err(_) => None,
        };
        let directory = absolute(directory);
        let date = whole_second(request.created.unwrap_or(ctx.now));
        let reason = request.reason.clone().unwrap_or_default();
        let mut revoked: Vec<_> = revoke
            .iter()
            .map(|key| Revoked { fingerprint: *key, reason: reason.clone(), date, since: None })
            .collect();
        for said in &request.sources.revoked {
            if revoked.iter().all(|r| r.fingerprint != said.fingerprint) {
                let date = said.date.map_or(date, whole_second);
                let (fingerprint, reason) = (said.fingerprint, said.reason.clone());
                revoked.push(Revoked { fingerprint, reason, date, since: None });
            }
        }
        for (_, material) in old.iter().flat_map(|old| old.keys()) {
            for fingerprint in material.fingerprints() {
                let said = state.as_ref().filter(|s| s.is_revoked(&fingerprint, &directory));
                let said = said.and_then(|s| s.revoked(&fingerprint));
                if let Some(said) = said.filter(|_| revoked.iter().all(|r| r.fingerprint != fingerprint)) {
                    let reason = format!("revoked by the pack {}", said.pack);
                    let date = whole_second(said.at);
                    revoked.push(Revoked { fingerprint, reason, date, since: None });
                }
            }
        }
        for (record, material) in old.iter().flat_map(|old| old.left_out()) {
            let Some((fingerprint, said)) = here.of(record, material) else { continue };
            if revoked.iter().all(|r| r.fingerprint != fingerprint) {
                let (reason, date) = (said.reason.clone(), whole_second(said.at));
                revoked.push(Revoked { fingerprint, reason, date, since: said.since });
            }
        }
        let known = match (&state, old) {
            (Some(state), Some(old)) => state.known(old.digest()).is_some(),
            _ => false,
        };
        let old = old.iter().flat_map(|o| &o.inventory().revoked).map(|r| r.fingerprint).collect();
        Ok(Self { revoked, known, state, old, here, directory })
    }

    /// Whether there are revocations that are not in the existing directory.
    pub(super) fn revokes_more(&self, old: Option<&Draft>) -> bool {
        let known = old.map(|o| o.inventory().revoked.as_slice()).unwrap_or_default();
        self.revoked.iter().any(|r| known.iter().all(|k| k.fingerprint != r.fingerprint))
    }

    /// Refuses a TUF repository whose metadata are older than those that this host has seen.
    pub(super) fn admit(&self, chains: &[Collected]) -> Result<(), Diagnostic> {
        for chain in chains {
            if let Some(rollback) = self.state.as_ref().and_then(|s| s.check_evidence(&chain.evidence)) {
                let repository = chain.repository.clone();
                return Err(NotAdmitted::Tuf { repository, rollback }.into());
            }
        }
        Ok(())
    }

    /// Whether a document of the existing directory and one of this run may have been read from the same file: true
    /// unless both paths are known and differ.
    pub(super) fn may_be_one_file(&self, found: &Gathered, known: &Digest, new: &Digest) -> bool {
        let before = self.state.as_ref().and_then(|state| state.documents().get(known));
        let now = read_from(found, new);
        before.is_none_or(|before| now.is_empty() || !before.is_disjoint(&now))
    }

    /// Whether a key is revoked by any authority: the user, now or before on this host, the existing directory, an earlier
    /// pack.
    pub(super) fn is_revoked(&self, key: &Fingerprint) -> bool {
        self.old.contains(key)
            || self.here.all().contains_key(key)
            || self.revoked.iter().any(|r| r.fingerprint == *key)
            || self.state.as_ref().is_some_and(|s| s.is_revoked(key, &self.directory))
    }
}

/// The files from which a document was read in this run.
fn read_from(found: &Gathered, document: &Digest) -> BTreeSet<String> {
    let paths = found.documents.get(document).into_iter().flatten();
    paths.map(|path| absolute(path).display().to_string()).collect()
}

/// Records what was collected. A failure to record it is not fatal: the keys are in place, and using them on this host
/// requires an anchor.
pub(super) fn remember(request: &Request, directory: &Path, built: &Built, found: &Gathered, ctx: &Context) {
    let draft = &built.draft;
    let inventory = draft.inventory();
    let at = ctx.now;
    let pack =
        KnownPack { digest: draft.digest(), version: inventory.version, origin: Origin::Collected, at };
    let remembered = state_dir::path(request.state_dir.as_deref(), &ctx.env).and_then(|dir| {
        let lineage = state_dir::lineage(&inventory.name)?;
        Ok(state::update(&dir, &lineage, |state| {
            // An existing record is left unchanged.
            if state.known(pack.digest).is_none() {
                state.record(&[], pack);
            }
            for chain in &found.chains {
                state.record_evidence(&chain.evidence);
            }
            let files = inventory.keys.iter().flat_map(|key| &key.provenance);
            let files: BTreeSet<_> = files.filter(|p| p.grade == Grade::File).map(|p| p.sha256).collect();
            state.record_documents(&files, &|document| read_from(found, document));
            for revoked in &inventory.revoked {
                state.revoke_in(&absolute(directory), revoked.fingerprint, pack.digest, at);
            }
        })?)
    });
    if let Err(problem) = remembered {
        ctx.events.warn(&format!(
            "this host could not record that it collected these keys: {} [{}]",
            problem.message, problem.code
        ));
        return;
    }
    let dir = state_dir::path(request.state_dir.as_deref(), &ctx.env).ok();
    let mut log = RunLog::new("collect", dir, ctx);
    log.names(pack.digest, Some(pack.version));
    log.entry.lineage.clone_from(&inventory.name);
    log.entry.directory = Some(named(directory));
    let revoke = request.revoke.iter().map(|key| format!("--revoke {key}"));
    let accept = request.accept_change.iter().map(|key| format!("--accept-change {key}"));
    log.entry.decisions = revoke.chain(accept).collect();
    log.entry.reason.clone_from(&request.reason);
    log.end(match built.change {
        Change::First => "first",
        Change::Changed => "changed",
        Change::Refreshed => "refreshed",
        Change::Unchanged => "unchanged",
    });
}
