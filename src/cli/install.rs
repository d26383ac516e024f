//! The last step of a pull: admit, exchange, remember, under one lock of the state.

use std::path::Path;

use jiff::Timestamp;

use super::{age::Overruled, anchors::signers, args, collect::known_names, output::Output};
use crate::{
    diag::Diagnostic,
    fs,
    key::Fingerprint,
    pack::{Anchor, Diff, Draft, Pack, PackError, VerifiedChain, refuse_revoked},
    report,
    state::{Admission, Demands, KnownPack, NotAdmitted, Offer, Origin, Signer, State},
    tree::SafeName,
    write,
};

/// What stands in the directory now.
pub(super) struct Installed {
    pub(super) draft: Draft,
    pub(super) unchanged: bool,
}

/// What the memory has against it, and the user overrules.
struct Verdict {
    admission: Option<Admission>,
    /// An older state of a TUF repository is taken.
    lowered: bool,
}

/// What the decision and the exchange need, under the lock of the state.
pub(super) struct Install<'a> {
    pub(super) args: &'a args::Pull,
    pub(super) directory: &'a Path,
    pub(super) output: &'a Output,
    pub(super) anchors: &'a [Anchor],
    pub(super) pack: &'a Pack,
    /// What lies in the directory.
    pub(super) in_place: Option<&'a Draft>,
    /// Whether this host collected or authenticated it.
    pub(super) known: bool,
    pub(super) now: Timestamp,
    pub(super) overruled: Overruled,
}

impl Install<'_> {
    pub(super) fn run(&self, state: &mut State) -> Result<Installed, Diagnostic> {
        let (args, pack, output) = (self.args, self.pack, self.output);
        let (vouching, believed) = signers(self.anchors, pack);
        let revoked =
            |key: &Fingerprint| state.is_revoked(key) || args.revoked.iter().any(|r| r.fingerprint == *key);
        for signer in &believed {
            if let Signer::Key(key) = signer
                && revoked(&(*key).into())
            {
                let name = "--verify-key".to_owned();
                return Err(PackError::Revoked { name, fingerprint: (*key).into() }.into());
            }
        }
        let lowered = self.admit_tuf(state)?;
        let admission = self.admit(state, &believed)?;
        refuse_revoked(pack.draft(), revoked)?;
        // Pins alone date what they make anew; the same keys again are no change.
        let old = self.in_place.filter(|_| self.known);
        let again = old.filter(|old| !pack.is_whole() && Diff::of(Some(old), pack.draft()).is_empty());
        let (draft, dropped) = again.unwrap_or_else(|| pack.draft()).clone().without_stale_signatures();
        let draft = &draft;
        self.note_signatures(draft, &dropped);
        match self.in_place {
            Some(in_place) if in_place.digest() == draft.digest() => {}
            Some(in_place) if !self.known => {
                output.warn(&format!(
                    "this host neither collected nor authenticated what lies in {} (lineage {}, version {}): it is \
                     replaced, and nothing is compared with it",
                    self.directory.display(),
                    in_place.inventory().name,
                    in_place.inventory().version
                ));
                report::diff(&Diff::of(None, draft)).lines().for_each(|line| output.note(line));
            }
            _ => report::diff(&Diff::of(old, draft)).lines().for_each(|line| output.note(line)),
        }
        let names = self.in_place.map(known_names).unwrap_or_default();
        let outcome = output.interrupt.whole(format!("{} is written", self.directory.display()), || {
            write::replace(self.directory, &draft.to_files(), &|name| names.iter().any(|n| n == name))
        })?;
        outcome.warning.iter().for_each(|warning| output.warn(warning));
        self.remember(state, draft, &Verdict { admission, lowered }, &vouching, &believed);
        for met in pack.evidence() {
            output.note(&format!("authenticated by {met}"));
        }
        Ok(Installed { draft: draft.clone(), unchanged: outcome.change == fs::Change::Unchanged })
    }

    /// Says which signature files are not installed, and which are although nobody here can tell who made them.
    fn note_signatures(&self, draft: &Draft, dropped: &[SafeName]) {
        for name in dropped {
            self.output.warn(&format!("{name} is not a signature of this inventory, and is left out"));
        }
        let verified = self.pack.verified_signatures();
        for (name, covers) in draft.coverage().iter().filter(|(name, _)| !verified.contains(name)) {
            self.output.note(&format!("{name} is {}; not verified here", covers.summary()));
        }
    }

    /// Whether an older state of a TUF repository is taken, because the user says so.
    fn admit_tuf(&self, state: &State) -> Result<bool, Diagnostic> {
        let mut lowered = false;
        for vouched in self.pack.verified_chains() {
            let Some(rollback) = state.check_evidence(&vouched.verified.evidence) else { continue };
            let refused = NotAdmitted::Tuf { repository: vouched.file.clone(), rollback };
            if !self.args.except.allow_rollback_unsafe {
                return Err(refused.into());
            }
            lowered = true;
            self.output.warn(&format!(
                "taking an older state of a TUF repository, as --allow-rollback-unsafe says: {refused}"
            ));
        }
        Ok(lowered)
    }

    /// `None`: nobody vouches for a version.
    fn admit(&self, state: &State, believed: &[Signer]) -> Result<Option<Admission>, Diagnostic> {
        let (args, output) = (self.args, self.output);
        if !self.pack.is_whole() {
            let new = |v: &&VerifiedChain| !state.knows_evidence(&v.verified.evidence);
            let new = self.pack.verified_chains().iter().find(new);
            if args.require_state && (new.is_some() || state.packs().is_empty()) {
                return Err(NotAdmitted::NoState.into());
            }
            if let Some(new) = new {
                output.note(&format!(
                    "this host remembers nothing of this TUF repository yet ({}), so that an older state of it can't be \
                     detected",
                    new.file
                ));
            }
            return Ok(None);
        }
        let inventory = self.pack.draft().inventory();
        let offer = Offer { believed, version: inventory.version, digest: self.pack.draft().digest() };
        let demands = Demands {
            require_state: args.require_state,
            min_version: args.min_version,
            allow_rollback: args.except.allow_rollback_unsafe,
        };
        let admission = state.admit(&offer, &demands)?;
        match admission {
            Admission::First { others: None } if args.min_version.is_none() => output.note(
                "this host remembers no pack of this lineage yet, so an older one than its maker's latest can't be \
                 detected; --min-version can",
            ),
            Admission::First { others: Some(have) } => output.warn(&format!(
                "nothing is remembered of this anchor yet, so its versions start anew; by another one version {} was \
                 installed at {:.0}, and this is version {}",
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
                "this is version {}, and version {} was installed at {:.0} by another anchor than those that are given \
                 now; if that one is still good, this is an older pack",
                inventory.version, have.version, have.at
            ));
        }
        Ok(Some(admission))
    }

    /// After the exchange.
    fn remember(
        &self,
        state: &mut State,
        draft: &Draft,
        verdict: &Verdict,
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
        let flag = "--allow-rollback-unsafe";
        if verdict.admission == Some(Admission::Allowed) {
            // All who objected, or they would object again at every later pull.
            let lowered: Vec<_> = state
                .counted(believed)
                .into_iter()
                .filter(|s| vouching.contains(s) || state.highest().contains_key(s))
                .collect();
            state.accept(&lowered, pack, flag, reason);
        } else {
            state.record(vouching, pack);
            if verdict.lowered {
                // The versions of TUF alone are lowered: no counter of packs had anything against it.
                state.accept(&[], pack, flag, reason);
            }
        }
        for vouched in self.pack.verified_chains() {
            if verdict.lowered {
                state.accept_evidence(&vouched.verified.evidence);
            } else {
                state.record_evidence(&vouched.verified.evidence);
            }
        }
        let Overruled { stale, future } = self.overruled;
        for (overruled, flag) in [(stale, "--allow-stale-unsafe"), (future, "--accept-future-unsafe")] {
            if overruled {
                state.accept(&[], pack, flag, reason);
            }
        }
        for revoked in &inventory.revoked {
            state.revoke(revoked.fingerprint, pack.digest, self.now);
        }
    }
}
