//! The encodings of key files other than PEM and DER, and what a file without a key appears to be.

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::text;

/// Base64 with or without its padding.
const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The PEM or DER in a file: decoded from UTF-16, from base64 (`keyData` in OpenShift and policy.json is the base64 of
/// a PEM; some programs print the base64 of a DER), and with the `\n` escapes of JSON and YAML turned into line breaks.
/// At most one layer of each, so the result is never more than one and a half times as long as the file.
pub(super) fn unwrapped(bytes: &[u8]) -> Cow<'_, [u8]> {
    let text = text::utf8(bytes);
    if contains(&text, b"-----BEGIN ") {
        return unescaped(&text).map_or(text, Cow::Owned);
    }
    match base64(&text) {
        Some(inner) if contains(&inner, b"-----BEGIN ") => {
            Cow::Owned(unescaped(&inner).unwrap_or_else(|| text::utf8(&inner).into_owned()))
        }
        Some(inner) if is_der(&inner) || is_openpgp_key(&inner) => Cow::Owned(inner),
        _ => text,
    }
}

/// A sequence with a definite length (X.690 §8.1.3), which every key and certificate starts with.
fn is_der(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, length @ 0..=0x7f, rest @ ..] | [0x30, 0x81, length, rest @ ..] => {
            rest.len() == usize::from(*length)
        }
        [0x30, 0x82, a, b, rest @ ..] => rest.len() == usize::from(u16::from_be_bytes([*a, *b])),
        _ => false,
    }
}

/// A public or secret key packet, in the new or the old format (RFC 9580 §4.2).
fn is_openpgp_key(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0xc5 | 0xc6 | 0x94..=0x96 | 0x98..=0x9a))
}

/// A PEM whose line breaks are the two characters `\n`, as quoted in JSON, YAML and environment variables.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    if !contains(text, b"-----\\n") && !contains(text, b"-----\\r\\n") {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    Some(text.replace("\\r", "").replace("\\n", "\n").into_bytes())
}

/// Decodes base64. Line breaks are allowed, spaces are not: otherwise plain words would count as base64 too.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii().iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect::<Vec<u8>>();
    let alphabet = if text.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, ANY_PADDING).decode(text).ok()
}

/// What a file without any PEM block appears to be, and what to do with it; `None` if it is not recognised.
pub(super) fn describe(bytes: &[u8]) -> Option<&'static str> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]);
    let (start, lower) = (start.trim_start(), start.trim_start().to_ascii_lowercase());
    let is = |beginnings: &[&str]| beginnings.iter().any(|beginning| lower.starts_with(beginning));
    let is_hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte.is_ascii_whitespace();
    let what = if bytes.trim_ascii().is_empty() {
        "it is empty"
    } else if is(&["<"]) {
        "it looks like a web page; was a login page saved in its place?"
    } else if is(&["{"]) && start.contains("\"kty\"") {
        "it is a JWK (JSON); ask its publisher for the key as PEM"
    } else if is(&["{"]) {
        "it looks like JSON; a trusted_root.json goes to --trusted-root"
    } else if is(&["http://", "https://", "[internetshortcut]"]) {
        "it holds an address; download the file from there, and give that"
    } else if lower.contains("apiversion:") && lower.contains("kind:") {
        "it is a Kubernetes resource; put the text of its keyData, or of the key in it, into a file of its own"
    } else if is(&["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- begin ssh2"]) {
        "it is a key of SSH; if images are signed with it: ssh-keygen -e -m PKCS8 -f FILE writes PEM"
    } else if is(&["untrusted comment:"]) {
        "it is a key of minisign or signify, with which no image is signed"
    } else if is(&["version https://git-lfs"]) {
        "it is a pointer of Git LFS; fetch the file itself with git lfs pull"
    } else if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"PK\x03\x04") {
        "it is compressed; unpack it, and give the key in it"
    } else if is_note_key(start) {
        "it is the verifier key of a signed note; give the log's key as PEM, or the log's trusted_root.json"
    } else if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        "it is UTF-32 text; save it as UTF-8"
    } else if lower.contains("begin") && (lower.contains("key") || lower.contains("certificate")) {
        "it looks like PEM, but its first line is not exactly -----BEGIN …-----: a program has changed dashes, spaces or case; get the original file"
    } else if bytes.len() > 16 && bytes.iter().all(|byte| is_hex(*byte)) {
        "it holds hexadecimal digits: a fingerprint is not a key; a key in this form becomes a file with xxd -r -p"
    } else if bytes.len() > 16 && base64(bytes).is_some() {
        "it is base64, but not of a key"
    } else {
        return None;
    };
    Some(what)
}

/// `<name>+<8 hex digits>+<base64>` (golang.org/x/mod/sumdb/note).
fn is_note_key(text: &str) -> bool {
    let mut parts = text.lines().next().unwrap_or_default().splitn(3, '+');
    let (name, id, key) = (parts.next(), parts.next(), parts.next());
    name.is_some_and(|name| !name.is_empty())
        && id.is_some_and(|id| id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit()))
        && key.is_some_and(|key| !key.is_empty())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
