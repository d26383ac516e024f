#![cfg_attr(fuzzing, no_main)]
//! cosign's simple signing: the payload, then its annotations. None counts for an image that it does not name.

mod input;
mod signatures;

use keypack::signature::{UntrustedSignature, UntrustedSimple, annotation};

/// Reads payload, signature, Rekor bundle, certificate and timestamp.
pub fn run(data: &[u8]) {
    let parts = input::parts(data);
    let names = [annotation::SIGNATURE, annotation::BUNDLE, annotation::CERTIFICATE, annotation::TIMESTAMP];
    let texts = names
        .iter()
        .enumerate()
        .map(|(n, name)| ((*name).to_owned(), input::text(&parts, n + 1).into_owned()));
    let annotations = texts.filter(|(_, text)| !text.is_empty()).collect();
    if let Ok(simple) = UntrustedSimple::parse(parts[0].to_vec(), &annotations) {
        signatures::judge(&UntrustedSignature::Simple(Box::new(simple)));
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
