//! Log entries in the proposed form: the verifying crate stops at their body, and keypack compares it itself
//! (`trust::proposed`). A log that signs anything is behind each body here, so only that comparison, and the checks
//! that must come before it, can refuse.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::key::{Material, Role};
use serde_json::{Value, json};

use super::{
    lab::{Form, Parts, form, impostor, key, without},
    log::{Log, body},
    test_keys,
};

fn both() -> [Form; 2] {
    [form("key-bundle-rekor1"), form("keyless-bundle-rekor1")]
}

/// Changes the envelope in a body.
fn envelope(body: &mut Value, change: impl FnOnce(&mut Value)) {
    let content = &mut body["spec"]["proposedContent"]["envelope"];
    let mut envelope: Value = serde_json::from_str(content.as_str().unwrap()).unwrap();
    change(&mut envelope);
    *content = Value::String(envelope.to_string());
}

/// The refusal for `form` after `change` to the entry, with everything else genuine.
fn refused(form: &Form, change: impl FnOnce(&mut Value)) -> &'static str {
    let (form, keys) = Log::new().logs(form, change);
    match form.judge(&keys) {
        Ok(verified) => panic!("{} was accepted: {verified:?}", form.name),
        Err(code) => code,
    }
}

/// The certificate that the body names.
fn certificate(form: &Form) -> keypack::key::Chain {
    let pem =
        body(form)["spec"]["proposedContent"]["verifiers"][0].as_str().map(|v| BASE64.decode(v).unwrap());
    let parsed = keypack::key::parse_key_file(&pem.unwrap()).unwrap();
    let [Material::Chain(chain)] = parsed.material.as_slice() else { panic!("{parsed:?}") };
    chain.clone()
}

fn flip(base64: &Value) -> String {
    let mut bytes = BASE64.decode(base64.as_str().unwrap()).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    BASE64.encode(bytes)
}

#[test]
fn the_body_as_it_is_passes_from_any_log_whose_key_is_at_hand() {
    for form in both() {
        assert!(body(&form)["spec"]["proposedContent"].is_object(), "the lab's bodies are of this form");
        let (form, keys) = Log::new().logs(&form, |_| {});
        let verified = form.judge(&keys).unwrap();
        assert_eq!(verified.keys().len(), keys.len());
    }
}

#[test]
fn a_body_about_another_payload() {
    for form in both() {
        let code = refused(&form, |body| {
            envelope(body, |e| e["payload"] = BASE64.encode(b"{\"other\":1}").into());
        });
        assert_eq!(code, "log-entry-refused");
        let code = refused(&form, |body| envelope(body, |e| e["payload"] = "".into()));
        assert_eq!(code, "log-entry-refused");
    }
}

#[test]
fn a_body_of_another_payload_type() {
    for form in both() {
        for other in ["text/plain", "application/vnd.in-toto+json ", "APPLICATION/vnd.in-toto+json", ""] {
            let code = refused(&form, |body| envelope(body, |e| e["payloadType"] = other.into()));
            assert_eq!(code, "log-entry-refused", "{other:?}");
        }
    }
}

#[test]
fn a_body_with_another_signature() {
    for form in both() {
        let code = refused(&form, |body| {
            envelope(body, |e| e["signatures"][0]["sig"] = flip(&e["signatures"][0]["sig"]).into());
        });
        assert_eq!(code, "log-entry-refused");
        let empty = refused(&form, |body| envelope(body, |e| e["signatures"][0]["sig"] = "".into()));
        assert_eq!(empty, "log-entry-refused");
    }
}

#[test]
fn a_body_with_two_signatures_or_none() {
    for form in both() {
        let none = refused(&form, |body| envelope(body, |e| e["signatures"] = json!([])));
        assert_eq!(none, "log-entry-refused");
        let two = refused(&form, |body| {
            envelope(body, |e| e["signatures"] = json!([e["signatures"][0], e["signatures"][0]]));
        });
        assert_eq!(two, "log-entry-refused");
    }
}

#[test]
fn a_body_that_names_another_verifier() {
    let other = BASE64.encode(test_keys::pair().1.to_pem());
    let certificate = test_keys::chain(&[&test_keys::root("somebody").certificate]).to_pem();
    for form in both() {
        let genuine = body(&form)["spec"]["proposedContent"]["verifiers"][0].clone();
        let text = String::from_utf8(BASE64.decode(genuine.as_str().unwrap()).unwrap()).unwrap();
        let verifiers = [
            json!([other]),
            json!([BASE64.encode(&certificate)]),
            json!([]),
            json!([""]),
            json!([genuine, genuine]),
            json!([genuine, other]),
            // Two keys in one PEM text: which one is meant?
            json!([BASE64.encode(format!("{text}{text}"))]),
            json!([BASE64.encode(format!("{text}{certificate}"))]),
        ];
        for verifiers in verifiers {
            let shown = verifiers.to_string();
            let code = refused(&form, |body| body["spec"]["proposedContent"]["verifiers"] = verifiers);
            assert_eq!(code, "log-entry-refused", "{shown}");
        }
    }
}

/// The certificate's key alone is not the certificate.
#[test]
fn a_body_that_names_the_key_inside_the_certificate() {
    let form = form("keyless-bundle-rekor1");
    let key = BASE64.encode(certificate(&form).first().public_key().unwrap().to_pem());
    let code = refused(&form, |body| body["spec"]["proposedContent"]["verifiers"] = json!([key]));
    assert_eq!(code, "log-entry-refused");
}

#[test]
fn a_body_of_another_kind_or_version() {
    for form in both() {
        for (field, value) in [("kind", "intoto"), ("kind", "hashedrekord"), ("apiVersion", "0.0.2")] {
            assert_eq!(refused(&form, |body| body[field] = value.into()), "log-entry-refused", "{value}");
        }
    }
}

/// Members next to the proposed content could tell another reader the opposite.
#[test]
fn a_body_that_says_more() {
    for form in both() {
        let more: [fn(&mut Value); 5] = [
            |body| body["spec"]["signatures"] = json!([]),
            |body| body["spec"]["signatures"] = json!([{ "signature": "", "verifier": "" }]),
            |body| body["spec"]["envelopeHash"] = json!({ "algorithm": "sha256", "value": "00" }),
            |body| body["more"] = json!(1),
            |body| body["spec"]["proposedContent"]["more"] = json!(1),
        ];
        for (index, change) in more.into_iter().enumerate() {
            assert_eq!(refused(&form, change), "log-entry-refused", "{index}");
        }
        let code = refused(&form, |body| envelope(body, |e| e["more"] = json!(1)));
        assert_eq!(code, "log-entry-refused");
    }
}

#[test]
fn a_body_with_a_key_twice() {
    for form in both() {
        let text = body(&form).to_string();
        let twice = text.replacen(r#""kind":"#, r#""kind":"dsse","kind":"#, 1);
        assert_ne!(text, twice);
        let (form, keys) = Log::new().logs_bytes(&form, twice.as_bytes());
        assert_eq!(form.judge(&keys).unwrap_err(), "log-entry-refused");
    }
}

/// The crate's objection is recognised by its text. A body that only imitates the text does not have the form.
#[test]
fn a_body_that_imitates_the_objection() {
    for form in both() {
        let bodies: [&[u8]; 4] = [
            br#"{"apiVersion":"0.0.1","kind":"dsse","spec":{"dsse v0.0.1 body":1}}"#,
            br#""failed to parse Rekor body: dsse v0.0.1 body""#,
            b"dsse v0.0.1 body",
            b"",
        ];
        for bytes in bodies {
            let (form, keys) = Log::new().logs_bytes(&form, bytes);
            assert_eq!(form.judge(&keys).unwrap_err(), "log-entry-refused");
        }
    }
}

/// The envelope and the body agree, and both are forged.
#[test]
fn an_envelope_and_a_body_that_were_forged_together() {
    for original in both() {
        let payload = BASE64.encode(
            json!({
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{ "digest": { "sha256": original.image.hex() } }],
                "predicateType": "https://sigstore.dev/cosign/sign/v1",
                "predicate": { "forged": true }
            })
            .to_string(),
        );
        let forged = original.with_bundle(|b| b["dsseEnvelope"]["payload"] = payload.clone().into());
        let code = refused(&forged, |body| envelope(body, |e| e["payload"] = payload.into()));
        assert_eq!(code, "signature-does-not-match");

        let signature = &original.with_bundle(|_| {});
        let Parts::Bundle(bundle) = &signature.parts else { unreachable!() };
        let sig = flip(&bundle["dsseEnvelope"]["signatures"][0]["sig"]);
        let forged = original.with_bundle(|b| b["dsseEnvelope"]["signatures"][0]["sig"] = sig.clone().into());
        let code = refused(&forged, |body| envelope(body, |e| e["signatures"][0]["sig"] = sig.into()));
        assert_eq!(code, "signature-does-not-match");
    }
}

/// Key and body agree, but the key did not sign.
#[test]
fn a_body_that_names_the_impostor() {
    let (_, public) = test_keys::pair();
    let pem = BASE64.encode(public.to_pem());
    let (form, mut keys) = Log::new().logs(&form("key-bundle-rekor1"), |body| {
        body["spec"]["proposedContent"]["verifiers"] = json!([pem]);
    });
    keys = without(&keys, Role::Signer);
    keys.push(test_keys::named(Role::Signer, &public));
    assert_eq!(form.judge(&keys).unwrap_err(), "signature-does-not-match");
}

#[test]
fn a_chain_that_is_not_the_issuers() {
    let (form, keys) = Log::new().logs(&form("keyless-bundle-rekor1"), |_| {});
    let evil = test_keys::root("sigstore");
    let chain = Material::Chain(test_keys::chain(&[&evil.certificate]));
    let mut swapped = without(&keys, Role::Fulcio);
    swapped.push(impostor(Role::Fulcio, chain));
    assert_eq!(form.judge(&swapped).unwrap_err(), "no-key");
    let mut foreign = without(&keys, Role::CtLog);
    foreign.push(impostor(Role::CtLog, test_keys::key(Role::CtLog).material));
    assert_eq!(form.judge(&foreign).unwrap_err(), "ct-timestamp-refused");
    assert!(form.judge(&[keys, vec![key(Role::Signer)]].concat()).is_ok(), "a further key does no harm");
}

#[test]
fn a_certificate_used_after_its_end() {
    let form = form("keyless-bundle-rekor1");
    let log = Log::new();
    let (start, end) = certificate(&form).first().validity();
    assert_eq!(end - start, 600);
    for (time, good) in [(start - 1, false), (start, true), (end, true), (end + 1, false)] {
        let bytes = body(&form).to_string();
        let late = form.with_bundle(|b| {
            b["verificationMaterial"]["tlogEntries"] = json!([log.entry("dsse", bytes.as_bytes(), time)]);
        });
        let mut keys = without(&form.keys(), Role::Rekor);
        keys.push(log.key.clone());
        let expected = if good { Ok(()) } else { Err("certificate-refused") };
        assert_eq!(late.judge(&keys).map(drop), expected, "{time}");
    }
}

/// The timestamp is of another signature, by an authority whose chain is available.
#[test]
fn a_timestamp_that_was_borrowed() {
    let Parts::Bundle(other) = form("key-bundle-rekor2").parts else { panic!() };
    for form in both() {
        let borrowed = form.with_bundle(|b| {
            b["verificationMaterial"]["timestampVerificationData"] =
                other["verificationMaterial"]["timestampVerificationData"].clone();
        });
        let mut keys = form.keys();
        assert_eq!(borrowed.judge(&keys).unwrap_err(), "no-key");
        keys.push(key(Role::Tsa));
        assert_eq!(borrowed.judge(&keys).unwrap_err(), "timestamp-refused");
    }
}
