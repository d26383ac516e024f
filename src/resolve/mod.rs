//! Matches needs with candidates. A candidate counts only after it has verified a signature that needed it.

mod choice;
mod judge;
mod judged;
mod merge;
mod pool;
mod resolver;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    key::{Candidate, Key, KeyRef, NameKind, Provenance},
    oci::Digest,
    signature::{Need, UntrustedSignature},
    trust::Refusal,
};

pub use judge::{Judge, Verdict};
pub use judged::Judged;
pub use merge::{WindowDifference, merged};
pub use pool::Conflict;
pub use resolver::{LateKeys, Resolver};

/// A signature to resolve, with the image that it covers.
#[cfg(feature = "internals")]
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The image's digest.
    pub image: Digest,
    /// The signature.
    pub signature: &'a UntrustedSignature,
}

/// The result for all signatures together.
#[derive(Debug, Default)]
pub struct Resolution {
    /// The keys that verified a signature, by role and id.
    pub keys: BTreeMap<KeyRef, ResolvedKey>,
    /// One per question, in order; from a [`Judge`], indexed by the number of the verdict.
    pub answers: Vec<Answers>,
    /// Candidates with the same name and different content; none of them is used.
    pub conflicts: Vec<Conflict>,
    /// Keys needed by a signature whose sources disagree on when they were in use.
    pub windows: Vec<WindowDifference>,
    /// Documents none of whose candidates was needed by any signature.
    pub unused: Vec<Provenance>,
}

/// The result for one signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Its needs; empty if the signature was not verified because it can't be read, is for another image, or exceeded
    /// the limit for one image.
    pub needs: Vec<(Need, Answer)>,
    /// Why the signature does not count, unless its needs already show it: it was not verified, or does not verify
    /// although its keys verify another signature.
    pub refusal: Option<Refusal>,
    /// The keys that it verified with.
    pub keys: Vec<KeyRef>,
    /// The certificate's subject alternative name, if a valid certificate signed.
    pub identity: Option<String>,
    /// What kind of name that is.
    pub identity_kind: Option<NameKind>,
    /// The certificate's OIDC issuer.
    pub oidc_issuer: Option<String>,
}

/// A key that verified at least one signature that needed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedKey {
    /// The key, with the period of use on which all of its sources agree.
    pub key: Key,
    /// All sources, best grade first.
    pub provenance: Vec<Provenance>,
    /// The number of signatures that it verified.
    pub proofs: usize,
}

/// The result for one need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This key verified a signature that needed it.
    Have(KeyRef),
    /// No candidate fits.
    Missing {
        /// The key in the log entry: a claim. It shows which key to get, and never satisfies the need.
        claim: Option<Digest>,
    },
    /// A candidate fits by name, but the signature does not verify with it.
    Refused {
        /// The candidate.
        key: KeyRef,
        /// Why.
        refusal: Refusal,
    },
}

impl Resolution {
    /// Whether all signatures verify, with keys on which no two sources conflict.
    #[cfg(feature = "internals")]
    pub fn all_verify(&self) -> bool {
        self.conflicts.is_empty()
            && self.answers.iter().all(|answers| {
                answers.refusal.is_none() && answers.needs.iter().all(|(_, a)| matches!(a, Answer::Have(_)))
            })
    }
}

/// Finds and proves the keys that each signature needs, as of the time `now`.
#[cfg(feature = "internals")]
pub fn resolve(questions: &[Question<'_>], candidates: &[Candidate], now: Timestamp) -> Resolution {
    let resolver = Resolver::new(candidates, now);
    let mut images: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
    for (index, question) in questions.iter().enumerate() {
        images.entry(question.image).or_default().push(index);
    }
    let mut judged: Vec<_> = questions.iter().map(|_| Judged::default()).collect();
    for (image, indices) in images {
        let signatures: Vec<_> = indices.iter().map(|index| questions[*index].signature).collect();
        for (index, one) in indices.into_iter().zip(resolver.judge(&image, &signatures)) {
            judged[index] = one;
        }
    }
    resolver.finish(judged)
}
