mod code;

use jiff::Timestamp;
use thiserror::Error;

use super::Pin;
use crate::{display::count, key::Fingerprint, oci::Digest, tree::UnsafeName, trust::tuf::TufError};

/// Why something is not an acceptable pack. Closed: each has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PackError {
    /// It is some other image or artifact.
    #[error("it is not a keypack pack: {0}")]
    NotAPack(String),
    /// It is a list of manifests. A pack never is: tools flatten lists silently.
    #[error("it is an image index, and a pack is always a single manifest")]
    Index,
    /// It names other places to fetch its content from.
    #[error("its manifest names other places to fetch content from (`urls`)")]
    Urls,
    /// It holds nothing. Some tools drop the layers of artifacts and report success.
    #[error("it holds no files; a tool on the way dropped them")]
    Empty,
    /// Its layer can't be unpacked.
    #[error("its layer is malformed: {0}")]
    Layer(String),
    /// An entry of its layer is not a plain file in keys/.
    #[error("its layer holds the entry {entry:?}: {reason}")]
    Entry {
        /// The entry's name.
        entry: String,
        /// Why it is refused.
        reason: String,
    },
    /// A file name that is not safe.
    #[error(transparent)]
    Name(#[from] UnsafeName),
    /// No key at all: it would be installed as a success and verify nothing.
    #[error("it holds no keys")]
    NoKeys,
    /// The same file twice.
    #[error("it holds the file {0:?} twice")]
    Duplicate(String),
    /// Too many files, or too many bytes.
    #[error("it is larger than a pack can be: {0}")]
    TooLarge(String),
    /// Its manifest or config says one pack digest and its inventory has another.
    #[error("its label says that the pack digest is {label}, but the inventory has {actual}")]
    Inconsistent {
        /// What the label says.
        label: String,
        /// The digest of the inventory.
        actual: Digest,
    },
    /// Not an inventory.
    #[error("keypack.json is malformed: {0}")]
    Inventory(String),
    /// An inventory of another version.
    #[error("keypack.json has the schema version {0}; this keypack reads version 1")]
    Version(u64),
    /// An inventory of a keypack before its first release.
    #[error(
        "keypack.json was written by a keypack older than the first release, in a form that is no longer read"
    )]
    Superseded,
    /// A file that the inventory lists is not there.
    #[error("the file {0:?} is listed in keypack.json and missing")]
    Missing(String),
    /// A file that the inventory does not list.
    #[error("the file {0:?} is not listed in keypack.json")]
    Extra(String),
    /// A file that the inventory lists and that none of its records describes.
    #[error("keypack.json lists the file {0:?}, and no key or TUF chain of it is in that file")]
    Unaccounted(String),
    /// A trusted_root.json that says something else than the records of the keys.
    #[error("trusted_root.json does not hold exactly the keys that keypack.json describes: {0}")]
    TrustedRoot(String),
    /// A file with other content.
    #[error("the file {name:?} has the sha256 {actual}, and keypack.json lists {expected}")]
    Content {
        /// Its name.
        name: String,
        /// What the inventory lists.
        expected: Digest,
        /// What it has.
        actual: Digest,
    },
    /// A key file whose key is not the one that the inventory describes.
    #[error("the file {name:?} does not hold the key that keypack.json describes: {reason}")]
    Key {
        /// The file.
        name: String,
        /// What differs.
        reason: String,
    },
    /// A private key.
    #[error("the file {0:?} holds a private key")]
    PrivateKey(String),
    /// No anchor was given.
    #[error("nothing authenticates this pack")]
    NoAnchor,
    /// The anchor's digest is not this pack's.
    #[error("the digest does not match: expected {expected}, found pack digest {pack}{}", manifest.map(|m| format!(" and manifest digest {m}")).unwrap_or_default())]
    Digest {
        /// What was expected.
        expected: Digest,
        /// The pack digest.
        pack: Digest,
        /// The manifest digest, where there is a manifest.
        manifest: Option<Digest>,
    },
    /// No signature at all, where one is asked for.
    #[error("no signature of this pack was found")]
    Unsigned,
    /// Signatures, but none by a key that was given.
    #[error("no signature by a key that was given: {0}")]
    Signature(String),
    /// Signatures by fewer of the given keys than are demanded.
    #[error("{threshold} of the given keys must have signed, and {} did: {}", signers.len(), list(signers))]
    Threshold {
        /// The keys that signed, by their fingerprints.
        signers: Vec<Digest>,
        /// How many must have.
        threshold: usize,
    },
    /// A signature file about another inventory.
    #[error("the signature file {0:?} is about another inventory")]
    SignatureStale(String),
    /// A signature file that is none.
    #[error("the signature file {name:?} is not a Sigstore bundle: {reason}")]
    SignatureFile {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Keys that no pin names: the file of each, with the pin that would.
    #[error("no pin names {}", unpinned(.0))]
    NotPinned(Vec<(String, Pin)>),
    /// A pin that leaves open what nothing else authenticates.
    #[error("the pin {pin} does not say {open}; what the pack holds in {name:?} is {whole}")]
    PinIncomplete {
        /// The pin that was given.
        pin: Box<Pin>,
        /// What it does not fix.
        open: &'static str,
        /// The file.
        name: String,
        /// The pin that fixes what the pack holds.
        whole: Box<Pin>,
    },
    /// A pin whose key is not in the pack.
    #[error("the pack does not hold the pinned key {0}")]
    PinNotMet(Pin),
    /// A TUF chain that is not what keypack writes.
    #[error("the file {name:?} is no chain of TUF metadata: {reason}")]
    Chain {
        /// The file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No TUF chain, where one is asked for.
    #[error("the pack holds no TUF metadata that could be verified from a root")]
    NoChain,
    /// No chain that this root vouches for.
    #[error("the TUF metadata in {name:?} do not follow from the root {root}: {error}")]
    Tuf {
        /// The file.
        name: String,
        /// sha256 of the root.
        root: Digest,
        /// Why.
        error: TufError,
    },
    /// A key that no verified repository lists.
    #[error("the pack holds {0:?}, and no TUF repository that was verified lists it")]
    NotInTuf(String),
    /// A key that is described otherwise than by its repository.
    #[error("the pack describes {name:?} otherwise than the TUF repository: {what} differs")]
    TufDiffers {
        /// The file.
        name: String,
        /// What differs.
        what: &'static str,
    },
    /// A revoked key.
    #[error("the file {name:?} holds the revoked key {fingerprint}")]
    Revoked {
        /// The file.
        name: String,
        /// The key's fingerprint.
        fingerprint: Fingerprint,
    },
    /// Its maker gave it an end, and that is past.
    #[error("the pack expired at {expires}, and it is {now:.0}")]
    Expired {
        /// The end.
        expires: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// It is older than allowed.
    #[error(
        "the pack was made at {created}, {} ago, and the limit is {}",
        count(days, "day"),
        count(limit, "day")
    )]
    TooOld {
        /// When it was made.
        created: Timestamp,
        /// How long ago.
        days: i64,
        /// What is allowed.
        limit: i64,
    },
    /// A TUF chain is older than allowed.
    #[error(
        "the TUF metadata in {name:?} are from about {from}, {} ago, and the limit is {}",
        count(days, "day"),
        count(limit, "day")
    )]
    TufTooOld {
        /// The file.
        name: String,
        /// When it was signed at the earliest or, where that is not known, when it ended.
        from: Timestamp,
        /// How long ago.
        days: i64,
        /// What is allowed.
        limit: i64,
    },
    /// The clock here runs behind a TUF chain.
    #[error("the TUF metadata in {name:?} were signed after {after}, and the clock here says {now:.0}")]
    TufClockBehind {
        /// The file.
        name: String,
        /// When they were signed at the earliest.
        after: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// Its version or its date lies ahead of the clock here: one of the two is wrong.
    #[error(
        "the pack has version {version}{} and was made at {created}, and the clock here says {now:.0}",
        dated(*version).map(|at| format!(" ({at})")).unwrap_or_default()
    )]
    FromTheFuture {
        /// Its version: usually the time when it was made, in Unix seconds.
        version: u64,
        /// When it was made, as it says.
        created: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// A rule names a key that is not in the pack.
    #[error("the rule for {scope} names {key}, which {reason}")]
    Rule {
        /// The rule's scope.
        scope: String,
        /// The key, as the rule names it.
        key: String,
        /// Why it can't stand there.
        reason: String,
    },
    /// The lineage is not the one that is expected.
    #[error("the pack belongs to the lineage {actual:?}, and {expected:?} is expected")]
    Lineage {
        /// What is expected.
        expected: String,
        /// What the inventory says.
        actual: String,
    },
}

fn list(keys: &[Digest]) -> String {
    keys.iter().map(Digest::to_string).collect::<Vec<_>>().join(", ")
}

/// The time that a version stands for, where it is one.
fn dated(version: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(version).ok()?).ok()
}

/// Files with the pins that name their keys.
fn unpinned(keys: &[(String, Pin)]) -> String {
    let keys: Vec<_> = keys.iter().map(|(name, pin)| format!("{name:?} ({pin})")).collect();
    keys.join(", ")
}
