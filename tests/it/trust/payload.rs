//! The simple-signing payload, read as the strictest consumer reads it.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::signature::{SignatureError, UntrustedBundle, UntrustedSimple};
use serde_json::{Value, json};

use super::lab::form;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn good() -> Value {
    json!({
        "critical": {
            "identity": { "docker-reference": "registry.test/app" },
            "image": { "docker-manifest-digest": DIGEST },
            "type": "cosign container image signature"
        },
        "optional": { "creator": "somebody", "timestamp": 1 }
    })
}

fn read(payload: &[u8]) -> Result<UntrustedSimple, SignatureError> {
    let annotations =
        BTreeMap::from([("dev.cosignproject.cosign/signature".to_owned(), BASE64.encode([1; 70]))]);
    UntrustedSimple::parse(payload.to_vec(), &annotations)
}

fn code(payload: &[u8]) -> &'static str {
    read(payload).unwrap_err().code().as_str()
}

fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = good();
    change(&mut value);
    value.to_string().into_bytes()
}

#[test]
fn the_good_payload_is_read() {
    let simple = read(good().to_string().as_bytes()).unwrap();
    assert_eq!(simple.claimed_image.to_string(), DIGEST);
    assert_eq!(simple.claimed_reference, "registry.test/app");
    for optional in [json!(null), json!({}), json!({ "a": [1, { "b": null }] })] {
        assert!(read(&changed(|v| v["optional"] = optional)).is_ok());
    }
    assert!(read(&changed(|v| drop(v.as_object_mut().unwrap().remove("optional")))).is_ok());
}

#[test]
fn a_key_twice_at_any_depth() {
    let text = good().to_string();
    let twice = [
        text.replacen('{', r#"{"critical":{},"#, 1),
        text.replace(r#""image":{"#, r#""image":{"docker-manifest-digest":"sha256:00","#),
        text.replace(r#""image":{"#, r#""image":{},"image":{"#),
        text.replace(r#""creator""#, r#""creator":1,"creator""#),
        text.replace(r#""creator":"#, r#""deep":[{"x":{"y":1,"y":1}}],"creator":"#),
        // The same key in two spellings.
        text.replace(r#""type""#, "\"t\\u0079pe\":\"\",\"type\""),
    ];
    for text in twice {
        assert_eq!(code(text.as_bytes()), "duplicate-json-key", "{text}");
    }
}

#[test]
fn a_field_that_nobody_knows_in_what_is_critical() {
    for place in ["/critical", "/critical/identity", "/critical/image", ""] {
        let payload = changed(|v| v.pointer_mut(place).unwrap()["new"] = json!(1));
        assert_eq!(code(&payload), "signature-malformed", "{place}");
    }
}

#[test]
fn a_field_that_is_missing_or_of_another_type() {
    for place in [
        "/critical",
        "/critical/identity",
        "/critical/identity/docker-reference",
        "/critical/image",
        "/critical/image/docker-manifest-digest",
        "/critical/type",
    ] {
        for other in [json!(null), json!(1), json!([]), json!({}), json!(true)] {
            let payload = changed(|v| *v.pointer_mut(place).unwrap() = other);
            assert_eq!(code(&payload), "signature-malformed", "{place}");
        }
        let (parent, name) = place.rsplit_once('/').unwrap();
        let payload = changed(|v| drop(v.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name)));
        assert_eq!(code(&payload), "signature-malformed", "without {place}");
    }
    assert_eq!(code(&changed(|v| v["optional"] = json!([]))), "signature-malformed");
}

#[test]
fn another_type_of_signature() {
    for kind in [
        "",
        "atomic container signature",
        "Cosign container image signature",
        "cosign container image signature ",
    ] {
        assert_eq!(
            code(&changed(|v| v["critical"]["type"] = kind.into())),
            "signature-unsupported",
            "{kind:?}"
        );
    }
}

#[test]
fn digests_in_other_spellings() {
    let hex = &DIGEST[7..];
    for digest in [
        String::new(),
        hex.to_owned(),
        DIGEST.to_uppercase(),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha512:{hex}{hex}"),
        format!("sha256:{}", &hex[1..]),
        format!("{DIGEST}a"),
        format!(" {DIGEST}"),
        format!("{DIGEST}\n"),
        format!("{DIGEST}@{DIGEST}"),
    ] {
        let payload = changed(|v| v["critical"]["image"]["docker-manifest-digest"] = digest.clone().into());
        assert_eq!(code(&payload), "signature-malformed", "{digest:?}");
    }
}

#[test]
fn what_is_not_one_json_document() {
    let text = good().to_string();
    for payload in [
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        format!("{text}{text}").into_bytes(),
        format!("{text}x").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        text.replace('"', "'").into_bytes(),
        text.as_bytes()[..text.len() - 1].to_vec(),
        text.replace("registry.test", "registry\u{0}.test").into_bytes(),
        text.replace("registry.test", "registry\n.test").into_bytes(),
        text.replace("somebody", "\\ud800").into_bytes(),
        text.bytes().map(|b| if b == b'y' { 0xff } else { b }).collect(),
    ] {
        assert_eq!(code(&payload), "signature-malformed", "{}", String::from_utf8_lossy(&payload));
    }
}

#[test]
fn json_as_deep_as_a_stack() {
    for depth in [200, 100_000, 2_000_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let text = good().to_string().replace(r#""somebody""#, &deep);
        assert_eq!(code(text.as_bytes()), "signature-malformed", "{depth}");
        let objects = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert_eq!(code(objects.as_bytes()), "signature-malformed", "{depth}");
        assert!(UntrustedBundle::parse(objects.as_bytes()).is_err());
    }
}

#[test]
fn eight_mebibytes_of_optional_fields() {
    let many: serde_json::Map<_, _> =
        (0..300_000).map(|n| (format!("key-number-{n:06}"), json!(n))).collect();
    let payload = changed(|v| v["optional"] = Value::Object(many));
    assert!(payload.len() > 7 << 20, "{}", payload.len());
    assert!(read(&payload).is_ok());
}

#[test]
fn a_signature_that_is_not_base64_or_not_there() {
    let annotations =
        |value: &str| BTreeMap::from([("dev.cosignproject.cosign/signature".to_owned(), value.to_owned())]);
    let payload = good().to_string().into_bytes();
    for value in ["*", "AAA=A", "AAAA\u{0}"] {
        let error = UntrustedSimple::parse(payload.clone(), &annotations(value)).unwrap_err();
        assert_eq!(error.code().as_str(), "signature-malformed", "{value:?}");
    }
    assert_eq!(
        UntrustedSimple::parse(payload, &BTreeMap::new()).unwrap_err().code().as_str(),
        "signature-malformed"
    );
}

/// `openssl base64` breaks lines, and cosign, written in Go, skips the line breaks.
#[test]
fn a_signature_over_several_lines_is_read_and_other_blanks_are_not() {
    let signed = |change: &dyn Fn(&str) -> String| {
        let form = form("key-tag-notlog").with_simple(|_, annotations| {
            let text = annotations.get_mut("dev.cosignproject.cosign/signature").unwrap();
            *text = change(text);
        });
        form.judge(&form.keys()).map(drop)
    };
    assert_eq!(signed(&|t| format!("{t}\n")), Ok(()));
    assert_eq!(signed(&|t| format!("{}\r\n{}", &t[..64], &t[64..])), Ok(()));
    for blank in [" ", "\t", "\u{b}", "\u{a0}", "=", "-"] {
        assert_eq!(
            signed(&|t| format!("{}{blank}{}", &t[..64], &t[64..])),
            Err("signature-malformed"),
            "{blank:?}"
        );
    }
}

#[test]
fn names_and_lists_that_are_too_long() {
    let named =
        |bytes: usize| changed(|v| v["critical"]["identity"]["docker-reference"] = json!("a".repeat(bytes)));
    assert!(read(&named(4096)).is_ok());
    assert_eq!(code(&named(4097)), "signature-malformed");
    let bundle = |subjects: usize| {
        let subject = json!({ "name": "x", "digest": { "sha256": &DIGEST[7..] } });
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
            "subject": vec![subject; subjects],
        });
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "publicKey": { "hint": "" } },
            "dsseEnvelope": {
                "payload": BASE64.encode(statement.to_string()),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{ "sig": "AAAA" }],
            },
        })
    };
    let parsed = |subjects| UntrustedBundle::parse(bundle(subjects).to_string().as_bytes());
    assert_eq!(parsed(16_384).unwrap().claimed_images.len(), 16_384);
    assert_eq!(parsed(16_385).unwrap_err().code().as_str(), "signature-malformed");
}
