//! Certificates: Fulcio's with a log entry, those of a private CA without. The lab's own have URIs alone, so the CA is the test's.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use serde_json::{Value, json};

use super::{
    Cell,
    content::{Content, Layer, now, payload},
    everything,
};

const V1: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 1];
const V2: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
const ISSUER: &str = "https://login.acme.example";

/// What is unusual about a certificate.
pub type Unusual = fn(&mut CertificateParams);

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl Authority {
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }
}

/// The certificate's validity, from and to this many seconds from now.
pub fn valid(params: &mut CertificateParams, from: i64, to: i64) {
    let at = |seconds: i64| {
        let since = std::time::Duration::from_secs(u64::try_from(now() + seconds).unwrap());
        rcgen::date_time_ymd(1970, 1, 1) + since
    };
    (params.not_before, params.not_after) = (at(from), at(to));
}

pub fn authority(
    name: &str,
    parent: Option<&Authority>,
    change: impl Fn(&mut CertificateParams),
) -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, -86_400, 86_400);
    change(&mut params);
    let certificate = match parent {
        Some(parent) => params.signed_by(&key, &parent.issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    Authority { issuer: Issuer::new(params, key), certificate }
}

pub fn leaf(parent: &Authority, change: &dyn Fn(&mut CertificateParams)) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = vec![SanType::Rfc822Name("rel@acme.example".try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.custom_extensions = vec![v2(ISSUER)];
    valid(&mut params, -600, 600);
    change(&mut params);
    (params.signed_by(&key, &parent.issuer).unwrap(), key)
}

fn v1(issuer: &str) -> CustomExtension {
    CustomExtension::from_oid_content(&V1, issuer.as_bytes().to_vec())
}

pub fn v2(issuer: &str) -> CustomExtension {
    let mut der = vec![12, u8::try_from(issuer.len()).unwrap()];
    der.extend_from_slice(issuer.as_bytes());
    CustomExtension::from_oid_content(&V2, der)
}

pub fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

pub fn email(text: &str) -> SanType {
    SanType::Rfc822Name(text.try_into().unwrap())
}

pub fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().unwrap())
}

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let root = authority("root", None, |_| ());
    let between = authority("between", Some(&root), |_| ());
    let evil = authority("root", None, |_| ());
    let old = authority("old", None, |p| valid(p, -90_000, -80_000));
    let no_sign = authority("no sign", Some(&root), |p| p.key_usages = vec![KeyUsagePurpose::CrlSign]);
    let no_ca = authority("no ca", Some(&root), |p| p.is_ca = IsCa::ExplicitNoCa);
    let server = authority("server ca", Some(&root), |p| {
        p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]
    });
    let (root_pem, between_pem) = (root.pem(), between.pem());
    for (name, pem) in [
        ("root.pem", root_pem.clone()),
        ("between.pem", between_pem.clone()),
        ("both.pem", format!("{between_pem}{root_pem}")),
        ("evil.pem", evil.pem()),
        ("old.pem", old.pem()),
        ("none.pem", String::new()),
        (
            "garbage-and-root.pem",
            format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{root_pem}"),
        ),
    ] {
        content.file(name, pem);
    }
    let chain = format!("{between_pem}{root_pem}");
    type Change = Box<dyn Fn(&mut CertificateParams)>;
    let cases: Vec<(&str, &Authority, String, i64, Change)> = vec![
        ("good", &between, chain.clone(), 0, Box::new(|_| ())),
        ("no-chain", &between, String::new(), 0, Box::new(|_| ())),
        ("root-only-chain", &between, root_pem.clone(), 0, Box::new(|_| ())),
        ("intermediate-only-chain", &between, between_pem.clone(), 0, Box::new(|_| ())),
        ("broken-chain", &between, "nonsense".into(), 0, Box::new(|_| ())),
        ("text-behind-chain", &between, format!("{chain}more"), 0, Box::new(|_| ())),
        ("by-root", &root, root_pem.clone(), 0, Box::new(|_| ())),
        ("by-evil", &evil, evil.pem(), 0, Box::new(|_| ())),
        ("by-old", &old, old.pem(), -85_000, Box::new(|p| valid(p, -86_000, -84_000))),
        ("by-no-sign", &no_sign, format!("{}{root_pem}", no_sign.pem()), 0, Box::new(|_| ())),
        ("by-no-ca", &no_ca, format!("{}{root_pem}", no_ca.pem()), 0, Box::new(|_| ())),
        ("by-server-ca", &server, format!("{}{root_pem}", server.pem()), 0, Box::new(|_| ())),
        ("before", &between, chain.clone(), -3000, Box::new(|_| ())),
        ("after", &between, chain.clone(), 3000, Box::new(|_| ())),
        ("expired-logged-in-time", &between, chain.clone(), -3000, Box::new(|p| valid(p, -3600, -1800))),
        ("issuer-v1", &between, chain.clone(), 0, Box::new(|p| p.custom_extensions = vec![v1(ISSUER)])),
        (
            "issuer-both",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.custom_extensions = vec![v1(ISSUER), v2(ISSUER)]),
        ),
        (
            "issuer-differs",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.custom_extensions = vec![v1("https://x"), v2(ISSUER)]),
        ),
        (
            "issuer-other",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.custom_extensions = vec![v2("https://other.example")]),
        ),
        ("issuer-none", &between, chain.clone(), 0, Box::new(|p| p.custom_extensions.clear())),
        (
            "uri",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names = vec![uri("https://ci.acme.example/build@main")]),
        ),
        (
            "email-as-uri",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names = vec![uri("rel@acme.example")]),
        ),
        (
            "other-email",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names = vec![email("dev@acme.example")]),
        ),
        (
            "upper-email",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names = vec![email("Rel@acme.example")]),
        ),
        (
            "two-emails",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names = vec![email("dev@acme.example"), email("rel@acme.example")]),
        ),
        (
            "dns",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names = vec![dns("sign.acme.example")]),
        ),
        (
            "dns-wildcard",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names = vec![dns("*.acme.example")]),
        ),
        (
            "dns-and-email",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names.push(dns("SIGN.acme.example"))),
        ),
        (
            "dns-deeper",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.subject_alt_names = vec![dns("a.sign.acme.example"), email("rel@acme.example")]),
        ),
        (
            "ip",
            &between,
            chain.clone(),
            0,
            Box::new(|p| {
                p.subject_alt_names =
                    vec![SanType::IpAddress("10.1.2.3".parse().unwrap()), email("rel@acme.example")]
            }),
        ),
        ("no-eku", &between, chain.clone(), 0, Box::new(|p| p.extended_key_usages.clear())),
        (
            "server-eku",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
        ),
        (
            "any-eku",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any]),
        ),
        (
            "two-ekus",
            &between,
            chain.clone(),
            0,
            Box::new(|p| p.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth)),
        ),
    ];
    let mut cells = Vec::new();
    for (name, parent, chain, time, change) in cases {
        let (certificate, key) = leaf(parent, &change);
        let repository = format!("certificates/{name}");
        let image = content.image(&repository, Some("v1"), "amd64");
        let layer = Layer::signed(&key, payload(&format!("{}/{repository}", content.host()), &image));
        let pem = certificate.pem();
        let entry = content.logged(&pem, &layer, now() + time);
        let mut layer = layer.with("bundle", entry).with("certificate", pem);
        if !chain.is_empty() {
            layer = layer.with("chain", chain);
        }
        content.attach(&repository, &image, &[layer]);
        for (how, requirement) in requirements() {
            cells.push(Cell::new(
                format!("{name}, {how}"),
                &everything(requirement),
                format!("{repository}:v1"),
            ));
        }
    }
    cells.extend(missing(content, &between, &chain));
    cells
}

fn fulcio(ca: &str, more: Value) -> Value {
    let mut fulcio =
        json!({"caPath": format!("{{dir}}/{ca}"), "oidcIssuer": ISSUER, "subjectEmail": "rel@acme.example"});
    for (name, value) in more.as_object().unwrap() {
        fulcio[name] = value.clone();
    }
    json!({
        "type": "sigstoreSigned", "fulcio": fulcio, "rekorPublicKeyPath": "{dir}/rekor.pub",
        "signedIdentity": {"type": "matchRepository"},
    })
}

fn pki(roots: &str, more: Value) -> Value {
    let mut pki = json!({"caRootsPath": format!("{{dir}}/{roots}")});
    for (name, value) in more.as_object().unwrap() {
        pki[name] = value.clone();
    }
    json!({"type": "sigstoreSigned", "pki": pki, "signedIdentity": {"type": "matchRepository"}})
}

fn requirements() -> Vec<(&'static str, Value)> {
    let rel = json!({"subjectEmail": "rel@acme.example"});
    vec![
        ("fulcio root", fulcio("root.pem", json!({}))),
        ("fulcio intermediate", fulcio("between.pem", json!({}))),
        ("fulcio both", fulcio("both.pem", json!({}))),
        ("fulcio none", fulcio("none.pem", json!({}))),
        ("fulcio garbage", fulcio("garbage-and-root.pem", json!({}))),
        ("fulcio evil", fulcio("evil.pem", json!({}))),
        ("fulcio old", fulcio("old.pem", json!({}))),
        ("pki root", pki("root.pem", rel.clone())),
        (
            "pki both",
            pki(
                "root.pem",
                json!({"subjectEmail": "rel@acme.example", "caIntermediatesPath": "{dir}/between.pem"}),
            ),
        ),
        ("pki intermediate", pki("between.pem", rel)),
        ("pki host", pki("both.pem", json!({"subjectHostname": "sign.acme.example"}))),
        (
            "pki host and email",
            pki(
                "both.pem",
                json!({"subjectHostname": "sign.acme.example", "subjectEmail": "rel@acme.example"}),
            ),
        ),
        ("pki wildcard", pki("both.pem", json!({"subjectHostname": "*.acme.example"}))),
        ("pki address", pki("both.pem", json!({"subjectHostname": "10.1.2.3"}))),
        (
            "pki bad intermediates",
            pki(
                "root.pem",
                json!({"subjectEmail": "rel@acme.example", "caIntermediatesPath": "{dir}/rekor.pub"}),
            ),
        ),
        (
            "key",
            json!({"type": "sigstoreSigned", "keyPath": "{dir}/rekor.pub", "signedIdentity": {"type": "matchRepository"}}),
        ),
    ]
}

/// Evidence that is missing next to a signature, or there twice.
fn missing(content: &mut Content, parent: &Authority, chain: &str) -> Vec<Cell> {
    let mut cells = Vec::new();
    for name in
        ["no-bundle", "no-certificate", "two-certificates", "text-before", "other-in-log", "other-signed"]
    {
        let (certificate, key) = leaf(parent, &|_| ());
        let (other, other_key) = leaf(parent, &|_| ());
        let repository = format!("certificates/{name}");
        let image = content.image(&repository, Some("v1"), "amd64");
        let signer = if name == "other-signed" { &other_key } else { &key };
        let layer = Layer::signed(signer, payload(&format!("{}/{repository}", content.host()), &image));
        let pem = certificate.pem();
        let entry = content.logged(
            if name == "other-in-log" { other.pem() } else { pem.clone() }.as_str(),
            &layer,
            now(),
        );
        let mut layer = layer.with("chain", chain);
        if name != "no-bundle" {
            layer = layer.with("bundle", entry);
        }
        layer = match name {
            "no-certificate" => layer,
            "two-certificates" => layer.with("certificate", format!("{pem}{}", other.pem())),
            "text-before" => layer.with("certificate", format!("a text\n{pem}")),
            _ => layer.with("certificate", pem),
        };
        content.attach(&repository, &image, &[layer]);
        for (how, requirement) in requirements().into_iter().take(9) {
            cells.push(Cell::new(
                format!("{name}, {how}"),
                &everything(requirement),
                format!("{repository}:v1"),
            ));
        }
    }
    cells
}
