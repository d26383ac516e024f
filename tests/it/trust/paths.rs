//! Certificate paths: each chain here is valid except for one thing, and sigstore-go refuses it for that.

use keypack::{
    key::{Certificate, Chain, Key, Material, Role},
    trust::Verifier,
};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use serde_json::json;

use super::{
    issue::{self, NOW, authority, sign},
    lab::{Form, form, verifier},
    stamp::{self, Stamper},
    test_keys::{self, Authority},
};

/// Within the minute of [`NOW`].
const THEN: &str = "20261122145820Z";

type Fault = fn(&mut CertificateParams);

/// What may be wrong with any issuer.
const FAULTS: [(&str, Fault); 7] = [
    ("expired", |p| p.not_after = date_time_ymd(2026, 11, 1)),
    ("not yet valid", |p| p.not_before = date_time_ymd(2026, 12, 1)),
    ("serverAuth alone", |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
    ("a critical extension that nobody knows", |p| {
        let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        unknown.set_criticality(true);
        p.custom_extensions.push(unknown);
    }),
    ("not a CA", |p| p.is_ca = IsCa::ExplicitNoCa),
    ("may not sign certificates", |p| p.key_usages = vec![KeyUsagePurpose::CrlSign]),
    ("no basic constraints", |p| p.is_ca = IsCa::NoCa),
];

fn params(name: &str) -> CertificateParams {
    let mut params = test_keys::ca();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params
}

/// Root, upper and lower intermediate, one of them (2, 1, 0) changed.
fn three(position: usize, change: Fault) -> [Authority; 3] {
    chain(&[], position, change)
}

/// The same for timestamps: the verifying crate requires the intermediates to name that use.
fn three_stamping(position: usize, change: Fault) -> [Authority; 3] {
    chain(&[ExtendedKeyUsagePurpose::TimeStamping], position, change)
}

fn chain(uses: &[ExtendedKeyUsagePurpose], position: usize, change: Fault) -> [Authority; 3] {
    let mut all = [params("lower"), params("upper"), params("root")];
    for intermediate in &mut all[..2] {
        intermediate.extended_key_usages = uses.to_vec();
    }
    change(&mut all[position]);
    let [lower, upper, root] = all;
    let root = test_keys::self_signed(root);
    let upper = root.leaf_authority(upper);
    let lower = upper.leaf_authority(lower);
    [lower, upper, root]
}

fn refs(authorities: &[Authority; 3]) -> [&Authority; 3] {
    authorities.each_ref()
}

/// Neither judged good nor proved, for this reason.
fn refused(form: &Form, keys: &[Key], role: Role, why: &str, what: &str) {
    assert_eq!(form.judge(keys).unwrap_err(), why, "{what}");
    assert_eq!(form.unproved(keys, role), why, "{what}");
}

#[test]
fn an_issuer_of_a_signing_certificate_that_was_not_good() {
    for (what, fault) in FAULTS {
        for position in 0..3 {
            let chain = three(position, fault);
            let (form, log) = sign(&chain[0], issue::good(), NOW);
            // If the source of a CA states no validity period, it begins with the certificate's.
            let early = what == "not yet valid" && position == 0;
            let why = if early { "certificate-refused" } else { "chain-refused" };
            refused(&form, &[log, authority(&refs(&chain))], Role::Fulcio, why, what);
        }
    }
}

#[test]
fn an_issuer_of_a_timestamp_authority_that_was_not_good() {
    for (what, fault) in FAULTS {
        for position in 0..3 {
            let chain = three_stamping(position, fault);
            let stamper = Stamper::new(stamp::good(), &refs(&chain));
            let form = stamper.stamps(&form_without_log(), THEN);
            let keys = [form.keys(), vec![stamper.authority]].concat();
            refused(&form, &keys, Role::Tsa, "chain-refused", what);
        }
    }
}

#[test]
fn a_chain_that_is_longer_than_it_may_be() {
    for position in [1, 2] {
        let chain = three(position, |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
        let (form, log) = sign(&chain[0], issue::good(), NOW);
        refused(&form, &[log, authority(&refs(&chain))], Role::Fulcio, "chain-refused", "Fulcio");
        let chain = three_stamping(position, |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
        let stamper = Stamper::new(stamp::good(), &refs(&chain));
        let form = stamper.stamps(&form_without_log(), THEN);
        let keys = [form.keys(), vec![stamper.authority]].concat();
        refused(&form, &keys, Role::Tsa, "chain-refused", "TSA");
    }
}

fn form_without_log() -> Form {
    form("key-bundle-notlog")
}

#[test]
fn a_name_outside_the_constraints_of_a_ca() {
    for position in 0..3 {
        let chain = three(position, |p| {
            p.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![GeneralSubtree::DnsName("bank.test".into())],
                excluded_subtrees: Vec::new(),
            });
        });
        let mut leaf = issue::good();
        leaf.subject_alt_names.push(SanType::DnsName("ci.other.test".try_into().unwrap()));
        let (form, log) = sign(&chain[0], leaf.clone(), NOW);
        // The issuing certificate is the verifying crate's anchor, whose name constraints it checks.
        let why = if position == 0 { "certificate-refused" } else { "chain-refused" };
        refused(&form, &[log, authority(&refs(&chain))], Role::Fulcio, why, "outside");

        leaf.subject_alt_names.pop();
        leaf.subject_alt_names.push(SanType::DnsName("ci.bank.test".try_into().unwrap()));
        let (form, log) = sign(&chain[0], leaf, NOW);
        assert_eq!(issue::code(&form, &[log, authority(&refs(&chain))]), Ok(()), "inside");
    }
}

/// The certificate is from another sub-CA of the same root, which is in the bundle and copied the name and the key
/// identifier of the trusted one.
#[test]
fn another_sub_ca_that_calls_itself_the_trusted_one() {
    let root = test_keys::root("own root");
    let trusted = root.issue("own intermediate");
    let other = root.issue("another intermediate");
    let mut leaf = issue::good();
    leaf.use_authority_key_identifier_extension = false;
    let id = trusted.certificate.subject_key_id().unwrap();
    let id = stamp::tlv(0x30, &stamp::tlv(0x80, &id));
    leaf.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 35], id));
    for issuer in [&other, &root.issue_as(&trusted.certificate)] {
        let (form, log) = sign(issuer, leaf.clone(), NOW);
        let keys = [log, authority(&[&trusted, &root])];
        refused(&form, &keys, Role::Fulcio, "certificate-refused", "the leaf alone");
        refused(&with_chain(&form, issuer), &keys, Role::Fulcio, "certificate-refused", "with its issuer");
    }
    // A CA issued by the trusted intermediate issued the certificate: the intermediate itself did not.
    let mut below = params("below");
    below.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    let below = trusted.leaf_authority(below);
    let (form, log) = sign(&below, leaf, NOW);
    let keys = [log, authority(&[&trusted, &root])];
    refused(&with_chain(&form, &below), &keys, Role::Fulcio, "chain-refused", "below");
}

/// The bundle with the issuer next to the certificate, as in version 0.2.
fn with_chain(form: &Form, issuer: &Authority) -> Form {
    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
    form.with_bundle(|bundle| {
        bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2".into();
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        let leaf = material.remove("certificate").unwrap();
        let issuer = json!({ "rawBytes": BASE64.encode(issuer.certificate.der()) });
        material.insert("x509CertificateChain".into(), json!({ "certificates": [leaf, issuer] }));
    })
}

/// Consumers trust every certificate of a chain, and one in this chain shares nothing with the others but its name.
#[test]
fn a_certificate_in_the_chain_that_is_not_on_the_path() {
    let root = test_keys::root("own root");
    let intermediate = root.issue("own intermediate");
    let evil = test_keys::namesake(&root.certificate);
    let (form, log) = sign(&intermediate, issue::good(), NOW);
    for chain in [[&intermediate, &evil, &root], [&intermediate, &root, &evil]] {
        refused(&form, &[log.clone(), authority(&chain)], Role::Fulcio, "chain-refused", "");
    }
}

/// The root had expired, and someone wrote a later date into it.
#[test]
fn a_root_that_was_altered() {
    let mut root = params("own root");
    root.not_after = date_time_ymd(2026, 11, 1);
    let root = test_keys::self_signed(root);
    let (form, log) = sign(&root, issue::good(), NOW);
    let mut der = root.certificate.der().to_vec();
    let at = der.windows(13).position(|w| w == b"261101000000Z").unwrap();
    der[at + 1] = b'8';
    let keys = [log, of(vec![Certificate::from_der(&der).unwrap()])];
    refused(&form, &keys, Role::Fulcio, "chain-refused", "");
}

fn of(certificates: Vec<Certificate>) -> Key {
    let chain = Chain::new(certificates).unwrap();
    Key::new(Role::Fulcio, Material::Chain(chain)).unwrap()
}

/// Every time at which the signature is proved to have existed counts, not only the first.
#[test]
fn a_ca_that_had_expired_at_the_second_of_two_times() {
    let chain = three(1, |p| p.not_after = date_time_ymd(2026, 11, 23));
    let (form, log) = sign(&chain[0], issue::good(), NOW);
    let root = test_keys::root("stamping root");
    let stamper = Stamper::new(stamp::good(), &[&root]);
    let keys = [log, authority(&refs(&chain)), stamper.authority.clone()];
    assert_eq!(issue::code(&stamper.stamps(&form, THEN), &keys), Ok(()));
    let late = stamper.stamps(&stamper.stamps(&form, THEN), "20261124000000Z");
    refused(&late, &keys, Role::Fulcio, "chain-refused", "");
    let alone = stamp::unlogged(&stamper.stamps(&form, "20261124000000Z"));
    refused(&alone, &keys[1..], Role::Fulcio, "chain-refused", "no log");
}

/// Two authorities have the same certificate and differ above it: the good one is found, and the other is not proved.
#[test]
fn a_timestamp_authority_with_another_root_above_it() {
    let root = test_keys::root("stamping root");
    let stamper = Stamper::new(stamp::good(), &[&root]);
    let mut evil = stamper.authority.clone();
    let Material::Chain(chain) = &evil.material else { panic!() };
    let forged = test_keys::chain(&[chain.first(), &test_keys::namesake(&root.certificate).certificate]);
    evil.id = forged.id();
    evil.material = Material::Chain(forged);
    let form = stamper.stamps(&form_without_log(), THEN);
    for tsa in [vec![evil.clone(), stamper.authority.clone()], vec![stamper.authority.clone(), evil.clone()]]
    {
        let verified = form.judge(&[form.keys(), tsa].concat()).unwrap();
        assert!(
            verified.keys().contains(&stamper.authority.key_ref())
                && !verified.keys().contains(&evil.key_ref())
        );
    }
    refused(&form, &[form.keys(), vec![evil]].concat(), Role::Tsa, "chain-refused", "alone");
}

#[test]
fn a_timestamp_authority_without_a_root() {
    let root = test_keys::root("stamping root");
    let (certificate, key) = root.leaf(stamp::good());
    let stamper = Stamper::of(certificate, key, &[]);
    let form = stamper.stamps(&form_without_log(), THEN);
    let keys = [form.keys(), vec![stamper.authority]].concat();
    refused(&form, &keys, Role::Tsa, "chain-refused", "");
}

#[test]
fn accepted_what_is_good() {
    let good: [(&str, Fault); 5] = [
        ("nothing", |_| {}),
        ("the use itself", |p| {
            p.extended_key_usages =
                vec![ExtendedKeyUsagePurpose::CodeSigning, ExtendedKeyUsagePurpose::TimeStamping];
        }),
        ("any use beside it", |p| p.extended_key_usages.push(ExtendedKeyUsagePurpose::Any)),
        ("a path that is long enough", |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(2))),
        ("an extension that nobody knows", |p| {
            p.custom_extensions.push(CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]));
        }),
    ];
    for (what, change) in good {
        for position in 0..3 {
            let chain = three(position, change);
            let (form, log) = sign(&chain[0], issue::good(), NOW);
            for length in 1..=3 {
                // A chain that ends in an intermediate is itself the trust anchor.
                let keys = [log.clone(), authority(&refs(&chain)[..length])];
                assert_eq!(issue::code(&form, &keys), Ok(()), "{what}, {length}");
                assert_eq!(form.prove(&keys).unwrap().keys().len(), 2, "{what}, {length}");
                let chain = three_stamping(position, change);
                let stamper = Stamper::new(stamp::good(), &refs(&chain)[..length]);
                let form = stamper.stamps(&form_without_log(), THEN);
                let keys = [form.keys(), vec![stamper.authority]].concat();
                assert_eq!(issue::code(&form, &keys), Ok(()), "TSA: {what}, {length}");
            }
        }
    }
}

/// Old enterprise roots are self-signed with SHA-1. A root's own signature only shows whether the root was altered.
#[test]
fn accepted_a_root_that_signed_itself_with_sha_1() {
    use x509_cert::der::{Decode, Encode, oid::ObjectIdentifier};

    let root = test_keys::root("own root");
    let (form, log) = sign(&root, issue::good(), NOW);
    let mut old = x509_cert::Certificate::from_der(root.certificate.der()).unwrap();
    let sha1 = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
    old.signature_algorithm.oid = sha1;
    old.tbs_certificate.signature.oid = sha1;
    let old = Certificate::from_der(&old.to_der().unwrap()).unwrap();
    assert_eq!(issue::code(&form, &[log, of(vec![old])]), Ok(()));
}

/// A chain is verified once for one set of keys: what that does not cover is checked for each certificate.
#[test]
fn the_next_certificate_under_a_chain_that_was_verified() {
    let judge = |form: &Form, keys: &Verifier| {
        keys.judge(&form.read().unwrap(), &form.image, jiff::Timestamp::now())
            .map(drop)
            .map_err(|e| e.code().as_str())
    };
    let root = test_keys::root("stamping root");
    let stamper = Stamper::new(stamp::good(), &[&root]);
    let signed = |issuer: &Authority, leaf: CertificateParams, time: &str| {
        stamp::unlogged(&stamper.stamps(&sign(issuer, leaf, NOW).0, time))
    };

    let chain = three(2, |p| p.not_after = date_time_ymd(2026, 11, 23));
    let keys = verifier(&[authority(&refs(&chain)), stamper.authority.clone()]).unwrap();
    assert_eq!(judge(&signed(&chain[0], issue::good(), THEN), &keys), Ok(()));
    let late = signed(&chain[0], issue::good(), "20261124000000Z");
    assert_eq!(judge(&late, &keys), Err("chain-refused"), "another time");
    let forged = signed(&test_keys::namesake(&chain[0].certificate), issue::good(), THEN);
    assert_eq!(judge(&forged, &keys), Err("certificate-refused"), "another issuer");
    let mut tls = issue::good();
    tls.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    assert_eq!(judge(&signed(&chain[0], tls, THEN), &keys), Err("certificate-refused"), "another use");

    let chain = three(2, |p| {
        p.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("bank.test".into())],
            excluded_subtrees: Vec::new(),
        });
    });
    let keys = verifier(&[authority(&refs(&chain)), stamper.authority.clone()]).unwrap();
    for (name, expected) in [("ci.bank.test", Ok(())), ("ci.other.test", Err("chain-refused"))] {
        let mut leaf = issue::good();
        leaf.subject_alt_names.push(SanType::DnsName(name.try_into().unwrap()));
        assert_eq!(judge(&signed(&chain[0], leaf, THEN), &keys), expected, "another name");
    }
}
