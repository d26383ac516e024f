//! The digest that two people approve: the keys, rules and revocations of a pack, without its version and dates.

use serde_json::{Value, json};

use super::Inventory;
use crate::{key::Role, oci::Digest};

impl Inventory {
    /// The key-set digest: the same for every pack with the same keys, rules and revocations, whatever its version, its
    /// dates, the sources of its keys and its file names.
    ///
    /// It is the SHA-256 of one line of JSON, as printed by `jq -cS`, including the line feed: docs/trust.md has the
    /// expression that computes it from `keypack.json`. A GPG key is identified by its file too, because two copies of
    /// one key may have different expiry dates.
    pub fn key_set(&self) -> Digest {
        let mut line = self.key_set_document().to_string();
        line.push('\n');
        Digest::of(line.as_bytes())
    }

    fn key_set_document(&self) -> Value {
        let file = |name: &str| self.files.iter().find(|file| file.name == name).map(|file| file.sha256);
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.sort_by_key(|key| (key.role.as_str(), key.fingerprint.to_string(), key.origin.clone()));
        let keys: Vec<_> = keys
            .into_iter()
            .map(|key| {
                json!({
                    "role": key.role,
                    "fingerprint": key.fingerprint,
                    "origin": key.origin,
                    "validity": key.validity,
                    "ctRequired": key.ct_required,
                    "file": (key.role == Role::Gpg).then(|| file(&key.file)),
                })
            })
            .collect();
        let mut revoked: Vec<_> = self.revoked.iter().collect();
        revoked.sort_by_key(|revoked| revoked.fingerprint.to_string());
        let revoked: Vec<_> =
            revoked.into_iter().map(|r| json!({ "fingerprint": r.fingerprint, "since": r.since })).collect();
        json!({ "keySet": "v1", "keys": keys, "rules": self.rules, "revoked": revoked })
    }
}
