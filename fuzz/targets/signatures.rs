//! What holds for every readable signature.
#![allow(dead_code, reason = "no target uses all of it")]

use keypack::{
    oci::Digest,
    signature::{UntrustedBundle, UntrustedSignature},
    trust::Verifier,
};

use super::input;

/// Reads a bundle and judges it.
pub(crate) fn bundle(json: &[u8]) {
    if let Ok(bundle) = UntrustedBundle::parse(json) {
        judge(&UntrustedSignature::Bundle(Box::new(bundle)));
    }
}

/// After everything in the initial corpora was made and before the first of their keys expires: 2026-11-30. At an
/// earlier time, no signature would get past its date.
pub(crate) const NOW: jiff::Timestamp = jiff::Timestamp::constant(1_796_000_000, 0);

/// Resolves its needs and judges it with the lab's keys.
pub(crate) fn judge(signature: &UntrustedSignature) {
    judge_with(signature, &input::lab_keys());
}

/// Resolves its needs and judges it with these keys.
pub(crate) fn judge_with(signature: &UntrustedSignature, verifier: &Verifier) {
    let _ = signature.needs();
    let other = Digest::of(b"an image that nobody signed");
    for image in signature.claimed_images().iter().chain([&other]).take(4) {
        let judged = verifier.judge(signature, image, NOW);
        let proved = verifier.prove(signature, image, NOW);
        assert!(judged.is_err() || *image != other, "it speaks for an image that it does not name");
        assert!(judged.is_err() || proved.is_ok(), "judged good and not proved");
        if let Ok(verified) = judged {
            assert!(!verified.keys().is_empty(), "verified without a key");
        }
    }
}
