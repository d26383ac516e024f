//! Base64 as Go's `encoding/base64` reads it, and so cosign and containers/image: line breaks are skipped, for
//! `openssl base64` and `cosign attach` bring them along. Nothing else is forgiven.

use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};

/// Decodes standard base64 with padding, over any number of lines.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    if text.contains(['\r', '\n']) {
        STANDARD.decode(text.replace(['\r', '\n'], ""))
    } else {
        STANDARD.decode(text)
    }
}
