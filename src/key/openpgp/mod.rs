//! OpenPGP: key blocks and signed messages (RFC 9580), behind one module. Packets, armour and cryptography come from
//! rPGP (the crate `pgp`): it is maintained, permissively licensed, and reads the old SHA-1 self-signatures and version
//! 3 signatures of Red Hat's releases, which stricter libraries leave out. What is accepted is decided here.
//!
//! A key block is taken apart when it is read, and only what the primary key itself has certified is kept. Third-party
//! additions (certifications, user ids, subkeys) never reach the rest of the program.

mod certificate;
mod check;
mod message;
mod parameters;
mod read;
mod statement;
mod subkey;

use std::fmt;

use jiff::Timestamp;
use pgp::{
    composed::{ArmorOptions, SignedPublicKey},
    types::{Fingerprint, KeyDetails, KeyVersion},
};

pub use check::OpenPgpFault;
pub use message::{OpenPgpMessage, OpenPgpMessageError};
pub(super) use read::{Unread, read_armoured, read_binary};

use super::Algorithm;
use crate::oci::Digest;

/// An OpenPGP key in the form that is written and used: the primary key with what it signed itself.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenPgpKey {
    /// The normalised key, as written.
    key: Box<SignedPublicKey>,
    id: Digest,
    algorithm: Algorithm,
    user_ids: Vec<String>,
    /// The keys that may have made a signature, the primary key first.
    signers: Vec<SigningKey>,
    weak: bool,
}

/// The primary key, or a subkey whose binding is signed in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SigningKey {
    /// The index among the subkeys; `None` is the primary key.
    subkey: Option<usize>,
    fingerprint: String,
    key_id: String,
    created: Timestamp,
    expires: Option<Timestamp>,
    revoked: bool,
    may_sign: bool,
}

impl OpenPgpKey {
    /// The id: SHA-256 over the octets that the fingerprint is computed from (RFC 9580 §5.5.4). For a version 6 key it
    /// *is* the fingerprint; the fingerprint of a version 4 key is SHA-1, so two keys with the same fingerprint can be
    /// made.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// The OpenPGP fingerprint in upper case: 40 digits, or 64 for a version 6 key.
    pub fn fingerprint(&self) -> &str {
        self.signers.first().map_or("", |primary| &primary.fingerprint)
    }

    /// The algorithm of the primary key.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The user ids that the key signed and has not revoked. The maker of the key chose them: they prove nothing.
    pub fn user_ids(&self) -> &[String] {
        &self.user_ids
    }

    /// When the key was made.
    pub fn created(&self) -> Timestamp {
        self.signers.first().map_or(Timestamp::UNIX_EPOCH, |primary| primary.created)
    }

    /// When the key expires, if its owner set a date.
    pub fn expires(&self) -> Option<Timestamp> {
        self.signers.first().and_then(|primary| primary.expires)
    }

    /// Whether the key was revoked by its owner.
    pub fn is_revoked(&self) -> bool {
        self.signers.first().is_some_and(|primary| primary.revoked)
    }

    /// Whether all self-signatures of the key use SHA-1. RHEL 9 and later refuse such a copy; the same key with newer
    /// self-signatures is accepted.
    pub const fn is_weak(&self) -> bool {
        self.weak
    }

    /// Whether a signature that names this issuer may have been made by this key: by fingerprint or, if the signature
    /// has none, by key id. Key ids can be forged: this selects keys and proves nothing.
    pub fn is_named(&self, fingerprint: Option<&str>, key_id: &str) -> bool {
        self.signers.iter().any(|signer| match fingerprint {
            Some(fingerprint) => signer.fingerprint == fingerprint,
            None => signer.key_id == key_id,
        })
    }

    /// The ids of the primary key and of all subkeys.
    pub fn ids(&self) -> Vec<Digest> {
        let subkeys = self.key.public_subkeys.iter().filter_map(parameters::imprint);
        std::iter::once(self.id).chain(subkeys).collect()
    }

    /// The fingerprints of all subkeys, in upper case.
    pub fn subkey_fingerprints(&self) -> Vec<String> {
        self.key.public_subkeys.iter().map(|subkey| text(&subkey.fingerprint())).collect()
    }

    /// Whether two blocks are copies of the same key, whatever else each of them holds.
    pub fn is_same_key(&self, other: &Self) -> bool {
        // Don't compare the packets: their headers have two formats.
        self.id == other.id
    }

    /// Combines two copies of one key: a revocation in either of them counts.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        certificate::merge(self, other).unwrap_or_else(|| self.clone())
    }

    /// ASCII armour: LF, 64 columns, no headers, one newline at the end. The checksum is included for readers of the
    /// old standard and omitted for version 6 keys (RFC 9580 §6.1).
    pub fn to_armour(&self) -> String {
        let old = self.key.version() == KeyVersion::V4;
        let options = ArmorOptions { headers: None, include_checksum: old };
        // Writing to memory does not fail.
        self.key.to_armored_string(options).unwrap_or_default()
    }
}

impl fmt::Debug for OpenPgpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenPgpKey({}, {})", self.algorithm, self.fingerprint())
    }
}

/// A fingerprint in its usual notation.
fn text(fingerprint: &Fingerprint) -> String {
    hex::encode_upper(fingerprint.as_bytes())
}

fn time(time: pgp::types::Timestamp) -> Timestamp {
    Timestamp::from_second(i64::from(time.as_secs())).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The end of a time span that begins at `start`; an empty span means no end (RFC 9580 §5.2.3.13).
fn after(start: Timestamp, span: Option<pgp::types::Duration>) -> Option<Timestamp> {
    let seconds = i64::from(span?.as_secs());
    (seconds > 0).then(|| Timestamp::from_second(start.as_second() + seconds).ok()).flatten()
}
