//! One key, one vote. Key ids are names chosen by the repository (TAP 12), and the crate counts by them: a key with two
//! ids would sign twice. So no role may list a key under two ids.

use std::collections::{BTreeMap, BTreeSet};

use sigstore_tuf::{Key, Root, Targets};
use sigstore_types::DerPublicKey;

use super::TufError;
use crate::key::{PublicKey, PublicKeyError};

/// Refuses a root with such a role.
pub(super) fn root(root: &Root) -> Result<(), TufError> {
    root.roles.iter().try_for_each(|(name, role)| once(name, &role.keyids, &root.keys))
}

/// Refuses targets that delegate to such a role.
pub(super) fn delegations(targets: &Targets) -> Result<(), TufError> {
    let Some(delegations) = &targets.delegations else { return Ok(()) };
    delegations.roles.iter().try_for_each(|role| once(&role.name, &role.keyids, &delegations.keys))
}

fn once(role: &str, ids: &[String], keys: &BTreeMap<String, Key>) -> Result<(), TufError> {
    let ids: BTreeSet<_> = ids.iter().collect();
    let mut seen = BTreeSet::new();
    for key in ids.into_iter().filter_map(|id| keys.get(id)) {
        let bytes = bytes(key).map_err(|why| TufError::KeyWeak { role: role.to_owned(), why })?;
        if !seen.insert(bytes) {
            return Err(TufError::KeyTwice(role.to_owned()));
        }
    }
    Ok(())
}

/// The key, in any of its encodings: PEM with or without RSA's parameters, or the bare hexadecimal form of Ed25519. A
/// key with which anyone can sign is refused.
fn bytes(key: &Key) -> Result<Vec<u8>, String> {
    let public = key.keyval.public.trim();
    let der = DerPublicKey::from_pem(public).map(|der| der.as_bytes().to_vec());
    let der = der.ok().or_else(|| {
        let point = hex::decode(public).ok().filter(|point| point.len() == 32)?;
        // RFC 8410 §4.
        Some([b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &point].concat())
    });
    let Some(der) = der else { return Ok(public.as_bytes().to_vec()) };
    match PublicKey::from_spki(&der) {
        Ok(key) => Ok(key.spki().to_vec()),
        Err(e @ PublicKeyError::Weak(_)) => Err(e.to_string()),
        // It can't sign anything, or only the crate supports it.
        Err(_) => Ok(der),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// RFC 8410, example of section 10.1, and the same key in TUF's bare form.
    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
    const HEX: &str = "19BF44096984CDFE8541BAC167DC3B96C85086AA30B6B6CB0C5C38AD703166E1";

    fn check(ids: &[&str], keys: &Value) -> Result<(), TufError> {
        let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
        once("timestamp", &ids, &serde_json::from_value(keys.clone()).unwrap())
    }

    fn ed25519(public: &str) -> Value {
        json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public } })
    }

    /// Another point of the curve.
    fn own_point() -> [u8; 32] {
        // RFC 8032 §7.1, test 2.
        let hex = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        hex::decode(hex).unwrap().try_into().unwrap()
    }

    #[test]
    fn a_key_with_which_anybody_can_sign_is_no_keepers() {
        let neutral = format!("01{}", "0".repeat(62));
        let keys = json!({ "a": ed25519(&neutral) });
        assert_eq!(check(&["a"], &keys).unwrap_err().code().as_str(), "tuf-key-weak");
    }

    #[test]
    fn one_key_is_one_however_it_is_written() {
        let lower = HEX.to_lowercase();
        for other in [PEM, HEX, &lower, &format!(" {lower}\n")] {
            let keys = json!({ "a": ed25519(PEM), "b": ed25519(other) });
            assert_eq!(check(&["a", "b"], &keys).unwrap_err().code().as_str(), "tuf-key-twice", "{other:?}");
            // Only the keys of one role are compared; a repeated id counts once, and an id without a key is ignored.
            assert_eq!(check(&["a", "a", "c"], &keys), Ok(()));
        }
        let other = hex::encode(own_point());
        assert_eq!(check(&["a", "b"], &json!({ "a": ed25519(PEM), "b": ed25519(&other) })), Ok(()));
        // Something that can't be parsed as a key can't sign either, but the same text under two ids is still reported.
        let odd = json!({ "a": ed25519("?"), "b": ed25519("?"), "c": ed25519("!") });
        assert!(check(&["a", "b"], &odd).is_err());
        assert_eq!(check(&["a", "c"], &odd), Ok(()));
    }
}
