//! Kinds of keys, and files of keys.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rcgen::{KeyPair, PublicKeyData};
use serde_json::{Value, json};

use super::{
    Cell,
    content::{Content, Layer, Sign, openssl_key, payload},
    everything,
};

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let mut cells = kinds(content);
    cells.extend(files(content));
    cells
}

pub fn requirement(more: Value) -> Value {
    let mut requirement = json!({"type": "sigstoreSigned", "signedIdentity": {"type": "matchRepository"}});
    for (name, value) in more.as_object().unwrap() {
        requirement[name] = value.clone();
    }
    everything(requirement)
}

fn kinds(content: &mut Content) -> Vec<Cell> {
    let mut cells = Vec::new();
    let of_rcgen = |algorithm| {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let pem = key.public_key_pem();
        (Box::new(key) as Box<dyn Sign>, pem)
    };
    let curve = |name: &str| {
        openssl_key(&["genpkey", "-algorithm", "EC", "-pkeyopt", &format!("ec_paramgen_curve:{name}")], &[])
    };
    let pss = ["-sigopt", "rsa_padding_mode:pss"];
    for (name, (key, pem), open) in [
        ("p256", of_rcgen(&rcgen::PKCS_ECDSA_P256_SHA256), false),
        ("p384-sha256", curve("P-384"), false),
        ("p384-sha384", of_rcgen(&rcgen::PKCS_ECDSA_P384_SHA384), false),
        ("p521-sha256", curve("P-521"), true),
        ("ed25519", of_rcgen(&rcgen::PKCS_ED25519), false),
        ("rsa", of_rcgen(&rcgen::PKCS_RSA_SHA256), false),
        ("rsa-sha512", of_rcgen(&rcgen::PKCS_RSA_SHA512), false),
        (
            "rsa-3072",
            openssl_key(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"], &[]),
            false,
        ),
        (
            "rsa-pss",
            openssl_key(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], &pss),
            false,
        ),
    ] {
        content.file(&format!("{name}.pub"), &pem);
        let repository = format!("keys/{name}");
        let image = content.image(&repository, Some("v1"), "amd64");
        let layer = Layer::signed(&*key, payload(&format!("{}/{repository}", content.host()), &image));
        content.attach(&repository, &image, &[layer]);
        let data = BASE64.encode(&pem);
        for (how, more) in [
            ("path", json!({"keyPath": format!("{{dir}}/{name}.pub")})),
            ("data", json!({"keyData": data})),
            ("paths", json!({"keyPaths": [format!("{{dir}}/{name}.pub"), "{dir}/rekor.pub"]})),
            ("datas", json!({"keyDatas": [BASE64.encode(content.rekor.public_key_pem()), data]})),
            ("other", json!({"keyPath": "{dir}/rekor.pub"})),
        ] {
            let cell = Cell::new(format!("{name} {how}"), &requirement(more), format!("{repository}:v1"));
            cells.push(Cell { may_be_open: open, ..cell });
        }
    }
    cells
}

fn files(content: &mut Content) -> Vec<Cell> {
    let key = KeyPair::generate().unwrap();
    let pem = key.public_key_pem();
    let repository = "files/app";
    let image = content.image(repository, Some("v1"), "amd64");
    let layer = Layer::signed(&key, payload(&format!("{}/{repository}", content.host()), &image));
    content.attach(repository, &image, &[layer]);
    let rsa = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["a.test".into()]).unwrap().self_signed(&key).unwrap().pem();
    let ed = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let der = key.subject_public_key_info();
    for (name, file) in [
        ("good", pem.clone().into_bytes()),
        ("crlf", pem.replace('\n', "\r\n").into_bytes()),
        ("text", format!("my key\n{pem}and more\n").into_bytes()),
        ("indented", format!("  {pem}").into_bytes()),
        ("bom", format!("\u{feff}{pem}").into_bytes()),
        ("der", der),
        ("certificate", certificate.clone().into_bytes()),
        ("certificate-first", format!("{certificate}{pem}").into_bytes()),
        ("two", format!("{}{pem}", rsa.public_key_pem()).into_bytes()),
        ("two-good-first", format!("{pem}{}", rsa.public_key_pem()).into_bytes()),
        ("empty", Vec::new()),
        ("private", key.serialize_pem().into_bytes()),
        ("no-newline", pem.trim_end().as_bytes().to_vec()),
        (
            "broken-first",
            format!("-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----\n{pem}").into_bytes(),
        ),
        ("wrong-label", pem.replace("PUBLIC KEY", "EC PUBLIC KEY").into_bytes()),
    ] {
        content.file(name, file);
    }
    content.file("ed.pub", ed.public_key_pem());
    content.file("rsa.pub", rsa.public_key_pem());
    let data = BASE64.encode(&pem);
    let broken: String =
        data.chars().enumerate().flat_map(|(at, c)| if at == 40 { vec!['\n', c] } else { vec![c] }).collect();
    let all = [
        ("good", json!({"keyPath": "{dir}/good"})),
        ("crlf", json!({"keyPath": "{dir}/crlf"})),
        ("text", json!({"keyPath": "{dir}/text"})),
        ("indented", json!({"keyPath": "{dir}/indented"})),
        ("bom", json!({"keyPath": "{dir}/bom"})),
        ("der", json!({"keyPath": "{dir}/der"})),
        ("certificate", json!({"keyPath": "{dir}/certificate"})),
        ("certificate-first", json!({"keyPath": "{dir}/certificate-first"})),
        ("two", json!({"keyPath": "{dir}/two"})),
        ("two-good-first", json!({"keyPath": "{dir}/two-good-first"})),
        ("empty", json!({"keyPath": "{dir}/empty"})),
        ("private", json!({"keyPath": "{dir}/private"})),
        ("no-newline", json!({"keyPath": "{dir}/no-newline"})),
        ("broken-first", json!({"keyPath": "{dir}/broken-first"})),
        ("wrong-label", json!({"keyPath": "{dir}/wrong-label"})),
        ("missing", json!({"keyPath": "{dir}/nowhere"})),
        ("folder", json!({"keyPath": "{dir}"})),
        ("one-missing", json!({"keyPaths": ["{dir}/good", "{dir}/nowhere"]})),
        ("one-bad", json!({"keyPaths": ["{dir}/good", "{dir}/der"]})),
        ("one-empty-path", json!({"keyPaths": ["{dir}/good", ""]})),
        ("data", json!({"keyData": data})),
        ("data-with-newline", json!({"keyData": broken})),
        ("data-unpadded", json!({"keyData": data.trim_end_matches('=')})),
        ("data-empty", json!({"keyData": ""})),
        ("data-null-and-path", json!({"keyData": null, "keyPath": "{dir}/good"})),
        ("path-empty-and-data", json!({"keyPath": "", "keyData": data})),
        ("datas-one-empty", json!({"keyDatas": [data, ""]})),
        ("datas-one-null", json!({"keyDatas": [data, null]})),
        ("mixed", json!({"keyPaths": ["{dir}/ed.pub", "{dir}/rsa.pub", "{dir}/good"]})),
        ("rekor-empty-path", json!({"keyPath": "{dir}/good", "rekorPublicKeyPath": ""})),
        ("rekor-null", json!({"keyPath": "{dir}/good", "rekorPublicKeyPath": null})),
        ("rekor-data-null", json!({"keyPath": "{dir}/good", "rekorPublicKeyData": null})),
        ("rekor-data-empty", json!({"keyPath": "{dir}/good", "rekorPublicKeyData": ""})),
        ("rekor-one-empty", json!({"keyPath": "{dir}/good", "rekorPublicKeyPaths": [""]})),
        ("rekor-ed", json!({"keyPath": "{dir}/good", "rekorPublicKeyPath": "{dir}/ed.pub"})),
        ("rekor-rsa", json!({"keyPath": "{dir}/good", "rekorPublicKeyPath": "{dir}/rsa.pub"})),
    ];
    let cell = |(name, more): (&str, Value)| {
        Cell::new(format!("file {name}"), &requirement(more), format!("{repository}:v1"))
    };
    all.into_iter().map(cell).collect()
}
