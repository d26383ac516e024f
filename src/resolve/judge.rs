//! Judges signatures as they are found. Only a verdict is kept for each, which most signatures of a mirror share.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Judged, Resolution, Resolver};
use crate::{discover::Keep, limits, oci::Digest, signature::UntrustedSignature};

/// Judges each signature when it is found.
pub struct Judge<'a> {
    resolver: Resolver<'a>,
    verdicts: Mutex<HashMap<Arc<Judged>, u32>>,
    references: Mutex<HashSet<Arc<str>>>,
    /// The number of trials spent on images that needed more than usual.
    spent: Mutex<HashMap<Digest, usize>>,
}

/// The verdict on a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The index of its entry in [`Resolution::answers`].
    number: u32,
    /// The reference written by the signer, if the format has one.
    pub reference: Option<Arc<str>>,
}

/// Up to this number of trials, an image is not recorded.
const FEW: usize = 8;

/// The number of references that are interned: most signatures of a repository share one.
const SHARED: usize = 1024;

impl<'a> Judge<'a> {
    /// A judge that uses this resolver.
    pub fn new(resolver: Resolver<'a>) -> Self {
        Self { resolver, verdicts: Mutex::default(), references: Mutex::default(), spent: Mutex::default() }
    }

    /// The results for all signatures.
    pub fn finish(self) -> Resolution {
        let verdicts = self.verdicts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut judged: Vec<_> = verdicts.into_iter().collect();
        judged.sort_unstable_by_key(|(_, number)| *number);
        self.resolver.finish(judged.into_iter().map(|(judged, _)| Arc::unwrap_or_clone(judged)).collect())
    }

    fn verdict(&self, judged: Judged) -> u32 {
        let mut verdicts = lock(&self.verdicts);
        let next = u32::try_from(verdicts.len()).unwrap_or(u32::MAX);
        *verdicts.entry(Arc::new(judged)).or_insert(next)
    }

    fn reference(&self, signature: &UntrustedSignature) -> Option<Arc<str>> {
        let reference = signature.claimed_reference()?;
        let mut known = lock(&self.references);
        if let Some(reference) = known.get(reference) {
            return Some(Arc::clone(reference));
        }
        let reference: Arc<str> = reference.into();
        if known.len() < SHARED {
            known.insert(Arc::clone(&reference));
        }
        Some(reference)
    }
}

impl Keep for Judge<'_> {
    const WHOLE: bool = false;
    type Kept = Verdict;

    fn keep(&self, image: &Digest, signatures: &[UntrustedSignature]) -> Vec<Verdict> {
        let spent = lock(&self.spent).get(image).copied().unwrap_or_default();
        let before = limits::TRIALS.saturating_sub(spent);
        let mut left = before;
        let all: Vec<_> = signatures.iter().collect();
        let judged = self.resolver.judge_within(image, &all, &mut left);
        if before - left > FEW {
            *lock(&self.spent).entry(*image).or_default() += before - left;
        }
        let verdict = |(judged, signature)| Verdict {
            number: self.verdict(judged),
            reference: self.reference(signature),
        };
        judged.into_iter().zip(signatures).map(verdict).collect()
    }
}

impl Resolution {
    /// The result for this signature.
    pub fn answers(&self, verdict: &Verdict) -> Option<&super::Answers> {
        self.answers.get(usize::try_from(verdict.number).ok()?)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
