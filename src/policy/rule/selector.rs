use std::{fmt, str::FromStr};

use crate::key::{Fingerprint, KeyRef, Pin, PinRest, Role, origin_of};

/// A key with everything by which rules may name it.
#[derive(Debug, Clone, Copy)]
pub struct NamedKey<'a> {
    /// Role and id.
    pub key: KeyRef,
    /// The value that people compare.
    pub fingerprint: Fingerprint,
    /// Its name in keys/.
    pub name: &'a str,
    /// Its file in keys/.
    pub file: &'a str,
    /// The address of the log or authority.
    pub url: Option<&'a str>,
    /// The checkpoint origin of a Rekor v2 log.
    pub origin: Option<&'a str>,
}

/// How the user names a key: as `keypack inspect` prints it after `pin` or `fingerprint`, by its name in keys/, or, for
/// logs and authorities, by the host of their address, which selects all keys of that instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySelector {
    /// Role and id, as the rules of an inventory name keys.
    Key(KeyRef),
    /// Role and fingerprint.
    Pin(Pin),
    /// The fingerprint.
    Fingerprint(Fingerprint),
    /// A name, a file name, or a host.
    Name(String),
}

impl KeySelector {
    /// Whether it selects this key.
    pub(super) fn selects(&self, record: &NamedKey<'_>) -> bool {
        match self {
            Self::Key(key) => record.key == *key,
            // A Rekor v2 log can also be named by the id in its entries.
            Self::Pin(Pin { role, fingerprint, rest }) => {
                let of_key = record.fingerprint == *fingerprint || *fingerprint == record.key.id.into();
                // A rule is about the key, whichever copy of it is in the pack.
                let of_log = match rest {
                    Some(PinRest::Origin(origin)) => record.origin == Some(origin),
                    Some(PinRest::Copy(_)) | None => true,
                };
                record.key.role == *role && of_key && of_log
            }
            Self::Fingerprint(fingerprint) => record.fingerprint == *fingerprint,
            Self::Name(name) => {
                let host = record.origin.map(str::to_owned).or_else(|| record.url.map(origin_of));
                record.name == *name || record.file == *name || host.as_ref() == Some(name)
            }
        }
    }

    /// The fingerprint, if it is or contains one.
    pub(super) const fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Key(key) => Some(Fingerprint::Sha256(key.id)),
            Self::Pin(pin) => Some(pin.fingerprint),
            Self::Fingerprint(fingerprint) => Some(*fingerprint),
            Self::Name(_) => None,
        }
    }
}

impl FromStr for KeySelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(pin) = text.parse() {
            return Ok(Self::Pin(pin));
        }
        if let Ok(fingerprint) = text.parse() {
            return Ok(Self::Fingerprint(fingerprint));
        }
        let role = text.split(':').next().unwrap_or_default();
        if text.contains(':') && (role == "sha256" || Role::ALL.iter().any(|known| known.as_str() == role)) {
            return Err(format!(
                "{text:?} is not the whole fingerprint: 64 lower-case hex digits follow {role}:"
            ));
        }
        let name = |c: char| c.is_ascii_alphanumeric() || "._-:[]".contains(c);
        if text.is_empty() || text.len() > 255 || !text.chars().all(name) {
            return Err(format!(
                "{text:?} names no key: write its name, ROLE:FINGERPRINT, or the host of its log"
            ));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

impl fmt::Display for KeySelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Pin(pin) => pin.fmt(f),
            Self::Fingerprint(fingerprint) => fingerprint.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}
