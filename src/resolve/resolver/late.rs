//! Keys that are asked for at the first signature that lacks them.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use super::{Pool, Resolver, lock};
use crate::{
    key::{Candidate, Role},
    resolve::Judged,
    signature::Need,
    trust::Reading,
};

/// Asks for the keys of a need.
type Ask<'a> = dyn Fn(&Need) -> Vec<Candidate> + Send + Sync + 'a;

/// A source of keys that is asked only for what nothing else has, once for each need.
pub struct LateKeys<'a> {
    /// Whether it may have keys of the images of this name.
    pub applies: fn(&str) -> bool,
    /// Asks it.
    pub ask: Box<Ask<'a>>,
}

impl<'a> Resolver<'a> {
    /// The same with a source that is asked for what these lack.
    #[must_use]
    pub fn asking(self, late: LateKeys<'a>) -> Self {
        Self { late: Some(late), ..self }
    }

    /// Verifies a signature, and once more where a key that it lacks came late.
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
        // Others who lack the same wait for the answer.
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
