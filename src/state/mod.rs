//! What this host has authenticated: which versions of which lineage, which packs, and which keys are revoked.
//!
//! A pack proves who made it, but not that it is the latest; that requires state. There is one file per lineage,
//! outside keys/, so that replacing keys/ does not replace it. It is written only once keys/ is in place: after a crash
//! between the two the state is behind keys/, never ahead of it. The types and decisions here are pure; [`load`] and
//! [`update`] access the disk.

mod admit;
mod error;
mod here;
mod log;
mod record;
mod rotation;
mod signer;
mod store;
mod text;
mod tuf;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use admit::{Admission, Demands, NotAdmitted, Offer};
pub use error::StateError;
pub use here::{HereRevocation, Recorded, RemovedKey, RevokedHere, revoked_here, update_revoked_here};
pub use log::{LOG, LogEntry, LogLine, append, read_log};
pub use record::{Acceptance, Forgotten, Highest, KnownPack, Origin, Pull, Revocation, TufRollback, Verdict};
pub use signer::Signer;
pub use store::{lineages, load, remove, update};
pub use text::text;

use crate::{
    key::Fingerprint,
    oci::Digest,
    pack::{self, Draft, KnownHere, Pack, PackError},
    tree::SafeName,
};

/// The schema version that this keypack writes, and the newest that it reads.
const SCHEMA: u32 = 1;

/// The number of packs, and of acceptances, that are stored: years of weekly packs, in a small file.
const REMEMBERED: usize = 200;

/// The state of one lineage.
///
/// It is read from a directory by [`load`] or [`update`]. A fabricated one would recognise any keys/ as authenticated,
/// so it has no public constructor and can't be deserialised.
///
/// ```compile_fail
/// # fn make(lineage: &keypack::tree::SafeName) {
/// // E0624: it is private.
/// let _ = keypack::state::State::new(lineage);
/// # }
/// ```
///
/// ```compile_fail
/// // E0277: it is not `Deserialize`.
/// let _ = serde_json::from_str::<keypack::state::State>("{}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct State(Contents);

/// The contents of a lineage's state file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Contents {
    schema_version: u32,
    lineage: String,
    /// The highest version that each signer has authenticated.
    highest: BTreeMap<Signer, Highest>,
    /// Packs that were collected or authenticated here, the latest last.
    packs: Vec<KnownPack>,
    /// Versions of TUF metadata seen: repository, role, version.
    tuf: BTreeMap<String, BTreeMap<String, u64>>,
    /// Fingerprints revoked by a pack of this lineage, permanently.
    revoked: BTreeMap<Fingerprint, Revocation>,
    /// Exceptions that the user allowed, the latest last.
    acceptances: Vec<Acceptance>,
    /// The files from which the documents with the keys of the last run were read: its inventory omits directories.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    documents: BTreeMap<Digest, BTreeSet<String>>,
    /// The last pull.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_pull: Option<Pull>,
    /// Set if everything else was forgotten and nothing has been installed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<Forgotten>,
}

impl State {
    /// An empty state.
    pub(crate) fn new(lineage: &SafeName) -> Self {
        Self(Contents {
            schema_version: SCHEMA,
            lineage: lineage.to_string(),
            highest: BTreeMap::new(),
            packs: Vec::new(),
            tuf: BTreeMap::new(),
            revoked: BTreeMap::new(),
            acceptances: Vec::new(),
            documents: BTreeMap::new(),
            last_pull: None,
            forgotten: None,
        })
    }

    /// Compares `version` with the pack digest `digest`, authenticated by `signer`, with the state.
    pub fn check(&self, signer: Signer, version: u64, digest: Digest) -> Verdict {
        match self.0.highest.get(&signer) {
            None => Verdict::First,
            Some(have) if version > have.version => Verdict::Newer,
            Some(&have) if version < have.version => Verdict::Rollback { have },
            Some(have) if have.digest == digest => Verdict::SamePack,
            Some(&have) => Verdict::Equivocation { have },
        }
    }

    /// Records a pack authenticated by these signers, or by none if it was collected here.
    ///
    /// Never lowers a highest version, so that simultaneous runs can't either.
    pub fn record(&mut self, signers: &[Signer], pack: KnownPack) {
        for &signer in signers {
            if matches!(self.check(signer, pack.version, pack.digest), Verdict::First | Verdict::Newer) {
                self.0.highest.insert(signer, Highest::from(pack));
            }
        }
        self.know(pack);
    }

    /// Records a pack that was accepted although it is older than, or differs from, the highest, and the reason.
    ///
    /// It becomes the highest: the user decided this deliberately, and would otherwise have to repeat it at every later
    /// pull. The log keeps the previous highest.
    pub fn accept(&mut self, signers: &[Signer], pack: KnownPack, flag: &str, reason: &str) {
        let mut instead_of = BTreeMap::new();
        for &signer in signers {
            if let Some(have) = self.0.highest.insert(signer, Highest::from(pack)) {
                instead_of.insert(signer, have);
            }
        }
        let reason = reason.chars().take(1000).collect();
        let KnownPack { digest, version, at, .. } = pack;
        self.0.acceptances.push(Acceptance {
            flag: flag.to_owned(),
            reason,
            pack: digest,
            version,
            at,
            instead_of,
        });
        forget_first(&mut self.0.acceptances);
        self.know(pack);
    }

    fn know(&mut self, pack: KnownPack) {
        self.0.packs.retain(|known| known.digest != pack.digest);
        self.0.packs.push(pack);
        forget_first(&mut self.0.packs);
        self.0.forgotten = None;
    }

    /// Records where these documents were read from, replacing all others.
    pub fn record_documents(
        &mut self,
        documents: &BTreeSet<Digest>,
        read_from: &dyn Fn(&Digest) -> BTreeSet<String>,
    ) {
        self.0.documents.retain(|document, _| documents.contains(document));
        for document in documents {
            let paths = read_from(document);
            if !paths.is_empty() {
                self.0.documents.entry(*document).or_default().extend(paths);
            }
        }
    }

    /// The files from which documents of the last run were read.
    pub const fn documents(&self) -> &BTreeMap<Digest, BTreeSet<String>> {
        &self.0.documents
    }

    /// Records what was pulled, and what authenticated it.
    pub fn record_pull(&mut self, pull: Pull) {
        self.0.last_pull = Some(pull);
    }

    /// The last pull.
    pub const fn last_pull(&self) -> Option<&Pull> {
        self.0.last_pull.as_ref()
    }

    /// Forgets what was collected and pulled here, so that no keys/ counts as authenticated any more. The protection
    /// against older packs and revoked keys is kept: the highest versions, those of TUF metadata, and the revocations.
    pub fn forget(&mut self, forgotten: Forgotten) {
        self.0.packs.clear();
        self.0.acceptances.clear();
        self.0.last_pull = None;
        self.0.forgotten = Some(forgotten);
    }

    /// When everything else was forgotten, if nothing has been installed since.
    pub const fn forgotten(&self) -> Option<&Forgotten> {
        self.0.forgotten.as_ref()
    }

    /// All revoked fingerprints.
    pub const fn revocations(&self) -> &BTreeMap<Fingerprint, Revocation> {
        &self.0.revoked
    }

    /// The record of a pack, if this host has made or authenticated it.
    pub fn known(&self, digest: Digest) -> Option<&KnownPack> {
        self.0.packs.iter().find(|known| known.digest == digest)
    }

    /// All recorded packs, the latest last.
    pub fn packs(&self) -> &[KnownPack] {
        &self.0.packs
    }

    /// The highest version of each signer.
    pub const fn highest(&self) -> &BTreeMap<Signer, Highest> {
        &self.0.highest
    }

    /// Records that `pack`, authenticated by an anchor, revoked a fingerprint. If it was revoked before, the first
    /// record stays.
    pub fn revoke(&mut self, fingerprint: Fingerprint, pack: Digest, at: Timestamp) {
        let new = Revocation { pack, at, only_in: BTreeSet::new() };
        self.0.revoked.entry(fingerprint).or_insert(new).only_in.clear();
    }

    /// Records that `pack`, collected into this directory, revoked a fingerprint, for this directory.
    pub fn revoke_in(&mut self, directory: &Path, fingerprint: Fingerprint, pack: Digest, at: Timestamp) {
        let directory = directory.to_string_lossy().into_owned();
        match self.0.revoked.entry(fingerprint) {
            Entry::Vacant(new) => {
                new.insert(Revocation { pack, at, only_in: [directory].into() });
            }
            Entry::Occupied(mut known) if !known.get().only_in.is_empty() => {
                known.get_mut().only_in.insert(directory);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// The revocation of a fingerprint, if there is one.
    pub fn revoked(&self, fingerprint: &Fingerprint) -> Option<&Revocation> {
        self.0.revoked.get(fingerprint)
    }

    /// Whether the key with this fingerprint is revoked for this directory.
    pub fn is_revoked(&self, key: &Fingerprint, directory: &Path) -> bool {
        self.revoked(key).is_some_and(|revocation| revocation.holds_in(directory))
    }

    /// Recognises a keys/ as authenticated if this host collected or pulled exactly this one, and none of its keys has
    /// been revoked since.
    ///
    /// A [`Draft`] exists only if its files match its inventory; the state shows that this inventory was authenticated.
    /// A user who can write the state could just as well write the keys.
    pub fn recognise(&self, draft: Draft, directory: &Path) -> Result<Pack, PackError> {
        let known = self.known(draft.digest()).ok_or(PackError::NoAnchor)?;
        pack::recognise(draft, KnownHere::in_state(known.digest), &|key| self.is_revoked(key, directory))
    }

    /// All exceptions that the user allowed, the latest last.
    pub fn acceptances(&self) -> &[Acceptance] {
        &self.0.acceptances
    }

    /// The lineage.
    pub fn lineage(&self) -> &str {
        &self.0.lineage
    }
}

fn forget_first<T>(list: &mut Vec<T>) {
    list.drain(..list.len().saturating_sub(REMEMBERED));
}

#[cfg(test)]
mod tests;
