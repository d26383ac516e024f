//! What one signature takes, computed by aws-lc-rs with a key that was read before.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
        ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm,
        KeyPair, ParsedPublicKey,
    },
};

use super::{judge::cpu, sign::Form};

/// Seconds of one core for one signature.
pub(crate) struct Raw {
    pub(crate) p256: f64,
    p384: f64,
}

impl Raw {
    pub(crate) fn measure() -> Self {
        Self {
            p256: one(&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P256_SHA256_ASN1),
            p384: one(&ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1),
        }
    }

    /// The seconds that the signatures of one signature of this form take.
    pub(crate) fn sum(&self, form: Form) -> f64 {
        let (p256, p384) = form.crypto();
        f64::from(p256) * self.p256 + f64::from(p384) * self.p384
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p256, p384) = (self.p256, self.p384);
        write!(
            f,
            "aws-lc-rs on one core: P-256 {:.1} µs, {:.0} a second; P-384 {:.1} µs",
            p256 * 1e6,
            1.0 / p256,
            p384 * 1e6
        )
    }
}

fn one(signing: &'static EcdsaSigningAlgorithm, verifying: &'static EcdsaVerificationAlgorithm) -> f64 {
    const SIGNATURES: u16 = 200;
    let pair = EcdsaKeyPair::generate(signing).unwrap();
    let key = ParsedPublicKey::new(verifying, pair.public_key().as_ref()).unwrap();
    let random = SystemRandom::new();
    let signed: Vec<_> = (0..SIGNATURES)
        .map(|n| {
            let message = [&n.to_be_bytes()[..], &[7; 240]].concat();
            let signature = pair.sign(&random, &message).unwrap();
            (message, signature)
        })
        .collect();
    let mut best = f64::MAX;
    for _ in 0..15 {
        let start = cpu();
        for (message, signature) in &signed {
            key.verify_sig(message, signature.as_ref()).unwrap();
        }
        best = best.min(cpu() - start);
    }
    best / f64::from(SIGNATURES)
}
