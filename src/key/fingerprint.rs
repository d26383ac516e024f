//! The fingerprint of a key: the same in every view and every flag, whatever the encoding of the key.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Certificate, Chain, KeyRef, Material, OpenPgpKey};
use crate::oci::Digest;

/// The value that people compare.
///
/// | key | fingerprint |
/// |---|---|
/// | signer, log, CT log | SHA-256 of the canonical DER SubjectPublicKeyInfo |
/// | certificate chain | SHA-256 of the concatenated DER of all its certificates |
/// | GPG key | the OpenPGP fingerprint of the primary key (RFC 9580 §5.5.4) |
///
/// For a chain with one certificate it is what `openssl x509 -fingerprint -sha256` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fingerprint {
    /// A SHA-256 digest.
    Sha256(Digest),
    /// The fingerprint of an OpenPGP version 4 key: a SHA-1. It is not feasible to make a key for a given fingerprint,
    /// but the owner of a key could make two keys that share one.
    OpenPgp([u8; 20]),
}

impl From<Digest> for Fingerprint {
    fn from(digest: Digest) -> Self {
        Self::Sha256(digest)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digest) => digest.fmt(f),
            Self::OpenPgp(bytes) => f.write_str(&hex::encode_upper(bytes)),
        }
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Parses a whole fingerprint as any tool prints it: with or without `sha256:`, in either case, with colons or
    /// spaces between its digits. A shortened fingerprint is refused, because another key can be made to match it.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = match text.get(..7) {
            Some(prefix) if prefix.eq_ignore_ascii_case("sha256:") => &text[7..],
            _ => text,
        };
        let hex: String = digits.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let hex = hex.to_ascii_lowercase();
        if let Ok(digest) = Digest::from_hex(&hex) {
            return Ok(Self::Sha256(digest));
        }
        let short = hex::decode(&hex).ok().and_then(|bytes| <[u8; 20]>::try_from(bytes).ok());
        short.filter(|_| digits.len() == text.len()).map(Self::OpenPgp).ok_or_else(|| {
            "a fingerprint is the whole SHA-256, 64 hex digits, or the 40 of a GPG key; shortened ones can be forged"
                .to_owned()
        })
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    /// Files use a single spelling.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let fingerprint: Self = text.parse().map_err(serde::de::Error::custom)?;
        if fingerprint.to_string() == text {
            Ok(fingerprint)
        } else {
            Err(serde::de::Error::custom(format!("the fingerprint {text:?} must be written {fingerprint}")))
        }
    }
}

impl Chain {
    /// The fingerprint of the chain: it covers every certificate.
    pub fn fingerprint(&self) -> Digest {
        let mut hash = Sha256::new();
        self.certificates().iter().for_each(|certificate| hash.update(certificate.der()));
        Digest::from_bytes(hash.finalize().into())
    }
}

impl OpenPgpKey {
    fn as_fingerprint(&self) -> Fingerprint {
        of_openpgp(self.fingerprint()).unwrap_or(Fingerprint::Sha256(self.id()))
    }
}

/// The fingerprint of a version 4 key; a version 6 key's fingerprint is its id.
fn of_openpgp(hex: &str) -> Option<Fingerprint> {
    Some(Fingerprint::OpenPgp(hex::decode(hex).ok()?.try_into().ok()?))
}

impl Material {
    /// The fingerprint that people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Key(key) => key.fingerprint().into(),
            Self::Chain(chain) => chain.fingerprint().into(),
            Self::OpenPgp(key) => key.as_fingerprint(),
        }
    }

    /// Other ids of the key that reports show, in hex, by which no key is revoked: the note id of a Rekor v2 log, and the
    /// key identifiers and serial numbers of certificates.
    pub fn other_ids(&self, key: KeyRef) -> Vec<String> {
        let certificates = if let Self::Chain(chain) = self { chain.certificates() } else { &[] };
        let of = |c: &Certificate| [c.subject_key_id().map(hex::encode), Some(c.serial())];
        let certificates = certificates.iter().flat_map(of).flatten();
        std::iter::once(key.id.hex()).chain(certificates).collect()
    }

    /// Every fingerprint by which the key may be revoked: its own; for a chain, also those of each certificate and of
    /// each certificate's key; for a GPG key, also those of its subkeys.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        let mut all = vec![self.fingerprint()];
        match self {
            Self::Key(_) => {}
            Self::Chain(chain) => {
                let of = |c: &Certificate| {
                    [Some(c.fingerprint()), c.public_key().ok().map(|key| key.fingerprint())]
                };
                let parts = chain.certificates().iter().flat_map(of).flatten();
                all.extend(parts.map(Fingerprint::Sha256));
            }
            Self::OpenPgp(key) => {
                all.extend(key.ids().into_iter().map(Fingerprint::Sha256));
                all.extend(key.subkey_fingerprints().iter().filter_map(|hex| of_openpgp(hex)));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_tools_print_them() {
        let digest = Digest::of(b"x");
        let (hex, whole) = (digest.hex(), Fingerprint::Sha256(digest));
        let upper = hex.to_ascii_uppercase();
        let pairs: Vec<_> = upper.as_bytes().chunks(2).map(|c| std::str::from_utf8(c).unwrap()).collect();
        for text in [format!("sha256:{hex}"), hex.clone(), format!("SHA256:{upper}"), pairs.join(":")] {
            assert_eq!(text.parse(), Ok(whole), "{text}");
        }
        let gpg: Fingerprint = "567E 347A D004 4ADE 55BA  8A5F 199E 2F91 FD43 1D51".parse().unwrap();
        assert_eq!(gpg.to_string(), "567E347AD0044ADE55BA8A5F199E2F91FD431D51");
        assert_eq!(gpg.to_string().to_lowercase().parse(), Ok(gpg));
        let short = ["", "sha256:", &hex[..40], &hex[..63], "md5:00", "199E2F91FD431D51"];
        for text in short.into_iter().filter(|text| *text != &hex[..40]) {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
        assert!(format!("sha256:{}", &hex[..40]).parse::<Fingerprint>().is_err());
    }

    #[test]
    fn files_have_one_spelling() {
        let digest = Digest::of(b"x");
        let read = |text: &str| serde_json::from_value::<Fingerprint>(text.into());
        assert_eq!(read(&digest.to_string()).unwrap(), Fingerprint::Sha256(digest));
        assert!(read(&digest.hex()).is_err());
        assert!(read(&digest.to_string().to_uppercase()).is_err());
    }
}
