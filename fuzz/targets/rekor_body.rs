#![cfg_attr(fuzzing, no_main)]
//! Bodies of Rekor entries, in simple signing's annotation and in a bundle for a bare key: the kind is the first part, the body the second.

mod input;
mod signatures;

use base64::{Engine, prelude::BASE64_STANDARD};
use keypack::signature::{UntrustedSignature, UntrustedSimple, annotation};
use serde_json::{Value, json};

const BUNDLE: &str = include_str!(
    "../../testdata/lab/layouts/key-bundle-rekor1-oras/blobs/sha256/8e4c7069d7c03382ba8f44317538bea9d5be61f94194d4b12b05c7d8ac5e0562"
);
const PAYLOAD: &[u8] = br#"{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"type":"cosign container image signature"},"optional":null}"#;

/// Reads a body in both places.
pub fn run(data: &[u8]) {
    let parts = input::parts(data);
    let kind = input::text(&parts, 0);
    let body = BASE64_STANDARD.encode(parts.get(1).copied().unwrap_or_default());
    let mut bundle: Value = serde_json::from_str(BUNDLE).unwrap();
    let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
    entry["canonicalizedBody"] = body.clone().into();
    let (kind, version) = kind.split_once(' ').unwrap_or((&kind, ""));
    entry["kindVersion"] = json!({ "kind": kind, "version": version });
    signatures::bundle(bundle.to_string().as_bytes());
    let rekor = json!({
        "SignedEntryTimestamp": "AAAA",
        "Payload": { "body": body, "integratedTime": 1, "logIndex": 1, "logID": "00".repeat(32) }
    });
    let annotations =
        [(annotation::SIGNATURE.into(), "AAAA".into()), (annotation::BUNDLE.into(), rekor.to_string())];
    if let Ok(simple) = UntrustedSimple::parse(PAYLOAD.to_vec(), &annotations.into()) {
        signatures::judge(&UntrustedSignature::Simple(Box::new(simple)));
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
