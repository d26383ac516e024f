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

/// Secret-key and secret-subkey packets, in the old and the new format (RFC 9580 §4.2): tags 5 and 7.
fn openpgp_packet(bytes: &[u8]) -> bool {
    let tag = match bytes.first() {
        Some(first) if first & 0xc0 == 0xc0 => first & 0x3f,
        Some(first) if first & 0xc0 == 0x80 => (first & 0x3c) >> 2,
        _ => return false,
    };
    matches!(tag, 5 | 7) && std::str::from_utf8(bytes).is_err()
}
