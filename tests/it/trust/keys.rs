//! Key files as users have them, and as attackers would make them.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::key::{Algorithm, Material, parse_key_file};

use super::{
    lab::{key, lab},
    test_keys,
};
use keypack::key::Role;

const P521: &str = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBr00soeFXsZazx7AW2Rf6BoGiLg/jzCPRcjj1vQKhZXmFQnQVZYTFIUWfrjhkqlBVJZj5Lt09W/1JYlrHjNPqOj8A+P/WnGqier+qooiuHg9tAs6wjjk8g2u1LXYvLja04Km3a8c3I3UtxqMQwaXgV4z2WOMrH0zcViIoMAeJprB+uA4=";
const SECP256K1: &str = "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAExbF6TDW5CKgBclyl+E71dA9swzWdmrKwbQ+D3Sw3Y8hCnb96mFLlxBG5xnMt2ICle9slUwpgQ6eXaM254wmyZw==";
const BRAINPOOL: &str = "MFowFAYHKoZIzj0CAQYJKyQDAwIIAQEHA0IABA4+Yc2N+Rm1kSIMCz1jeCY8F0B82fH7yAaa9LBYU+drRZfzLb1z3WFlmu+ssClm0iG5ePpjNP7bTYOEOeZgT6M=";
const COMPRESSED: &str = "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACnVhg+jBV7nIsZZOOXwcSCPxs91/J4lMK8R0LYLmk2i0=";
const EXPLICIT: &str = "MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABJ1YYPowVe5yLGWTjl8HEgj8bPdfyeJTCvEdC2C5pNotgKdZGX42mFJKJbPzDahtknzpdxqJbzdiggp2lYJK95o=";
const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCeefkKsY/4tRVZvHQEKnHV5PsvPRKPpvlDdaH685qLlhTlCNl9y60qCADCF+60PWfPDvXBaERu3Zsh60LQppKDABjnyzeQZrD+rTdxy/yOhugzqTFfZCH3/s2Gyu6bsQ1UKbH5yfDDGvqZgtE3HTVxZQffyArYtK2E/wkbKv00TwIDAQAB";
const ED448: &str =
    "MEMwBQYDK2VxAzoA3cPqhcZKkq4cIGeibgfmChmXVSPF2LOSyIrrg3tFookhdd86FEqsB6Ldx9N7NFpMEM4C5R2BDUqA";
const X25519: &str = "MCowBQYDK2VuAyEAgumY95qJ9TVRyvOfGTVkg7N5LyXYFctAl6ohebTlim4=";
const RSA_2048: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwxS+4kG5VvWKgjcTfgINb3QdRykQlMs0FDzDCGuAK1Ejxuy+mdIGNbDdpeb9HinYF8wX9NojqoRom0KVz2qqupB7WYw+8ogCyUnsTlRChQxX54CJ9CXe7uU86mtNt7v0lAa00OkQxVwGOnMyICGWxicWDoJ2x5cj6gYLhIuH7+obk4c06M/7vAhW2EDhxidDumIo2tRfL3q0lt/0eFfYMzFxGgRUU84PLUE0JJc/BHRVRtFAPPMejvok3xo5jX/CnS4RbC7hzgGpyyzHtNn8LPYd7F5W08qvXkePJbX/CxuggsXB5fWZ6YqZ3bDUK946X52LS7wtNee47YU9WBbEwQIDAQAB";
/// The same key as PKCS #1.
const RSA_PKCS1: &str = "MIIBCgKCAQEAwxS+4kG5VvWKgjcTfgINb3QdRykQlMs0FDzDCGuAK1Ejxuy+mdIGNbDdpeb9HinYF8wX9NojqoRom0KVz2qqupB7WYw+8ogCyUnsTlRChQxX54CJ9CXe7uU86mtNt7v0lAa00OkQxVwGOnMyICGWxicWDoJ2x5cj6gYLhIuH7+obk4c06M/7vAhW2EDhxidDumIo2tRfL3q0lt/0eFfYMzFxGgRUU84PLUE0JJc/BHRVRtFAPPMejvok3xo5jX/CnS4RbC7hzgGpyyzHtNn8LPYd7F5W08qvXkePJbX/CxuggsXB5fWZ6YqZ3bDUK946X52LS7wtNee47YU9WBbEwQIDAQAB";

fn pem(label: &str, base64: &str) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    text + &format!("-----END {label}-----\n")
}

fn der(base64: &str) -> Vec<u8> {
    BASE64.decode(base64).unwrap()
}

/// The lab's signer key as PEM, and as keypack reads it.
fn good() -> (String, Material) {
    let Material::Key(public) = key(Role::Signer).material else { panic!() };
    (public.to_pem(), Material::Key(public))
}

fn one(bytes: &[u8]) -> Material {
    let parsed = parse_key_file(bytes).unwrap();
    assert_eq!(parsed.unusable, []);
    let [material] = parsed.material.as_slice() else { panic!("{parsed:?}") };
    material.clone()
}

#[test]
fn the_same_key_in_every_spelling() {
    let (text, material) = good();
    let one_line = pem("PUBLIC KEY", "").replace(
        "\n-----END",
        &format!("\n{}\n-----END", text.lines().filter(|l| !l.starts_with("---")).collect::<String>()),
    );
    for spelling in [
        text.clone(),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
        format!("Red Hat's key, see https://example.com\n-- \nkey:\n{text}\nThat was it.\n"),
        format!("\u{feff}{text}"),
        format!("\n\n  {text}\n\n"),
        one_line,
    ] {
        assert_eq!(one(spelling.as_bytes()), material, "{spelling:?}");
    }
    let Material::Key(public) = &material else { panic!() };
    assert_eq!(one(public.spki()), material);
}

#[test]
fn rsa_keys_in_both_forms_are_one_key() {
    let spki = one(pem("PUBLIC KEY", RSA_2048).as_bytes());
    for bytes in [pem("RSA PUBLIC KEY", RSA_PKCS1).into_bytes(), der(RSA_2048), der(RSA_PKCS1)] {
        assert_eq!(one(&bytes), spki);
    }
    let Material::Key(key) = spki else { panic!() };
    assert_eq!(key.algorithm(), Algorithm::Rsa);
}

#[test]
fn several_keys_in_one_file_are_several() {
    let (text, material) = good();
    let mut file = String::new();
    for _ in 0..3 {
        file += &test_keys::pair().1.to_pem();
        file += "between\n";
    }
    let parsed = parse_key_file((file + &text).as_bytes()).unwrap();
    assert_eq!(parsed.material.len(), 4);
    assert_eq!(parsed.material[3], material);
}

#[test]
fn certificates_are_cut_into_chains() {
    #![allow(clippy::disallowed_methods, reason = "fixtures are read from disk")]
    let tsa = std::fs::read_to_string(lab().join("trust/tsa.pem")).unwrap();
    let fulcio = std::fs::read_to_string(lab().join("trust/fulcio.pem")).unwrap();
    let parsed = parse_key_file(format!("{fulcio}{tsa}{}", good().0).as_bytes()).unwrap();
    let lengths: Vec<_> = parsed
        .material
        .iter()
        .map(|m| if let Material::Chain(c) = m { c.certificates().len() } else { 0 })
        .collect();
    assert_eq!(lengths, [0, 1, 3], "keys first, then chains: {parsed:?}");
    let Material::Chain(chain) = one(fulcio.as_bytes()) else { panic!() };
    assert_eq!(one(chain.first().der()), Material::Chain(chain.clone()), "DER");
}

#[test]
fn keys_that_cannot_verify_are_told_and_the_rest_is_used() {
    for (name, key) in [
        ("P-521", P521),
        ("secp256k1", SECP256K1),
        ("brainpool", BRAINPOOL),
        ("compressed point", COMPRESSED),
        ("explicit curve", EXPLICIT),
        ("RSA of 1024 bits", RSA_1024),
        ("Ed448", ED448),
        ("X25519", X25519),
    ] {
        let (text, material) = good();
        for (file, block) in [
            (format!("{}{text}", pem("PUBLIC KEY", key)), "block 1"),
            (format!("{text}{}", pem("PUBLIC KEY", key)), "block 2"),
        ] {
            let parsed = parse_key_file(file.as_bytes()).unwrap();
            assert_eq!(parsed.material, std::slice::from_ref(&material), "{name}");
            assert_eq!(parsed.unusable.len(), 1, "{name}");
            assert_eq!(parsed.unusable[0].block, block, "{name}");
            assert!(!parsed.unusable[0].reason.is_empty());
        }
        let alone = parse_key_file(&der(key)).unwrap();
        assert!(alone.material.is_empty() && alone.unusable.len() == 1, "{name} in DER: {alone:?}");
    }
}

#[test]
fn blocks_of_other_kinds_are_told_and_the_rest_is_used() {
    let (text, material) = good();
    let pgp = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: a key\n\nmQENBFlP\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";
    let signature = pgp.replace("PUBLIC KEY BLOCK", "SIGNATURE");
    for other in [
        pgp,
        &signature,
        &pem("CERTIFICATE REQUEST", P521),
        &pem("X509 CRL", P521),
        &pem("EC PARAMETERS", "BggqhkjOPQMBBw=="),
        &pem("CERTIFICATE", P521),
        &pem("PUBLIC KEY", "AAAA"),
        &pem("RSA PUBLIC KEY", P521),
    ] {
        let parsed =
            parse_key_file(format!("{other}{text}").as_bytes()).unwrap_or_else(|e| panic!("{other}: {e}"));
        assert_eq!(parsed.material, std::slice::from_ref(&material), "{other}");
        assert_eq!(parsed.unusable.len(), 1, "{other}");
    }
}

#[test]
fn damaged_blocks_are_refused() {
    let (text, _) = good();
    let body = text.lines().nth(1).unwrap().to_owned();
    for damaged in [
        text.replace("-----END PUBLIC KEY-----", ""),
        text.replace("-----END PUBLIC KEY-----", "-----END CERTIFICATE-----"),
        text.replace(&body, &format!("{}*", &body[1..])),
        text.replace(&body, &body[1..]),
        text.replace("-----END", "-----BEGIN PUBLIC KEY-----\n-----END"),
        "-----BEGIN PUBLIC KEY-----".into(),
        "-----BEGIN ".into(),
    ] {
        let error = parse_key_file(damaged.as_bytes()).map(|p| assert!(p.material.is_empty(), "{damaged}"));
        if let Err(error) = error {
            assert_eq!(error.code().as_str(), "key-malformed", "{damaged}");
        }
    }
}

#[test]
fn what_is_no_key_at_all() {
    for (bytes, hint) in [
        (&b""[..], "empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\n  <html>", "web page"),
        (b"{\"mediaType\":\"x\"}", "trusted_root.json"),
        (b"hello", "neither"),
        (&[0x30, 0x80, 0, 0], "neither"),
        (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], "neither"),
        (&[0; 4096], "neither"),
    ] {
        let error = parse_key_file(bytes).unwrap_err();
        assert_eq!(error.code().as_str(), "key-malformed");
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn private_keys_of_every_kind() {
    let junk = BASE64.encode([0x42; 90]);
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "DSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED COSIGN PRIVATE KEY",
        "ENCRYPTED SIGSTORE PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
        "private key",
        "ANY PRIVATE KEY",
    ] {
        let (text, _) = good();
        let secret = pem(label, &junk);
        for file in [
            secret.clone(),
            secret.replace('\n', "\r\n"),
            format!("{text}{secret}"),
            format!("{secret}{text}"),
            // Damaged, and still a secret.
            secret.replace("-----END", "---END"),
            secret.lines().next().unwrap().to_owned(),
        ] {
            let error = parse_key_file(file.as_bytes()).unwrap_err();
            assert_eq!(error.code().as_str(), "private-key", "{file}");
            assert!(!error.to_string().contains(&junk[..16]), "the key must not be shown: {error}");
        }
    }
}

#[test]
fn private_keys_in_der() {
    let pkcs8 = rcgen::KeyPair::generate().unwrap().serialize_der();
    assert_eq!(parse_key_file(&pkcs8).unwrap_err().code().as_str(), "private-key", "PKCS #8");
    let text = pem("PRIVATE KEY", &BASE64.encode(&pkcs8));
    assert_eq!(parse_key_file(text.as_bytes()).unwrap_err().code().as_str(), "private-key", "PKCS #8 in PEM");
    // SEC 1 is nested inside PKCS #8.
    let at = pkcs8.windows(5).position(|w| w[0] == 0x30 && w[2..] == [2, 1, 1]).unwrap();
    let sec1 = &pkcs8[at..at + 2 + usize::from(pkcs8[at + 1])];
    assert_eq!(parse_key_file(sec1).unwrap_err().code().as_str(), "private-key", "SEC 1");
    // PKCS #1: version, modulus, exponent, …
    let pkcs1 = [&[0x30, 11, 2, 1, 0, 2, 1, 15, 2, 1, 3], &[2, 1][..0]].concat();
    assert_eq!(
        parse_key_file(&[&pkcs1[..], &[2, 1]].concat()).unwrap_err().code().as_str(),
        "private-key",
        "PKCS #1"
    );
}

#[test]
fn private_keys_in_rarer_containers() {
    // EncryptedPrivateKeyInfo (RFC 5958 §3) with PBES2, and a PKCS #12 file: version 3, then its content.
    let encrypted: &[u8] = &[
        0x30, 0x1b, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d, 0x05, 0x00,
        0x04, 0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ];
    let pkcs12: &[u8] =
        &[0x30, 0x10, 2, 1, 3, 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    // OpenPGP secret-key packets, old and new format (RFC 9580 §4.2).
    let old: &[u8] = &[0x95, 0x01, 0xd8, 0x04, 0x59, 0x4f, 0, 0, 1, 8, 0];
    let new: &[u8] = &[0xc5, 0x20, 0x04, 0x59, 0x4f, 0, 0, 1, 8, 0];
    let jwk: &[u8] = br#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}"#;
    let putty = b"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAA\n";
    let ssh2 =
        b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n";
    let age = b"# created\nAGE-SECRET-KEY-1QQQQQQQQQQQQ\n";
    let minisign = b"untrusted comment: minisign encrypted secret key\nRWRTY0Iy\n";
    let containers: [(&str, &[u8]); 9] = [
        ("PKCS #8, encrypted", encrypted),
        ("PKCS #12", pkcs12),
        ("OpenPGP, old packet", old),
        ("OpenPGP, new packet", new),
        ("JWK", jwk),
        ("PuTTY", putty),
        ("SSH2", ssh2),
        ("age", age),
        ("minisign", minisign),
    ];
    for (name, bytes) in containers {
        assert_eq!(parse_key_file(bytes).unwrap_err().code().as_str(), "private-key", "{name}");
    }
}

#[test]
fn any_prefix_and_any_flip_of_a_file_is_read_without_a_panic() {
    let (text, _) = good();
    let mut file = text.into_bytes();
    file.extend(pem("RSA PUBLIC KEY", RSA_PKCS1).bytes());
    for inputs in [file, der(RSA_2048), der(RSA_PKCS1), test_keys::root("x").certificate.der().to_vec()] {
        for at in 0..inputs.len() {
            let _ = parse_key_file(&inputs[..at]);
            for mask in [0x01, 0x80, 0xff] {
                let mut bytes = inputs.clone();
                bytes[at] ^= mask;
                let _ = parse_key_file(&bytes);
            }
        }
    }
}
