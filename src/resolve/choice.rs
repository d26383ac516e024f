//! Combinations of the candidates that fit a signature's needs.

use std::sync::Arc;

use super::ResolvedKey;

/// The candidates that fit one need.
pub(super) struct Options {
    /// The number that identifies the need.
    pub(super) number: usize,
    pub(super) keys: Vec<ResolvedKey>,
    /// Whether the first candidate that verifies is used and the others are not tried.
    pub(super) one_is_enough: bool,
}

/// Identifies a combination of candidates: the number of each need and the index of the chosen candidate; for signers'
/// keys, the number of keys.
pub(super) type Combination = Vec<(usize, usize)>;

/// The keys of one attempt: one for each of `slots`, and some of the signers' keys together. The verifier reports which
/// of these it was.
pub(super) struct Choice<'o> {
    slots: &'o [Arc<Options>],
    pub(super) indices: Vec<usize>,
    signers: Option<&'o Arc<Options>>,
    /// The number of those keys.
    count: usize,
}

impl<'o> Choice<'o> {
    pub(super) fn first(slots: &'o [Arc<Options>], signers: Option<&'o Arc<Options>>) -> Self {
        let count = signers.map_or(0, |signers| signers.keys.len());
        Self { slots, indices: vec![0; slots.len()], signers, count }
    }

    /// Pays for an attempt, leaving out signers' keys if there are too few trials left. False if there are none left.
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

    /// Advances to the next combination; `false` after the last.
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

    /// A copy with another candidate in one slot.
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
