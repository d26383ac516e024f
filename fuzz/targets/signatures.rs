//! What holds for every signature that could be read.
#![allow(dead_code, reason = "no target uses all of it")]

use keypack::{
    oci::Digest,
    signature::{UntrustedBundle, UntrustedSignature},
    trust,
};

use super::input;

/// Reads a bundle and judges it.
pub(crate) fn bundle(json: &[u8]) {
    if let Ok(bundle) = UntrustedBundle::parse(json) {
        judge(&UntrustedSignature::Bundle(Box::new(bundle)));
    }
}

/// Asks for its needs and judges it with the laboratory's keys.
pub(crate) fn judge(signature: &UntrustedSignature) {
    let _ = signature.hints();
    let keys = input::lab_keys();
    let other = Digest::of(b"an image that nobody signed");
    for image in signature.claimed_images().iter().chain([&other]).take(4) {
        let judged = trust::judge(signature, image, &keys);
        let proved = trust::prove(signature, image, &keys);
        assert!(judged.is_err() || *image != other, "it speaks for an image that it does not name");
        assert!(judged.is_err() || proved.is_ok(), "judged good and not proved");
        if let Ok(verified) = judged {
            assert!(!verified.keys().is_empty(), "verified without a key");
        }
    }
}
