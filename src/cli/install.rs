//! The last step of a pull: admit, exchange, remember, under one lock of the state.

use std::path::Path;

use jiff::Timestamp;

use super::{anchors::signers, args, collect::known_names, failure::Failure, output::Output};
use crate::{
    pack::{Anchor, Diff, Draft, Pack, PackError, refuse_revoked},
    report,
    state::{Admission, Demands, KnownPack, NotAdmitted, Offer, Origin, Signer, State},
    write,
};

/// What stands in the directory now.
pub(super) struct Installed {
    pub(super) draft: Draft,
    pub(super) unchanged: bool,
}

/// What the decision and the exchange need, under the lock of the state.
pub(super) struct Install<'a> {
    pub(super) args: &'a args::Pull,
    pub(super) directory: &'a Path,
    pub(super) output: &'a Output,
    pub(super) anchors: &'a [Anchor],
    pub(super) pack: &'a Pack,
    pub(super) old: Option<&'a Draft>,
    pub(super) now: Timestamp,
    pub(super) stale: bool,
}

impl Install<'_> {
    pub(super) fn run(&self, state: &mut State) -> Result<Installed, Failure> {
        let (args, pack, output) = (self.args, self.pack, self.output);
        let (vouching, believed) = signers(self.anchors, pack);
        let revoked = |key| state.is_revoked(key) || args.revoked.iter().any(|r| r.fingerprint == key);
        for signer in &believed {
            if let Signer::Key(key) = signer
                && revoked(*key)
            {
                let name = "--verify-key".to_owned();
                return Err(PackError::Revoked { name, fingerprint: *key }.into());
            }
        }
        let admission = self.admit(state, &believed)?;
        refuse_revoked(pack.draft(), revoked)?;
        // Pins alone date what they make anew; the same keys again are no change.
        let again = self.old.filter(|old| {
            !pack.is_whole()
                && state.known(old.digest()).is_some()
                && Diff::of(Some(old), pack.draft()).is_empty()
        });
        let draft = again.unwrap_or_else(|| pack.draft());
        let diff = Diff::of(self.old, draft);
        if self.old.is_none_or(|old| old.digest() != draft.digest()) {
            report::diff(&diff).lines().for_each(|line| output.note(line));
        }
        let names = self.old.map(known_names).unwrap_or_default();
        let outcome = output.interrupt.whole(format!("{} is written", self.directory.display()), || {
            write::replace(
                self.directory,
                &draft.to_files(),
                &|name| names.iter().any(|n| n == name),
                write::Options { non_atomic_unsafe: args.non_atomic_unsafe },
            )
        })?;
        self.remember(state, draft, admission, &vouching, &believed);
        for met in pack.met() {
            output.note(&format!("authenticated by {met}"));
        }
        Ok(Installed { draft: draft.clone(), unchanged: outcome.change == write::Change::Unchanged })
    }

    fn admit(&self, state: &State, believed: &[Signer]) -> Result<Option<Admission>, Failure> {
        let (args, output) = (self.args, self.output);
        let mut lowered = false;
        for vouched in self.pack.vouched() {
            let Some(rollback) = state.check_evidence(&vouched.verified.evidence) else { continue };
            if !args.except.allow_rollback_unsafe {
                return Err(NotAdmitted::Tuf { repository: vouched.file.clone(), rollback }.into());
            }
            lowered = true;
        }
        if !self.pack.is_whole() {
            let new = self.pack.vouched().iter().any(|v| !state.knows_evidence(&v.verified.evidence));
            if args.require_state && (new || state.packs().is_empty()) {
                return Err(NotAdmitted::NoState.into());
            }
            return Ok(lowered.then_some(Admission::Allowed));
        }
        let inventory = self.pack.draft().inventory();
        let offer = Offer { believed, version: inventory.version, digest: self.pack.draft().digest() };
        let demands = Demands {
            require_state: args.require_state,
            min_version: args.min_version,
            allow_rollback: args.except.allow_rollback_unsafe,
        };
        let mut admission = state.admit(&offer, &demands)?;
        if lowered {
            admission = Admission::Allowed;
        }
        match admission {
            Admission::First { others: None } if args.min_version.is_none() => output.note(
                "this host remembers no pack of this lineage yet, so an older one than its maker's latest can't be \
                 detected; --min-version can",
            ),
            Admission::First { others: Some(have) } => output.warn(&format!(
                "nothing is remembered of this anchor yet, so its versions start anew; by another one version {} was \
                 installed at {}, and this is version {}",
                have.version, have.at, inventory.version
            )),
            Admission::Allowed => output.warn("taking an older or another pack, as --allow-rollback-unsafe says"),
            _ => {}
        }
        let above = state
            .highest()
            .values()
            .filter(|have| have.version > inventory.version)
            .max_by_key(|h| h.version);
        if let (Admission::Same | Admission::Newer, Some(have)) = (admission, above) {
            output.warn(&format!(
                "by a key that was not given now version {} was installed at {}, and this is version {}; if that key \
                 is still good, this is an older pack",
                have.version, have.at, inventory.version
            ));
        }
        Ok(Some(admission))
    }

    /// After the exchange.
    fn remember(
        &self,
        state: &mut State,
        draft: &Draft,
        admission: Option<Admission>,
        vouching: &[Signer],
        believed: &[Signer],
    ) {
        let inventory = draft.inventory();
        let pack = KnownPack {
            digest: draft.digest(),
            version: inventory.version,
            origin: Origin::Pulled,
            at: self.now,
        };
        let reason = self.args.except.reason.as_deref().unwrap_or_default();
        if admission == Some(Admission::Allowed) {
            // All who objected, or they would object again at every later pull.
            let lowered: Vec<_> = state
                .counted(believed)
                .into_iter()
                .filter(|s| vouching.contains(s) || state.highest().contains_key(s))
                .collect();
            state.accept(&lowered, pack, "--allow-rollback-unsafe", reason);
            for vouched in self.pack.vouched() {
                state.accept_evidence(&vouched.verified.evidence);
            }
        } else {
            state.record(vouching, pack);
        }
        for vouched in self.pack.vouched() {
            state.record_evidence(&vouched.verified.evidence);
        }
        if self.stale {
            state.accept(&[], pack, "--allow-stale-unsafe", reason);
        }
        for revoked in &inventory.revoked {
            state.revoke(&revoked.fingerprint.to_string(), pack.digest, self.now);
        }
    }
}
