//! Certificates that we issue ourselves, with our own log: valid except for one thing.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Key, Material, Role},
    resolve::{Question, resolve},
};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType, SigningKey, string::Ia5String,
};
use serde_json::json;

use super::{
    lab::{Form, Parts, bare, form},
    log::Log,
    test_keys::{self, Authority},
};

pub const NOW: i64 = 1_795_359_500;

pub fn good() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::NoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.subject_alt_names = vec![SanType::URI(Ia5String::try_from("https://ci.test/own").unwrap())];
    params
}

/// A keyless bundle by this issuer, with an entry in our own log, and the log's key.
#[allow(clippy::needless_pass_by_value, reason = "callers write the certificate in place")]
pub fn sign(issuer: &Authority, leaf: CertificateParams, time: i64) -> (Form, Key) {
    sign_with(issuer, &leaf, time, &rcgen::KeyPair::generate().unwrap())
}

/// The same with this key.
pub fn sign_with(
    issuer: &Authority,
    leaf: &CertificateParams,
    time: i64,
    key: &rcgen::KeyPair,
) -> (Form, Key) {
    let leaf = issuer.certifies(leaf, key);
    let mut form = form("keyless-bundle-rekor1");
    let Parts::Bundle(bundle) = &mut form.parts else { panic!() };
    let payload = BASE64.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let kind = "application/vnd.in-toto+json";
    let pae = [format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes(), &payload].concat();
    let signature = BASE64.encode(key.sign(&pae).unwrap());
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = signature.clone().into();
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = BASE64.encode(leaf.der()).into();
    // Rekor's own form of a body (rekor `pkg/types/dsse/v0.0.1`).
    let body = json!({
        "apiVersion": "0.0.1", "kind": "dsse",
        "spec": {
            "envelopeHash": { "algorithm": "sha256", "value": "00".repeat(32) },
            "payloadHash": { "algorithm": "sha256", "value": keypack::oci::Digest::of(&payload).hex() },
            "signatures": [{
                "signature": signature,
                "verifier": BASE64.encode(pem(&leaf))
            }]
        }
    });
    let log = Log::new();
    let entry = log.entry("dsse", body.to_string().as_bytes(), time);
    bundle["verificationMaterial"]["tlogEntries"] = json!([entry]);
    (form, log.key)
}

/// Also for a certificate with a key of a kind that keypack does not know.
fn pem(certificate: &keypack::key::Certificate) -> String {
    let lines = BASE64.encode(certificate.der());
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
}

pub fn authority(chain: &[&Authority]) -> Key {
    let certificates: Vec<_> = chain.iter().map(|a| &a.certificate).collect();
    let chain = test_keys::chain(&certificates);
    Key::new(Role::Fulcio, Material::Chain(chain)).unwrap()
}

pub fn code(form: &Form, keys: &[Key]) -> Result<(), &'static str> {
    form.judge(keys).map(drop)
}

#[test]
fn a_good_certificate_of_our_own_instance() {
    let root = test_keys::root("own root");
    let (form, log) = sign(&root, good(), NOW);
    let verified = form.judge(&[log.clone(), authority(&[&root])]).unwrap();
    assert_eq!(verified.identity(), Some("https://ci.test/own"));
    assert_eq!(verified.keys().len(), 2);
    // In a body that Rekor wrote itself, the signer is bound too.
    let (other, other_log) = sign(&root, good(), NOW);
    let Parts::Bundle(donor) = other.parts else { panic!() };
    let borrowed = form.with_bundle(|b| {
        b["verificationMaterial"]["tlogEntries"] = donor["verificationMaterial"]["tlogEntries"].clone();
    });
    assert_eq!(code(&borrowed, &[other_log, authority(&[&root])]), Err("log-entry-refused"));
}

#[test]
fn a_certificate_that_may_not_sign_code() {
    let root = test_keys::root("own root");
    for usages in
        [vec![], vec![ExtendedKeyUsagePurpose::TimeStamping], vec![ExtendedKeyUsagePurpose::ServerAuth]]
    {
        let mut params = good();
        params.extended_key_usages = usages;
        let (form, log) = sign(&root, params, NOW);
        assert_eq!(code(&form, &[log, authority(&[&root])]), Err("certificate-refused"));
    }
}

#[test]
fn a_certificate_of_another_time() {
    let root = test_keys::root("own root");
    let mut params = good();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2026, 2, 1);
    let (form, log) = sign(&root, params.clone(), NOW);
    assert_eq!(code(&form, &[log, authority(&[&root])]), Err("certificate-refused"), "expired when logged");
    params.not_before = rcgen::date_time_ymd(2026, 12, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    let (form, log) = sign(&root, params, NOW);
    assert_eq!(
        code(&form, &[log, authority(&[&root])]),
        Err("certificate-refused"),
        "not yet good when logged"
    );
}

#[test]
fn an_authority_whose_window_is_over() {
    let root = test_keys::root("own root");
    let (form, log) = sign(&root, good(), NOW);
    let mut fulcio = authority(&[&root]);
    fulcio.validity.start = "2020-01-01T00:00:00Z".parse().ok();
    fulcio.validity.end = "2021-01-01T00:00:00Z".parse().ok();
    assert_eq!(code(&form, &[log.clone(), fulcio]), Err("certificate-refused"));
    let mut late = log;
    late.validity.start = "2020-01-01T00:00:00Z".parse().ok();
    late.validity.end = "2021-01-01T00:00:00Z".parse().ok();
    assert_eq!(
        code(&form, &[late, authority(&[&root])]),
        Err("log-entry-refused"),
        "a log key that was retired"
    );
}

#[test]
fn an_intermediate_and_its_root_in_one_chain() {
    let root = test_keys::root("own root");
    let intermediate = root.issue("own intermediate");
    let (form, log) = sign(&intermediate, good(), NOW);
    assert_eq!(code(&form, &[log.clone(), authority(&[&intermediate, &root])]), Ok(()));
    assert_eq!(
        code(&form, &[log.clone(), authority(&[&intermediate])]),
        Ok(()),
        "the root need not be there"
    );
    assert_eq!(
        code(&form, &[log, authority(&[&root])]),
        Err("no-key"),
        "the certificate names its issuer's key"
    );
}

/// Someone else's self-signed root behind the good chain of the instance.
#[test]
fn a_certificate_by_the_foreign_root_behind_a_good_chain() {
    let root = test_keys::root("own root");
    let intermediate = root.issue("own intermediate");
    let evil = test_keys::namesake(&root.certificate);
    // The leaf names the good intermediate as its issuer; the evil root signed it.
    let mut leaf = good();
    leaf.use_authority_key_identifier_extension = false;
    leaf.custom_extensions.push(rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 35], {
        let id = intermediate.certificate.subject_key_id().unwrap();
        let length = u8::try_from(id.len()).unwrap();
        [&[0x30, length + 2, 0x80, length], id.as_slice()].concat()
    }));
    let (form, log) = sign(&evil, leaf, NOW);
    let bad = authority(&[&intermediate, &root, &evil]);
    assert_eq!(code(&form, &[log.clone(), bad.clone()]), Err("certificate-refused"));
    assert_eq!(form.unproved(&[log, bad], Role::Fulcio), "certificate-refused");
}

/// Two certificates of one authority, renewed with the same key: both are valid, and it is one signature.
#[test]
fn a_renewed_authority() {
    let root = test_keys::root("own root");
    let renewed = root.renewed();
    assert_ne!(root.certificate, renewed.certificate);
    let (form, log) = sign(&root, good(), NOW);
    let (old, new) = (authority(&[&root]), authority(&[&renewed]));
    let mut over = old.clone();
    over.validity.start = "2020-01-01T00:00:00Z".parse().ok();
    over.validity.end = "2021-01-01T00:00:00Z".parse().ok();
    for keys in [vec![log.clone(), over.clone(), new.clone()], vec![log, new.clone(), over]] {
        let verified = form.judge(&keys).unwrap();
        assert!(verified.keys().contains(&new.key_ref()), "the other's window is over");
    }
}

/// Two good candidates for one need: each is proved by itself, and one signature proves all others once.
#[test]
fn both_certificates_of_a_renewed_authority_are_resolved() {
    let root = test_keys::root("own root");
    let renewed = root.renewed();
    let (form, log) = sign(&root, good(), NOW);
    let Material::Key(log_key) = &log.material else { panic!() };
    let files = [
        (Role::Rekor, log_key.to_pem()),
        (Role::Fulcio, test_keys::chain(&[&root.certificate]).to_pem()),
        (Role::Fulcio, test_keys::chain(&[&renewed.certificate]).to_pem()),
    ];
    let candidates: Vec<_> =
        files.iter().flat_map(|(role, pem)| bare(*role, pem.as_bytes(), "some.pem")).collect();
    let signature = form.read().unwrap();
    let resolution = resolve(
        &[Question { image: form.image, signature: &signature }],
        &candidates,
        jiff::Timestamp::now(),
    );
    assert!(resolution.all_verify(), "{:?}", resolution.answers);
    for key in [log.key_ref(), authority(&[&root]).key_ref(), authority(&[&renewed]).key_ref()] {
        assert_eq!(resolution.keys[&key].proofs, 1, "{key}");
    }
}

/// Anyone can get an ordinary certificate of the instance. In front of the good chain it would be an authority.
#[test]
fn a_certificate_issued_by_somebody_who_may_not() {
    let root = test_keys::root("own root");
    let ordinary = good();
    let mut says_usage = good();
    says_usage.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let mut says_authority = good();
    says_authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    for mut somebody in [ordinary, says_usage, says_authority] {
        somebody.distinguished_name.push(rcgen::DnType::CommonName, "somebody");
        let leaf = root.leaf_authority(somebody);
        assert!(!leaf.certificate.may_issue() && root.certificate.may_issue());
        let (form, log) = sign(&leaf, good(), NOW);
        assert_eq!(code(&form, &[log.clone(), authority(&[&root])]), Err("no-key"));
        let forged = authority(&[&leaf, &root]);
        assert_ne!(
            forged.key_ref(),
            authority(&[&root]).key_ref(),
            "such a chain has a name of its own: it is another key"
        );
        assert_eq!(code(&form, &[log.clone(), forged]), Err("chain-refused"));
        assert_eq!(code(&form, &[log, authority(&[&leaf])]), Err("chain-refused"), "alone, too");
    }
}
