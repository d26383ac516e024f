//! Forged keys: whose they are, what belongs to them, whether they are still valid.

use keypack::key::{KeyFileError, Material, OpenPgpKey, parse_key_file};
use pgp::{
    composed::{ArmorOptions, KeyType, SignedPublicKey},
    crypto::hash::HashAlgorithm,
    types::KeyVersion,
};

use super::lab::{
    Say, block, bound, bytes, days, message, now, outcome, payload, revocation, rsa, secret, secret_of,
    signed, user,
};

fn only(bytes: &[u8]) -> OpenPgpKey {
    let parsed = parse_key_file(bytes).unwrap();
    assert_eq!(parsed.unusable, []);
    let [Material::OpenPgp(key)] = parsed.material.as_slice() else { panic!("{parsed:?}") };
    key.clone()
}

#[test]
fn an_honest_key_is_read_in_armour_and_in_binary() {
    for (kind, version) in [
        (KeyType::Ed25519Legacy, KeyVersion::V4),
        (KeyType::Ed25519, KeyVersion::V6),
        (KeyType::Rsa(2048), KeyVersion::V4),
    ] {
        let owner = secret_of(kind, version);
        let mut honest = block(&owner, &Say { flags: Some((true, true)), ..Say::default() });
        honest.public_subkeys.push(bound(&owner, &owner, &Say::default(), true));
        let armour = honest.to_armored_string(ArmorOptions::default()).unwrap();
        let key = only(&bytes(&honest));
        assert_eq!(key, only(format!("from our wiki:\r\n{armour}\nbye\n").as_bytes()));
        assert_eq!(key.to_armour().contains("\n="), version == KeyVersion::V4, "the checksum");
        assert_eq!(key, only(key.to_armour().as_bytes()));
        assert_eq!((key.user_ids(), key.created()), (&["lab <lab@example.test>".to_owned()][..], days(0)));
        assert_eq!(key.fingerprint().len(), if version == KeyVersion::V6 { 64 } else { 40 });
        if version == KeyVersion::V6 {
            assert_eq!(key.id().hex().to_uppercase(), key.fingerprint());
        }
        // By the primary key, and by the subkey.
        let content = payload(super::lab::image());
        let by_subkey = Say::default().sign(&owner.secret_subkeys[0].key, &content);
        for message in [signed(&owner, &Say::default()), message(&by_subkey, &content)] {
            assert_eq!(outcome(&message, &[bytes(&honest)], now()), "have", "{version:?}");
        }
    }
}

#[test]
fn two_armour_blocks_and_a_keyring_in_one_file() {
    let (a, b, c) = (secret(), secret(), secret());
    let say = Say::default();
    let armour = |key: &SignedPublicKey| key.to_armored_string(ArmorOptions::default()).unwrap();
    let ring = only(&bytes(&block(&c, &say)));
    let text = format!("{}{}{}", armour(&block(&a, &say)), armour(&block(&b, &say)), ring.to_armour());
    assert_eq!(parse_key_file(text.as_bytes()).unwrap().material.len(), 3);
    let binary = [bytes(&block(&a, &say)), bytes(&block(&b, &say))].concat();
    assert_eq!(parse_key_file(&binary).unwrap().material.len(), 2);
}

#[test]
fn a_secret_key_under_a_public_label() {
    let owner = secret();
    let secret_packets = bytes(&owner);
    let public = bytes(&block(&owner, &Say::default()));
    let mut armoured = Vec::new();
    pgp::armor::write(&owner, pgp::armor::BlockType::PublicKey, &mut armoured, None, true).unwrap();
    for file in [secret_packets.clone(), [public, secret_packets].concat(), armoured] {
        let error = parse_key_file(&file).unwrap_err();
        assert!(matches!(error, KeyFileError::PrivateKey { .. }), "{error}");
    }
}

#[test]
fn a_user_id_that_the_owner_never_signed() {
    let (victim, attacker) = (secret(), secret());
    let mut forged = block(&victim, &Say::default());
    forged.details.users.insert(0, user(&attacker, "Red Hat, Inc. <security@redhat.com>", &Say::default()));
    // The same with the victim written over it as the issuer.
    let mut lied = user(&attacker, "Pope <pope@example.test>", &Say::default());
    for word in &mut lied.signatures {
        let keep = block(&victim, &Say::default()).details.users[0].signatures[0].clone();
        let _ = std::mem::replace(word, keep);
    }
    forged.details.users.push(lied);
    let key = only(&bytes(&forged));
    assert_eq!(key.user_ids(), ["lab <lab@example.test>"]);
    assert!(!key.to_armour().is_empty());
    assert_eq!(key, only(&bytes(&block_like(&forged))));
    let none = SignedPublicKey { details: without_own(&forged), ..forged };
    let parsed = parse_key_file(&bytes(&none)).unwrap();
    assert!(parsed.material.is_empty());
    assert!(parsed.unusable[0].reason.contains("no valid self-signature"), "{:?}", parsed.unusable);
}

/// The forged block with its one honest user id alone.
fn block_like(forged: &SignedPublicKey) -> SignedPublicKey {
    let mut honest = forged.clone();
    honest.details.users.retain(|user| user.id.id() == b"lab <lab@example.test>");
    honest
}

fn without_own(forged: &SignedPublicKey) -> pgp::composed::SignedKeyDetails {
    let mut details = forged.details.clone();
    details.users.retain(|user| user.id.id() != b"lab <lab@example.test>");
    details
}

#[test]
fn a_subkey_that_a_stranger_attached() {
    let (victim, attacker) = (secret(), secret());
    let content = payload(super::lab::image());
    let by_attacker = message(&Say::default().sign(&attacker.secret_subkeys[0].key, &content), &content);
    let mut forged = block(&victim, &Say::default());
    // Bound by its own primary key, not by the one that it is attached to.
    forged.public_subkeys.push(bound(&attacker, &attacker, &Say::default(), true));
    assert_eq!(outcome(&by_attacker, &[bytes(&forged)], now()), "missing");
}

#[test]
fn a_subkey_of_somebody_else_adopted_without_its_answer() {
    let (victim, attacker) = (secret(), secret());
    let content = payload(super::lab::image());
    let by_victim = message(&Say::default().sign(&victim.secret_subkeys[0].key, &content), &content);
    for (answer, expected) in [(false, "missing"), (true, "have")] {
        // Only the victim can make the back-signature; with it, the victim agreed.
        let mut forged = block(&attacker, &Say::default());
        forged.public_subkeys.push(bound(&victim, &attacker, &Say::default(), answer));
        assert_eq!(outcome(&by_victim, &[bytes(&forged)], now()), expected);
    }
}

#[test]
fn a_subkey_bound_by_sha1() {
    let owner = rsa();
    let content = payload(super::lab::image());
    let by_subkey = message(&Say::default().sign(&owner.secret_subkeys[0].key, &content), &content);
    let mut weak = block(&owner, &Say::default());
    let say = Say { hash: HashAlgorithm::Sha1, ..Say::default() };
    weak.public_subkeys.push(bound(&owner, &owner, &say, true));
    assert_eq!(outcome(&by_subkey, &[bytes(&weak)], now()), "missing");
}

#[test]
fn a_key_that_nothing_but_sha1_holds_together_is_told() {
    let owner = rsa();
    let sha1 = Say { hash: HashAlgorithm::Sha1, ..Say::default() };
    let old = bytes(&block(&owner, &sha1));
    let new = bytes(&block(&owner, &Say::default()));
    assert!(only(&old).is_weak() && !only(&new).is_weak());
    // It still proves; and of two copies the better one is written, in whatever order they come.
    assert_eq!(outcome(&signed(&owner, &Say::default()), std::slice::from_ref(&old), now()), "have");
    for (a, b) in [(&old, &new), (&new, &old)] {
        let merged = only(a).merged(&only(b));
        assert_eq!(merged, only(&new));
        assert_eq!(outcome(&signed(&owner, &Say::default()), &[a.clone(), b.clone()], now()), "have");
    }
}

#[test]
fn a_revoked_key_also_where_another_copy_hides_it() {
    let owner = secret();
    let good = block(&owner, &Say::default());
    let mut revoked = good.clone();
    revoked.details.revocation_signatures.push(revocation(&owner));
    let (good, revoked) = (bytes(&good), bytes(&revoked));
    // Made before the revocation: GnuPG and podman refuse it anyway.
    let message = signed(&owner, &Say { day: 10, ..Say::default() });
    assert_eq!(outcome(&message, std::slice::from_ref(&good), now()), "have");
    assert_eq!(outcome(&message, std::slice::from_ref(&revoked), now()), "signing-key-revoked");
    assert_eq!(outcome(&message, &[good.clone(), revoked.clone()], now()), "signing-key-revoked");
    assert_eq!(outcome(&message, &[revoked, good], now()), "signing-key-revoked");
}

#[test]
fn a_revocation_that_a_stranger_made() {
    let (owner, stranger) = (secret(), secret());
    let mut forged = block(&owner, &Say::default());
    forged.details.revocation_signatures.push(revocation(&stranger));
    assert_eq!(outcome(&signed(&owner, &Say::default()), &[bytes(&forged)], now()), "have");
}

#[test]
fn a_key_that_expired_after_it_signed() {
    let owner = secret();
    let block = |expires| bytes(&block(&owner, &Say { expires, day: 1, ..Say::default() }));
    let message = signed(&owner, &Say { day: 10, ..Say::default() });
    assert_eq!(outcome(&message, &[block(Some(51))], now()), "have");
    assert_eq!(outcome(&message, &[block(Some(50))], now()), "signature-lapsed");
    assert_eq!(outcome(&message, &[block(Some(0))], now()), "have", "zero means never");
    // A newer statement of the owner extends the validity.
    let renewed = Say { expires: Some(400), day: 45, ..Say::default() };
    let renewed = bytes(&super::lab::block(&owner, &renewed));
    assert_eq!(outcome(&message, &[block(Some(20)), renewed], now()), "have");
}

#[test]
fn a_key_that_may_certify_and_not_sign() {
    let owner = secret();
    let only = bytes(&block(&owner, &Say { flags: Some((true, false)), ..Say::default() }));
    assert_eq!(outcome(&signed(&owner, &Say::default()), &[only], now()), "signature-lapsed");
}

#[test]
fn blocks_that_are_cut_or_changed_are_no_keys() {
    let whole = bytes(&block(&secret(), &Say::default()));
    let good = only(&whole);
    for cut in 0..whole.len() {
        match parse_key_file(&whole[..cut]) {
            Ok(parsed) => assert!(parsed.material.is_empty(), "cut at {cut}"),
            Err(e) => assert_eq!(e.code().as_str(), "key-malformed", "cut at {cut}"),
        }
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        // Only unsigned bytes may change: packet lengths that mean the same, issuer hints.
        if let Ok(parsed) = parse_key_file(&changed) {
            for material in parsed.material {
                assert_eq!(material.id(), good.id(), "byte {at}");
            }
        }
    }
}

#[test]
fn a_packet_that_says_it_has_four_gigabytes() {
    for tag in [0xc6_u8, 0xcd, 0xc2, 0xd4] {
        let huge = [&[tag, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[4; 100]].concat();
        assert_eq!(parse_key_file(&huge).unwrap_err().code().as_str(), "key-malformed", "{tag:x}");
    }
    let many = [0xca, 3, b'P', b'G', b'P'].repeat(60_000);
    assert_eq!(parse_key_file(&many).unwrap_err().code().as_str(), "key-malformed");
}
