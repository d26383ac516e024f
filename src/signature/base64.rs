//! Base64 as in Go's `encoding/base64`, and so in cosign and containers/image: line breaks are skipped, because
//! `openssl base64` and `cosign attach` add them. Nothing else is tolerated.

use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};

/// Decodes standard base64 with padding, over any number of lines.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    if text.contains(['\r', '\n']) {
        STANDARD.decode(text.replace(['\r', '\n'], ""))
    } else {
        STANDARD.decode(text)
    }
}
