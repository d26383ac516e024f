//! Whether this host may accept a pack, given its state. Pure: a function of state and requirements.

use thiserror::Error;

use super::{Highest, Signer, State, TufRollback, Verdict};
use crate::{
    diag::{Code, Diagnostic},
    oci::Digest,
};

/// An authenticated pack, as compared with the state.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// All signers that are trusted in this run, whether or not they have signed this pack. An old pack signed with
    /// only one of two keys must not be accepted below the version that the other has authenticated.
    pub believed: &'a [Signer],
    /// Its version.
    pub version: u64,
    /// Its pack digest.
    pub digest: Digest,
}

/// The user's requirements.
#[derive(Debug, Clone, Copy, Default)]
pub struct Demands {
    /// Refuse if there is no state for any trusted signer.
    pub require_state: bool,
    /// Refuse versions below this one, which was recorded elsewhere.
    pub min_version: Option<u64>,
    /// Accept an older pack, or another one with the same version.
    pub allow_rollback: bool,
}

/// Why a pack is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// There is no state for any trusted signer, so a rollback could not be detected. Includes the highest version that
    /// other signers have authenticated here.
    First {
        /// The highest version by signers that are not trusted in this run.
        others: Option<Highest>,
    },
    /// Newer than all before.
    Newer,
    /// The same pack as the highest one.
    Same,
    /// Against the rules, because the user allowed it.
    Allowed,
}

/// Why a pack is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// It is older.
    #[error("the pack of the lineage {lineage:?} has version {offered}, and this host has installed version {} of it at {:.0}", have.version, have.at)]
    Rollback {
        /// The lineage.
        lineage: String,
        /// Its version.
        offered: u64,
        /// The highest version.
        have: Highest,
    },
    /// Another pack with the same version.
    #[error("the pack {offered} of the lineage {lineage:?} has the version {} of the other pack {} that this host has installed", have.version, have.digest)]
    Equivocation {
        /// The lineage.
        lineage: String,
        /// Its digest.
        offered: Digest,
        /// The installed one.
        have: Highest,
    },
    /// It is older than required.
    #[error("the pack has version {offered}, but at least {min} is required")]
    BelowMinimum {
        /// Its version.
        offered: u64,
        /// The required minimum.
        min: u64,
    },
    /// The metadata of a TUF repository are older.
    #[error("the {} of {repository} has version {}, and this host has seen version {}", rollback.role, rollback.offered, rollback.have)]
    Tuf {
        /// The repository, or the file with its metadata.
        repository: String,
        /// The role and the versions.
        rollback: TufRollback,
    },
    /// There is no state.
    #[error("this host has no state for this lineage and anchor, and --require-state requires it")]
    NoState,
}

impl NotAdmitted {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Rollback { .. } => Code::Rollback,
            Self::Equivocation { .. } => Code::Equivocation,
            Self::BelowMinimum { .. } => Code::BelowMinVersion,
            Self::Tuf { .. } => Code::TufRollback,
            Self::NoState => Code::NoState,
        }
    }
}

impl State {
    /// The signers whose versions are compared: all that are trusted, and always that of digests. A person has checked
    /// a digest, so its version can't come from a stolen key and counts for every anchor; an old pack must not be
    /// accepted because of a key whose own highest version is lower.
    pub fn counted(&self, believed: &[Signer]) -> Vec<Signer> {
        let mut counted = believed.to_vec();
        if !counted.contains(&Signer::Digest) && self.highest().contains_key(&Signer::Digest) {
            counted.push(Signer::Digest);
        }
        counted
    }

    /// Decides whether a pack is accepted. A required minimum can't be overridden.
    pub fn admit(&self, offer: &Offer<'_>, demands: &Demands) -> Result<Admission, NotAdmitted> {
        let Offer { version, digest, .. } = *offer;
        if let Some(min) = demands.min_version.filter(|min| version < *min) {
            return Err(NotAdmitted::BelowMinimum { offered: version, min });
        }
        let verdicts: Vec<_> =
            self.counted(offer.believed).iter().map(|s| self.check(*s, version, digest)).collect();
        let objection = verdicts.iter().find_map(|verdict| match *verdict {
            Verdict::Rollback { have } => {
                Some(NotAdmitted::Rollback { lineage: self.lineage().to_owned(), offered: version, have })
            }
            Verdict::Equivocation { have } => {
                Some(NotAdmitted::Equivocation { lineage: self.lineage().to_owned(), offered: digest, have })
            }
            _ => None,
        });
        match objection {
            Some(_) if demands.allow_rollback => return Ok(Admission::Allowed),
            Some(objection) => return Err(objection),
            None => {}
        }
        if verdicts.contains(&Verdict::SamePack) {
            return Ok(Admission::Same);
        }
        if verdicts.contains(&Verdict::Newer) {
            return Ok(Admission::Newer);
        }
        if demands.require_state {
            return Err(NotAdmitted::NoState);
        }
        Ok(Admission::First { others: self.highest().values().max_by_key(|h| h.version).copied() })
    }
}

impl From<NotAdmitted> for Diagnostic {
    fn from(e: NotAdmitted) -> Self {
        let failure = Self::new(e.code(), e.to_string());
        match e {
            // Two unrelated collectors without a name are both called "default".
            NotAdmitted::Rollback { lineage, .. } | NotAdmitted::Equivocation { lineage, .. } => failure.also(&format!(
                "if it is from a different collector than before, give that collector's lineage a name other than \
                 {lineage:?}: `collect --name NAME` there, `pull --name NAME` here"
            )),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        state::{KnownPack, Origin},
        tree::SafeName,
    };

    const A: Signer = Signer::Digest;

    fn key(name: &str) -> Signer {
        Signer::Key(Digest::of(name.as_bytes()))
    }

    fn with(history: &[(&[Signer], u64)]) -> State {
        let mut state = State::new(&SafeName::new("default").unwrap());
        for (signers, version) in history {
            let digest = Digest::of(&version.to_be_bytes());
            let at = Timestamp::UNIX_EPOCH;
            state.record(signers, KnownPack { digest, version: *version, origin: Origin::Pulled, at });
        }
        state
    }

    fn admit(state: &State, believed: &[Signer], version: u64, demands: &Demands) -> &'static str {
        let digest = Digest::of(&version.to_be_bytes());
        match state.admit(&Offer { believed, version, digest }, demands) {
            Ok(Admission::First { others: None }) => "first",
            Ok(Admission::First { others: Some(_) }) => "first-of-this-anchor",
            Ok(Admission::Newer) => "newer",
            Ok(Admission::Same) => "same",
            Ok(Admission::Allowed) => "allowed",
            Err(e) => e.code().as_str(),
        }
    }

    #[test]
    fn an_older_pack_is_refused_and_the_same_is_the_same() {
        let state = with(&[(&[A], 5)]);
        let none = Demands::default();
        assert_eq!(admit(&state, &[A], 4, &none), "rollback");
        assert_eq!(admit(&state, &[A], 5, &none), "same");
        assert_eq!(admit(&state, &[A], 6, &none), "newer");
        let allow = Demands { allow_rollback: true, ..none };
        assert_eq!(admit(&state, &[A], 4, &allow), "allowed");
        assert_eq!(admit(&state, &[A], 6, &allow), "newer");
    }

    #[test]
    fn another_pack_under_one_version_is_equivocation() {
        let state = with(&[(&[A], 5)]);
        let offer = Offer { believed: &[A], version: 5, digest: Digest::of(b"other") };
        assert_eq!(state.admit(&offer, &Demands::default()).unwrap_err().code(), Code::Equivocation);
    }

    #[test]
    fn a_signature_that_was_stripped_does_not_lower_the_bar() {
        // Version 3 was signed by the old key, version 5 by both and version 6 by the new one alone.
        let (old, new) = (key("old"), key("new"));
        let state = with(&[(&[old], 3), (&[old, new], 5), (&[new], 6)]);
        // Version 5 is offered again with only the old key's signature: for that key it would be the highest.
        assert_eq!(admit(&state, &[old, new], 5, &Demands::default()), "rollback");
    }

    #[test]
    fn a_new_signer_starts_anew_and_is_told_of_the_others() {
        // The old key was stolen and used to sign a pack with a version near the maximum.
        let state = with(&[(&[key("old")], u64::MAX)]);
        assert_eq!(admit(&state, &[key("new")], 7, &Demands::default()), "first-of-this-anchor");
        assert_eq!(admit(&state, &[key("old"), key("new")], 7, &Demands::default()), "rollback");
    }

    #[test]
    fn a_pack_that_a_person_authenticated_counts_for_every_anchor() {
        // Version 3 was authenticated by the key, version 6 by a digest on paper. Version 3 is offered again with the
        // key.
        let org = key("org");
        let state = with(&[(&[org], 3), (&[A], 6)]);
        assert_eq!(admit(&state, &[org], 3, &Demands::default()), "rollback");
        assert_eq!(admit(&state, &[org], 6, &Demands::default()), "same");
        assert_eq!(admit(&state, &[org], 7, &Demands::default()), "newer");
        assert_eq!(admit(&state, &[key("new")], 5, &Demands::default()), "rollback");
    }

    #[test]
    fn demands_hold() {
        let state = with(&[]);
        assert_eq!(admit(&state, &[A], 4, &Demands::default()), "first");
        assert_eq!(
            admit(&state, &[A], 4, &Demands { require_state: true, ..Demands::default() }),
            "no-state"
        );
        let min = Demands { min_version: Some(5), allow_rollback: true, ..Demands::default() };
        assert_eq!(admit(&state, &[A], 4, &min), "below-min-version");
        assert_eq!(admit(&state, &[A], 5, &min), "first");
    }
}
