//! Signatures judged as they are found: of each only a verdict stays, which most signatures of a mirror share.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Judged, Resolution, Resolver};
use crate::{discover::Keep, limits, oci::Digest, signature::UntrustedSignature};

/// Judges each signature where it is found.
pub struct Judge<'a> {
    resolver: Resolver<'a>,
    verdicts: Mutex<HashMap<Arc<Judged>, u32>>,
    references: Mutex<HashSet<Arc<str>>>,
    /// The trials that images took, where they took more than usual.
    spent: Mutex<HashMap<Digest, usize>>,
}

/// What stays of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which of [`Resolution::answers`] is about it.
    number: u32,
    /// The reference that the signer wrote, where the form has one.
    pub reference: Option<Arc<str>>,
}

/// Trials for one image that are not worth noting.
const FEW: usize = 8;

/// References that are kept once for all signatures that have them: most signatures of a repository have one.
const SHARED: usize = 1024;

impl<'a> Judge<'a> {
    /// Judges with what this resolver knows.
    pub fn new(resolver: Resolver<'a>) -> Self {
        Self { resolver, verdicts: Mutex::default(), references: Mutex::default(), spent: Mutex::default() }
    }

    /// What became of all signatures.
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
    /// What became of this signature.
    pub fn answers(&self, verdict: &Verdict) -> Option<&super::Answers> {
        self.answers.get(usize::try_from(verdict.number).ok()?)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
