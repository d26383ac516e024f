//! Needs meet candidates. A candidate counts only after a signature that needed it has verified with it.

mod need;
mod pool;
mod search;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    key::{Candidate, KeyRef, Material, Provenance, Validity},
    oci::Digest,
    signature::UntrustedSignature,
    trust::Refusal,
};

pub use need::Need;
pub use pool::Conflict;

/// A signature to resolve, with the image that it is about.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The image's digest.
    pub image: Digest,
    /// The signature.
    pub signature: &'a UntrustedSignature,
}

/// What came out, for all signatures together.
#[derive(Debug, Default)]
pub struct Resolution {
    /// The keys that verified a signature, by role and id.
    pub keys: BTreeMap<KeyRef, ResolvedKey>,
    /// For each question, in its order: its needs and what became of them, or why the signature can't be read.
    pub answers: Vec<Result<Vec<(Need, Answer)>, Refusal>>,
    /// Candidates with one name and different content; none of them is used.
    pub conflicts: Vec<Conflict>,
    /// Documents that gave candidates of which no signature asked for one.
    pub unused: Vec<Provenance>,
}

/// A key that verified at least one signature that needed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedKey {
    /// The key.
    pub material: Material,
    /// Its address, from the best source that says one.
    pub url: Option<String>,
    /// The checkpoint origin, for a Rekor v2 log: its key has no id without one.
    pub origin: Option<String>,
    /// When it was or is in use.
    pub validity: Validity,
    /// All who say so, best grade first.
    pub provenance: Vec<Provenance>,
    /// Signatures that it verified here.
    pub proofs: usize,
}

/// What became of a need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This key verified a signature that needed it.
    Have(KeyRef),
    /// No candidate fits.
    Missing {
        /// The key that the log entry names: a claim. It tells which key to get; it never meets the need.
        claim: Option<Digest>,
    },
    /// A candidate fits by name, and the signature does not verify with it.
    Refused {
        /// The candidate.
        key: KeyRef,
        /// Why.
        refusal: Refusal,
    },
}

impl Resolution {
    /// Whether every need is met and every signature could be read.
    pub fn is_complete(&self) -> bool {
        self.conflicts.is_empty()
            && self.answers.iter().all(|answer| {
                answer.as_ref().is_ok_and(|needs| needs.iter().all(|(_, a)| matches!(a, Answer::Have(_))))
            })
    }
}

/// Finds for each signature the keys that it needs, and proves them, as it is at the time `now`.
pub fn resolve(questions: &[Question<'_>], candidates: &[Candidate], now: Timestamp) -> Resolution {
    let pool = pool::Pool::new(candidates);
    search::Search::new(pool, now).run(questions)
}
