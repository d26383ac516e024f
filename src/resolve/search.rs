//! The search for proofs.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Answer, Need, Question, Resolution, ResolvedKey, pool::Pool};
use crate::{
    key::KeyRef,
    oci::Digest,
    signature::{Hints, SignerHint},
    trust::{self, KeySet, Refusal, VerificationKey, prove},
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

impl<'a> Search<'a> {
    pub(super) const fn new(pool: Pool<'a>, now: Timestamp) -> Self {
        Self { pool, options: BTreeMap::new(), proved: BTreeMap::new(), refused: BTreeMap::new(), now }
    }

    pub(super) fn run(mut self, questions: &[Question<'_>]) -> Resolution {
        let mut outcomes = Vec::new();
        for question in questions {
            // A signature that is about another image is not a question about keys.
            let about = trust::claims(question.signature, &question.image);
            outcomes.push(match about.and_then(|()| Ok(question.signature.hints()?)) {
                Ok(hints) => {
                    let needs = Need::of(&hints);
                    let here = if self.is_settled(&needs) {
                        Ok(Vec::new())
                    } else {
                        self.try_to_prove(question, &needs)
                    };
                    Ok((hints, needs, here))
                }
                Err(e) => Err(e),
            });
        }
        let answers: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| outcome.map(|(hints, needs, here)| self.answers(&hints, needs, &here)))
            .collect();
        Resolution {
            unused: self.pool.unused(&self.proved, &answers),
            answers,
            conflicts: self.pool.conflicts,
            keys: self.proved,
        }
    }

    fn options(&mut self, need: &Need) -> &[(KeyRef, ResolvedKey)] {
        if !self.options.contains_key(need) {
            let options = self.pool.options(need);
            self.options.insert(need.clone(), options);
        }
        &self.options[need]
    }

    /// Whether nothing new can come of verifying another signature with these needs. A signer that the signature
    /// does not name is never settled: each signature must say for itself whose it is.
    fn is_settled(&mut self, needs: &[Need]) -> bool {
        needs.iter().all(|need| {
            if need.is_vague() {
                return false;
            }
            let options: Vec<_> = self.options(need).iter().map(|(key, _)| *key).collect();
            options.iter().all(|key| self.proved.contains_key(key))
        })
    }

    /// Tries combinations of candidates, one per need, until one verifies; then each other candidate in its place.
    /// Signer keys go in together: the judge tells which one it was.
    fn try_to_prove(&mut self, question: &Question<'_>, needs: &[Need]) -> Result<Vec<KeyRef>, Refusal> {
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
            return Ok(Vec::new());
        }
        let mut choice = vec![0; slots.len()];
        let mut refusal = Refusal::NoEvidence;
        let mut here = Vec::new();
        for _ in 0..COMBINATIONS {
            match self.attempt(question, &slots, &choice, &signers) {
                Ok(keys) => {
                    here.extend(keys);
                    break;
                }
                Err(e) => refusal = e,
            }
            if !advance(&mut choice, &slots) {
                break;
            }
        }
        if here.is_empty() {
            for (key, _) in slots.iter().zip(&choice).map(|(options, i)| &options[*i]).chain(&signers) {
                self.refused.entry(*key).or_insert_with(|| refusal.clone());
            }
            return Err(refusal);
        }
        for slot in 0..slots.len() {
            for other in 0..slots[slot].len() {
                let mut swapped = choice.clone();
                swapped[slot] = other;
                if other != choice[slot] {
                    match self.attempt(question, &slots, &swapped, &signers) {
                        Ok(keys) => here.extend(keys),
                        Err(e) => drop(self.refused.entry(slots[slot][other].0).or_insert(e)),
                    }
                }
            }
        }
        // However many combinations it took, it is one signature.
        here.sort_unstable();
        here.dedup();
        for key in &here {
            if let Some(resolved) = self.proved.get_mut(key) {
                resolved.proofs += 1;
            }
        }
        Ok(here)
    }

    fn attempt(
        &mut self,
        question: &Question<'_>,
        slots: &[Vec<(KeyRef, ResolvedKey)>],
        choice: &[usize],
        signers: &[(KeyRef, ResolvedKey)],
    ) -> Result<Vec<KeyRef>, Refusal> {
        let chosen: Vec<_> =
            slots.iter().zip(choice).map(|(options, i)| &options[*i]).chain(signers).collect();
        let keys = KeySet::new(chosen.iter().map(|(key, resolved)| VerificationKey {
            key: *key,
            material: resolved.material.clone(),
            url: resolved.url.clone(),
            validity: resolved.validity,
        }));
        let verified = prove(question.signature, &question.image, &keys, self.now)?;
        for key in verified.keys() {
            if let Some((_, resolved)) = chosen.iter().find(|(k, _)| k == key) {
                self.proved.entry(*key).or_insert_with(|| resolved.clone());
            }
        }
        Ok(verified.keys().to_vec())
    }

    fn answers(
        &mut self,
        hints: &Hints,
        needs: Vec<Need>,
        here: &Result<Vec<KeyRef>, Refusal>,
    ) -> Vec<(Need, Answer)> {
        let claim = match &hints.signer {
            SignerHint::Key { claim, .. } => claim.as_ref().map(crate::key::PublicKey::fingerprint),
            SignerHint::Certificate(_) | SignerHint::OpenPgp { .. } => None,
        };
        needs.into_iter().map(|need| self.answer(need, claim, here)).collect()
    }

    fn answer(
        &mut self,
        need: Need,
        claim: Option<Digest>,
        here: &Result<Vec<KeyRef>, Refusal>,
    ) -> (Need, Answer) {
        let options: Vec<_> = self.options(&need).iter().map(|(key, _)| *key).collect();
        let unnamed = matches!(need, Need::Signer { fingerprint: None });
        let verified_here = |key: &KeyRef| here.as_ref().is_ok_and(|keys| keys.contains(key));
        let have = options
            .iter()
            .find(|key| if need.is_vague() { verified_here(key) } else { self.proved.contains_key(key) });
        let claim = if need.role() == crate::key::Role::Signer { claim } else { None };
        let answer = match (have, options.first()) {
            (Some(key), _) => Answer::Have(*key),
            // Signer keys that happen to be at hand are not refused by a signature that names none of them.
            (None, _) if unnamed => Answer::Missing { claim },
            (None, Some(key)) => match here
                .as_ref()
                .err()
                .filter(|_| need.is_vague())
                .or(self.refused.get(key))
                .or(here.as_ref().err())
            {
                Some(refusal) => Answer::Refused { key: *key, refusal: refusal.clone() },
                None => Answer::Refused {
                    key: *key,
                    refusal: Refusal::Signature("this key did not make it".into()),
                },
            },
            (None, None) => Answer::Missing { claim },
        };
        (need, answer)
    }
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
