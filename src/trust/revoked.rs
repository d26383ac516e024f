//! What a signature is still worth when a key that it rests on was revoked by a person.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Verified;
use crate::key::KeyRef;

/// Keys that were revoked, each with the time since when its signatures don't count. Without one, none counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revocations(BTreeMap<KeyRef, Option<Timestamp>>);

impl Revocations {
    /// These keys.
    pub fn new(keys: impl IntoIterator<Item = (KeyRef, Option<Timestamp>)>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The revoked key because of which a signature does not count.
    ///
    /// One from before the revocation counts where a log or a timestamp authority says that it is. The word of one that was
    /// revoked itself is no word: whoever has its key can write any time.
    pub fn refuse(&self, verified: &Verified) -> Result<(), (KeyRef, Option<Timestamp>)> {
        let clocks = verified.dated().iter().filter(|(_, clock)| !self.0.contains_key(clock));
        let first = clocks.map(|(time, _)| *time).min();
        for key in verified.keys() {
            let Some(since) = self.0.get(key) else { continue };
            let before = since.zip(first).is_some_and(|(since, first)| first < since);
            if !before {
                return Err((*key, *since));
            }
        }
        Ok(())
    }
}
