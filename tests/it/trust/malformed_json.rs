//! The JSON around a signature: Rekor entries in annotations, annotations, bundles, statements.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::signature::UntrustedBundle;
use serde_json::{Value, json};

use super::lab::{Parts, form};

/// Changes the annotation with the Rekor entry.
fn entry(change: impl FnOnce(String) -> String) -> Result<(), &'static str> {
    let changed = form("key-tag-rekor1").with_simple(|_, annotations| {
        let text = annotations.get_mut("dev.sigstore.cosign/bundle").unwrap();
        *text = change(text.clone());
    });
    changed.judge(&changed.keys()).map(drop)
}

#[test]
fn a_rekor_entry_that_says_more_or_twice() {
    assert_eq!(entry(|t| t), Ok(()));
    assert_eq!(entry(|t| t.replacen('{', r#"{"more":1,"#, 1)), Err("signature-malformed"));
    assert_eq!(entry(|t| t.replace(r#""Payload":{"#, r#""Payload":{"more":1,"#)), Err("signature-malformed"));
    assert_eq!(
        entry(|t| t.replace(r#""logIndex""#, r#""logIndex":1,"logIndex""#)),
        Err("duplicate-json-key")
    );
    assert_eq!(entry(|t| t.replacen('{', r#"{"SignedEntryTimestamp":"","#, 1)), Err("duplicate-json-key"));
    for text in ["null", "{}", "[]", "x", " "] {
        assert_eq!(entry(|_| text.into()), Err("signature-malformed"), "{text:?}");
    }
}

#[test]
fn a_rekor_entry_with_impossible_numbers() {
    let set = |name: &str, value: Value| {
        entry(|text| {
            let mut json: Value = serde_json::from_str(&text).unwrap();
            json["Payload"][name] = value;
            json.to_string()
        })
    };
    for value in [json!(-1), json!(1.5), json!("1"), json!(u64::MAX), json!(null)] {
        assert_eq!(set("logIndex", value.clone()), Err("signature-malformed"), "{value}");
    }
    for value in [json!(i64::MAX), json!(i64::MIN), json!(1.5), json!("1"), json!(null)] {
        assert_eq!(set("integratedTime", value.clone()), Err("signature-malformed"), "{value}");
    }
    assert_eq!(set("integratedTime", json!(32_503_680_000_u64)), Err("log-entry-refused"), "the year 3000");
    for value in [json!(""), json!("00"), json!("zz"), json!("00".repeat(33))] {
        assert_eq!(set("logID", value.clone()), Err("signature-malformed"), "{value}");
    }
}

/// cosign treats an empty annotation as absent, and writes `chain` like that.
#[test]
fn annotations_without_content_are_not_there() {
    let bare = form("key-tag-notlog");
    for name in ["bundle", "certificate", "chain", "rfc3161timestamp"] {
        let more =
            bare.with_simple(|_, a| drop(a.insert(format!("dev.sigstore.cosign/{name}"), String::new())));
        assert!(more.judge(&more.keys()).is_ok(), "{name}");
    }
}

#[test]
fn a_bundle_with_a_key_twice_at_any_depth() {
    let Parts::Bundle(json) = form("key-bundle-rekor1").parts else { panic!() };
    let text = json.to_string();
    assert!(UntrustedBundle::parse(text.as_bytes()).is_ok());
    for name in [
        "mediaType",
        "verificationMaterial",
        "tlogEntries",
        "keyId",
        "dsseEnvelope",
        "payload",
        "sig",
        "hint",
    ] {
        let twice = text.replacen(&format!("\"{name}\":"), &format!("\"{name}\":1,\"{name}\":"), 1);
        assert_ne!(twice, text, "{name}");
        assert_eq!(
            UntrustedBundle::parse(twice.as_bytes()).unwrap_err().code().as_str(),
            "duplicate-json-key",
            "{name}"
        );
    }
}

#[test]
fn a_statement_with_a_key_twice() {
    let forged = form("key-bundle-notlog").with_bundle(|b| {
        let text = BASE64.decode(b["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap().replace(r#""sha256":"#, r#""sha256":"00","sha256":"#);
        b["dsseEnvelope"]["payload"] = BASE64.encode(text).into();
    });
    assert_eq!(forged.refused(), "duplicate-json-key");
}

#[test]
fn an_envelope_without_a_subject_is_about_nothing() {
    for subject in [
        json!([]),
        json!([{ "digest": {} }]),
        json!([{ "digest": { "sha512": "00".repeat(64) } }]),
        json!([{ "name": "x" }]),
    ] {
        for name in ["key-bundle-notlog", "key-bundle-rekor1", "keyless-bundle-rekor2"] {
            let forged = form(name).with_bundle(|b| {
                let statement = json!({ "_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": "x" });
                b["dsseEnvelope"]["payload"] = BASE64.encode(statement.to_string()).into();
            });
            assert_eq!(forged.refused(), "signed-for-other-image", "{name} {subject}");
        }
    }
}
