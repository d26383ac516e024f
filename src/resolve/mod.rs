//! Needs meet candidates. A candidate counts only after a signature that needed it has verified with it.

mod choice;
mod judge;
mod judged;
mod merge;
mod pool;
mod resolver;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    key::{Candidate, Key, KeyRef, Provenance},
    oci::Digest,
    signature::{Need, UntrustedSignature},
    trust::Refusal,
};

pub use judge::{Judge, Verdict};
pub use judged::Judged;
pub use merge::{WindowDifference, merged};
pub use pool::Conflict;
pub use resolver::{LateKeys, Resolver};

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
    /// For each question, in its order; of a [`Judge`], by the number of the verdict.
    pub answers: Vec<Answers>,
    /// Candidates with one name and different content; none of them is used.
    pub conflicts: Vec<Conflict>,
    /// Keys that a signature asked for and whose sources differ about when they were in use.
    pub windows: Vec<WindowDifference>,
    /// Documents that gave candidates of which no signature asked for one.
    pub unused: Vec<Provenance>,
}

/// What became of one signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Its needs; none where the signature was not verified: it can't be read, is about another image, or came after what is
    /// spent on one image.
    pub needs: Vec<(Need, Answer)>,
    /// Why the signature does not count, where its needs do not say so: it was not verified, or does not verify although its
    /// keys do verify another one.
    pub refusal: Option<Refusal>,
    /// The keys that it verified with.
    pub keys: Vec<KeyRef>,
    /// The certificate's subject alternative name, where a certificate signed that is good.
    pub identity: Option<String>,
    /// The OIDC issuer in it.
    pub oidc_issuer: Option<String>,
}

/// A key that verified at least one signature that needed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedKey {
    /// The key, in use as far as all of its sources agree.
    pub key: Key,
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
    /// Whether every signature that was asked about verifies, with keys that no two sources give differently.
    pub fn all_verify(&self) -> bool {
        self.conflicts.is_empty()
            && self.answers.iter().all(|answers| {
                answers.refusal.is_none() && answers.needs.iter().all(|(_, a)| matches!(a, Answer::Have(_)))
            })
    }
}

/// Finds for each signature the keys that it needs, and proves them, as it is at the time `now`.
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
