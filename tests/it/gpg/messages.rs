//! Forged signatures.

use std::io::Write;

use flate2::{Compression, write::DeflateEncoder};
use pgp::{
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureType, Subpacket, SubpacketData},
    types::{KeyDetails, Password, Timestamp},
};

use super::lab::{
    MADE, Say, block, bytes, candidates, days, image, literal, message, now, outcome, packet, payload, rsa,
    secret, signed,
};

/// A compressed packet (RFC 9580 §5.6) with ZIP: the tag in the old format, of unknown length.
fn compressed(inner: &[u8]) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(inner).unwrap();
    [&[0xa3, 1][..], &deflate.finish().unwrap()].concat()
}

#[test]
fn an_honest_message_compressed_or_not() {
    let owner = secret();
    let key = bytes(&block(&owner, &Say::default()));
    let message = signed(&owner, &Say::default());
    assert_eq!(outcome(&message, std::slice::from_ref(&key), now()), "have");
    assert_eq!(outcome(&compressed(&message), &[key], now()), "have");
}

#[test]
fn the_wrong_key() {
    let (owner, other) = (secret(), secret());
    let key = bytes(&block(&other, &Say::default()));
    assert_eq!(outcome(&signed(&owner, &Say::default()), std::slice::from_ref(&key), now()), "missing");
    // The other's signature that claims to be the owner's.
    let content = payload(image());
    let mut config = Say::default().config(SignatureType::Binary, &owner.primary_key);
    config.pub_alg = other.primary_key.algorithm();
    let lied = config.sign(&other.primary_key, &Password::empty(), &content[..]).unwrap();
    let own = bytes(&block(&owner, &Say::default()));
    assert_eq!(outcome(&message(&lied, &content), &[own, key], now()), "signature-does-not-match");
}

#[test]
fn another_image() {
    let owner = secret();
    let key = bytes(&block(&owner, &Say::default()));
    let content = payload(keypack::oci::Digest::of(b"another image"));
    let other = message(&Say::default().sign(&owner.primary_key, &content), &content);
    assert_eq!(outcome(&other, &[key], now()), "signed-for-other-image");
}

#[test]
fn a_text_that_was_changed_at_any_place() {
    let owner = secret();
    let key = bytes(&block(&owner, &Say::default()));
    let good = signed(&owner, &Say::default());
    let text = payload(image());
    let start = good.windows(text.len()).position(|w| w == text).unwrap();
    for at in start..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert_ne!(outcome(&changed, std::slice::from_ref(&key), now()), "have", "byte {at}");
    }
    let swapped = String::from_utf8_lossy(&text).replace("app:v1", "app:v2");
    let signature = Say::default().sign(&owner.primary_key, &text);
    assert_eq!(outcome(&message(&signature, swapped.as_bytes()), &[key], now()), "signature-does-not-match");
}

#[test]
fn a_hash_for_which_anybody_makes_two_texts() {
    let owner = rsa();
    let key = bytes(&block(&owner, &Say::default()));
    for hash in [HashAlgorithm::Sha1, HashAlgorithm::Md5, HashAlgorithm::Ripemd160] {
        let weak = signed(&owner, &Say { hash, ..Say::default() });
        assert_eq!(outcome(&weak, std::slice::from_ref(&key), now()), "signature-weak", "{hash}");
    }
    for hash in [HashAlgorithm::Sha384, HashAlgorithm::Sha512, HashAlgorithm::Sha3_256] {
        assert_eq!(
            outcome(&signed(&owner, &Say { hash, ..Say::default() }), std::slice::from_ref(&key), now()),
            "have"
        );
    }
}

#[test]
fn times_that_can_not_be_or_are_over() {
    let owner = secret();
    let key = bytes(&block(&owner, &Say { day: 0, ..Say::default() }));
    let made = |day, ends| signed(&owner, &Say { day, ends, ..Say::default() });
    assert_eq!(outcome(&made(60, None), std::slice::from_ref(&key), now()), "clock-behind", "still to come");
    assert_eq!(outcome(&made(51, None), std::slice::from_ref(&key), now()), "have", "clocks differ");
    assert_eq!(outcome(&made(10, Some(40)), std::slice::from_ref(&key), now()), "signature-lapsed", "over");
    assert_eq!(outcome(&made(10, Some(41)), std::slice::from_ref(&key), now()), "have");
    assert_eq!(
        outcome(&made(10, None), std::slice::from_ref(&key), days(0)),
        "clock-behind",
        "in a slow clock's eyes"
    );
    let mut config = Say::default().config(SignatureType::Binary, &owner.primary_key);
    config.hashed_subpackets[0] =
        Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(MADE - 1))).unwrap();
    let content = payload(image());
    let early = config.sign(&owner.primary_key, &Password::empty(), &content[..]).unwrap();
    assert_eq!(outcome(&message(&early, &content), &[key], now()), "signature-lapsed", "older than its key");
}

#[test]
fn a_message_that_unpacks_to_no_end() {
    let owner = secret();
    let content = vec![b' '; 64 << 20];
    let bomb = compressed(&message(&Say::default().sign(&owner.primary_key, &content), &content));
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert_eq!(outcome(&bomb, &[], now()), "signature-malformed");
}

#[test]
fn messages_in_messages() {
    let owner = secret();
    let inner = signed(&owner, &Say::default());
    let mut deep = inner.clone();
    for _ in 0..20 {
        deep = compressed(&deep);
    }
    for nested in [compressed(&compressed(&inner)), deep, literal(&inner)] {
        let code = outcome(&nested, &[], now());
        assert!(["signature-unsupported", "signature-malformed"].contains(&code), "{code}");
    }
}

#[test]
fn several_signatures_and_several_texts() {
    let (owner, other) = (secret(), secret());
    let key = bytes(&block(&owner, &Say::default()));
    let content = payload(image());
    let by = |signer: &pgp::composed::SignedSecretKey| Say::default().sign(&signer.primary_key, &content);
    let (a, b) = (packet(&by(&owner)), packet(&by(&other)));
    let text = literal(&content);
    let lie = literal(&payload(keypack::oci::Digest::of(b"another image")));
    for several in [
        [a.clone(), b.clone(), text.clone()].concat(),
        [b, a.clone(), text.clone()].concat(),
        [a.clone(), text.clone(), lie.clone()].concat(),
        [a.clone(), lie, text.clone()].concat(),
        [a.clone(), text.clone(), a.clone(), text.clone()].concat(),
        [text.clone(), a.clone()].concat(),
    ] {
        assert_eq!(outcome(&several, std::slice::from_ref(&key), now()), "signature-unsupported");
    }
    assert_eq!(
        outcome(&text, std::slice::from_ref(&key), now()),
        "signature-malformed",
        "no signature at all"
    );
    assert_eq!(outcome(&a, &[key], now()), "signature-unsupported", "no text at all");
}

#[test]
fn other_forms_of_signing() {
    let owner = secret();
    let content = payload(image());
    let kinds = [SignatureType::Text, SignatureType::Standalone, SignatureType::Timestamp];
    for kind in kinds {
        let config = Say::default().config(kind, &owner.primary_key);
        let Ok(signature) = config.sign(&owner.primary_key, &Password::empty(), &content[..]) else {
            continue;
        };
        assert_eq!(outcome(&message(&signature, &content), &[], now()), "signature-unsupported", "{kind:?}");
    }
    for text in
        ["-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{}\n", "-----BEGIN PGP MESSAGE-----\n\nxA0"]
    {
        assert_eq!(outcome(text.as_bytes(), &[], now()), "signature-unsupported");
    }
    for rubbish in [&b""[..], b"{}", b"\x90\x0d", &[0xff; 100], &[0xa3, 1, 0xff, 0xff]] {
        assert_eq!(outcome(rubbish, &[], now()), "signature-malformed", "{rubbish:?}");
    }
    for tag in [0xc2_u8, 0xcb, 0xc8] {
        let huge = [&[tag, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[1; 100]].concat();
        assert_eq!(outcome(&huge, &[], now()), "signature-malformed", "{tag:x}");
    }
}

/// What cosign signs, and what a payload of cosign's type means, is not what GPG signs.
#[test]
fn a_payload_of_another_type_or_with_a_key_twice() {
    let owner = secret();
    let text = String::from_utf8(payload(image())).unwrap();
    for (changed, code) in [
        (text.replace("atomic container", "cosign container image"), "signature-unsupported"),
        (text.replace(r#""critical":{"#, r#""critical":{"type":"x","#), "duplicate-json-key"),
        ("hello".to_owned(), "signature-malformed"),
    ] {
        let signature = Say::default().sign(&owner.primary_key, changed.as_bytes());
        assert_eq!(outcome(&message(&signature, changed.as_bytes()), &[], now()), code);
    }
}

/// A version 3 signature contains only a key id; so do many of version 4. Key ids can be forged: here two candidates
/// are tried for one id, and the right one is found in either order.
#[test]
fn two_keys_with_one_key_id() {
    let (owner, other) = (secret(), secret());
    let content = payload(image());
    let hint = other.primary_key.legacy_key_id();
    let by_id = |signer: &pgp::packet::SecretKey, id| {
        let mut config = Say::default().config(SignatureType::Binary, signer);
        config.hashed_subpackets.retain(|p| !matches!(p.data, SubpacketData::IssuerFingerprint(_)));
        config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(id)).unwrap()];
        config.sign(signer, &Password::empty(), &content[..]).unwrap()
    };
    let keys = [bytes(&block(&owner, &Say::default())), bytes(&block(&other, &Say::default()))];
    let honest: Signature = by_id(&other.primary_key, hint);
    assert_eq!(outcome(&message(&honest, &content), &keys, now()), "have");
    let lied = by_id(&owner.primary_key, hint);
    assert_eq!(outcome(&message(&lied, &content), &keys, now()), "signature-does-not-match");
    // The same subkey under two primary keys has one key id; the available key decides whose signature it is.
    let mut adopter = block(&other, &Say::default());
    adopter.public_subkeys.push(super::lab::bound(&owner, &other, &Say::default(), true));
    let mut own = block(&owner, &Say::default());
    own.public_subkeys.push(super::lab::bound(&owner, &owner, &Say::default(), true));
    let by_subkey = message(&Say::default().sign(&owner.secret_subkeys[0].key, &content), &content);
    assert_eq!(candidates(&bytes(&own)).len(), 1);
    assert_eq!(outcome(&by_subkey, &[bytes(&adopter), bytes(&own)], now()), "have");
    assert_eq!(outcome(&by_subkey, &[bytes(&own)], now()), "have");
}
