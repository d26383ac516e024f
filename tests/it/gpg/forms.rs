//! The forms of messages and key blocks, packet by packet.

use keypack::key::{Material, OpenPgpKey, OpenPgpMessage, parse_key_file};
use pgp::{
    composed::SignedSecretKey,
    crypto::hash::HashAlgorithm,
    packet::{OnePassSignature, SignatureType, SubpacketData},
    types::{KeyDetails, Password},
};

use super::lab::{
    Say, block, bound, bytes, image, literal, message, now, outcome, packet, payload, secret, signed,
};

/// The marker packet (RFC 9580 §5.8), which readers ignore.
const MARKER: &[u8] = b"\xca\x03PGP";

fn ops(owner: &SignedSecretKey, kind: SignatureType, hash: HashAlgorithm) -> Vec<u8> {
    let key = &owner.primary_key;
    packet(&OnePassSignature::v3(kind, hash, key.algorithm(), key.legacy_key_id()))
}

fn parse(bytes: &[u8]) -> OpenPgpKey {
    let parsed = parse_key_file(bytes).unwrap();
    let [Material::OpenPgp(key)] = parsed.material.as_slice() else { panic!("{parsed:?}") };
    key.clone()
}

#[test]
fn a_signature_is_the_one_that_was_announced() {
    let owner = secret();
    let key = bytes(&block(&owner, &Say::default()));
    let content = payload(image());
    let signature = packet(&Say::default().sign(&owner.primary_key, &content));
    let outcome = |ops: Vec<u8>| {
        let message = [ops, literal(&content), signature.clone()].concat();
        outcome(&message, std::slice::from_ref(&key), now())
    };
    assert_eq!(outcome(ops(&owner, SignatureType::Binary, HashAlgorithm::Sha256)), "have");
    assert_eq!(outcome(ops(&owner, SignatureType::Binary, HashAlgorithm::Sha512)), "signature-malformed");
    assert_eq!(outcome(ops(&owner, SignatureType::Text, HashAlgorithm::Sha256)), "signature-malformed");
}

#[test]
fn markers_are_left_out() {
    let owner = secret();
    let key = bytes(&block(&owner, &Say::default()));
    let marked = [MARKER, &signed(&owner, &Say::default())].concat();
    assert_eq!(outcome(&marked, &[[MARKER, &key].concat()], now()), "have");
    let key = parse(&key);
    // GnuPG's private notes in its keyring (RFC 9580 §5.10).
    let noted = [&bytes(&block(&owner, &Say::default()))[..], b"\xcc\x02\x03\x00"].concat();
    let trusted = parse_key_file(&noted).unwrap();
    assert_eq!(trusted.material, [Material::OpenPgp(parse(&bytes(&block(&owner, &Say::default()))))]);
    assert_eq!(trusted.unusable, []);
    assert_eq!(key.fingerprint().len(), 40);
    let none = parse_key_file(&MARKER.repeat(3)).unwrap_err();
    assert!(none.to_string().contains("no public key"), "{none}");
    let endless = [&bytes(&block(&owner, &Say::default()))[..], &MARKER.repeat(50_000)].concat();
    let endless = parse_key_file(&endless).unwrap_err();
    assert!(endless.to_string().contains("more than 50000 packets"), "{endless}");
}

#[test]
fn a_signature_that_names_no_key() {
    let owner = secret();
    let content = payload(image());
    let mut config = Say::default().config(SignatureType::Binary, &owner.primary_key);
    config.hashed_subpackets.retain(|p| !matches!(p.data, SubpacketData::IssuerFingerprint(_)));
    config.unhashed_subpackets.clear();
    let signature = config.sign(&owner.primary_key, &Password::empty(), &content[..]).unwrap();
    let key = bytes(&block(&owner, &Say::default()));
    assert_eq!(outcome(&message(&signature, &content), &[key], now()), "signature-unsupported");
}

#[test]
fn what_else_may_lie_in_a_signature_file_is_told() {
    let told = |bytes: &[u8]| OpenPgpMessage::parse(bytes).map(|_| ()).unwrap_err().to_string();
    let owner = secret();
    let content = payload(image());
    let alone = packet(&Say::default().sign(&owner.primary_key, &content));
    assert!(told(&alone).contains("without its text"), "{}", told(&alone));
    assert!(told(b"").contains("empty"));
    assert!(told(b"hello").contains("not an OpenPGP message"));
    assert!(told(b"-----BEGIN PGP SIGNED MESSAGE-----").contains("a signature below"));
    assert!(told(b"-----BEGIN PGP MESSAGE-----").contains("armour"));
    // Symmetrically encrypted data with integrity protection, version 1.
    assert!(told(b"\xd2\x05\x01abcd").contains("encrypted"), "{}", told(b"\xd2\x05\x01abcd"));
}

#[test]
fn a_fingerprint_says_more_than_a_key_id() {
    let (owner, other) = (secret(), secret());
    let mut block = block(&owner, &Say::default());
    block.public_subkeys.push(bound(&owner, &owner, &Say::default(), true));
    let key = parse(&bytes(&block));
    let id = hex::encode_upper(owner.primary_key.legacy_key_id().as_ref());
    let foreign = hex::encode_upper(other.primary_key.fingerprint().as_bytes());
    assert!(key.is_named(None, &id) && key.is_named(Some(key.fingerprint()), ""));
    assert!(!key.is_named(Some(&foreign), &id));
    let subkey = hex::encode_upper(owner.secret_subkeys[0].key.fingerprint().as_bytes());
    assert!(key.is_named(Some(&subkey), ""));
    assert_eq!(key.ids().len(), 2, "a revocation of the subkey's id finds the key");
}

#[test]
fn a_secret_subkey_among_public_packets() {
    let owner = secret();
    let public = bytes(&block(&owner, &Say::default()));
    let mixed = [public, packet(&owner.secret_subkeys[0].key)].concat();
    assert_eq!(parse_key_file(&mixed).unwrap_err().code().as_str(), "private-key");
}

#[test]
fn something_in_front_of_a_key() {
    let owner = secret();
    let late = [literal(b"x"), bytes(&block(&owner, &Say::default()))].concat();
    assert_eq!(parse_key_file(&late).unwrap_err().code().as_str(), "key-malformed");
}

/// As GnuPG 2.2 makes them.
#[test]
fn keys_that_are_not_supported_are_told_by_what_they_are() {
    for (name, is) in
        [("rsa1024", "RSA of 1024 bits"), ("dsa2048", "DSA"), ("p521", "ECDSA with another curve")]
    {
        let path = format!("{}/testdata/gpg/unsupported/{name}.asc", env!("CARGO_MANIFEST_DIR"));
        let parsed = parse_key_file(&std::fs::read(path).unwrap()).unwrap();
        assert!(parsed.material.is_empty(), "{name}");
        assert!(parsed.unusable[0].reason.contains(is), "{:?}", parsed.unusable);
    }
}
