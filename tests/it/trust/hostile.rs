//! Every byte of every good signature, changed: the result is a refusal or the same answer, never a panic. Where the
//! change removes a whole piece of evidence (an unknown member is ignored), the answer names fewer keys.

use keypack::{
    key::Role,
    signature::{UntrustedBundle, UntrustedSignature, UntrustedSimple},
    trust::Verifier,
};

use super::lab::{Form, Parts, form, forms, verifier};

/// Judges a changed signature with the form's keys. If it is accepted, the answer must equal the genuine one's.
fn weigh(
    form: &Form,
    keys: &Verifier,
    signature: Result<UntrustedSignature, impl Sized>,
    what: &str,
) -> bool {
    let Ok(signature) = signature else { return false };
    let _ = keys.prove(&signature, &form.image, jiff::Timestamp::now());
    let Ok(verified) = keys.judge(&signature, &form.image, jiff::Timestamp::now()) else { return false };
    let genuine = keys.judge(&form.read().unwrap(), &form.image, jiff::Timestamp::now()).unwrap();
    assert!(verified.keys().iter().all(|k| genuine.keys().contains(k)), "{}: {what}", form.name);
    assert_eq!(verified.identity(), genuine.identity(), "{}: {what}", form.name);
    assert_eq!(verified.oidc_issuer(), genuine.oidc_issuer(), "{}: {what}", form.name);
    if form.roles.contains(&Role::Fulcio) && !form.roles.contains(&Role::Tsa) {
        assert_eq!(verified, genuine, "{}: only its log dates the certificate: {what}", form.name);
    }
    true
}

/// Positions to change: all of a short text, a sample of a long one, different ones for each mask.
fn positions(length: usize, mask: u8) -> impl Iterator<Item = usize> {
    let step = length.div_ceil(400).max(1);
    (usize::from(mask) % step..length).step_by(step)
}

#[test]
fn one_byte_of_a_bundle() {
    for form in forms() {
        let Parts::Bundle(json) = &form.parts else { continue };
        let keys = verifier(&form.keys()).unwrap();
        let text = json.to_string().into_bytes();
        let (mut accepted, mut changes) = (0, 0);
        for mask in [0x01, 0x02, 0x20, 0x80] {
            for at in positions(text.len(), mask) {
                let mut bytes = text.clone();
                bytes[at] ^= mask;
                changes += 1;
                let signature =
                    UntrustedBundle::parse(&bytes).map(|b| UntrustedSignature::Bundle(Box::new(b)));
                accepted += usize::from(weigh(&form, &keys, signature, &format!("byte {at} ^ {mask}")));
            }
        }
        // Some bytes are unprotected: names of optional members, the hint, unused base64 bits.
        assert!(accepted * 10 < changes, "{}: {accepted} of {changes} were accepted", form.name);
    }
}

#[test]
fn one_byte_of_a_payload() {
    for form in forms() {
        let Parts::Simple { payload, annotations } = &form.parts else { continue };
        let keys = verifier(&form.keys()).unwrap();
        for at in 0..payload.len() {
            for mask in [0x01, 0x20, 0x80] {
                let mut bytes = payload.clone();
                bytes[at] ^= mask;
                let signature = UntrustedSimple::parse(bytes, annotations)
                    .map(|s| UntrustedSignature::Simple(Box::new(s)));
                assert!(
                    !weigh(&form, &keys, signature, &format!("byte {at} ^ {mask}")),
                    "{} {at}",
                    form.name
                );
            }
        }
    }
}

#[test]
fn one_byte_of_an_annotation() {
    for form in forms() {
        let Parts::Simple { payload, annotations } = &form.parts else { continue };
        let keys = verifier(&form.keys()).unwrap();
        for (name, value) in annotations {
            for mask in [0x01, 0x02, 0x20] {
                for at in positions(value.len(), mask) {
                    let mut bytes = value.clone().into_bytes();
                    bytes[at] ^= mask;
                    let Ok(text) = String::from_utf8(bytes) else { continue };
                    let mut changed = annotations.clone();
                    changed.insert(name.clone(), text);
                    let signature = UntrustedSimple::parse(payload.clone(), &changed)
                        .map(|s| UntrustedSignature::Simple(Box::new(s)));
                    weigh(&form, &keys, signature, &format!("{name} byte {at} ^ {mask}"));
                }
            }
        }
    }
}

#[test]
fn a_signature_cut_short() {
    for form in forms() {
        let keys = verifier(&form.keys()).unwrap();
        match &form.parts {
            Parts::Bundle(json) => {
                let text = json.to_string().into_bytes();
                for at in positions(text.len(), 0) {
                    assert!(UntrustedBundle::parse(&text[..at]).is_err(), "{} {at}", form.name);
                }
            }
            Parts::Simple { payload, annotations } => {
                for at in 0..payload.len() {
                    assert!(UntrustedSimple::parse(payload[..at].to_vec(), annotations).is_err());
                }
                for (name, value) in annotations {
                    for at in positions(value.len(), 0).skip(1) {
                        let mut changed = annotations.clone();
                        changed.insert(name.clone(), value[..at].to_owned());
                        let signature = UntrustedSimple::parse(payload.clone(), &changed)
                            .map(|s| UntrustedSignature::Simple(Box::new(s)));
                        assert!(
                            !weigh(&form, &keys, signature, &format!("{name} cut at {at}")),
                            "{name} {at}"
                        );
                    }
                }
            }
        }
    }
}

/// Any value of the bundle removed, or replaced with one of another kind.
#[test]
fn a_bundle_with_one_value_exchanged() {
    for name in ["key-bundle-rekor1", "keyless-bundle-rekor1", "key-bundle-rekor2", "keyless-bundle-rekor2"] {
        let form = form(name);
        let keys = verifier(&form.keys()).unwrap();
        let Parts::Bundle(json) = &form.parts else { panic!() };
        let mut places = Vec::new();
        pointers(json, "", &mut places);
        for place in places {
            for other in [
                serde_json::json!(null),
                serde_json::json!(""),
                serde_json::json!("AAAA"),
                serde_json::json!("-1"),
                serde_json::json!("9223372036854775807"),
                serde_json::json!(0),
                serde_json::json!([]),
                serde_json::json!({}),
            ] {
                let mut changed = json.clone();
                *changed.pointer_mut(&place).unwrap() = other.clone();
                let signature = UntrustedBundle::parse(changed.to_string().as_bytes())
                    .map(|b| UntrustedSignature::Bundle(Box::new(b)));
                let Ok(signature) = signature else { continue };
                let _ = keys.prove(&signature, &form.image, jiff::Timestamp::now());
                if let Ok(verified) = keys.judge(&signature, &form.image, jiff::Timestamp::now()) {
                    // Removing a whole piece of evidence leaves fewer keys, and never another answer.
                    let genuine =
                        keys.judge(&form.read().unwrap(), &form.image, jiff::Timestamp::now()).unwrap();
                    assert!(verified.keys().iter().all(|k| genuine.keys().contains(k)), "{name} {place}");
                    assert_eq!(verified.identity(), genuine.identity(), "{name} {place} = {other}");
                }
            }
        }
    }
}

fn pointers(value: &serde_json::Value, at: &str, places: &mut Vec<String>) {
    let children: Vec<(String, &serde_json::Value)> = match value {
        serde_json::Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), v)).collect(),
        serde_json::Value::Array(list) => list.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let place = format!("{at}/{name}");
        places.push(place.clone());
        pointers(child, &place, places);
    }
}
