//! The images of a run. Of a large mirror their verdicts are made one by one as they are asked for: together they are larger
//! than all that is known of them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Serialize, Serializer};

use super::{ImageVerdict, SignatureState, SignatureVerdict, VerifyState};
use crate::diag::Diagnostic;

/// The images, location by location.
#[derive(Clone)]
pub struct Images {
    rows: Vec<Row>,
    changes: BTreeMap<u32, Change>,
    make: Arc<dyn MakeVerdict>,
}

/// Makes verdicts from what is known.
pub(crate) trait MakeVerdict: Send + Sync {
    /// The verdict on an image by what is found of itself.
    fn make(&self, number: u32) -> ImageVerdict;
}

/// What is kept of a verdict.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Which image.
    pub(crate) number: u32,
    /// What was found.
    pub(crate) state: VerifyState,
    /// Whether it is an instance of a list.
    pub(crate) is_instance: bool,
    /// Signatures.
    pub(crate) signatures: u32,
    /// Those that do not verify.
    pub(crate) broken: u32,
    /// Attestations.
    pub(crate) attestations: u32,
    /// Attestations that do not verify.
    pub(crate) broken_attestations: u32,
    /// Signatures and attestations that could not be read.
    pub(crate) unread: u32,
}

/// What lists and their instances say of an image that it does not say itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// The platform that the list says.
    pub(crate) platform: Option<String>,
    /// Whether what is wrong with the image itself is made good.
    pub(crate) is_mended: bool,
    /// What else is wrong.
    pub(crate) problems: Vec<Diagnostic>,
}

// There is one for each image: see the limit in docs/benchmarks.md.
const _: () = assert!(size_of::<Row>() <= 28);

impl Row {
    /// What is kept of the verdict on this image.
    pub(crate) fn of(number: u32, verdict: &ImageVerdict) -> Self {
        let count = |signatures: &[SignatureVerdict], state| {
            let number = signatures.iter().filter(|signature| signature.state == state).count();
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        let all = |signatures: &[SignatureVerdict]| u32::try_from(signatures.len()).unwrap_or(u32::MAX);
        let unread = |signatures| count(signatures, SignatureState::Unreadable);
        Self {
            number,
            state: verdict.state,
            is_instance: verdict.instance_of.is_some(),
            signatures: all(&verdict.signatures),
            broken: count(&verdict.signatures, SignatureState::Refused),
            attestations: all(&verdict.attestations),
            broken_attestations: count(&verdict.attestations, SignatureState::Refused),
            unread: unread(&verdict.signatures).saturating_add(unread(&verdict.attestations)),
        }
    }

    /// Whether a signature or an attestation of it does not verify or could not be read.
    pub(crate) const fn has_broken(&self) -> bool {
        self.broken > 0 || self.broken_attestations > 0 || self.unread > 0
    }
}

impl Images {
    /// These images; `changes` are by their numbers.
    pub(crate) fn new(rows: Vec<Row>, changes: BTreeMap<u32, Change>, make: Arc<dyn MakeVerdict>) -> Self {
        Self { rows, changes, make }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What is kept of each, in their order.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The verdicts in their order.
    pub fn iter(&self) -> impl Iterator<Item = ImageVerdict> {
        self.only(|_| true)
    }

    /// The verdicts on some of them.
    pub(crate) fn only(&self, wanted: impl Fn(&Row) -> bool) -> impl Iterator<Item = ImageVerdict> {
        self.rows.iter().filter(move |row| wanted(row)).map(|row| self.verdict(row))
    }

    /// The verdict of which this is kept.
    pub(crate) fn verdict(&self, row: &Row) -> ImageVerdict {
        let mut verdict = self.make.make(row.number);
        verdict.state = row.state;
        if let Some(change) = self.changes.get(&row.number) {
            if change.is_mended {
                verdict.problems.clear();
            }
            verdict.problems.extend(change.problems.iter().cloned());
            verdict.platform.clone_from(&change.platform);
        }
        verdict
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}

impl Serialize for Images {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
