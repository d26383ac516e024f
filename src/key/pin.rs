//! A fingerprint that a person gives for a key.

use std::{fmt, str::FromStr};

use super::{Fingerprint, Material, Role};

/// One pinned key: what it is for, and its fingerprint. The fingerprint of a chain covers all its certificates, so that
/// nobody can put a CA of his own behind one that is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// What the key is for.
    pub role: Role,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

impl Pin {
    /// How a key is pinned.
    pub fn of(role: Role, material: &Material) -> Self {
        Self { role, fingerprint: material.fingerprint() }
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
        let pin = Self { role, fingerprint: fingerprint.parse()? };
        match (role, pin.fingerprint) {
            (Role::Gpg, _) | (_, Fingerprint::Sha256(_)) => Ok(pin),
            _ => Err("only a GPG key has a fingerprint of 40 hex digits; the others have 64".into()),
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fingerprint {
            Fingerprint::Sha256(digest) => write!(f, "{}:{}", self.role, digest.hex()),
            fingerprint @ Fingerprint::OpenPgp(_) => write!(f, "{}:{fingerprint}", self.role),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    #[test]
    fn pins_are_whole_fingerprints() {
        let digest = Digest::of(b"x");
        let pin = Pin { role: Role::Signer, fingerprint: digest.into() };
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
        assert!("gpg:199E2F91FD431D51".parse::<Pin>().unwrap_err().contains("40 of a GPG key"));
    }
}
