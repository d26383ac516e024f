//! Recognises private keys in any form in order to refuse them. They are read no further than necessary, and their
//! content is never shown.

use x509_cert::der::{Reader, SliceReader, Tag, asn1::IntRef};

/// The kind of private key, if this is or holds one.
pub(super) fn label(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    armour(&text)
        .or_else(|| words(&text).map(str::to_owned))
        .or_else(|| der(bytes).map(str::to_owned))
        .or_else(|| openpgp_packet(bytes).then(|| "OpenPGP".to_owned()))
}

/// The label of the first PEM block that is a private key: PKCS #1, PKCS #8, SEC 1, OpenSSH, OpenPGP, cosign's and
/// sigstore's encrypted form, RFC 4716. Damaged blocks count too.
fn armour(text: &str) -> Option<String> {
    text.split("---BEGIN ")
        .skip(1)
        .chain(text.split("---- BEGIN ").skip(1))
        .filter_map(|rest| rest.split("---").next())
        .find(|label| label.to_ascii_uppercase().contains("PRIVATE KEY"))
        .map(|label| label.trim().chars().take(60).collect())
}

/// Files whose text states what they are.
fn words(text: &str) -> Option<&'static str> {
    let start = text.trim_start();
    if start.starts_with('{') {
        // RFC 7517: `d` is the private part of RSA, EC and OKP keys, `k` is a symmetric key.
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let secret = json.get("kty").is_some() && (json.get("d").is_some() || json.get("k").is_some());
        return secret.then_some("JWK");
    }
    let first = start.lines().next().unwrap_or_default();
    if first.starts_with("PuTTY-User-Key-File-") {
        Some("PuTTY")
    } else if first.starts_with("untrusted comment:") && first.contains("secret key") {
        Some("minisign or signify")
    } else if text.lines().any(|line| line.starts_with("AGE-SECRET-KEY-")) {
        Some("age")
    } else {
        None
    }
}

/// PKCS #1, PKCS #8 and SEC 1 start with a version number of 0 or 1, PKCS #12 with 3. An encrypted PKCS #8 key is an
/// algorithm and an octet string, where a public key has a bit string.
fn der(bytes: &[u8]) -> Option<&'static str> {
    let mut outer = SliceReader::new(bytes).ok()?;
    if outer.peek_header().ok()?.tag != Tag::Sequence {
        return None;
    }
    let found = outer.sequence(|inner| {
        let found = match inner.peek_header()?.tag {
            Tag::Integer => {
                let version: IntRef<'_> = inner.decode()?;
                match version.as_bytes() {
                    [0 | 1] => Some("DER"),
                    [3] => Some("PKCS #12"),
                    _ => None,
                }
            }
            Tag::Sequence => {
                inner.tlv_bytes()?;
                let octets = !inner.is_finished() && inner.peek_header()?.tag == Tag::OctetString;
                octets.then_some("DER, encrypted")
            }
            _ => None,
        };
        inner.read_slice(inner.remaining_len())?;
        Ok(found)
    });
    found.ok().flatten()
}

/// A secret-key or secret-subkey packet (RFC 9580 §4.2: tags 5 and 7, in the old and the new format), even a truncated
/// one. The tag alone would match four percent of all raw signatures, so the body must begin like that of a key.
fn openpgp_packet(bytes: &[u8]) -> bool {
    let Some(&first) = bytes.first() else { return false };
    let (tag, length) = match first {
        0xc0.. => (first & 0x3f, new_length(bytes.get(1).copied())),
        // In the old format, length type 3 means that there is no length field.
        0x80.. => ((first & 0x3c) >> 2, [1, 2, 4, 0][usize::from(first & 3)]),
        _ => return false,
    };
    matches!(tag, 5 | 7) && bytes.get(1 + length..).is_some_and(begins_as_key)
}

/// Version, a time after 1990, algorithm, and the start of the first number or curve (RFC 9580 §5.5.2, §9.1).
fn begins_as_key(body: &[u8]) -> bool {
    let &[version, t3, t2, t1, t0, ref rest @ ..] = body else { return false };
    // Two bytes of validity before the algorithm, or four of length after it.
    let (before, after) = match version {
        2 | 3 => (2, 0),
        4 => (0, 0),
        5 | 6 => (0, 4),
        _ => return false,
    };
    let Some(&[algorithm, ref rest @ ..]) = rest.get(before..) else { return false };
    let Some(&[a, b, ..]) = rest.get(after..) else { return false };
    let material = match algorithm {
        1..=3 | 16 | 17 => (512..=16_384).contains(&u16::from_be_bytes([a, b])),
        18 | 19 | 22 => (5..=10).contains(&a),
        25..=28 => true,
        8 | 30..=35 => version > 4,
        _ => false,
    };
    material
        && u32::from_be_bytes([t3, t2, t1, t0]) > 631_152_000
        && rest[..after].iter().take(2).all(|&b| b == 0)
}

/// The number of bytes of a length in the new format (RFC 9580 §4.2.1), given its first byte.
const fn new_length(first: Option<u8>) -> usize {
    match first {
        Some(192..=223) => 2,
        Some(255) => 5,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn secret_key_packets_in_both_formats_also_cut_short() {
        let body = [4, 0x5f, 0, 0, 0, 22, 9, 0x2b];
        for head in
            [&[0x94, 8][..], &[0x95, 1, 0], &[0x9c, 8], &[0xc5, 8], &[0xc7, 193, 0], &[0xc5, 255, 0, 0, 1, 0]]
        {
            assert_eq!(label(&[head, &body].concat()).as_deref(), Some("OpenPGP"), "{head:?}");
        }
        let third = [&[0x95, 1, 0, 3, 0x5f, 0, 0, 0, 0, 0, 1, 8, 0][..], &[0xff; 9]].concat();
        assert_eq!(label(&third).as_deref(), Some("OpenPGP"));
    }

    /// An RSA or Ed25519 signature may begin with any byte.
    #[test]
    fn raw_signatures_are_not_taken_for_secret_keys() {
        let mut state = 1_u32;
        for first in 0..=255_u8 {
            for _ in 0..64 {
                let mut signature = vec![first];
                signature.resize_with(256, || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state.to_be_bytes()[0]
                });
                assert_eq!(label(&signature), None, "{signature:?}");
            }
        }
    }
}
