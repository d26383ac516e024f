//! What this host has authenticated: which versions of which lineage, which packs, which keys are revoked.
//!
//! A pack proves who made it, not that it is the latest; that takes memory. The state is this memory, one file per
//! lineage outside keys/, so that replacing keys/ does not replace it. It is written only after keys/ is in place: a
//! crash between the two makes the host remember too little, never more than it has. The types and decisions here
//! are pure; [`load`] and [`update`] are the disk.

mod admit;
mod error;
mod log;
mod record;
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

/// The schema that this keypack writes, and the newest that it reads.
const SCHEMA: u32 = 1;

/// How many packs, and how many acceptances, are remembered: years of weekly packs, in a file that stays small.
const REMEMBERED: usize = 200;

/// What this host knows of one lineage.
///
/// It comes from a directory, by [`load`] or [`update`]: one that was made up in memory would recognise any keys/ as
/// authenticated, so it has no public constructor and can't be deserialised.
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

/// What the file of a lineage holds.
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
    /// Fingerprints that a pack of this lineage revoked, for ever.
    revoked: BTreeMap<Fingerprint, Revocation>,
    /// What was accepted against a rule, the latest last.
    acceptances: Vec<Acceptance>,
    /// The files that documents with keys of the last collection were read from: its inventory has no folders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    documents: BTreeMap<Digest, BTreeSet<String>>,
    /// The last pull.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_pull: Option<Pull>,
    /// That all else was forgotten, where nothing was installed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<Forgotten>,
}

impl State {
    /// Nothing is known yet.
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

    /// What `version` with the pack digest `digest` means, coming from `signer`.
    pub fn check(&self, signer: Signer, version: u64, digest: Digest) -> Verdict {
        match self.0.highest.get(&signer) {
            None => Verdict::First,
            Some(have) if version > have.version => Verdict::Newer,
            Some(&have) if version < have.version => Verdict::Rollback { have },
            Some(have) if have.digest == digest => Verdict::SamePack,
            Some(&have) => Verdict::Equivocation { have },
        }
    }

    /// Remembers a pack that these signers authenticated, or none when it was collected here.
    ///
    /// Never lowers a highest version, so that two runs at once can't: what is lower leaves it as it is.
    pub fn record(&mut self, signers: &[Signer], pack: KnownPack) {
        for &signer in signers {
            if matches!(self.check(signer, pack.version, pack.digest), Verdict::First | Verdict::Newer) {
                self.0.highest.insert(signer, Highest::from(pack));
            }
        }
        self.know(pack);
    }

    /// Remembers a pack that was accepted although it is older than, or differs from, the highest, and why.
    ///
    /// It becomes the highest: the person who said so meant it, and otherwise would have to say it again at every
    /// later pull. The log keeps what was the highest before.
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

    /// Remembers where these documents were read from, and forgets all others.
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

    /// The files that documents of the last collection were read from.
    pub const fn documents(&self) -> &BTreeMap<Digest, BTreeSet<String>> {
        &self.0.documents
    }

    /// Remembers what was pulled, and by what it was authenticated.
    pub fn record_pull(&mut self, pull: Pull) {
        self.0.last_pull = Some(pull);
    }

    /// The last pull.
    pub const fn last_pull(&self) -> Option<&Pull> {
        self.0.last_pull.as_ref()
    }

    /// Forgets what was collected and pulled here, so that no keys/ counts as authenticated any more. What keeps older
    /// packs and revoked keys away stays: the highest versions, those of TUF metadata, and the revocations.
    pub fn forget(&mut self, forgotten: Forgotten) {
        self.0.packs.clear();
        self.0.acceptances.clear();
        self.0.last_pull = None;
        self.0.forgotten = Some(forgotten);
    }

    /// When all else was forgotten, where nothing was installed since.
    pub const fn forgotten(&self) -> Option<&Forgotten> {
        self.0.forgotten.as_ref()
    }

    /// Every fingerprint that was revoked.
    pub const fn revocations(&self) -> &BTreeMap<Fingerprint, Revocation> {
        &self.0.revoked
    }

    /// What is known of a pack: whether this host made or authenticated it.
    pub fn known(&self, digest: Digest) -> Option<&KnownPack> {
        self.0.packs.iter().find(|known| known.digest == digest)
    }

    /// All packs that are remembered, the latest last.
    pub fn packs(&self) -> &[KnownPack] {
        &self.0.packs
    }

    /// The highest version of each signer.
    pub const fn highest(&self) -> &BTreeMap<Signer, Highest> {
        &self.0.highest
    }

    /// Remembers that `pack`, which an anchor authenticated, revoked a fingerprint; the first that did stays named.
    pub fn revoke(&mut self, fingerprint: Fingerprint, pack: Digest, at: Timestamp) {
        let new = Revocation { pack, at, only_in: BTreeSet::new() };
        self.0.revoked.entry(fingerprint).or_insert(new).only_in.clear();
    }

    /// Remembers that `pack`, which was collected into this directory, revoked a fingerprint: for this directory.
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

    /// Whether a fingerprint was revoked, and by which pack.
    pub fn revoked(&self, fingerprint: &Fingerprint) -> Option<&Revocation> {
        self.0.revoked.get(fingerprint)
    }

    /// Whether the key with this fingerprint was revoked, for what lies in this directory.
    pub fn is_revoked(&self, key: &Fingerprint, directory: &Path) -> bool {
        self.revoked(key).is_some_and(|revocation| revocation.holds_in(directory))
    }

    /// Takes a keys/ as authenticated if this host collected or pulled just this, and none of its keys was revoked since.
    ///
    /// That its files match its inventory is what makes it a [`Draft`]; that its inventory is the one that was
    /// authenticated is what this host remembers. Who can write the state could as well write the keys.
    pub fn recognise(&self, draft: Draft, directory: &Path) -> Result<Pack, PackError> {
        let known = self.known(draft.digest()).ok_or(PackError::NoAnchor)?;
        pack::recognise(draft, KnownHere::in_state(known.digest), &|key| self.is_revoked(key, directory))
    }

    /// Everything that was accepted against a rule, the latest last.
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
