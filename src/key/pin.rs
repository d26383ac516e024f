//! A fingerprint that a person gives for a key.

use std::{fmt, str::FromStr};

use super::{KeyId, Material, Role};
use crate::oci::Digest;

/// One pinned key: what it is for, and the sha256 of its SubjectPublicKeyInfo or its id; of a chain, the sha256 of the
/// first certificate; of a GPG key, the fingerprint that everybody prints. The whole fingerprint, for a short one can be
/// met by a forged key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// What the key is for.
    pub role: Role,
    /// Its fingerprint.
    pub fingerprint: Pinned,
}

/// A fingerprint as it is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pinned {
    /// A sha256.
    Sha256(Digest),
    /// The fingerprint of an OpenPGP key of version 4: a SHA-1. Nobody can make a key for a fingerprint that is given,
    /// but the owner of a key could make two with one.
    OpenPgp([u8; 20]),
}

impl Pin {
    /// How a key is pinned: what people compare.
    pub fn of(role: Role, id: KeyId, material: &Material) -> Self {
        let short = if let Material::OpenPgp(key) = material {
            hex::decode(key.fingerprint()).ok().and_then(|bytes| bytes.try_into().ok())
        } else {
            None
        };
        Self { role, fingerprint: short.map_or(Pinned::Sha256(id), Pinned::OpenPgp) }
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (role, fingerprint) =
            text.split_once(':').ok_or_else(|| format!("{text:?} is not ROLE:FINGERPRINT"))?;
        let roles = || Role::ALL.map(Role::as_str).join(", ");
        let role = Role::ALL
            .into_iter()
            .find(|r| r.as_str() == role)
            .ok_or_else(|| format!("{role:?} is not a role; the roles are {}", roles()))?;
        // As fingerprints are printed: with or without their algorithm.
        let hex = fingerprint.strip_prefix("sha256:").unwrap_or(fingerprint);
        if role == Role::Gpg {
            return gpg(hex).map(|fingerprint| Self { role, fingerprint });
        }
        let fingerprint = Digest::from_hex(hex).map_err(|_| {
            "a fingerprint is the whole sha256, 64 lower-case hex digits; shortened ones can be forged"
                .to_owned()
        })?;
        Ok(Self { role, fingerprint: Pinned::Sha256(fingerprint) })
    }
}

/// As `gpg --fingerprint` prints it: in capitals, in groups.
fn gpg(text: &str) -> Result<Pinned, String> {
    let hex: String = text.split_whitespace().collect::<String>().to_ascii_lowercase();
    let short = || <[u8; 20]>::try_from(hex::decode(&hex).ok()?).ok();
    Digest::from_hex(&hex).map(Pinned::Sha256).ok().or_else(|| short().map(Pinned::OpenPgp)).ok_or_else(
        || {
            "the fingerprint of a GPG key has 40 hex digits (64 of a version 6 key); key ids can be forged"
                .to_owned()
        },
    )
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The spelling of a key's name, but a fingerprint is not always the id.
        match self.fingerprint {
            Pinned::Sha256(fingerprint) => write!(f, "{}:{}", self.role, fingerprint.hex()),
            Pinned::OpenPgp(fingerprint) => write!(f, "{}:{}", self.role, hex::encode_upper(fingerprint)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_whole_fingerprints() {
        let digest = Digest::of(b"x");
        let pin = Pin { role: Role::Signer, fingerprint: Pinned::Sha256(digest) };
        assert_eq!(format!("signer:{}", digest.hex()).parse(), Ok(pin));
        assert_eq!(format!("signer:{digest}").parse(), Ok(pin));
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
        assert!("gpg:199E2F91FD431D51".parse::<Pin>().unwrap_err().contains("40 hex digits"));
    }
}
