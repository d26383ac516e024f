//! The search for proofs.

use std::{collections::BTreeMap, rc::Rc};

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

/// How many sets of keys are kept for the signatures that follow.
const KEPT: usize = 256;

/// The candidates that fit one need.
struct Options {
    /// By which they are known.
    number: usize,
    keys: Vec<(KeyRef, ResolvedKey)>,
    /// Whether the first that verifies is taken and the others are not tried.
    one_is_enough: bool,
}

pub(super) struct Search<'a> {
    pool: Pool<'a>,
    options: BTreeMap<Need, Rc<Options>>,
    sets: BTreeMap<Vec<(usize, usize)>, Rc<KeySet>>,
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
        Self {
            pool,
            options: BTreeMap::new(),
            sets: BTreeMap::new(),
            proved: BTreeMap::new(),
            refused: BTreeMap::new(),
            now,
        }
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

    fn options(&mut self, need: &Need) -> Rc<Options> {
        if let Some(known) = self.options.get(need) {
            return Rc::clone(known);
        }
        let options = Rc::new(Options {
            number: self.options.len(),
            keys: self.pool.options(need),
            one_is_enough: matches!(need, Need::Pki { .. }),
        });
        self.options.insert(need.clone(), Rc::clone(&options));
        options
    }

    /// Tries combinations of candidates, one per need, until one verifies; then each other candidate in its place.
    /// Signer keys go in together: the judge tells which one it was.
    fn try_to_prove(&mut self, question: &Question<'_>, needs: &[Need]) -> Outcome {
        let mut slots: Vec<Rc<Options>> = Vec::new();
        let mut signers = None;
        for need in needs {
            let options = self.options(need);
            match need {
                _ if options.keys.is_empty() => {}
                _ if need.is_signer() => signers = Some(options),
                _ => slots.push(options),
            }
        }
        if slots.is_empty() && signers.is_none() {
            return Outcome::default();
        }
        let signers = signers.as_ref();
        let mut left = COMBINATIONS;
        let mut choice = vec![0; slots.len()];
        let mut outcome = Outcome::default();
        let mut whole = false;
        while left > 0 {
            left -= 1;
            match self.attempt(question, &slots, &choice, signers) {
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
                for (key, _) in chosen(&slots, &choice, signers) {
                    self.refused.entry(*key).or_insert_with(|| refusal.clone());
                }
            }
            return outcome;
        }
        for slot in (0..slots.len()).filter(|slot| !slots[*slot].one_is_enough) {
            for other in (0..slots[slot].keys.len()).filter(|other| *other != choice[slot]) {
                let Some(rest) = left.checked_sub(1) else { break };
                left = rest;
                let mut swapped = choice.clone();
                swapped[slot] = other;
                match self.attempt(question, &slots, &swapped, signers) {
                    Ok(verified) => whole |= outcome.add(&verified),
                    Err(e) => drop(self.refused.entry(slots[slot].keys[other].0).or_insert(e)),
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
        slots: &[Rc<Options>],
        choice: &[usize],
        signers: Option<&Rc<Options>>,
    ) -> Result<Verified, Refusal> {
        let keys = self.set(slots, choice, signers);
        let verified = prove(question.signature, &question.image, &keys, self.now)?;
        for (key, resolved) in chosen(slots, choice, signers).filter(|(key, _)| verified.keys().contains(key))
        {
            self.proved.entry(*key).or_insert_with(|| resolved.clone());
        }
        for (key, refusal) in verified.refused() {
            self.refused.entry(*key).or_insert_with(|| refusal.clone());
        }
        Ok(verified)
    }

    /// The set of these keys: the one of an earlier signature, which has its verifiers already.
    fn set(&mut self, slots: &[Rc<Options>], choice: &[usize], signers: Option<&Rc<Options>>) -> Rc<KeySet> {
        let mut name: Vec<_> =
            slots.iter().zip(choice).map(|(options, index)| (options.number, *index)).collect();
        name.extend(signers.map(|options| (options.number, usize::MAX)));
        if let Some(known) = self.sets.get(&name) {
            return Rc::clone(known);
        }
        let keys = chosen(slots, choice, signers).map(|(key, resolved)| resolved.for_verification(*key));
        let keys = Rc::new(KeySet::new(keys));
        if self.sets.len() >= KEPT {
            self.sets.clear();
        }
        self.sets.insert(name, Rc::clone(&keys));
        keys
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
        let options = self.options(&need);
        let mut options = options.keys.iter().map(|(key, _)| key);
        let first = options.clone().next();
        let have = options.find(|key| {
            if need.is_vague() { outcome.keys.contains(key) } else { self.proved.contains_key(key) }
        });
        let claim = if need.role() == Role::Signer { claim } else { None };
        let answer = match (have, first) {
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

/// The candidates of one combination.
fn chosen<'o>(
    slots: &'o [Rc<Options>],
    choice: &'o [usize],
    signers: Option<&'o Rc<Options>>,
) -> impl Iterator<Item = &'o (KeyRef, ResolvedKey)> {
    let slots = slots.iter().zip(choice).map(|(options, index)| &options.keys[*index]);
    slots.chain(signers.into_iter().flat_map(|options| &options.keys))
}

/// The next combination, or `false` after the last.
fn advance(choice: &mut [usize], slots: &[Rc<Options>]) -> bool {
    for (index, options) in choice.iter_mut().zip(slots) {
        *index += 1;
        if *index < options.keys.len() {
            return true;
        }
        *index = 0;
    }
    false
}
