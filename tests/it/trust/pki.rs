//! Certificates of a private CA, without log and timestamp (BYOPKI): judged only by their path, at the time of the
//! clock, and only with a CA that was given for it.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Candidate, Key, KeyRef, Material, Role},
    resolve::{Answer, Question, resolve},
};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, KeyUsagePurpose, SanType, SigningKey, date_time_ymd,
};

use super::{
    issue::{self, authority},
    lab::{Form, form, provenance},
    stamp,
    test_keys::{self, Authority},
};

fn leaf() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = vec![SanType::Rfc822Name("rel@bank.test".try_into().unwrap())];
    params
}

/// cosign's signature with this certificate, and the certificates above it that it includes.
fn signed(issuer: &Authority, leaf: CertificateParams, brought: &[&Authority]) -> Form {
    let (certificate, key) = issuer.leaf(leaf);
    form("key-tag-notlog").with_simple(|payload, annotations| {
        *annotations = BTreeMap::from([
            ("dev.cosignproject.cosign/signature".to_owned(), BASE64.encode(key.sign(payload).unwrap())),
            ("dev.sigstore.cosign/certificate".to_owned(), test_keys::chain(&[&certificate]).to_pem()),
        ]);
        let chain: String = brought.iter().map(|a| test_keys::chain(&[&a.certificate]).to_pem()).collect();
        annotations.insert("dev.sigstore.cosign/chain".into(), chain);
    })
}

fn pki(chain: &[&Authority]) -> Key {
    let key = authority(chain);
    Key { role: Role::Pki, ..key }
}

/// Judged and proved with the same result, because nothing is missing.
fn outcome(form: &Form, keys: &[Key]) -> Result<Vec<KeyRef>, &'static str> {
    let judged = form.judge(keys).map(|verified| verified.keys().to_vec());
    assert_eq!(form.prove(keys).map(|verified| verified.keys().to_vec()), judged);
    judged
}

#[test]
fn a_private_ca_proves_by_its_path_alone() {
    let root = test_keys::root("bank root");
    let intermediate = root.issue("bank signing CA");
    let ca = pki(&[&intermediate, &root]);
    let form = signed(&intermediate, leaf(), &[]);
    assert_eq!(outcome(&form, std::slice::from_ref(&ca)), Ok(vec![ca.key_ref()]));
    assert_eq!(form.judge(&[ca]).unwrap().identity(), Some("rel@bank.test"));
    // `cosign verify --ca-roots`: only the root is given, and the signature includes the intermediates.
    let alone = pki(&[&root]);
    assert_eq!(outcome(&form, std::slice::from_ref(&alone)), Err("no-key"));
    for brought in [&[&intermediate][..], &[&intermediate, &root], &[&root, &intermediate]] {
        let form = signed(&intermediate, leaf(), brought);
        assert_eq!(outcome(&form, std::slice::from_ref(&alone)), Ok(vec![alone.key_ref()]));
    }
}

#[test]
fn a_certificate_of_another_private_ca() {
    let root = test_keys::root("bank root");
    let evil = test_keys::namesake(&root.certificate);
    let form = signed(&evil, leaf(), &[&evil]);
    assert_eq!(outcome(&form, &[pki(&[&root])]), Err("certificate-refused"));
}

#[test]
fn an_intermediate_that_the_signature_brings_and_that_may_not_issue() {
    let root = test_keys::root("bank root");
    let mut ordinary = leaf();
    ordinary.distinguished_name.push(rcgen::DnType::CommonName, "somebody");
    let mut no_signer = test_keys::ca();
    no_signer.distinguished_name.push(rcgen::DnType::CommonName, "no signer");
    no_signer.key_usages = vec![KeyUsagePurpose::CrlSign];
    no_signer.use_authority_key_identifier_extension = true;
    for params in [ordinary, no_signer] {
        let somebody = root.leaf_authority(params);
        let form = signed(&somebody, leaf(), &[&somebody]);
        assert_eq!(outcome(&form, &[pki(&[&root])]), Err("certificate-refused"));
    }
}

#[test]
fn a_private_certificate_of_another_time() {
    let root = test_keys::root("bank root");
    let mut over = leaf();
    over.not_after = date_time_ymd(2020, 1, 1);
    let mut early = leaf();
    early.not_before = date_time_ymd(2999, 1, 1);
    for (params, code) in [(over, "certificate-refused"), (early, "clock-behind")] {
        assert_eq!(outcome(&signed(&root, params, &[]), &[pki(&[&root])]), Err(code));
    }
    let mut old = test_keys::ca();
    old.distinguished_name.push(rcgen::DnType::CommonName, "old root");
    old.not_after = date_time_ymd(2020, 1, 1);
    let old = test_keys::self_signed(old);
    assert_eq!(outcome(&signed(&old, leaf(), &[]), &[pki(&[&old])]), Err("certificate-refused"));
}

#[test]
fn a_private_certificate_for_something_else() {
    let root = test_keys::root("bank root");
    for (usages, expected) in [
        (vec![ExtendedKeyUsagePurpose::ServerAuth], Err("certificate-refused")),
        (vec![ExtendedKeyUsagePurpose::CodeSigning], Ok(())),
        (vec![ExtendedKeyUsagePurpose::Any], Ok(())),
    ] {
        let mut params = leaf();
        params.extended_key_usages = usages;
        let result = outcome(&signed(&root, params, &[]), &[pki(&[&root])]);
        assert_eq!(result.map(drop), expected);
    }
}

#[test]
fn a_broken_signature_under_a_private_ca() {
    let root = test_keys::root("bank root");
    let form = signed(&root, leaf(), &[]).with_simple(|payload, _| {
        // The digest in it stays the same.
        payload.push(b' ');
    });
    assert_eq!(outcome(&form, &[pki(&[&root])]), Err("signature-does-not-match"));
}

/// Fulcio certificates are valid for minutes, so the clock proves nothing about them.
#[test]
fn a_fulcio_ca_dates_nothing_by_the_clock() {
    let root = test_keys::root("own root");
    let form = signed(&root, leaf(), &[]);
    assert_eq!(outcome(&form, &[authority(&[&root])]), Err("no-key"));
    let mut seen = issue::good();
    seen.custom_extensions.push(rcgen::CustomExtension::from_oid_content(
        &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2],
        stamp::tlv(0x04, &list(&test_keys::key(Role::CtLog))),
    ));
    for keys in [vec![authority(&[&root])], vec![pki(&[&root])]] {
        assert_eq!(outcome(&signed(&root, seen.clone(), &[]), &keys), Err("timestamp-refused"));
    }
}

/// A list with one CT timestamp, as Fulcio puts it into its certificates.
fn list(ct: &Key) -> Vec<u8> {
    let stamp = [&[0], &ct.id.as_bytes()[..], &[0; 8], &[0, 0, 4, 3, 0, 1, 0]].concat();
    let length = u8::try_from(stamp.len()).unwrap();
    [&[0, length + 2, 0, length], stamp.as_slice()].concat()
}

/// A logged signature belongs to the instance whose log it is in.
#[test]
fn a_private_ca_is_not_a_fulcio() {
    let root = test_keys::root("own root");
    let (form, log) = issue::sign(&root, issue::good(), issue::NOW);
    assert_eq!(form.judge(&[log.clone(), pki(&[&root])]).unwrap_err(), "no-key");
    assert_eq!(form.prove(&[log.clone(), pki(&[&root])]).unwrap().keys(), [log.key_ref()]);
}

#[test]
fn a_private_ca_is_resolved_for_its_role_alone() {
    let root = test_keys::root("bank root");
    let form = signed(&root, leaf(), &[]);
    let signature = form.read().unwrap();
    let question = Question { image: form.image, signature: &signature };
    let give = |role| {
        let chain = Material::Chain(test_keys::chain(&[&root.certificate]));
        Candidate::new(role, chain, provenance("bank.pem")).unwrap()
    };
    let resolution = resolve(&[question], &[give(Role::Pki)], jiff::Timestamp::now());
    assert!(resolution.all_verify(), "{:?}", resolution.answers);
    assert_eq!(resolution.keys.keys().copied().collect::<Vec<_>>(), [pki(&[&root]).key_ref()]);
    for other in [Role::Fulcio, Role::Tsa] {
        let resolution = resolve(&[question], &[give(other)], jiff::Timestamp::now());
        assert_eq!(resolution.answers[0].needs[0].1, Answer::Missing { claim: None });
        assert_eq!(resolution.answers[0].needs[0].0.role(), Role::Pki);
    }
}

/// policy.json gives the root and the intermediate, and cosign's signature includes the intermediate: it proves the
/// chain that issued the certificate.
#[test]
fn of_root_and_intermediate_the_one_that_issued() {
    let root = test_keys::root("bank root");
    let intermediate = root.issue("bank signing CA");
    let form = signed(&intermediate, leaf(), &[&intermediate]);
    let signature = form.read().unwrap();
    let question = Question { image: form.image, signature: &signature };
    let give = |chain: &[&Authority]| Candidate { key: pki(chain), provenance: provenance("policy.json") };
    for candidates in
        [[give(&[&root]), give(&[&intermediate, &root])], [give(&[&intermediate, &root]), give(&[&root])]]
    {
        let resolution = resolve(&[question], &candidates, jiff::Timestamp::now());
        let keys: Vec<_> = resolution.keys.keys().copied().collect();
        assert_eq!(keys, [pki(&[&intermediate, &root]).key_ref()]);
    }
}
