//! One combination of candidates out of all that fit what a signature needs.

use std::sync::Arc;

use super::ResolvedKey;

/// The candidates that fit one need.
pub(super) struct Options {
    /// By which they are known.
    pub(super) number: usize,
    pub(super) keys: Vec<ResolvedKey>,
    /// Whether the first that verifies is taken and the others are not tried.
    pub(super) one_is_enough: bool,
}

/// What a combination of candidates is known by: the number of each need, and which of its candidates is meant; of the
/// signers' keys, how many.
pub(super) type Combination = Vec<(usize, usize)>;

/// The keys of one attempt: one of each of `slots`, and some of the signers' keys together. The verifier tells which of
/// these it was.
pub(super) struct Choice<'o> {
    slots: &'o [Arc<Options>],
    pub(super) indices: Vec<usize>,
    signers: Option<&'o Arc<Options>>,
    /// How many of them.
    count: usize,
}

impl<'o> Choice<'o> {
    pub(super) fn first(slots: &'o [Arc<Options>], signers: Option<&'o Arc<Options>>) -> Self {
        let count = signers.map_or(0, |signers| signers.keys.len());
        Self { slots, indices: vec![0; slots.len()], signers, count }
    }

    /// Takes what an attempt costs, or leaves out signers' keys that it can't pay for. Whether it can pay for any.
    pub(super) fn pay(&mut self, trials: &mut usize) -> bool {
        if *trials == 0 {
            return false;
        }
        self.count = self.count.min(*trials);
        *trials -= self.count.max(1);
        true
    }

    pub(super) fn is_cut(&self) -> bool {
        self.signers.is_some_and(|signers| self.count < signers.keys.len())
    }

    /// The next combination, or `false` after the last.
    pub(super) fn advance(&mut self) -> bool {
        for (index, options) in self.indices.iter_mut().zip(self.slots) {
            *index += 1;
            if *index < options.keys.len() {
                return true;
            }
            *index = 0;
        }
        false
    }

    /// The same with another candidate in one place.
    pub(super) fn swapped(&self, slot: usize, other: usize) -> Self {
        let mut indices = self.indices.clone();
        indices[slot] = other;
        Self { indices, ..*self }
    }

    pub(super) fn name(&self) -> Combination {
        let slots = self.slots.iter().zip(&self.indices).map(|(options, index)| (options.number, *index));
        slots.chain(self.signers.map(|options| (options.number, self.count))).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'o ResolvedKey> {
        let slots = self.slots.iter().zip(&self.indices).map(|(options, index)| &options.keys[*index]);
        let signers = self.signers.map_or(&[][..], |options| &options.keys[..self.count]);
        slots.collect::<Vec<_>>().into_iter().chain(signers)
    }
}
