mod code;

use jiff::Timestamp;
use thiserror::Error;

use super::Pin;
use crate::{display::count, key::Fingerprint, oci::Digest, tree::UnsafeName, trust::tuf::TufError};

/// Why something is not an acceptable pack. Each variant has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PackError {
    /// It is another kind of image or artifact.
    #[error("it is not a keypack pack: {0}")]
    NotAPack(String),
    /// It is an index. A pack never is, because tools flatten indexes silently.
    #[error("it is an image index, and a pack is always a single manifest")]
    Index,
    /// It lists external URLs for its content.
    #[error("its manifest names other places to fetch content from (`urls`)")]
    Urls,
    /// It is empty. Some tools drop the layers of artifacts and report success.
    #[error("it holds no files; a tool that copied it dropped them")]
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
    /// It contains no keys: installing it would seem to succeed, but nothing could be verified.
    #[error("it holds no keys")]
    NoKeys,
    /// A duplicate file.
    #[error("it holds the file {0:?} twice")]
    Duplicate(String),
    /// Too many files, or too many bytes.
    #[error("it is larger than a pack can be: {0}")]
    TooLarge(String),
    /// The pack digest stated by its manifest or config differs from that of its inventory.
    #[error("its label says that the pack digest is {label}, but the inventory has {actual}")]
    Inconsistent {
        /// The digest stated by the label.
        label: String,
        /// The digest of the inventory.
        actual: Digest,
    },
    /// The inventory is malformed.
    #[error("keypack.json is malformed: {0}")]
    Inventory(String),
    /// The inventory has an unsupported version.
    #[error("keypack.json has the schema version {0}; this keypack reads version 1")]
    Version(u64),
    /// The inventory is from a keypack before its first release.
    #[error(
        "keypack.json was written by a keypack from before the first release, in a form that is no longer read"
    )]
    Superseded,
    /// A file listed by the inventory is missing.
    #[error("the file {0:?} is listed in keypack.json and missing")]
    Missing(String),
    /// A file is not listed by the inventory.
    #[error("the file {0:?} is not listed in keypack.json")]
    Extra(String),
    /// A file is listed by the inventory, but none of its records describes it.
    #[error("keypack.json lists the file {0:?}, but none of its keys or TUF chains is in that file")]
    Unaccounted(String),
    /// trusted_root.json differs from the records of the keys.
    #[error("trusted_root.json does not hold exactly the keys that keypack.json describes: {0}")]
    TrustedRoot(String),
    /// A file has different content.
    #[error("the file {name:?} has the sha256 {actual}, and keypack.json lists {expected}")]
    Content {
        /// Its name.
        name: String,
        /// The digest in the inventory.
        expected: Digest,
        /// The actual digest.
        actual: Digest,
    },
    /// The key in a file is not the one that the inventory describes.
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
    /// The digest does not match this pack.
    #[error("the digest does not match: expected {expected}, found pack digest {pack}{}", manifest.map(|m| format!(" and manifest digest {m}")).unwrap_or_default())]
    Digest {
        /// What was expected.
        expected: Digest,
        /// The pack digest.
        pack: Digest,
        /// The manifest digest, if there is a manifest.
        manifest: Option<Digest>,
    },
    /// There is no signature, but one is required.
    #[error("no signature of this pack was found")]
    Unsigned,
    /// There are signatures, but none by a given key.
    #[error("no signature by a key that was given: {0}")]
    Signature(String),
    /// Too few of the given keys have signed.
    #[error("{threshold} of the given keys must have signed, and {} did: {}", signers.len(), list(signers))]
    Threshold {
        /// The fingerprints of the keys that signed.
        signers: Vec<Digest>,
        /// The number required.
        threshold: usize,
    },
    /// A signature file covers another inventory.
    #[error("the signature file {0:?} is about another inventory")]
    SignatureStale(String),
    /// A signature file is not a signature.
    #[error("the signature file {name:?} is not a Sigstore bundle: {reason}")]
    SignatureFile {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Keys that are not pinned: the file of each, with the pin that would match.
    #[error("no pin names {}", unpinned(.0))]
    NotPinned(Vec<(String, Pin)>),
    /// A pin does not cover everything, and nothing else authenticates the rest.
    #[error("the pin {pin} does not give {open}; the pack holds {whole} in {name:?}")]
    PinIncomplete {
        /// The pin that was given.
        pin: Box<Pin>,
        /// The part that it does not fix.
        open: &'static str,
        /// The file.
        name: String,
        /// The complete pin for the key in the pack.
        whole: Box<Pin>,
    },
    /// The key of a pin is not in the pack.
    #[error("the pack does not hold the pinned key {0}")]
    PinNotMet(Pin),
    /// A TUF chain does not have the form that keypack writes.
    #[error("the file {name:?} is not a chain of TUF metadata: {reason}")]
    Chain {
        /// The file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no TUF chain, but one is required.
    #[error("the pack holds no TUF metadata that could be verified from a root")]
    NoChain,
    /// The root does not authenticate any chain.
    #[error("the TUF metadata in {name:?} do not follow from the root {root}: {error}")]
    Tuf {
        /// The file.
        name: String,
        /// sha256 of the root.
        root: Digest,
        /// Why.
        error: TufError,
    },
    /// A key is not listed by any verified repository.
    #[error("the pack holds {0:?}, but no verified TUF repository lists it")]
    NotInTuf(String),
    /// The description of a key differs from its repository's.
    #[error("the pack and the TUF repository describe {name:?} differently: {what} differs")]
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
    /// It has expired: its maker set an expiry date.
    #[error("the pack expired at {expires}, and it is {now:.0}")]
    Expired {
        /// The time of expiry.
        expires: Timestamp,
        /// The current time.
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
        /// Its age in days.
        days: i64,
        /// The limit in days.
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
        /// When it was signed at the earliest or, if that is not known, when it expired.
        from: Timestamp,
        /// Its age in days.
        days: i64,
        /// The limit in days.
        limit: i64,
    },
    /// The local clock is behind a TUF chain.
    #[error("the TUF metadata in {name:?} were signed after {after}, but this host's clock says {now:.0}")]
    TufClockBehind {
        /// The file.
        name: String,
        /// The earliest time at which it can have been signed.
        after: Timestamp,
        /// The current time.
        now: Timestamp,
    },
    /// Its version or its date is in the future: one of them is wrong, or the local clock is.
    #[error(
        "the pack has version {version}{} and was made at {created}, but this host's clock says {now:.0}",
        dated(*version).map(|at| format!(" ({at})")).unwrap_or_default()
    )]
    FromTheFuture {
        /// Its version: usually its creation time in Unix seconds.
        version: u64,
        /// Its stated creation time.
        created: Timestamp,
        /// The current time.
        now: Timestamp,
    },
    /// A rule names a key that is not in the pack.
    #[error("the rule for {scope} names {key}, which {reason}")]
    Rule {
        /// The rule's scope.
        scope: String,
        /// The key, as the rule names it.
        key: String,
        /// Why it can't be used there.
        reason: String,
    },
    /// The lineage is not the expected one.
    #[error("the pack belongs to the lineage {actual:?}, and {expected:?} is expected")]
    Lineage {
        /// The expected lineage.
        expected: String,
        /// The lineage in the inventory.
        actual: String,
    },
}

fn list(keys: &[Digest]) -> String {
    keys.iter().map(Digest::to_string).collect::<Vec<_>>().join(", ")
}

/// The time that a version represents, if it is a valid one.
fn dated(version: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(version).ok()?).ok()
}

/// Files with the pins that would match their keys.
fn unpinned(keys: &[(String, Pin)]) -> String {
    let keys: Vec<_> = keys.iter().map(|(name, pin)| format!("{name:?} ({pin})")).collect();
    keys.join(", ")
}
