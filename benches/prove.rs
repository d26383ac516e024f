//! Measures how long it takes to verify the signatures of many images once the keys are available: `cargo bench
//! --bench prove`. `KEYPACK_BENCH_IMAGES` sets their number.
#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement looks at the clock and prints"
)]

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Candidate, Certificate, Chain, Grade, Material, Provenance, PublicKey, Role},
    oci::Digest,
    resolve::{Question, resolve},
    signature::{UntrustedSignature, UntrustedSimple},
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose,
    SanType, SigningKey,
};
use sigstore_crypto::KeyPair;

/// The time of all signatures.
const TIME: i64 = 1_795_359_500;

fn main() {
    let images = std::env::var("KEYPACK_BENCH_IMAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let log = KeyPair::generate_ecdsa_p256().unwrap();
    let log_key = PublicKey::from_spki(log.public_key_der().unwrap().as_bytes()).unwrap();
    let signer = rcgen::KeyPair::generate().unwrap();
    let signer_key = PublicKey::from_spki(&rcgen::PublicKeyData::subject_public_key_info(&signer)).unwrap();
    let (chain, issuer) = authority();

    let by_key: Vec<_> =
        (0..images).map(|n| sign(n, &log, &log_key, &signer, &signer_key.to_pem(), None)).collect();
    let mut candidates = vec![candidate(Role::Rekor, Material::Key(log_key.clone()))];
    candidates.push(candidate(Role::Signer, Material::Key(signer_key)));
    measure("a key and a SET", &by_key, &candidates);

    let by_certificate: Vec<_> = (0..images)
        .map(|n| {
            let (pem, key) = leaf(&issuer);
            sign(n, &log, &log_key, &key, &pem, Some(&pem))
        })
        .collect();
    candidates.push(candidate(Role::Fulcio, Material::Chain(chain)));
    measure("a certificate and a SET", &by_certificate, &candidates);
}

fn measure(what: &str, signatures: &[(Digest, UntrustedSignature)], candidates: &[Candidate]) {
    let questions: Vec<_> =
        signatures.iter().map(|(image, signature)| Question { image: *image, signature }).collect();
    let mut best = f64::MAX;
    for _ in 0..3 {
        let start = cpu();
        let resolution = resolve(&questions, candidates, jiff::Timestamp::now());
        best = best.min(cpu() - start);
        assert!(resolution.all_verify(), "{what}");
    }
    println!(
        "{what}: {} signatures in {best:.3} s of one core, {:.0} a second",
        signatures.len(),
        signatures.len() as f64 / best
    );
}

/// The CPU time of this thread in seconds, so that other load on the machine does not count.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn candidate(role: Role, material: Material) -> Candidate {
    let provenance = Provenance {
        grade: Grade::File,
        source: role.as_str().into(),
        sha256: Digest::of(role.as_str().as_bytes()),
        date: None,
    };
    Candidate::new(role, material, provenance).unwrap()
}

/// cosign's signature of one image, with a log entry.
fn sign(
    number: usize,
    log: &KeyPair,
    log_key: &PublicKey,
    signer: &impl SigningKey,
    verifier: &str,
    certificate: Option<&str>,
) -> (Digest, UntrustedSignature) {
    let image = Digest::of(&number.to_be_bytes());
    let payload = format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"r.test/app"}},"image":{{"docker-manifest-digest":"{image}"}},"type":"cosign container image signature"}},"optional":null}}"#
    );
    let signature = BASE64.encode(signer.sign(payload.as_bytes()).unwrap());
    let body = BASE64.encode(format!(
        r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"data":{{"hash":{{"algorithm":"sha256","value":"{}"}}}},"signature":{{"content":"{signature}","publicKey":{{"content":"{}"}}}}}}}}"#,
        Digest::of(payload.as_bytes()).hex(),
        BASE64.encode(verifier)
    ));
    let id = log_key.fingerprint().hex();
    let entry = format!(r#"{{"body":"{body}","integratedTime":{TIME},"logID":"{id}","logIndex":{number}}}"#);
    let set = BASE64.encode(log.sign(entry.as_bytes()).unwrap().as_bytes());
    let mut annotations = BTreeMap::from([
        ("dev.cosignproject.cosign/signature".to_owned(), signature),
        (
            "dev.sigstore.cosign/bundle".to_owned(),
            format!(r#"{{"SignedEntryTimestamp":"{set}","Payload":{entry}}}"#),
        ),
    ]);
    if let Some(pem) = certificate {
        annotations.insert("dev.sigstore.cosign/certificate".into(), pem.into());
    }
    let simple = UntrustedSimple::parse(payload.into_bytes(), &annotations).unwrap();
    (image, UntrustedSignature::Simple(Box::new(simple)))
}

/// An intermediate under a root, both P-384, like the public Fulcio's.
fn authority() -> (Chain, Issuer<'static, rcgen::KeyPair>) {
    let params = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.use_authority_key_identifier_extension = true;
        params
    };
    let key = || rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let (root, root_key) = (params("root"), key());
    let root_certificate = root.self_signed(&root_key).unwrap();
    let (intermediate, intermediate_key) = (params("intermediate"), key());
    let certificate =
        intermediate.signed_by(&intermediate_key, &Issuer::from_params(&root, &root_key)).unwrap();
    let chain = [certificate, root_certificate].map(|c| Certificate::from_der(c.der()).unwrap());
    (Chain::new(chain.into()).unwrap(), Issuer::new(intermediate, intermediate_key))
}

fn leaf(issuer: &Issuer<'static, rcgen::KeyPair>) -> (String, rcgen::KeyPair) {
    let mut params = CertificateParams::default();
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.subject_alt_names = vec![SanType::Rfc822Name("ci@r.test".try_into().unwrap())];
    let key = rcgen::KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key)
}
