//! Whether this host may take a pack, by what it remembers. Pure: memory and demands come in, a verdict goes out.

use thiserror::Error;

use super::{Highest, Signer, State, TufRollback, Verdict};
use crate::{
    diag::{Code, Diagnostic},
    oci::Digest,
};

/// An authenticated pack, as the memory sees it.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// Everyone who would be believed here and now, whether or not he vouches for this pack. An old pack with the
    /// signature of only one of two keys must not pass below what the other has authenticated.
    pub believed: &'a [Signer],
    /// Its version.
    pub version: u64,
    /// Its pack digest.
    pub digest: Digest,
}

/// What the user demands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Demands {
    /// Refuse where nothing is remembered of any who is believed.
    pub require_state: bool,
    /// Refuse lower versions: what was written down elsewhere.
    pub min_version: Option<u64>,
    /// Take an older pack, or another one under the same version.
    pub allow_rollback: bool,
}

/// Why a pack may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Nothing is remembered of any who is believed: a rollback could not be told. What others have authenticated
    /// here as the highest is named.
    First {
        /// The highest of those who are not asked now.
        others: Option<Highest>,
    },
    /// Newer than all before.
    Newer,
    /// The very pack that is the highest.
    Same,
    /// Against the rule, because the user said so.
    Allowed,
}

/// Why a pack may not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// An older one.
    #[error("the pack of the lineage {lineage:?} has version {offered}, and this host has installed version {} of it at {:.0}", have.version, have.at)]
    Rollback {
        /// The lineage.
        lineage: String,
        /// Its version.
        offered: u64,
        /// The highest.
        have: Highest,
    },
    /// Another one under the same version.
    #[error("the pack {offered} of the lineage {lineage:?} has the version {} of the other pack {} that this host has installed", have.version, have.digest)]
    Equivocation {
        /// The lineage.
        lineage: String,
        /// Its digest.
        offered: Digest,
        /// What was installed.
        have: Highest,
    },
    /// Older than demanded.
    #[error("the pack has version {offered}, and at least {min} is demanded")]
    BelowMinimum {
        /// Its version.
        offered: u64,
        /// What was demanded.
        min: u64,
    },
    /// Older metadata of a TUF repository.
    #[error("the {} of {repository} has version {}, and this host has seen version {}", rollback.role, rollback.offered, rollback.have)]
    Tuf {
        /// The repository, or the file that holds its metadata.
        repository: String,
        /// The role and the versions.
        rollback: TufRollback,
    },
    /// No memory.
    #[error(
        "this host remembers nothing of this lineage and anchor, and --require-state demands that it does"
    )]
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
    /// Whose counters are compared: everyone's who is believed, and always that of digests. What a person has
    /// authenticated no thief of a key can have numbered, so it counts for every anchor; an old pack must not come back
    /// by a key whose own counter stayed behind.
    pub fn counted(&self, believed: &[Signer]) -> Vec<Signer> {
        let mut counted = believed.to_vec();
        if !counted.contains(&Signer::Digest) && self.highest().contains_key(&Signer::Digest) {
            counted.push(Signer::Digest);
        }
        counted
    }

    /// Decides whether a pack may be taken. A demanded minimum is never overruled.
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
            // Two collectors that nobody named are both called "default".
            NotAdmitted::Rollback { lineage, .. } | NotAdmitted::Equivocation { lineage, .. } => failure.also(&format!(
                "if it is another collector's than the one before, name that one's lineage apart from {lineage:?}: \
                 `collect --name NAME` there, `pull --name NAME` here"
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
        // Version 5 comes back with the old key's signature alone: for that key it would be the highest.
        assert_eq!(admit(&state, &[old, new], 5, &Demands::default()), "rollback");
    }

    #[test]
    fn a_new_signer_starts_anew_and_is_told_of_the_others() {
        // The old key is lost and was used to number a pack near the end of the numbers.
        let state = with(&[(&[key("old")], u64::MAX)]);
        assert_eq!(admit(&state, &[key("new")], 7, &Demands::default()), "first-of-this-anchor");
        assert_eq!(admit(&state, &[key("old"), key("new")], 7, &Demands::default()), "rollback");
    }

    #[test]
    fn a_pack_that_a_person_authenticated_counts_for_every_anchor() {
        // Version 3 came by the key, version 6 by a digest on paper. Version 3 comes back by the key.
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
