//! Judges signatures on all cores while others are being read.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::revoked::{RevokedKeys, RevokedVerifier};
use crate::{
    discover::Keep,
    key::{KeyRef, Role, SubjectName},
    limits,
    oci::Digest,
    signature::{Need, Signer, UntrustedSignature},
    trust::{Clock, KeySet, Refusal, Verifier},
};

/// The data kept of a signature.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// The result of verification.
    pub(super) result: Result<Arc<Good>, Arc<Refusal>>,
    /// When it was made, and the clock this is from.
    pub(super) time: Option<(Timestamp, Clock)>,
    /// The claimed signer, if it does not verify.
    pub(super) claim: Option<Arc<str>>,
    /// The reference written by the signer, if the format has one.
    pub(super) reference: Option<Arc<str>>,
    /// The predicate type, for a statement.
    pub(super) predicate: Option<Arc<str>>,
}

/// The signer of a valid signature: most signatures of a mirror share this.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Good {
    /// The keys that it verified with.
    pub(super) keys: Vec<KeyRef>,
    /// The names in the certificate.
    pub(super) names: Vec<SubjectName>,
    /// The OIDC issuer in the certificate.
    pub(super) issuer: Option<String>,
}

impl Good {
    /// The signer's key, if the signature was not made with a certificate.
    pub(super) fn signer_key(&self) -> Option<KeyRef> {
        self.keys.iter().find(|key| matches!(key.role, Role::Signer | Role::Gpg)).copied()
    }

    /// The log keys.
    pub(super) fn logs(&self) -> impl Iterator<Item = KeyRef> {
        self.keys.iter().filter(|key| key.role.logs_signatures()).copied()
    }
}

/// The maximum number of signatures waiting for a core.
const WAITING: usize = 512;

/// The maximum number of interned values of each kind.
const SHARED: usize = 4096;

/// Judges signatures with exactly these keys. [`Judge::work`] runs on as many threads as there are cores.
pub(super) struct Judge {
    verifier: Verifier,
    /// Of keys that were revoked here.
    revoked: Option<RevokedVerifier>,
    /// The number of keys tried for a signature that names none.
    signers: usize,
    now: Timestamp,
    queue: Mutex<Queue>,
    more: Condvar,
    less: Condvar,
    spent: Mutex<HashMap<Digest, usize>>,
    shared: Shared,
}

/// A waiting signature.
struct Waiting {
    /// Its number.
    place: u32,
    image: Digest,
    signature: UntrustedSignature,
    /// Whether its trials are within the limit for its image.
    paid: bool,
}

/// The waiting signatures, and the results.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    done: Vec<Option<Judged>>,
    closed: bool,
}

/// Values that many signatures share.
#[derive(Default)]
struct Shared {
    texts: Mutex<HashSet<Arc<str>>>,
    good: Mutex<HashSet<Arc<Good>>>,
    refusals: Mutex<HashSet<Arc<Refusal>>>,
}

/// Ends the work when dropped, even if reading fails or panics.
pub(super) struct Closing<'a>(pub(super) &'a Judge);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        lock(&self.0.queue).closed = true;
        self.0.more.notify_all();
    }
}

impl Judge {
    pub(super) fn new(keys: KeySet, revoked: Option<RevokedKeys>, now: Timestamp) -> Self {
        let more = revoked.as_ref().map_or(0, |revoked| revoked.all().of(Role::Signer).count());
        let signers = (keys.of(Role::Signer).count() + more).max(1);
        Self {
            verifier: Verifier::new(keys),
            revoked: revoked.map(RevokedKeys::verifier),
            signers,
            now,
            queue: Mutex::default(),
            more: Condvar::new(),
            less: Condvar::new(),
            spent: Mutex::default(),
            shared: Shared::default(),
        }
    }

    /// Judges waiting signatures until everything has been read.
    pub(super) fn work(&self) {
        loop {
            let mut queue = lock(&self.queue);
            while queue.waiting.is_empty() && !queue.closed {
                queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let Some(next) = queue.waiting.pop_front() else { return };
            drop(queue);
            self.less.notify_one();
            let judged = self.judge(&next);
            if let Some(slot) = lock(&self.queue).done.get_mut(next.place as usize) {
                *slot = Some(judged);
            }
        }
    }

    /// The result for each signature, indexed by the numbers that [`Keep::keep`] returned.
    pub(super) fn finish(self) -> Vec<Option<Judged>> {
        self.queue.into_inner().unwrap_or_else(PoisonError::into_inner).done
    }

    fn judge(&self, Waiting { image, signature, paid, .. }: &Waiting) -> Judged {
        let judge = || {
            let judged = self.verifier.judge(signature, image, self.now);
            match (judged, &self.revoked) {
                (Err(refusal), Some(revoked)) => revoked.judge(signature, image, self.now, refusal),
                (judged, _) => judged,
            }
        };
        let result = if *paid { judge() } else { Err(Refusal::Budget) };
        let predicate = match signature {
            UntrustedSignature::Bundle(bundle) => bundle.predicate_type.as_deref(),
            _ => None,
        };
        let text = |text: &str| self.text(text);
        Judged {
            time: result.as_ref().ok().and_then(crate::trust::Verified::time),
            claim: result.as_ref().err().and_then(|_| claim(signature)).map(|claim| text(&claim)),
            reference: signature.claimed_reference().map(text),
            predicate: predicate.map(text),
            result: match result {
                Ok(verified) => Ok(share(
                    &self.shared.good,
                    Good {
                        keys: verified.keys().to_vec(),
                        names: verified.names().to_vec(),
                        issuer: verified.oidc_issuer().map(str::to_owned),
                    },
                )),
                Err(refusal) => Err(share(&self.shared.refusals, refusal)),
            },
        }
    }

    /// Deducts the trials of a signature from the limit for one image; `false` if it is exceeded. A signature that
    /// names its key takes one trial and is not counted, because the number of signatures read for an image is limited.
    fn pays(&self, image: &Digest, signature: &UntrustedSignature) -> bool {
        if self.signers == 1 || !signature.needs().is_ok_and(|needs| needs.all().iter().any(Need::is_unnamed))
        {
            return true;
        }
        let mut spent = lock(&self.spent);
        let spent = spent.entry(*image).or_default();
        *spent += self.signers;
        *spent <= limits::TRIALS
    }

    fn text(&self, text: &str) -> Arc<str> {
        let mut known = lock(&self.shared.texts);
        if let Some(known) = known.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        if known.len() < SHARED {
            known.insert(Arc::clone(&text));
        }
        text
    }
}

impl Keep for Judge {
    const WHOLE: bool = false;
    type Kept = u32;

    fn keep(&self, image: &Digest, signatures: &[UntrustedSignature]) -> Vec<u32> {
        signatures
            .iter()
            .map(|signature| {
                let paid = self.pays(image, signature);
                let mut queue = lock(&self.queue);
                while queue.waiting.len() >= WAITING {
                    queue = self.less.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
                let place = u32::try_from(queue.done.len()).unwrap_or(u32::MAX);
                queue.done.push(None);
                let (image, signature) = (*image, signature.clone());
                queue.waiting.push_back(Waiting { place, image, signature, paid });
                drop(queue);
                self.more.notify_one();
                place
            })
            .collect()
    }
}

/// Who a signature says that it is by.
fn claim(signature: &UntrustedSignature) -> Option<String> {
    match signature.needs().ok()?.signer {
        Signer::Key { need, .. } => (!need.is_unnamed()).then(|| need.id()),
        Signer::Certificate(certificate) => certificate.identity,
    }
}

fn share<T: Hash + Eq>(known: &Mutex<HashSet<Arc<T>>>, value: T) -> Arc<T> {
    let mut known = lock(known);
    if let Some(known) = known.get(&value) {
        return Arc::clone(known);
    }
    let value = Arc::new(value);
    if known.len() < SHARED {
        known.insert(Arc::clone(&value));
    }
    value
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
