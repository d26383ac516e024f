//! The judge of `verify` alone: signatures that were read, on one core.

use keypack::{
    oci::Digest,
    signature::{UntrustedBundle, UntrustedSignature, UntrustedSimple},
    trust::{KeySet, Verifier},
};

use super::{
    mirror,
    sign::{Form, Signers},
};

/// Seconds of one core for one signature, the best of several runs.
pub(crate) fn one(form: Form, signatures: usize) -> f64 {
    let mut signers = Signers::new();
    let signed: Vec<_> = (0..signatures)
        .map(|number| {
            let image = mirror::image(number);
            let signed = signers.sign(number, form, image.as_bytes(), &mirror::reference(number));
            let signature = if form == Form::Bundle {
                let bundle = UntrustedBundle::parse(signed.bundle().as_bytes()).unwrap();
                UntrustedSignature::Bundle(Box::new(bundle))
            } else {
                let simple = UntrustedSimple::parse(signed.payload, &signed.annotations).unwrap();
                UntrustedSignature::Simple(Box::new(simple))
            };
            (Digest::of(image.as_bytes()), signature)
        })
        .collect();
    let verifier = Verifier::new(KeySet::new(signers.keys()).unwrap());
    let now = jiff::Timestamp::now();
    let mut best = f64::MAX;
    for _ in 0..7 {
        let start = cpu();
        for (image, signature) in &signed {
            verifier.judge(signature, image, now).unwrap();
        }
        best = best.min(cpu() - start);
    }
    best / signatures as f64
}

/// The seconds that this thread has run: what else the machine does is not counted.
pub(crate) fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
