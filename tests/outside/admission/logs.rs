//! The Rekor entry of a signature, good and bad in every part.

use rcgen::KeyPair;
use serde_json::{Value, json};

use super::{
    Cell,
    content::{Content, Layer, now, openssl_key, payload},
    keys::requirement,
};

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let key = KeyPair::generate().unwrap();
    let other = KeyPair::generate().unwrap();
    let (p384, p384_pem) =
        openssl_key(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], &[]);
    content.file("logged.pub", key.public_key_pem());
    content.file("other.pub", other.public_key_pem());
    content.file("rekor384.pub", p384_pem);
    let pem = key.public_key_pem();
    let another = KeyPair::generate().unwrap();
    let of_other = other.public_key_pem();
    type Change = fn(&mut Value);
    let unchanged: Change = |_| ();
    let in_body: [(&str, Change); 8] = [
        ("of-another-signature", |body| body["spec"]["signature"]["content"] = json!("AAAA")),
        ("of-another-payload", |body| body["spec"]["data"]["hash"]["value"] = json!("00".repeat(32))),
        ("sha512", |body| body["spec"]["data"]["hash"]["algorithm"] = json!("sha512")),
        ("upper-case-hash", |body| {
            let upper = body["spec"]["data"]["hash"]["value"].as_str().unwrap().to_uppercase();
            body["spec"]["data"]["hash"]["value"] = json!(upper);
        }),
        ("version-2", |body| body["apiVersion"] = json!("0.0.2")),
        ("kind", |body| body["kind"] = json!("rekord")),
        ("more-in-body", |body| body["spec"]["more"] = json!({"a": 1})),
        ("no-hash", |body| body["spec"]["data"] = json!({})),
    ];
    type Make<'a> = Box<dyn Fn(&Content, &Layer) -> Option<String> + 'a>;
    let mut cases: Vec<(&str, Make<'_>)> = vec![
        ("none", Box::new(|_, _| None)),
        ("good", Box::new(|c, l| Some(c.logged(&pem, l, now())))),
        ("by-p384", Box::new(|c, l| Some(c.logged_as(&*p384, &pem, l, now(), &unchanged)))),
        ("by-another-log", Box::new(|c, l| Some(c.logged_as(&another, &pem, l, now(), &unchanged)))),
        ("of-another-key", Box::new(|c, l| Some(c.logged(&of_other, l, now())))),
        ("old", Box::new(|c, l| Some(c.logged(&pem, l, 1)))),
        ("future", Box::new(|c, l| Some(c.logged(&pem, l, now() + 1_000_000_000)))),
        ("text-behind-key", Box::new(|c, l| Some(c.logged(&format!("{pem}more"), l, now())))),
        ("newline-behind-key", Box::new(|c, l| Some(c.logged(&format!("{pem}\n"), l, now())))),
        ("more-around", Box::new(|c, l| Some(c.logged(&pem, l, now()).replacen('{', "{\"x\":1,", 1)))),
        (
            "more-in-payload",
            Box::new(|c, l| {
                Some(c.logged(&pem, l, now()).replacen("\"Payload\":{", "\"Payload\":{\"x\":1,", 1))
            }),
        ),
        ("empty", Box::new(|_, _| Some(String::new()))),
        ("nonsense", Box::new(|_, _| Some("{}".into()))),
    ];
    cases.extend(in_body.iter().map(|(name, change)| {
        let make: Make<'_> = Box::new(|c, l| Some(c.logged_as(&c.rekor, &pem, l, now(), change)));
        (*name, make)
    }));
    let mut cells = Vec::new();
    for (name, make) in cases {
        let repository = format!("logs/{name}");
        let image = content.image(&repository, Some("v1"), "amd64");
        let layer = Layer::signed(&key, payload(&format!("{}/{repository}", content.host()), &image));
        let layer = match make(content, &layer) {
            Some(entry) => layer.with("bundle", entry),
            None => layer,
        };
        content.attach(&repository, &image, &[layer]);
        for (policy, more) in [
            ("no log", json!({"keyPath": "{dir}/logged.pub"})),
            ("log", json!({"keyPath": "{dir}/logged.pub", "rekorPublicKeyPath": "{dir}/rekor.pub"})),
            (
                "either log",
                json!({"keyPath": "{dir}/logged.pub", "rekorPublicKeyPaths": ["{dir}/rekor384.pub", "{dir}/rekor.pub"]}),
            ),
            (
                "either key",
                json!({"keyPaths": ["{dir}/other.pub", "{dir}/logged.pub"], "rekorPublicKeyPath": "{dir}/rekor.pub"}),
            ),
        ] {
            cells.push(Cell::new(
                format!("entry {name}, {policy}"),
                &requirement(more),
                format!("{repository}:v1"),
            ));
        }
    }
    cells
}
