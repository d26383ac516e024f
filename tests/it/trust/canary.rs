//! Canaries: what the verifying crates reject and sigstore-go accepts. When a crate accepts one, its test fails: then
//! remove the case in `src/trust/unsupported.rs` or `path.rs`.

use keypack::key::{Certificate, Chain, Key, Material, Role};
use rcgen::{
    CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, NameConstraints, SanType, SigningKey,
};
use x509_cert::{
    Version,
    der::{Decode, Encode, asn1::BitString},
};

use super::{
    issue::{self, NOW, authority, sign},
    lab::{Form, form},
    stamp::{self, Stamper},
    test_keys,
};

const CODE: &str = "unsupported-by-verifier";

/// Neither judged good nor proved, and not held against the signature either.
fn beyond(form: &Form, keys: &[Key], role: Role) {
    assert_eq!(form.judge(keys).unwrap_err(), CODE);
    assert_eq!(form.unproved(keys, role), CODE);
}

#[test]
fn a_certificate_for_any_use() {
    let root = test_keys::root("own root");
    let mut leaf = issue::good();
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
    let (form, log) = sign(&root, leaf.clone(), NOW);
    beyond(&form, &[log, authority(&[&root])], Role::Fulcio);
    // It still belongs to this CA: another CA's is refused.
    let (form, log) = sign(&test_keys::namesake(&root.certificate), leaf, NOW);
    assert_eq!(form.judge(&[log, authority(&[&root])]).unwrap_err(), "certificate-refused");
}

#[test]
fn two_ct_timestamps() {
    let root = test_keys::root("own root");
    let ct = test_keys::key(Role::CtLog);
    // RFC 6962 §3.2: version, log, time, no extensions, ecdsa with sha256, a signature.
    let stamp = [&[0], &ct.id.as_bytes()[..], &[0; 8], &[0, 0, 4, 3, 0, 1, 0]].concat();
    let one = [&[0, u8::try_from(stamp.len()).unwrap()], stamp.as_slice()].concat();
    let list = [&[0, u8::try_from(2 * one.len()).unwrap()], one.as_slice(), one.as_slice()].concat();
    let mut leaf = issue::good();
    leaf.custom_extensions.push(CustomExtension::from_oid_content(
        &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2],
        stamp::tlv(0x04, &list),
    ));
    let (form, log) = sign(&root, leaf, NOW);
    beyond(&form, &[log, ct, authority(&[&root])], Role::Fulcio);
}

#[test]
fn a_signature_with_sha_384() {
    use super::lab::Parts;
    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
    use keypack::key::PublicKey;

    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let public = PublicKey::from_spki(&rcgen::PublicKeyData::subject_public_key_info(&pair)).unwrap();
    let log = super::log::Log::new();
    let form = form("key-tag-rekor1").with_simple(|payload, annotations| {
        let signature = BASE64.encode(pair.sign(payload).unwrap());
        let hash = hex::encode(sigstore_crypto::sha384(payload).as_bytes());
        let body = format!(
            r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"data":{{"hash":{{"algorithm":"sha384","value":"{hash}"}}}},"signature":{{"content":"{signature}","publicKey":{{"content":"{}"}}}}}}}}"#,
            BASE64.encode(public.to_pem())
        );
        let entry = log.set(body.as_bytes(), NOW);
        annotations.insert("dev.cosignproject.cosign/signature".into(), signature);
        annotations.insert("dev.sigstore.cosign/bundle".into(), entry);
    });
    assert!(matches!(form.parts, Parts::Simple { .. }));
    let signer = test_keys::named(Role::Signer, &public);
    assert_eq!(form.judge(&[log.key.clone(), signer]).unwrap_err(), CODE);
    assert_eq!(form.prove(&[log.key]).unwrap_err(), CODE, "nor is the log proved by it");
}

#[test]
fn a_certificate_with_a_p_521_key() {
    let root = test_keys::root("own root");
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
    let (form, log) = issue::sign_with(&root, &issue::good(), NOW, &key);
    let keys = [log, authority(&[&root])];
    assert_eq!(form.judge(&keys).unwrap_err(), CODE);
    assert_eq!(form.prove(&keys).unwrap_err(), CODE);
}

#[test]
fn name_constraints_that_are_not_compared() {
    let email = || GeneralSubtree::Rfc822Name("bank.test".into());
    let directory = || {
        let mut name = rcgen::DistinguishedName::new();
        name.push(rcgen::DnType::OrganizationName, "bank");
        GeneralSubtree::DirectoryName(name)
    };
    let sans = || [SanType::Rfc822Name("ci@bank.test".try_into().unwrap())];
    for (tree, san) in [(email(), sans()), (directory(), sans())] {
        for constrained in [true, false] {
            let constraints = Some(NameConstraints {
                permitted_subtrees: vec![tree.clone()],
                excluded_subtrees: Vec::new(),
            });
            let named = |name: &str| {
                let mut params = test_keys::ca();
                params.distinguished_name.push(rcgen::DnType::CommonName, name);
                params.use_authority_key_identifier_extension = true;
                params
            };
            let (mut root, mut intermediate) = (named("root"), named("intermediate"));
            if constrained {
                root.name_constraints = constraints;
            } else {
                intermediate.name_constraints = constraints;
            }
            let root = test_keys::self_signed(root);
            let intermediate = root.leaf_authority(intermediate);
            let mut leaf = issue::good();
            leaf.subject_alt_names = san.to_vec();
            let (form, log) = sign(&intermediate, leaf, NOW);
            beyond(&form, &[log, authority(&[&intermediate, &root])], Role::Fulcio);
        }
    }
}

/// rcgen writes no constraints on URIs.
#[test]
fn name_constraints_on_uris() {
    let mut root = test_keys::ca();
    root.distinguished_name.push(rcgen::DnType::CommonName, "root");
    let tree = stamp::tlv(0x30, &stamp::tlv(0x86, b"ci.test"));
    root.custom_extensions
        .push(CustomExtension::from_oid_content(&[2, 5, 29, 30], stamp::tlv(0x30, &stamp::tlv(0xa0, &tree))));
    let root = test_keys::self_signed(root);
    let (form, log) = sign(&root, issue::good(), NOW);
    beyond(&form, &[log, authority(&[&root])], Role::Fulcio);
}

/// The certificate of an authority, changed and signed again.
fn signed_anew(
    authority: &test_keys::Authority,
    issuer: &test_keys::Authority,
    change: impl FnOnce(&mut x509_cert::TbsCertificate),
) -> Certificate {
    let mut certificate = x509_cert::Certificate::from_der(authority.certificate.der()).unwrap();
    change(&mut certificate.tbs_certificate);
    let signature = issuer.sign(&certificate.tbs_certificate.to_der().unwrap());
    certificate.signature = BitString::from_bytes(&signature).unwrap();
    Certificate::from_der(&certificate.to_der().unwrap()).unwrap()
}

fn ca(certificates: Vec<Certificate>) -> Key {
    let chain = Chain::new(certificates).unwrap();
    Key::new(Role::Fulcio, Material::Chain(chain)).unwrap()
}

/// Whether webpki can read it.
fn is_read(certificate: &Certificate) -> bool {
    webpki::EndEntityCert::try_from(&certificate.der().into()).is_ok()
}

#[test]
fn a_ca_with_a_unique_identifier() {
    let root = test_keys::root("own root");
    let intermediate = root.issue("own intermediate");
    let unique = BitString::from_bytes(&[1, 2]).unwrap();
    let changed = [
        signed_anew(&intermediate, &root, |tbs| tbs.issuer_unique_id = Some(unique.clone())),
        signed_anew(&intermediate, &root, |tbs| tbs.subject_unique_id = Some(unique.clone())),
    ];
    let (form, log) = sign(&intermediate, issue::good(), NOW);
    for certificate in changed {
        assert!(!is_read(&certificate), "webpki reads it now: path::readable may let it pass");
        let keys = [log.clone(), ca(vec![certificate, root.certificate.clone()])];
        beyond(&form, &keys, Role::Fulcio);
    }
}

#[test]
fn a_root_of_version_1() {
    let root = test_keys::root("own root");
    let intermediate = root.issue("own intermediate");
    let old = signed_anew(&root, &root, |tbs| {
        tbs.version = Version::V1;
        tbs.extensions = None;
    });
    assert!(!is_read(&old), "webpki reads it now: path::readable may let it pass");
    let (form, log) = sign(&intermediate, issue::good(), NOW);
    beyond(&form, &[log, ca(vec![intermediate.certificate.clone(), old.clone()])], Role::Fulcio);
    let (form, log) = sign(&root, issue::good(), NOW);
    beyond(&form, &[log, ca(vec![old])], Role::Fulcio);
}

#[test]
fn a_timestamp_authority_whose_intermediate_states_no_use() {
    let root = test_keys::root("stamping root");
    let stamper = Stamper::new(stamp::good(), &[&root.issue("intermediate"), &root]);
    let form = stamper.stamps(&form("key-bundle-notlog"), "20261122145820Z");
    beyond(&form, &[form.keys(), vec![stamper.authority]].concat(), Role::Tsa);
}

#[test]
fn a_timestamp_authority_with_an_rsa_key() {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let root = test_keys::root("stamping root");
    let mut params = stamp::good();
    params.is_ca = IsCa::NoCa;
    let certificate = root.certifies(&params, &key);
    let stamper = Stamper::of(certificate, key, &[&root]);
    let form = stamper.stamps(&form("key-bundle-notlog"), "20261122145820Z");
    beyond(&form, &[form.keys(), vec![stamper.authority]].concat(), Role::Tsa);
}
