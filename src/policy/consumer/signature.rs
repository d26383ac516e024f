//! Signatures as a pull finds them: layers of the tag `sha256-<hex>.sig`, and files of the lookaside tree.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{signature::SIGSTORE_JSON, trust::attachment::base64};

/// A signature that a pull read.
#[derive(Debug, Clone)]
pub enum Found {
    /// An OpenPGP message.
    Simple(Vec<u8>),
    /// What cosign makes.
    Sigstore {
        /// The media type; others than simple signing are no signatures.
        media_type: String,
        /// What is signed.
        payload: Vec<u8>,
        /// What is beside it.
        annotations: BTreeMap<String, String>,
    },
}

/// Why a pull fails before any requirement is looked at: one such signature beside good ones is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

/// Reads a file of a lookaside tree (`internal/signature/signature.go`, `FromBlob`).
pub fn from_file(bytes: Vec<u8>) -> Result<Found, Unreadable> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct File {
        #[serde(default)]
        mime_type: String,
        #[serde(default)]
        payload: String,
        #[serde(default)]
        annotations: Option<BTreeMap<String, String>>,
    }
    const SIMPLE: &[u8] = b"\0simple-signing\n";
    match bytes.first() {
        None => Err(Unreadable("it is empty".into())),
        // The packets with which an OpenPGP message begins.
        Some(0xA0..=0xA3 | 0xC8 | 0x90..=0x92 | 0x3D | 0xC4 | 0x88..=0x8B | 0xC2) => Ok(Found::Simple(bytes)),
        Some(0) => {
            if let Some(message) = bytes.strip_prefix(SIMPLE) {
                return Ok(Found::Simple(message.to_vec()));
            }
            let json = bytes.strip_prefix(SIGSTORE_JSON);
            let json =
                json.ok_or_else(|| Unreadable("it is of a format that the consumer does not know".into()))?;
            let file: File = serde_json::from_slice(json).map_err(|e| Unreadable(e.to_string()))?;
            let payload =
                base64(&file.payload).ok_or_else(|| Unreadable("its payload is not base64".into()))?;
            let annotations = file.annotations.unwrap_or_default();
            Ok(Found::Sigstore { media_type: file.mime_type, payload, annotations })
        }
        Some(_) => Err(Unreadable("it is not an OpenPGP message in binary form".into())),
    }
}
