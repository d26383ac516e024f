//! Each key has exactly one encoding, and a key with which anyone can sign is refused.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;
use crate::key::{Certificate, Chain, ChainError, parse_key_file};

const OID_RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const OID_EC: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const OID_P256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const OID_P384: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x22];
const OID_ED25519: &[u8] = &[6, 3, 0x2b, 0x65, 0x70];
const NULL: &[u8] = &[5, 0];

const P256_KEY: &str = include_str!("../../../testdata/lab/trust/cosign.pub");
const P384_KEY: &str = include_str!("../../../testdata/anchors/p384.pub");
const ED25519_KEY: &str = include_str!("../../../testdata/lab/trust/rekor2.pub");
const RSA_KEY: &str = include_str!("../../../testdata/anchors/rsa.pub");

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match u8::try_from(length) {
        Ok(short @ 0..=127) => vec![tag, short],
        Ok(long) => vec![tag, 0x81, long],
        Err(_) => [&[tag, 0x82][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    };
    [head, content.to_vec()].concat()
}

fn spki(algorithm: &[&[u8]], unused: u8, key: &[u8]) -> Vec<u8> {
    let bits = tlv(3, &[&[unused], key].concat());
    tlv(0x30, &[tlv(0x30, &algorithm.concat()), bits].concat())
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes[0] & 0x80 == 0 { &[] } else { &[0] };
    tlv(2, &[sign, bytes].concat())
}

fn rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
    spki(&[OID_RSA, NULL], 0, &tlv(0x30, &[integer(n), integer(e)].concat()))
}

/// The DER in a fixture file.
fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn good(pem: &str) -> PublicKey {
    let key = PublicKey::from_spki(&der(pem)).unwrap();
    assert_eq!(key.spki(), der(pem), "the fixtures are as openssl writes them");
    assert_eq!(key.to_pem(), pem);
    key
}

/// Modulus and exponent of the RSA key.
fn numbers() -> (Vec<u8>, Vec<u8>) {
    let raw = good(RSA_KEY).raw();
    let key = RsaPublicKey::from_der(&raw).unwrap();
    (key.modulus.as_bytes().to_vec(), key.public_exponent.as_bytes().to_vec())
}

#[test]
fn a_revoked_key_in_another_encoding_is_the_same_key() {
    let key = good(RSA_KEY);
    for other in [spki(&[OID_RSA], 0, &key.raw()), spki(&[OID_RSA, NULL], 0, &key.raw())] {
        let read = PublicKey::from_spki(&other).unwrap();
        assert_eq!((read.spki(), read.fingerprint()), (key.spki(), key.fingerprint()));
    }
    assert_eq!(PublicKey::from_pkcs1(&key.raw()), Ok(key));
}

#[test]
fn encodings_that_only_lenient_readers_take() {
    let (p256, p384, ed25519, rsa) = (good(P256_KEY), good(P384_KEY), good(ED25519_KEY), good(RSA_KEY));
    let with = |raw: &[u8], more: &[u8]| [raw, more].concat();
    let (n, e) = numbers();
    let sequence = |parts: &[&[u8]]| spki(&[OID_RSA, NULL], 0, &tlv(0x30, &parts.concat()));
    let mut cases = vec![
        ("P-256: a byte behind the point", spki(&[OID_EC, OID_P256], 0, &with(&p256.raw(), &[0]))),
        ("P-384: a byte behind the point", spki(&[OID_EC, OID_P384], 0, &with(&p384.raw(), &[0]))),
        ("P-256: a byte less", spki(&[OID_EC, OID_P256], 0, &p256.raw()[..64])),
        ("P-256: the other curve", spki(&[OID_EC, OID_P384], 0, &p256.raw())),
        ("P-256: parameters behind the curve", spki(&[OID_EC, OID_P256, NULL], 0, &p256.raw())),
        ("P-256: no curve", spki(&[OID_EC], 0, &p256.raw())),
        ("P-256: NULL for a curve", spki(&[OID_EC, NULL], 0, &p256.raw())),
        ("P-256: hybrid", spki(&[OID_EC, OID_P256], 0, &[&[6], &p256.raw()[1..]].concat())),
        ("P-256: compressed", spki(&[OID_EC, OID_P256], 0, &[&[2], &p256.raw()[1..33]].concat())),
        ("Ed25519: parameters", spki(&[OID_ED25519, NULL], 0, &ed25519.raw())),
        ("Ed25519: a byte behind the point", spki(&[OID_ED25519], 0, &with(&ed25519.raw(), &[0]))),
        ("Ed25519: a byte less", spki(&[OID_ED25519], 0, &ed25519.raw()[..31])),
        ("RSA: other parameters", spki(&[OID_RSA, OID_P256], 0, &rsa.raw())),
        ("RSA: a byte behind the numbers", spki(&[OID_RSA, NULL], 0, &with(&rsa.raw(), &[0]))),
        ("RSA: a third number", sequence(&[&integer(&n), &integer(&e), &integer(&[1])])),
        ("RSA: a modulus with zeros before it", sequence(&[&tlv(2, &with(&[0, 0], &n)), &integer(&e)])),
        ("RSA: a negative modulus", sequence(&[&tlv(2, &n), &integer(&e)])),
        ("RSA: an exponent with zeros before it", sequence(&[&integer(&n), &tlv(2, &with(&[0], &e))])),
    ];
    for (key, algorithm) in [
        (&p256, &[OID_EC, OID_P256][..]),
        (&p384, &[OID_EC, OID_P384]),
        (&ed25519, &[OID_ED25519]),
        (&rsa, &[OID_RSA, NULL]),
    ] {
        assert_eq!(spki(algorithm, 0, &key.raw()), key.spki(), "the cases differ in one thing each");
        let body = &key.spki()[key.spki().len() - key.raw().len() - 1..];
        let inner = [tlv(0x30, &algorithm.concat()), tlv(3, body)].concat();
        cases.extend([
            ("bits less in the last byte", spki(algorithm, 1, &key.raw())),
            ("a byte behind the key", with(key.spki(), &[0])),
            ("a second key behind the key", with(key.spki(), key.spki())),
            ("something within, behind the key", tlv(0x30, &with(&inner, NULL))),
            ("a length without end", [&[0x30, 0x80][..], &inner, &[0, 0]].concat()),
            (
                "a length with zeros before it",
                [&[0x30, 0x83, 0][..], &u16::try_from(inner.len()).unwrap().to_be_bytes(), &inner].concat(),
            ),
        ]);
    }
    for (what, der) in cases {
        assert!(PublicKey::from_spki(&der).is_err(), "{what}");
        // Nor from a file, where it is reported.
        let parsed = parse_key_file(to_pem("PUBLIC KEY", &der).as_bytes()).unwrap();
        assert_eq!((parsed.material.len(), parsed.unusable.len()), (0, 1), "{what}: {parsed:?}");
        assert!(parse_key_file(&der).is_err() || parse_key_file(&der).unwrap().material.is_empty(), "{what}");
    }
}

/// All encodings of the eight points of small order, canonical or not.
fn small_order() -> Vec<[u8; 32]> {
    let eight = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let mut points: Vec<[u8; 32]> =
        eight.iter().map(|point| hex::decode(point).unwrap().try_into().unwrap()).collect();
    let of = |first: u8, rest: u8, last: u8| {
        let mut point = [rest; 32];
        (point[0], point[31]) = (first, last);
        point
    };
    // y = 1, -1, 0, and the same with p added.
    points.extend([
        of(1, 0, 0),
        of(0xec, 0xff, 0x7f),
        of(0, 0, 0),
        of(0xee, 0xff, 0x7f),
        of(0xed, 0xff, 0x7f),
    ]);
    let signed: Vec<_> = points
        .iter()
        .map(|point| {
            let mut signed = *point;
            signed[31] ^= 0x80;
            signed
        })
        .collect();
    [points, signed].concat()
}

#[test]
fn ed25519_points_of_small_order() {
    let points = small_order();
    assert_eq!(points.len(), 14);
    for point in points {
        let read = PublicKey::from_spki(&spki(&[OID_ED25519], 0, &point));
        assert!(matches!(read, Err(Weak(_))), "{}: {read:?}", hex::encode(point));
    }
    // The other points that have a second encoding.
    for y in 0..19_u8 {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (0xed + y, 0x7f);
        assert!(PublicKey::from_spki(&spki(&[OID_ED25519], 0, &point)).is_err(), "{y}");
    }
}

#[test]
fn rsa_keys_with_which_anybody_can_sign() {
    let (n, e) = numbers();
    assert_eq!(PublicKey::from_spki(&rsa(&n, &e)), Ok(good(RSA_KEY)));
    for exponent in [&[0][..], &[1], &[2], &[4], &[1, 0, 0]] {
        let read = PublicKey::from_spki(&rsa(&n, exponent));
        assert!(matches!(read, Err(Weak(_))), "{exponent:?}: {read:?}");
    }
    let divisible = |by: u32| {
        let number = rsa::BigUint::from_bytes_be(&n);
        let rest = &number % by;
        (number - rest).to_bytes_be()
    };
    for factor in (2..752).filter(|n| (2..*n).all(|d| n % d != 0)) {
        let read = PublicKey::from_spki(&rsa(&divisible(factor), &e));
        assert!(matches!(read, Err(Weak(_))), "{factor}: {read:?}");
    }
    assert!(PublicKey::from_spki(&rsa(&n, &[3])).is_ok());
}

#[test]
fn rsa_keys_that_no_consumer_takes() {
    let (n, e) = numbers();
    for (what, n, e) in [
        ("2047 bits", [&[n[0] >> 1], &n[1..]].concat(), e.clone()),
        ("8200 bits", n.repeat(5)[..1025].to_vec(), e),
        ("an exponent of 34 bits", n.clone(), vec![2, 0, 0, 0, 1]),
        ("an exponent as long as the modulus", n.clone(), n),
    ] {
        let read = PublicKey::from_spki(&rsa(&n, &e));
        assert!(matches!(read, Err(Unsupported(_))), "{what}: {read:?}");
    }
}

#[test]
fn curve_points_that_are_none() {
    for (curve, key) in [(OID_P256, good(P256_KEY)), (OID_P384, good(P384_KEY))] {
        let infinity = PublicKey::from_spki(&spki(&[OID_EC, curve], 0, &[0]));
        assert!(matches!(infinity, Err(Weak(_))), "{infinity:?}");
        let raw = key.raw();
        let mut off = raw.clone();
        *off.last_mut().unwrap() ^= 1;
        let zeros = [&[4][..], &vec![0; raw.len() - 1]].concat();
        let large = [&[4][..], &vec![0xff; raw.len() - 1]].concat();
        for point in [off, zeros, large] {
            let read = PublicKey::from_spki(&spki(&[OID_EC, curve], 0, &point));
            assert!(matches!(read, Err(Encoding(_))), "{point:?}: {read:?}");
        }
    }
}

/// An unsigned certificate around a key.
fn certificate(key: &[u8]) -> Result<PublicKey, ChainError> {
    let algorithm = tlv(0x30, OID_ED25519);
    let name = tlv(0x30, &[]);
    let day = tlv(0x17, b"260101000000Z");
    let version = tlv(0xa0, &integer(&[2]));
    let validity = tlv(0x30, &[&day[..], &day].concat());
    let fields = [&version[..], &integer(&[1]), &algorithm, &name, &validity, &name, key].concat();
    let der = tlv(0x30, &[&tlv(0x30, &fields)[..], &algorithm, &tlv(3, &[0; 65])].concat());
    Chain::new(vec![Certificate::from_der(&der)?])?.first().public_key()
}

#[test]
fn a_weak_key_in_a_certificate() {
    for point in small_order() {
        let read = certificate(&spki(&[OID_ED25519], 0, &point));
        assert!(matches!(read, Err(ChainError::Key { source: Weak(_), .. })), "{read:?}");
    }
    let (n, _) = numbers();
    let read = certificate(&rsa(&n, &[1]));
    assert!(matches!(read, Err(ChainError::Key { source: Weak(_), .. })), "{read:?}");
}

#[test]
fn a_certificates_key_is_the_same_as_the_bare_key() {
    for key in [good(P256_KEY), good(P384_KEY), good(ED25519_KEY), good(RSA_KEY)] {
        assert_eq!(certificate(key.spki()), Ok(key));
    }
    let key = good(RSA_KEY);
    assert_eq!(certificate(&spki(&[OID_RSA], 0, &key.raw())), Ok(key));
}
