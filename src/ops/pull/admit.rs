//! Whether this host's state permits a pack, and how the state is updated afterwards.

use super::{anchors::Anchors, freshness::Overruled, install::Step};
use crate::ops::state_dir::absolute;
use crate::{
    diag::Diagnostic,
    key::Fingerprint,
    pack::{Anchor, Draft, Pack, PackError, VerifiedChain, refuse_revoked},
    state::{Admission, Demands, KnownPack, NotAdmitted, Offer, Origin, Pull, Signer, State},
};

/// A pack that the state permits, or that is accepted because of a flag.
pub(super) struct Admitted {
    /// `None` if no anchor covers a version.
    admission: Option<Admission>,
    /// Whether an older state of a TUF repository is accepted.
    lowered: bool,
    /// Those of `believed` that signed this pack.
    signing: Vec<Signer>,
    /// The signers that the anchors trust.
    believed: Vec<Signer>,
}

impl Step<'_> {
    /// Compares the pack with this host's state: revoked keys, versions, and states of TUF repositories.
    pub(super) fn admit(&self, state: &State, anchors: &Anchors) -> Result<Admitted, Diagnostic> {
        let (signing, believed) = signers(anchors.all(), self.pack);
        let revoked = |key: &Fingerprint| {
            state.is_revoked(key, &absolute(self.directory)) || self.request.revoked.contains(key)
        };
        let gone = |key: &Fingerprint| revoked(key) || self.here.all().contains_key(key);
        for signer in &believed {
            if let Signer::Key(key) = signer
                && gone(&(*key).into())
            {
                let name = "--verify-key".to_owned();
                return Err(PackError::Revoked { name, fingerprint: (*key).into() }.into());
            }
        }
        let lowered = self.admit_tuf(state)?;
        let admission = self.admit_version(state, &believed)?;
        refuse_revoked(self.pack.draft(), revoked)?;
        Ok(Admitted { admission, lowered, signing, believed })
    }

    /// Whether an older state of a TUF repository is accepted because of a flag.
    fn admit_tuf(&self, state: &State) -> Result<bool, Diagnostic> {
        let mut lowered = false;
        for chain in self.pack.verified_chains() {
            let Some(rollback) = state.check_evidence(&chain.verified.evidence) else { continue };
            let refused = NotAdmitted::Tuf { repository: chain.file.clone(), rollback };
            if !self.request.exceptions.allow_rollback_unsafe {
                return Err(refused.into());
            }
            lowered = true;
            self.ctx.events.warn(&format!(
                "accepting an older state of a TUF repository because of --allow-rollback-unsafe: {refused}"
            ));
        }
        Ok(lowered)
    }

    /// `None` if no anchor covers a version.
    fn admit_version(&self, state: &State, believed: &[Signer]) -> Result<Option<Admission>, Diagnostic> {
        if !self.pack.is_whole() {
            let new = |v: &&VerifiedChain| !state.knows_evidence(&v.verified.evidence);
            let new = self.pack.verified_chains().iter().find(new);
            if self.request.require_state && (new.is_some() || state.packs().is_empty()) {
                return Err(NotAdmitted::NoState.into());
            }
            if let Some(new) = new {
                self.ctx.events.note(&format!(
                    "this host has no record of this TUF repository yet ({}), so that an older state of it can't be \
                     detected",
                    new.file
                ));
            }
            return Ok(None);
        }
        let inventory = self.pack.draft().inventory();
        let offer = Offer { believed, version: inventory.version, digest: self.pack.draft().digest() };
        let demands = Demands {
            require_state: self.request.require_state,
            min_version: self.request.min_version,
            allow_rollback: self.request.exceptions.allow_rollback_unsafe,
        };
        let admission = state.admit(&offer, &demands)?;
        match admission {
            Admission::First { others: None } if self.request.min_version.is_none() => self.ctx.events.note(
                "this host has no record of this lineage yet, so a pack older than the latest can't be detected; \
                 --min-version can",
            ),
            Admission::First { others: Some(have) } => self.ctx.events.warn(&format!(
                "this host has no record of this anchor yet, so its versions start afresh; with another anchor, \
                 version {} was installed at {:.0}, and this is version {}",
                have.version, have.at, inventory.version
            )),
            Admission::Allowed => self.ctx.events.warn("accepting an older or a different pack because of --allow-rollback-unsafe"),
            _ => {}
        }
        let above = state
            .highest()
            .values()
            .filter(|have| have.version > inventory.version)
            .max_by_key(|h| h.version);
        if let (Admission::Same | Admission::Newer, Some(have)) = (admission, above) {
            self.ctx.events.warn(&format!(
                "this is version {}, but version {} was installed at {:.0} with an anchor that is not given now; if \
                 that one is still good, this is an older pack",
                inventory.version, have.version, have.at
            ));
        }
        Ok(Some(admission))
    }

    /// Records what was installed, and which exceptions were made.
    pub(super) fn remember(
        &self,
        state: &mut State,
        draft: &Draft,
        admitted: &Admitted,
        overruled: Overruled,
    ) {
        let Admitted { admission, lowered, signing, believed } = admitted;
        let inventory = draft.inventory();
        let pack = KnownPack {
            digest: draft.digest(),
            version: inventory.version,
            origin: Origin::Pulled,
            at: self.ctx.now,
        };
        let reason = self.request.exceptions.reason.as_str();
        let flag = "--allow-rollback-unsafe";
        if *admission == Some(Admission::Allowed) {
            // All signers with a higher version; otherwise every later pull would be refused again.
            let objected: Vec<_> = state
                .counted(believed)
                .into_iter()
                .filter(|s| signing.contains(s) || state.highest().contains_key(s))
                .collect();
            state.accept(&objected, pack, flag, reason);
        } else {
            state.record(signing, pack);
            if *lowered {
                // Only TUF versions are lowered: no version of a pack was higher.
                state.accept(&[], pack, flag, reason);
            }
        }
        for chain in self.pack.verified_chains() {
            if *lowered {
                state.accept_evidence(&chain.verified.evidence);
            } else {
                state.record_evidence(&chain.verified.evidence);
            }
        }
        let Overruled { stale, future } = overruled;
        for (overruled, flag) in [(stale, "--allow-stale-unsafe"), (future, "--accept-future-unsafe")] {
            if overruled {
                state.accept(&[], pack, flag, reason);
            }
        }
        state.record_pull(Pull {
            at: self.ctx.now,
            pack: pack.digest,
            version: pack.version,
            directory: absolute(self.directory).display().to_string(),
            anchors: self.pack.evidence().iter().map(|evidence| evidence.id()).collect(),
        });
        for revoked in &inventory.revoked {
            state.revoke(revoked.fingerprint, pack.digest, self.ctx.now);
        }
    }
}

/// The signers of this pack, and those that the anchors trust, with whose versions it is compared.
fn signers<'a>(anchors: impl Iterator<Item = &'a Anchor>, pack: &Pack) -> (Vec<Signer>, Vec<Signer>) {
    let mut believed = Vec::new();
    for anchor in anchors {
        match anchor {
            Anchor::Digest(_) => believed.push(Signer::Digest),
            Anchor::Keys { keys, .. } => believed.extend(keys.iter().map(|k| Signer::Key(k.fingerprint()))),
            Anchor::Pins(_) | Anchor::Tuf(_) => {}
        }
    }
    believed.sort_unstable();
    believed.dedup();
    let signed = |signer: &Signer| match signer {
        Signer::Digest => true,
        Signer::Key(key) => pack.evidence().iter().any(|evidence| evidence.signer() == Some(*key)),
    };
    let signing = believed.iter().copied().filter(signed).collect();
    (signing, believed)
}
