#![cfg_attr(fuzzing, no_main)]
//! OpenPGP: key blocks, then a signed message. A key that verifies a message is valid at that time and named by it,
//! and a message counts for no image that it does not name.

mod input;
mod signatures;

use keypack::{
    key::{Key, Material, OpenPgpKey, OpenPgpMessage, Role, parse_key_file},
    signature::{UntrustedGpg, UntrustedSignature},
    trust::{KeySet, Verifier},
};

/// Reads both, and verifies one with the other.
pub fn run(data: &[u8]) {
    let (blocks, message) = halves(data);
    let material = parse_key_file(blocks).map(|parsed| parsed.material).unwrap_or_default();
    let keys: Vec<&OpenPgpKey> = material.iter().filter_map(Material::openpgp).collect();
    for (at, key) in keys.iter().enumerate() {
        merged(key, keys[(at + 1) % keys.len()]);
    }
    let Ok(read) = OpenPgpMessage::parse(message) else { return };
    for key in &keys {
        if key.verify(&read, signatures::NOW).is_ok() {
            assert!(!key.is_revoked(), "a revoked key verified");
            assert!(key.expires().is_none_or(|end| end > signatures::NOW), "an expired key verified");
            let twice = key.merged(key);
            assert!(twice.verify(&read, signatures::NOW).is_ok(), "two copies say less than one");
        }
    }
    let Ok(gpg) = UntrustedGpg::parse(message) else { return };
    let named = |key: &OpenPgpKey| key.is_named(gpg.message.issuer(), gpg.message.key_id());
    let strangers = verifier(keys.iter().filter(|key| !named(key)).copied());
    let signature = UntrustedSignature::Gpg(Box::new(gpg.clone()));
    assert!(
        strangers.judge(&signature, &gpg.claimed_image, signatures::NOW).is_err(),
        "a key that is not named was taken"
    );
    signatures::judge_with(&signature, &verifier(keys.iter().copied()));
}

/// Merges two keys, which must not depend on their order; nothing if they are not the same key.
fn merged(a: &OpenPgpKey, b: &OpenPgpKey) {
    let (ab, ba) = (a.merged(b), b.merged(a));
    if a.is_same_key(b) {
        assert_eq!(ab, ba, "the order counts");
        assert!(!(a.is_revoked() || b.is_revoked()) || ab.is_revoked(), "a revocation is lost");
    } else {
        assert_eq!(&ab, a, "another key changes this one");
    }
}

/// If two copies of one key disagree, neither is used: that is a conflict.
fn verifier<'k>(keys: impl Iterator<Item = &'k OpenPgpKey>) -> Verifier {
    let keys = keys.filter_map(|key| Key::new(Role::Gpg, Material::OpenPgp(key.clone())).ok());
    Verifier::new(KeySet::new(keys).unwrap_or_default())
}

/// Splits into the key blocks, whose length is in the first two bytes, and the message.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let [high, low, rest @ ..] = data else { return (data, data) };
    let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    rest.split_at(length)
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
