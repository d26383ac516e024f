//! A key fingerprint given by the user.

use std::{fmt, str::FromStr};

use super::{Fingerprint, Material, Role};
use crate::oci::Digest;

/// One pinned key: what it is for, its fingerprint and, if the fingerprint does not cover everything, the rest.
///
/// | key | spelling | what it fixes |
/// |---|---|---|
/// | signer, log, CT log | `ROLE:SHA256` | the key |
/// | certificate chain | `ROLE:SHA256` | every certificate, so that no other CA can be placed behind one of them |
/// | Rekor v2 log | `rekor2:SHA256@ORIGIN` | the key and the name in its checkpoints |
/// | GPG key | `gpg:FINGERPRINT@SHA256` | the copy, by the `sha256sum` of its file in keys/ |
///
/// The last two are also accepted without the part after the `@`. They then identify a key, but not all of its content:
/// an older copy of a GPG key lacks later expiry dates, revocations and subkeys, and the id by which signatures name a
/// Rekor v2 log also depends on its origin. Where nothing else authenticates that content, such a pin is refused
/// ([`Pin::leaves_open`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// What the key is for.
    pub role: Role,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// What the fingerprint does not cover.
    pub rest: Option<PinRest>,
}

/// What a fingerprint does not cover.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PinRest {
    /// The checkpoint origin of a Rekor v2 log.
    Origin(String),
    /// The SHA-256 of a GPG key as written.
    Copy(Digest),
}

impl Pin {
    /// The pin that fixes all of a key; `origin` is for Rekor v2 logs.
    pub fn of(role: Role, material: &Material, origin: Option<&str>) -> Self {
        let rest = match material {
            Material::OpenPgp(_) => Some(PinRest::Copy(Digest::of(material.to_pem().as_bytes()))),
            _ => origin.filter(|_| role == Role::Rekor2).map(|origin| PinRest::Origin(origin.to_owned())),
        };
        Self { role, fingerprint: material.fingerprint(), rest }
    }

    /// The pin without the part after the `@`, as the key's publisher prints it.
    #[must_use]
    pub fn short(&self) -> Self {
        Self { rest: None, ..self.clone() }
    }

    /// Whether this pin matches the key that `whole` fixes. One that leaves something open matches every such key.
    pub fn names(&self, whole: &Self) -> bool {
        let same = self.role == whole.role && self.fingerprint == whole.fingerprint;
        same && (self.rest.is_none() || self.rest == whole.rest)
    }

    /// The part of the key that the pin does not fix.
    pub const fn leaves_open(&self) -> Option<&'static str> {
        match (self.role, &self.rest) {
            (Role::Gpg, None) => {
                Some("which copy of the key is meant: its expiry, its revocation, its subkeys")
            }
            (Role::Rekor2, None) => Some("the origin of the log, from which its id is made"),
            _ => None,
        }
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (role, rest) = text.split_once(':').ok_or_else(|| format!("{text:?} is not ROLE:FINGERPRINT"))?;
        let roles = || Role::ALL.map(Role::as_str).join(", ");
        let role = Role::ALL
            .into_iter()
            .find(|r| r.as_str() == role)
            .ok_or_else(|| format!("{role:?} is not a role; the roles are {}", roles()))?;
        let (fingerprint, rest) = match rest.split_once('@') {
            Some((fingerprint, rest)) => (fingerprint, Some(rest)),
            None => (rest, None),
        };
        let fingerprint = fingerprint.parse()?;
        if role != Role::Gpg && matches!(fingerprint, Fingerprint::OpenPgp(_)) {
            return Err("only a GPG key has a fingerprint of 40 hex digits; the others have 64".into());
        }
        let rest = match (role, rest) {
            (_, None) => None,
            (Role::Gpg, Some(copy)) => match copy.parse() {
                Ok(Fingerprint::Sha256(digest)) => Some(PinRest::Copy(digest)),
                _ => {
                    return Err(
                        "what follows the @ is not the SHA-256 of the key's file, 64 hex digits".into()
                    );
                }
            },
            (Role::Rekor2, Some(origin)) => {
                let plain = |c: char| c.is_ascii_graphic() && !"@?#\"'\\".contains(c);
                if origin.is_empty() || origin.len() > 255 || !origin.chars().all(plain) {
                    return Err(format!("{origin:?} is not the origin of a log"));
                }
                Some(PinRest::Origin(origin.to_owned()))
            }
            (role, Some(_)) => {
                return Err(format!("the fingerprint fixes a {role} key, and nothing follows it"));
            }
        };
        Ok(Self { role, fingerprint, rest })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fingerprint {
            Fingerprint::Sha256(digest) => write!(f, "{}:{}", self.role, digest.hex())?,
            fingerprint @ Fingerprint::OpenPgp(_) => write!(f, "{}:{fingerprint}", self.role)?,
        }
        match &self.rest {
            None => Ok(()),
            Some(PinRest::Origin(origin)) => write!(f, "@{}", origin.escape_default()),
            Some(PinRest::Copy(digest)) => write!(f, "@{}", digest.hex()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_whole_fingerprints() {
        let digest = Digest::of(b"x");
        let pin = Pin { role: Role::Signer, fingerprint: digest.into(), rest: None };
        assert_eq!(format!("signer:{}", digest.hex()).parse(), Ok(pin.clone()));
        assert_eq!(format!("signer:{digest}").parse(), Ok(pin.clone()));
        assert_eq!(pin.to_string().parse(), Ok(pin));
        let hex = digest.hex();
        for wrong in ["signer:deadbeef", "signer:0xdeadbeefdeadbeef", "signer", "nobody:00", ""] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
        assert!(format!("signer:md5:{hex}").parse::<Pin>().is_err());
        assert!(format!("signer:{}", &hex[..40]).parse::<Pin>().is_err());
        assert!(format!("pgp:{hex}").parse::<Pin>().unwrap_err().contains("rekor2"));
        let gpg: Pin = "gpg:567E 347A D004 4ADE 55BA  8A5F 199E 2F91 FD43 1D51".parse().unwrap();
        assert_eq!(gpg.to_string(), "gpg:567E347AD0044ADE55BA8A5F199E2F91FD431D51");
        assert_eq!(gpg.to_string().to_lowercase().parse(), Ok(gpg));
        assert!("gpg:199E2F91FD431D51".parse::<Pin>().unwrap_err().contains("40 of a GPG key"));
    }

    #[test]
    fn what_a_fingerprint_leaves_open_follows_it() {
        let hex = Digest::of(b"x").hex();
        let whole: Pin = format!("rekor2:{hex}@log2025-1.rekor.sigstore.dev").parse().unwrap();
        assert_eq!(whole.to_string().parse(), Ok(whole.clone()));
        assert_eq!(whole.leaves_open(), None);
        let short = whole.short();
        assert!(short.names(&whole) && whole.names(&whole) && !whole.names(&short));
        assert!(short.leaves_open().is_some());
        let elsewhere: Pin = format!("rekor2:{hex}@log.example").parse().unwrap();
        assert!(short.names(&elsewhere) && !whole.names(&elsewhere));
        let gpg: Pin = format!("gpg:567E347AD0044ADE55BA8A5F199E2F91FD431D51@sha256:{hex}").parse().unwrap();
        assert_eq!(gpg.to_string(), format!("gpg:567E347AD0044ADE55BA8A5F199E2F91FD431D51@{hex}"));
        for wrong in [
            format!("signer:{hex}@{hex}"),
            format!("rekor2:{hex}@"),
            format!("rekor2:{hex}@a\u{1b}[2J"),
            format!("rekor2:{hex}@a@b"),
            format!("gpg:{hex}@{}", &hex[..40]),
            format!("gpg:{hex}@"),
        ] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
    }
}
