//! The search for proofs.

mod late;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
pub use late::LateKeys;

use super::{
    Judged, Resolution, ResolvedKey,
    choice::{Choice, Combination, Options},
    pool::Pool,
};
use crate::{
    key::{Candidate, KeyRef, PublicKey},
    limits,
    oci::Digest,
    signature::{Need, Signer, UntrustedSignature},
    trust::{KeySet, Reading, Refusal, Verified, Verifier},
};

/// The maximum number of combinations of candidates tried for one signature. One is usual; there are more only if
/// several authorities have the same key identifier.
const COMBINATIONS: usize = 64;

/// The number of verifiers kept for subsequent signatures.
const KEPT: usize = 256;

/// Verifies signatures one by one, from one or more threads, with the candidates that fit their needs. The results for
/// the needs are known only at the end: a key that one signature can't prove may be proved by a later one.
pub struct Resolver<'a> {
    pool: RwLock<Pool>,
    candidates: Mutex<Vec<Arc<Candidate>>>,
    late: Option<LateKeys<'a>>,
    /// The needs already requested from [`LateKeys`].
    asked: Mutex<BTreeSet<Need>>,
    /// The number of times candidates were added.
    generation: AtomicUsize,
    numbers: AtomicUsize,
    options: Mutex<BTreeMap<Need, Arc<Options>>>,
    verifiers: Mutex<BTreeMap<Combination, Arc<Verifier>>>,
    proved: Mutex<BTreeMap<KeyRef, ResolvedKey>>,
    now: Timestamp,
}

impl Resolver<'_> {
    /// A resolver with these candidates. Dates are compared with `now`.
    pub fn new(candidates: &[Candidate], now: Timestamp) -> Self {
        let candidates: Vec<_> = candidates.iter().cloned().map(Arc::new).collect();
        Self {
            pool: RwLock::new(Pool::new(&candidates)),
            candidates: Mutex::new(candidates),
            late: None,
            asked: Mutex::default(),
            generation: AtomicUsize::new(0),
            numbers: AtomicUsize::new(0),
            options: Mutex::default(),
            verifiers: Mutex::default(),
            proved: Mutex::default(),
            now,
        }
    }

    /// Verifies all signatures of one image, even those whose keys another signature has proved, because they may be
    /// broken nevertheless. At most [`limits::TRIALS`] keys are tried; signatures that name their keys come first.
    #[cfg(feature = "internals")]
    pub fn judge(&self, image: &Digest, signatures: &[&UntrustedSignature]) -> Vec<Judged> {
        let mut trials = limits::TRIALS;
        self.judge_within(image, signatures, &mut trials)
    }

    /// Does the same within the remaining trials for this image.
    pub(super) fn judge_within(
        &self,
        image: &Digest,
        signatures: &[&UntrustedSignature],
        trials: &mut usize,
    ) -> Vec<Judged> {
        let readings = signatures.iter().map(|signature| Reading::new(signature, image));
        let mut readings: Vec<_> = readings.map(Some).collect();
        let is_unnamed = |reading: &Reading<'_>| reading.needs().all().iter().any(Need::is_unnamed);
        let mut order: Vec<_> = (0..readings.len()).collect();
        order.sort_by_key(|index| matches!(&readings[*index], Some(Ok(reading)) if is_unnamed(reading)));
        let mut judged: Vec<_> = readings.iter().map(|_| Judged::default()).collect();
        for index in order {
            judged[index] = match readings[index].take() {
                Some(Ok(reading)) => {
                    let judged = self.verify_asking(&reading, signatures[index].claimed_reference(), trials);
                    self.count(&judged);
                    judged
                }
                Some(Err(refusal)) => Judged { refusal: Some(refusal), ..Judged::default() },
                None => continue,
            };
        }
        judged
    }

    /// The results for all signatures.
    pub fn finish(self, judged: Vec<Judged>) -> Resolution {
        // Needs looked up before candidates were added are looked up again.
        let needs: BTreeSet<_> = judged.iter().flat_map(|judged| &judged.needs).collect();
        for need in needs {
            self.options(need);
        }
        let proved = self.proved.into_inner().unwrap_or_else(PoisonError::into_inner);
        let options = self.options.into_inner().unwrap_or_else(PoisonError::into_inner);
        let pool = self.pool.into_inner().unwrap_or_else(PoisonError::into_inner);
        let answers: Vec<_> = judged.into_iter().map(|judged| judged.answers(&proved, &options)).collect();
        Resolution {
            unused: pool.unused(&proved, &answers),
            windows: pool.differences(options.keys()),
            answers,
            conflicts: pool.conflicts,
            keys: proved,
        }
    }

    /// Counts a signature for the keys that it proved, once, regardless of the number of combinations tried.
    fn count(&self, judged: &Judged) {
        let mut proved = lock(&self.proved);
        for key in &judged.keys {
            if let Some(resolved) = proved.get_mut(key) {
                resolved.proofs += 1;
            }
        }
    }

    fn verify(&self, reading: &Reading<'_>, trials: &mut usize) -> Judged {
        let claim = match &reading.needs().signer {
            Signer::Key { claim, .. } => claim.as_ref().map(PublicKey::fingerprint),
            Signer::Certificate(_) => None,
        };
        let mut judged = Judged { needs: reading.needs().all(), claim, ..Judged::default() };
        self.try_to_prove(reading, &mut judged, trials);
        if matches!(judged.refusal, Some(Refusal::Budget)) {
            // Its needs are unknown.
            judged = Judged { refusal: judged.refusal, ..Judged::default() };
        }
        judged
    }

    fn options(&self, need: &Need) -> Arc<Options> {
        let pool = self.pool.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = lock(&self.options);
        if let Some(options) = known.get(need) {
            return Arc::clone(options);
        }
        let options = Arc::new(Options {
            number: self.numbers.fetch_add(1, Ordering::Relaxed),
            keys: pool.options(need),
            one_is_enough: matches!(need, Need::Pki(_)),
        });
        known.insert(need.clone(), Arc::clone(&options));
        options
    }

    /// Tries combinations of candidates, one per need, until one verifies; then tries each other candidate in its slot.
    fn try_to_prove(&self, reading: &Reading<'_>, judged: &mut Judged, trials: &mut usize) {
        let mut slots: Vec<Arc<Options>> = Vec::new();
        let mut signers = None;
        for need in &judged.needs {
            let options = self.options(need);
            match need {
                _ if options.keys.is_empty() => {}
                _ if need.is_signer() => signers = Some(options),
                _ => slots.push(options),
            }
        }
        if slots.is_empty() && signers.is_none() {
            return;
        }
        let (mut left, mut whole) = (COMBINATIONS, false);
        let mut choice = Choice::first(&slots, signers.as_ref());
        loop {
            if left == 0 || !choice.pay(trials) {
                judged.refusal = Some(Refusal::Budget);
                return;
            }
            left -= 1;
            match self.attempt(reading, &choice) {
                Ok(verified) => {
                    whole |= judged.add(&verified);
                    break;
                }
                // Not all of the signers' keys were tried.
                Err(_) if choice.is_cut() => {
                    judged.refusal = Some(Refusal::Budget);
                    return;
                }
                Err(e) => judged.refusal = Some(e),
            }
            if !choice.advance() {
                break;
            }
        }
        if judged.keys.is_empty() {
            if let Some(refusal) = &judged.refusal {
                judged.refused.extend(choice.keys().map(|key| (key.key.key_ref(), refusal.clone())));
            }
            return;
        }
        for slot in (0..slots.len()).filter(|slot| !slots[*slot].one_is_enough) {
            let taken = choice.indices[slot];
            for other in (0..slots[slot].keys.len()).filter(|other| *other != taken) {
                if left == 0 || !choice.pay(trials) {
                    break;
                }
                left -= 1;
                match self.attempt(reading, &choice.swapped(slot, other)) {
                    Ok(verified) => whole |= judged.add(&verified),
                    Err(e) => judged.refused.push((slots[slot].keys[other].key.key_ref(), e)),
                }
            }
        }
        if whole {
            judged.refusal = None;
        }
        judged.keys.sort_unstable();
        judged.keys.dedup();
    }

    fn attempt(&self, reading: &Reading<'_>, choice: &Choice<'_>) -> Result<Verified, Refusal> {
        let verified = self.verifier(choice)?.prove_reading(reading, self.now)?;
        let mut proved = lock(&self.proved);
        for resolved in choice.keys() {
            let key = resolved.key.key_ref();
            if verified.keys().contains(&key) {
                proved.entry(key).or_insert_with(|| resolved.clone());
            }
        }
        Ok(verified)
    }

    /// The verifier for these keys, reusing one prepared for an earlier signature.
    fn verifier(&self, choice: &Choice<'_>) -> Result<Arc<Verifier>, Refusal> {
        let name = choice.name();
        if let Some(known) = lock(&self.verifiers).get(&name) {
            return Ok(Arc::clone(known));
        }
        let keys = KeySet::new(choice.keys().map(|resolved| resolved.key.clone()));
        let keys = keys.map_err(|conflict| Refusal::Key(conflict.to_string()))?;
        let verifier = Arc::new(Verifier::new(keys));
        let mut known = lock(&self.verifiers);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(name, Arc::clone(&verifier));
        Ok(verifier)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_may_share_a_resolver() {
        const fn shared<T: Send + Sync>() {}
        shared::<Resolver<'_>>();
        shared::<Verifier>();
    }
}
