#![cfg_attr(fuzzing, no_main)]
//! The base64 inside a lab bundle: log entry body, checkpoint, timestamp and certificate come from the input.

mod input;
mod signatures;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

const BUNDLE: &str = include_str!(
    "../../testdata/lab/layouts/keyless-bundle-rekor1-oras/blobs/sha256/6f78e767e5c899519ddf2453991f72a8e5670533f139eed49375bdfd3bea8c01"
);

/// The first byte selects the part to replace; the rest replaces it.
pub fn run(data: &[u8]) {
    let Some((what, rest)) = data.split_first() else { return };
    let mut bundle: Value = serde_json::from_str(BUNDLE).unwrap();
    let material = &mut bundle["verificationMaterial"];
    let coded = || Value::from(BASE64_STANDARD.encode(rest));
    match what % 4 {
        0 => material["tlogEntries"][0]["canonicalizedBody"] = coded(),
        1 => {
            material["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"] =
                String::from_utf8_lossy(rest).into();
        }
        2 => {
            material["timestampVerificationData"] =
                serde_json::json!({ "rfc3161Timestamps": [{ "signedTimestamp": coded() }] });
        }
        _ => material["certificate"] = serde_json::json!({ "rawBytes": coded() }),
    }
    signatures::bundle(bundle.to_string().as_bytes());
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
