//! Keys requested only when the first signature needs them.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use super::{Pool, Resolver, lock};
use crate::{
    key::{Candidate, Role},
    resolve::Judged,
    signature::Need,
    trust::Reading,
};

/// Requests the keys for a need.
type Ask<'a> = dyn Fn(&Need) -> Vec<Candidate> + Send + Sync + 'a;

/// A key source that is queried only for needs that no other source covers, once per need.
pub struct LateKeys<'a> {
    /// Whether it may have keys for images of this name.
    pub applies: fn(&str) -> bool,
    /// Queries the source.
    pub ask: Box<Ask<'a>>,
}

impl<'a> Resolver<'a> {
    /// Adds a source that is queried for missing keys.
    #[must_use]
    pub fn asking(self, late: LateKeys<'a>) -> Self {
        Self { late: Some(late), ..self }
    }

    /// Verifies a signature, and again if one of its missing keys arrived late.
    pub(super) fn verify_asking(
        &self,
        reading: &Reading<'_>,
        reference: Option<&str>,
        trials: &mut usize,
    ) -> Judged {
        let before = self.generation.load(Ordering::Acquire);
        let judged = self.verify(reading, trials);
        let Some(late) = self.late.as_ref().filter(|late| reference.is_some_and(late.applies)) else {
            return judged;
        };
        let signed = judged.keys.iter().any(|key| key.role == Role::Signer);
        let missing: Vec<_> = reading
            .needs()
            .all()
            .into_iter()
            .filter(|need| (need.is_unnamed() && !signed) || self.options(need).keys.is_empty())
            .collect();
        if missing.is_empty() {
            return judged;
        }
        // Other threads that need the same key wait for the answer.
        let mut asked = lock(&self.asked);
        for need in missing {
            if !asked.contains(&need) {
                self.add((late.ask)(&need));
                asked.insert(need);
            }
        }
        drop(asked);
        if self.generation.load(Ordering::Acquire) == before { judged } else { self.verify(reading, trials) }
    }

    fn add(&self, more: Vec<Candidate>) {
        if more.is_empty() {
            return;
        }
        let mut candidates = lock(&self.candidates);
        candidates.extend(more.into_iter().map(Arc::new));
        *self.pool.write().unwrap_or_else(PoisonError::into_inner) = Pool::new(&candidates);
        lock(&self.options).clear();
        self.generation.fetch_add(1, Ordering::Release);
    }
}
