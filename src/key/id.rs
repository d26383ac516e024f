use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Algorithm, PublicKey, Role};
use crate::oci::Digest;

/// The id of a key: 32 bytes, always computed from the key itself, never read from a file.
///
/// | role | the id is sha256 of | defined by |
/// |---|---|---|
/// | rekor, ctlog | the SubjectPublicKeyInfo | RFC 6962 §3.2 "LogID" |
/// | rekor2 | origin, newline, type byte, key | C2SP signed-note "key ID", untruncated |
/// | fulcio, tsa, pki | the chain's certificates, concatenated | – |
/// | signer | the SubjectPublicKeyInfo | cosign's hint in bundles |
/// | gpg | the octets of the fingerprint | RFC 9580 §5.5.4, with SHA-256 for version 4 keys too |
pub type KeyId = Digest;

/// Identifies one key: role and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRef {
    /// The key's role.
    pub role: Role,
    /// The key's id in that role.
    pub id: KeyId,
}

impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role, self.id.hex())
    }
}

impl FromStr for KeyRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not ROLE:<64 hex>");
        let (role, hex) = text.split_once(':').ok_or_else(wrong)?;
        let role = role.parse().map_err(|_| wrong())?;
        Ok(Self { role, id: Digest::from_hex(hex).map_err(|_| wrong())? })
    }
}

impl Serialize for KeyRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The key id of a C2SP signed note (<https://c2sp.org/signed-note>), not truncated: what Rekor v2 uses as log id.
///
/// Ed25519 keys have type 0x01. ECDSA logs keep the RFC 6962 id (Rekor's own rule, rekor-tiles). RSA has the unassigned
/// type 0xff followed by its name.
pub fn note_key_id(origin: &str, key: &PublicKey) -> KeyId {
    let mut hash = Sha256::new();
    match key.algorithm() {
        Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => return key.fingerprint(),
        Algorithm::Ed25519 => {
            hash.update(origin.as_bytes());
            hash.update(b"\n\x01");
            hash.update(key.raw());
        }
        Algorithm::Rsa => {
            hash.update(origin.as_bytes());
            hash.update(b"\n\xffPKIX-RSA-PKCS#1v1.5");
            hash.update(key.spki());
        }
    }
    Digest::from_bytes(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;

    fn key(spki: &str) -> PublicKey {
        PublicKey::from_spki(&STANDARD.decode(spki).unwrap()).unwrap()
    }

    #[test]
    fn public_good_log_ids_are_computed() {
        let rekor = key(
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==",
        );
        assert_eq!(
            rekor.fingerprint().hex(),
            "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d"
        );
        let tiled = key("MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244=");
        assert_eq!(
            note_key_id("log2025-1.rekor.sigstore.dev", &tiled).hex(),
            "cf1199155bddd051268d1f16ac5c0c75c009f6fb5a63f4177f8e18d7051e3fa0"
        );
    }

    #[test]
    fn references_read_what_they_print() {
        let key = KeyRef { role: Role::CtLog, id: Digest::of(b"x") };
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!("ctlog:12".parse::<KeyRef>().is_err());
        assert!(format!("nobody:{}", key.id.hex()).parse::<KeyRef>().is_err());
    }
}
