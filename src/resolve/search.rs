//! The search for proofs.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Answer, Answers, Need, Question, Resolution, ResolvedKey, pool::Pool};
use crate::{
    key::{KeyRef, PublicKey, Role},
    oci::Digest,
    signature::{Hints, SignerHint},
    trust::{self, KeySet, Refusal, Verified, prove},
};

/// How many combinations of candidates are tried for one signature. One is usual; more come only from several
/// authorities with the same key identifier.
const COMBINATIONS: usize = 64;

pub(super) struct Search<'a> {
    pool: Pool<'a>,
    options: BTreeMap<Need, Vec<(KeyRef, ResolvedKey)>>,
    proved: BTreeMap<KeyRef, ResolvedKey>,
    refused: BTreeMap<KeyRef, Refusal>,
    now: Timestamp,
}

/// What verifying one signature showed.
#[derive(Default)]
struct Outcome {
    /// The keys that it verified with.
    keys: Vec<KeyRef>,
    /// Why it does not verify with all that it needs and that is at hand.
    refusal: Option<Refusal>,
}

/// A signature between the two rounds: all are verified before any is answered.
struct Pending {
    hints: Hints,
    needs: Vec<Need>,
    outcome: Outcome,
}

impl<'a> Search<'a> {
    pub(super) const fn new(pool: Pool<'a>, now: Timestamp) -> Self {
        Self { pool, options: BTreeMap::new(), proved: BTreeMap::new(), refused: BTreeMap::new(), now }
    }

    pub(super) fn run(mut self, questions: &[Question<'_>]) -> Resolution {
        let pending: Vec<_> = questions.iter().map(|question| self.verify(question)).collect();
        let answers: Vec<_> = pending
            .into_iter()
            .map(|pending| match pending {
                Ok(pending) => self.answers(pending),
                Err(refusal) => Answers { needs: Vec::new(), refusal: Some(refusal) },
            })
            .collect();
        Resolution {
            unused: self.pool.unused(&self.proved, &answers),
            windows: self.pool.differences(self.options.keys()),
            answers,
            conflicts: self.pool.conflicts,
            keys: self.proved,
        }
    }

    /// Verifies one signature, also where its keys have been proved by another: it may be broken all the same.
    fn verify(&mut self, question: &Question<'_>) -> Result<Pending, Refusal> {
        // A signature that is about another image is not a question about keys.
        trust::claims(question.signature, &question.image)?;
        let hints = question.signature.hints()?;
        let needs = Need::of(&hints);
        let outcome = self.try_to_prove(question, &needs);
        Ok(Pending { hints, needs, outcome })
    }

    fn options(&mut self, need: &Need) -> &[(KeyRef, ResolvedKey)] {
        if !self.options.contains_key(need) {
            let options = self.pool.options(need);
            self.options.insert(need.clone(), options);
        }
        &self.options[need]
    }

    /// Tries combinations of candidates, one per need, until one verifies; then each other candidate in its place.
    /// Signer keys go in together: the judge tells which one it was.
    fn try_to_prove(&mut self, question: &Question<'_>, needs: &[Need]) -> Outcome {
        let mut slots: Vec<Vec<(KeyRef, ResolvedKey)>> = Vec::new();
        let mut signers = Vec::new();
        for need in needs {
            let options = self.options(need).to_vec();
            match need {
                _ if need.is_signer() => signers = options,
                _ if options.is_empty() => {}
                _ => slots.push(options),
            }
        }
        if slots.is_empty() && signers.is_empty() {
            return Outcome::default();
        }
        let mut left = COMBINATIONS;
        let mut choice = vec![0; slots.len()];
        let mut outcome = Outcome::default();
        let mut whole = false;
        while left > 0 {
            left -= 1;
            match self.attempt(question, &slots, &choice, &signers) {
                Ok(verified) => {
                    whole |= outcome.add(&verified);
                    break;
                }
                Err(e) => outcome.refusal = Some(e),
            }
            if !advance(&mut choice, &slots) {
                break;
            }
        }
        if outcome.keys.is_empty() {
            if let Some(refusal) = &outcome.refusal {
                let tried = slots.iter().zip(&choice).map(|(options, i)| &options[*i]).chain(&signers);
                for (key, _) in tried {
                    self.refused.entry(*key).or_insert_with(|| refusal.clone());
                }
            }
            return outcome;
        }
        for slot in 0..slots.len() {
            for other in (0..slots[slot].len()).filter(|other| *other != choice[slot]) {
                let Some(rest) = left.checked_sub(1) else { break };
                left = rest;
                let mut swapped = choice.clone();
                swapped[slot] = other;
                match self.attempt(question, &slots, &swapped, &signers) {
                    Ok(verified) => whole |= outcome.add(&verified),
                    Err(e) => drop(self.refused.entry(slots[slot][other].0).or_insert(e)),
                }
            }
        }
        if whole {
            outcome.refusal = None;
        }
        // However many combinations it took, it is one signature.
        outcome.keys.sort_unstable();
        outcome.keys.dedup();
        for key in &outcome.keys {
            if let Some(resolved) = self.proved.get_mut(key) {
                resolved.proofs += 1;
            }
        }
        outcome
    }

    fn attempt(
        &mut self,
        question: &Question<'_>,
        slots: &[Vec<(KeyRef, ResolvedKey)>],
        choice: &[usize],
        signers: &[(KeyRef, ResolvedKey)],
    ) -> Result<Verified, Refusal> {
        let chosen: Vec<_> =
            slots.iter().zip(choice).map(|(options, i)| &options[*i]).chain(signers).collect();
        let keys = KeySet::new(chosen.iter().map(|(key, resolved)| resolved.for_verification(*key)));
        let verified = prove(question.signature, &question.image, &keys, self.now)?;
        for key in verified.keys() {
            if let Some((_, resolved)) = chosen.iter().find(|(k, _)| k == key) {
                self.proved.entry(*key).or_insert_with(|| resolved.clone());
            }
        }
        for (key, refusal) in verified.refused() {
            self.refused.entry(*key).or_insert_with(|| refusal.clone());
        }
        Ok(verified)
    }

    fn answers(&mut self, pending: Pending) -> Answers {
        let Pending { hints, needs, outcome } = pending;
        let claim = match &hints.signer {
            SignerHint::Key { claim, .. } => claim.as_ref().map(PublicKey::fingerprint),
            SignerHint::Certificate(_) | SignerHint::OpenPgp { .. } => None,
        };
        let needs: Vec<_> = needs.into_iter().map(|need| self.answer(need, claim, &outcome)).collect();
        let refusal = outcome.refusal.filter(|refusal| !is_told(refusal, &needs));
        Answers { needs, refusal }
    }

    fn answer(&mut self, need: Need, claim: Option<Digest>, outcome: &Outcome) -> (Need, Answer) {
        let options: Vec<_> = self.options(&need).iter().map(|(key, _)| *key).collect();
        let have = options.iter().find(|key| {
            if need.is_vague() { outcome.keys.contains(key) } else { self.proved.contains_key(key) }
        });
        let claim = if need.role() == Role::Signer { claim } else { None };
        let answer = match (have, options.first()) {
            (Some(key), _) => Answer::Have(*key),
            // Signer keys that happen to be at hand are not refused by a signature that names none of them.
            (None, _) if need.is_unnamed() => Answer::Missing { claim },
            (None, Some(key)) => {
                let here = outcome.refusal.as_ref();
                let refusal = here.filter(|_| need.is_vague()).or(self.refused.get(key)).or(here);
                let unmade = || Refusal::Signature("this key did not make it".into());
                Answer::Refused { key: *key, refusal: refusal.cloned().unwrap_or_else(unmade) }
            }
            (None, None) => Answer::Missing { claim },
        };
        (need, answer)
    }
}

impl Outcome {
    /// Adds what one combination proved; whether that was all that is at hand.
    fn add(&mut self, verified: &Verified) -> bool {
        self.keys.extend(verified.keys());
        match verified.refused() {
            [] => true,
            [.., (_, refusal)] => {
                self.refusal = Some(refusal.clone());
                false
            }
        }
    }
}

/// Whether what became of the needs already tells why the signature does not verify.
fn is_told(refusal: &Refusal, needs: &[(Need, Answer)]) -> bool {
    let unmet = needs.iter().any(|(_, answer)| !matches!(answer, Answer::Have(_)));
    (unmet && matches!(refusal, Refusal::NoKey { .. }))
        || needs.iter().any(|(need, answer)| match answer {
            Answer::Refused { refusal: told, .. } => told == refusal,
            // None of the keys at hand made it, which is the same as that its key is missing.
            Answer::Missing { .. } => need.is_unnamed() && matches!(refusal, Refusal::Signature(_)),
            Answer::Have(_) => false,
        })
}

/// The next combination, or `false` after the last.
fn advance(choice: &mut [usize], slots: &[Vec<(KeyRef, ResolvedKey)>]) -> bool {
    for (index, options) in choice.iter_mut().zip(slots) {
        *index += 1;
        if *index < options.len() {
            return true;
        }
        *index = 0;
    }
    false
}
