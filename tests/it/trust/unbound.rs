//! What is signed, by whom and when: one part is swapped, everything else is genuine.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::key::Role;
use serde_json::{Value, json};

use super::{
    broken::{BUNDLE_V1, BUNDLE_V2, flip},
    lab::{Form, Parts, form, forms},
};

#[test]
fn payload_with_one_bit_flipped() {
    for form in forms() {
        let (broken, expected): (Form, &[&str]) = match &form.parts {
            Parts::Bundle(_) => (
                // An extra space makes it the same statement in other bytes.
                form.with_bundle(|b| {
                    let payload = BASE64.decode(b["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
                    b["dsseEnvelope"]["payload"] = BASE64.encode([payload.as_slice(), b" "].concat()).into();
                }),
                &["signature-does-not-match"],
            ),
            Parts::Simple { .. } => {
                (form.with_simple(|payload, _| payload.push(b' ')), &["signature-does-not-match"])
            }
        };
        assert!(expected.contains(&broken.refused()), "{}: {}", form.name, broken.refused());
    }
}

#[test]
fn signature_with_one_bit_flipped() {
    for form in forms() {
        let broken = match &form.parts {
            Parts::Bundle(_) => form.with_bundle(|b| flip(&mut b["dsseEnvelope"]["signatures"][0]["sig"])),
            Parts::Simple { .. } => form.with_simple(|_, annotations| {
                let text = annotations.get_mut("dev.cosignproject.cosign/signature").unwrap();
                let mut value = Value::from(text.as_str());
                flip(&mut value);
                *text = value.as_str().unwrap().into();
            }),
        };
        // The timestamp covers the signature's bytes and is checked first.
        let expected =
            if form.roles.contains(&Role::Tsa) { "timestamp-refused" } else { "signature-does-not-match" };
        assert_eq!(broken.refused(), expected, "{}", form.name);
    }
}

#[test]
fn envelope_of_another_payload_type() {
    for name in BUNDLE_V1.into_iter().chain(BUNDLE_V2).chain(["key-bundle-notlog"]) {
        for other in ["application/vnd.in-toto+json ", "text/plain", ""] {
            let changed = form(name).with_bundle(|b| b["dsseEnvelope"]["payloadType"] = other.into());
            assert!(changed.judge(&changed.keys()).is_err(), "{name} as {other:?}");
        }
    }
}

#[test]
fn payload_about_another_image() {
    let other = keypack::oci::Digest::of(b"another image");
    for form in forms() {
        let was = form.image.hex();
        let changed = match &form.parts {
            Parts::Bundle(_) => form.with_bundle(|b| {
                let text = BASE64.decode(b["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
                let text = String::from_utf8(text).unwrap().replace(&was, &other.hex());
                b["dsseEnvelope"]["payload"] = BASE64.encode(text).into();
            }),
            Parts::Simple { .. } => form.with_simple(|payload, _| {
                *payload = String::from_utf8(payload.clone()).unwrap().replace(&was, &other.hex()).into();
            }),
        };
        assert_eq!(changed.refused(), "signed-for-other-image", "{}", form.name);
        // Checked against the image that the forged payload names, the signature itself fails.
        let mut asked = changed;
        asked.image = other;
        assert_eq!(asked.refused(), "signature-does-not-match", "{}", form.name);
    }
}

#[test]
fn timestamp_of_another_signature() {
    for (here, there) in [(BUNDLE_V2[0], BUNDLE_V2[1]), (BUNDLE_V2[1], BUNDLE_V2[0])] {
        let Parts::Bundle(other) = form(there).parts else { unreachable!() };
        let borrowed = form(here).with_bundle(|b| {
            b["verificationMaterial"]["timestampVerificationData"] =
                other["verificationMaterial"]["timestampVerificationData"].clone();
        });
        assert_eq!(borrowed.refused(), "timestamp-refused", "{here}");
        let added = form(here).with_bundle(|b| {
            let more = &other["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0];
            let list = &mut b["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
            list.as_array_mut().unwrap().push(more.clone());
        });
        assert_eq!(added.refused(), "timestamp-refused", "{here} with one more");
    }
}

#[test]
fn timestamp_with_one_bit_flipped() {
    for name in BUNDLE_V2 {
        let broken = form(name).with_bundle(|b| {
            let list = &mut b["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
            flip(&mut list[0]["signedTimestamp"]);
        });
        assert_eq!(broken.refused(), "timestamp-refused", "{name}");
    }
}

/// Rekor v2 gives no time: without a timestamp nothing shows whether the certificate was valid.
#[test]
fn keyless_without_a_timestamp() {
    let cut = form("keyless-bundle-rekor2").with_bundle(|b| {
        b["verificationMaterial"].as_object_mut().unwrap().remove("timestampVerificationData");
    });
    assert_eq!(cut.refused(), "timestamp-refused");
    // The keyed form doesn't need one; its key is then not among the proved ones.
    let cut = form("key-bundle-rekor2").with_bundle(|b| {
        b["verificationMaterial"].as_object_mut().unwrap().remove("timestampVerificationData");
    });
    let verified = cut.judge(&cut.keys()).unwrap();
    assert!(verified.keys().iter().all(|k| k.role != Role::Tsa));
}

#[test]
fn certificate_of_another_signature() {
    let tag = form("keyless-tag-rekor1");
    let Parts::Bundle(v1) = form("keyless-bundle-rekor1").parts else { unreachable!() };
    let Parts::Bundle(v2) = form("keyless-bundle-rekor2").parts else { unreachable!() };
    for (mut form, other) in [(form("keyless-bundle-rekor1"), &v2), (form("keyless-bundle-rekor2"), &v1)] {
        form = form.with_bundle(|b| {
            b["verificationMaterial"]["certificate"] = other["verificationMaterial"]["certificate"].clone();
        });
        assert_eq!(form.refused(), "signature-does-not-match", "{}", form.name);
    }
    let der = BASE64.decode(v1["verificationMaterial"]["certificate"]["rawBytes"].as_str().unwrap()).unwrap();
    let other = keypack::key::Certificate::from_der(&der).unwrap();
    let pem = super::test_keys::chain(&[&other]).to_pem();
    let swapped = tag.with_simple(|_, a| drop(a.insert("dev.sigstore.cosign/certificate".into(), pem)));
    // It was issued only after this signature was logged.
    assert_eq!(swapped.refused(), "certificate-refused");
}

#[test]
fn certificate_changed_after_it_was_signed() {
    let change = |b: &mut Value, from: &[u8], to: &[u8]| {
        let raw = &mut b["verificationMaterial"]["certificate"]["rawBytes"];
        let mut der = BASE64.decode(raw.as_str().unwrap()).unwrap();
        let at = der.windows(from.len()).position(|w| w == from).unwrap();
        der[at..at + to.len()].copy_from_slice(to);
        *raw = BASE64.encode(der).into();
    };
    for name in ["keyless-bundle-rekor1", "keyless-bundle-rekor2"] {
        let other_name = form(name).with_bundle(|b| change(b, b"https://ci.test", b"https://co.test"));
        assert_eq!(other_name.refused(), "certificate-refused", "{name}");
        // The list of CT timestamps under another OID: a certificate that seems to have none.
        let sct = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
        let stripped = form(name)
            .with_bundle(|b| change(b, &sct, &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x09]));
        assert_eq!(stripped.refused(), "certificate-refused", "{name} without SCT");
    }
}

#[test]
fn bundle_that_swaps_certificate_for_key_and_back() {
    let keyless = form("keyless-bundle-rekor1").with_bundle(|b| {
        b["verificationMaterial"].as_object_mut().unwrap().remove("certificate");
        b["verificationMaterial"]["publicKey"] = json!({ "hint": "" });
    });
    assert_eq!(keyless.refused(), "no-key");
    let mut keys = keyless.keys();
    keys.extend(form("key-bundle-rekor1").keys());
    assert_eq!(keyless.judge(&keys).unwrap_err(), "signature-does-not-match");
}
