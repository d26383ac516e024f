//! Converts text files as written by editors and shells to UTF-8: the only place where encodings are normalised. It is
//! used for all files named by the user (keys, roots, policies, lists of images), and never for content that was signed
//! or hashed.

use std::borrow::Cow;

/// The text without its byte order mark, and converted from UTF-16 (Windows PowerShell's `>` writes it). Anything else,
/// including binary data, is returned unchanged. The result is at most one and a half times as long as the input.
pub(crate) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] if is_utf16(rest, u16::from_le_bytes) => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] if is_utf16(rest, u16::from_be_bytes) => utf16(rest, u16::from_be_bytes),
        // Without a mark only if the text starts with ASCII: `iconv -t UTF-16LE` writes none.
        [a, 0, b, 0, ..] if is_text(*a) && is_text(*b) && is_utf16(bytes, u16::from_le_bytes) => {
            utf16(bytes, u16::from_le_bytes)
        }
        [0, a, 0, b, ..] if is_text(*a) && is_text(*b) && is_utf16(bytes, u16::from_be_bytes) => {
            utf16(bytes, u16::from_be_bytes)
        }
        _ => Cow::Borrowed(bytes),
    }
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}

fn units(bytes: &[u8], order: fn([u8; 2]) -> u16) -> impl Iterator<Item = u16> {
    bytes.as_chunks::<2>().0.iter().map(move |pair| order(*pair))
}

/// Whether all of it is UTF-16, because binary files may start like UTF-16.
fn is_utf16(bytes: &[u8], order: fn([u8; 2]) -> u16) -> bool {
    bytes.len().is_multiple_of(2)
        && char::decode_utf16(units(bytes, order)).all(|c| c.is_ok_and(|c| c != '\0'))
}

fn utf16(bytes: &[u8], order: fn([u8; 2]) -> u16) -> Cow<'_, [u8]> {
    Cow::Owned(char::decode_utf16(units(bytes, order)).flatten().collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn marks_and_utf16_are_read_and_all_else_stays() {
        let text = "quay.io/a/b:1\r\nž🔑\n";
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            for mark in ["\u{feff}", ""] {
                assert_eq!(*utf8(&encoded(&format!("{mark}{text}"), order)), *text.as_bytes());
            }
        }
        assert_eq!(*utf8(&[b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat()), *text.as_bytes());
        for same in [
            b"".as_slice(),
            text.as_bytes(),
            b"\xff\xfea",                     // half a character
            b"\xff\xfe\x00\xd8",              // half a pair
            b"a\0b\0\0\0",                    // a NUL
            b"\xfe\xff\x01",                  // an OpenPGP packet starts so
            b"0\x82\x01\x0a\x02\x82\x01\x01", // DER
        ] {
            assert_eq!(*utf8(same), *same);
        }
    }
}
