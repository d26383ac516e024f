//! One piece of evidence is broken, all else is genuine.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::key::Role;
use serde_json::{Value, json};

use crate::lab::{Form, Parts, form, forms};

const BUNDLE_V1: [&str; 2] = ["key-bundle-rekor1", "keyless-bundle-rekor1"];
const BUNDLE_V2: [&str; 2] = ["key-bundle-rekor2", "keyless-bundle-rekor2"];
const TAG_V1: [&str; 2] = ["key-tag-rekor1", "keyless-tag-rekor1"];

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// Flips a bit near the end of base64 content: of a DER signature, that is inside `s`.
pub fn flip(value: &mut Value) {
    let mut bytes = BASE64.decode(value.as_str().unwrap()).unwrap();
    let at = bytes.len() - 2;
    bytes[at] ^= 4;
    *value = BASE64.encode(bytes).into();
}

/// Changes a bundle and expects one of these codes from each form.
fn bundles(names: &[&str], code: &str, change: impl Fn(&mut Value)) {
    for name in names {
        assert_eq!(form(name).with_bundle(&change).refused(), code, "{name}");
    }
}

/// Changes the `dev.sigstore.cosign/bundle` annotation.
fn tags(code: &str, change: impl Fn(&mut Value)) {
    for name in TAG_V1 {
        let broken = form(name).with_simple(|_, annotations| {
            let text = annotations.get_mut("dev.sigstore.cosign/bundle").unwrap();
            let mut json = serde_json::from_str(text).unwrap();
            change(&mut json);
            *text = json.to_string();
        });
        assert_eq!(broken.refused(), code, "{name}");
    }
}

#[test]
fn signed_entry_timestamp_with_one_bit_flipped() {
    bundles(&BUNDLE_V1, "log-entry-refused", |b| {
        flip(&mut entry(b)["inclusionPromise"]["signedEntryTimestamp"]);
    });
    tags("log-entry-refused", |b| flip(&mut b["SignedEntryTimestamp"]));
}

#[test]
fn entry_logged_a_second_later() {
    bundles(&BUNDLE_V1, "log-entry-refused", |b| {
        let time: i64 = entry(b)["integratedTime"].as_str().unwrap().parse().unwrap();
        entry(b)["integratedTime"] = (time + 1).to_string().into();
    });
    tags("log-entry-refused", |b| {
        b["Payload"]["integratedTime"] = (b["Payload"]["integratedTime"].as_i64().unwrap() + 1).into();
    });
}

#[test]
fn entry_without_a_time() {
    bundles(&BUNDLE_V1[..1], "log-entry-refused", |b| {
        entry(b).as_object_mut().unwrap().remove("integratedTime");
    });
    bundles(&BUNDLE_V1[1..], "timestamp-refused", |b| {
        entry(b).as_object_mut().unwrap().remove("integratedTime");
    });
}

#[test]
fn entry_at_another_place_in_the_log() {
    bundles(&BUNDLE_V1, "log-entry-refused", |b| {
        let index: u64 = entry(b)["logIndex"].as_str().unwrap().parse().unwrap();
        entry(b)["logIndex"] = (index + 1).to_string().into();
    });
    // In Rekor v2 the index stands in the proof alone.
    bundles(&BUNDLE_V2, "log-entry-refused", |b| {
        let index: u64 = entry(b)["logIndex"].as_str().unwrap().parse().unwrap();
        entry(b)["logIndex"] = (index - 1).to_string().into();
    });
    tags("log-entry-refused", |b| {
        b["Payload"]["logIndex"] = (b["Payload"]["logIndex"].as_u64().unwrap() + 1).into();
    });
}

#[test]
fn entry_with_another_body() {
    let blank = |text: &str| BASE64.encode(String::from_utf8(BASE64.decode(text).unwrap()).unwrap() + " ");
    for names in [&BUNDLE_V1, &BUNDLE_V2] {
        bundles(names, "log-entry-refused", |b| {
            let text = entry(b)["canonicalizedBody"].as_str().unwrap().to_owned();
            entry(b)["canonicalizedBody"] = blank(&text).into();
        });
    }
    tags("log-entry-refused", |b| {
        let text = b["Payload"]["body"].as_str().unwrap().to_owned();
        b["Payload"]["body"] = blank(&text).into();
    });
}

#[test]
fn entry_of_another_signature() {
    // Genuine entries of the same log, about something else.
    for (here, there) in
        [(BUNDLE_V1[0], BUNDLE_V1[1]), (BUNDLE_V2[0], BUNDLE_V2[1]), (BUNDLE_V2[1], BUNDLE_V2[0])]
    {
        let Parts::Bundle(other) = form(there).parts else { unreachable!() };
        let borrowed = form(here).with_bundle(|b| {
            b["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"].clone();
        });
        let expected =
            if here.ends_with("rekor1") { "log-entry-refused" } else { "signature-does-not-match" };
        assert_eq!(borrowed.refused(), expected, "{here} with the entry of {there}");
    }
    let Parts::Simple { annotations: other, .. } = form(TAG_V1[1]).parts else { unreachable!() };
    let borrowed = form(TAG_V1[0]).with_simple(|_, annotations| {
        let key = "dev.sigstore.cosign/bundle";
        annotations.insert(key.into(), other[key].clone());
    });
    assert_eq!(borrowed.refused(), "signature-does-not-match");
}

#[test]
fn proof_of_another_leaf() {
    bundles(&BUNDLE_V2, "log-entry-refused", |b| flip(&mut entry(b)["inclusionProof"]["hashes"][0]));
    bundles(&BUNDLE_V2, "log-entry-refused", |b| {
        entry(b)["inclusionProof"]["hashes"].as_array_mut().unwrap().pop();
    });
    bundles(&BUNDLE_V2, "log-entry-refused", |b| {
        let hashes = entry(b)["inclusionProof"]["hashes"].as_array_mut().unwrap();
        hashes.push(hashes[0].clone());
    });
    // The lab's v1 trees have one leaf and so an empty path.
    bundles(&BUNDLE_V1, "log-entry-refused", |b| {
        entry(b)["inclusionProof"]["hashes"] = json!([BASE64.encode([1; 32])]);
    });
}

/// The checkpoint's lines: origin, size, root, …
fn checkpoint(bundle: &mut Value, change: impl Fn(&mut Vec<String>)) {
    let envelope = &mut entry(bundle)["inclusionProof"]["checkpoint"]["envelope"];
    let mut lines: Vec<_> = envelope.as_str().unwrap().split('\n').map(str::to_owned).collect();
    change(&mut lines);
    *envelope = lines.join("\n").into();
}

#[test]
fn checkpoint_with_another_root() {
    let other = BASE64.encode([7; 32]);
    for names in [&BUNDLE_V1, &BUNDLE_V2] {
        // The proof says so too: only the log's signature tells.
        bundles(names, "log-entry-refused", |b| {
            checkpoint(b, |lines| lines[2].clone_from(&other));
            entry(b)["inclusionProof"]["rootHash"] = other.clone().into();
        });
    }
    bundles(&BUNDLE_V1, "signature-does-not-match", |b| checkpoint(b, |lines| lines[2].clone_from(&other)));
}

#[test]
fn checkpoint_of_another_size() {
    for (names, field) in [(&BUNDLE_V1, true), (&BUNDLE_V2, false)] {
        bundles(names, "log-entry-refused", |b| {
            checkpoint(b, |lines| lines[1] = "13".into());
            if field {
                entry(b)["inclusionProof"]["treeSize"] = "13".into();
            }
        });
    }
}

#[test]
fn checkpoint_with_a_broken_signature() {
    for names in [&BUNDLE_V1, &BUNDLE_V2] {
        bundles(names, "log-entry-refused", |b| {
            checkpoint(b, |lines| {
                let last = lines.iter().rposition(|l| !l.is_empty()).unwrap();
                let (name, text) = lines[last].rsplit_once(' ').unwrap();
                let mut signature = Value::from(text);
                flip(&mut signature);
                lines[last] = format!("{name} {}", signature.as_str().unwrap());
            });
        });
    }
}

#[test]
fn checkpoint_of_another_origin() {
    // The lab's key is at hand, but by the checkpoint's word the entry is another log's.
    bundles(&BUNDLE_V2, "no-key", |b| checkpoint(b, |lines| lines[0] = "rekor3.test".into()));
    bundles(&BUNDLE_V1, "log-entry-refused", |b| checkpoint(b, |lines| lines[0] = "other - 1".into()));
}

#[test]
fn log_id_of_another_log() {
    let other = BASE64.encode([9; 32]);
    for names in [&BUNDLE_V1, &BUNDLE_V2] {
        bundles(names, "no-key", |b| entry(b)["logId"]["keyId"] = other.clone().into());
    }
    tags("no-key", |b| b["Payload"]["logID"] = "09".repeat(32).into());
}

/// The kind and the version stand outside of what the log signs.
#[test]
fn entry_that_says_it_is_of_another_version() {
    for (kind, version) in
        [("hashedrekord", "0.0.1"), ("hashedrekord", "0.0.2"), ("intoto", "0.0.2"), ("dsse", "0.0.1")]
    {
        for name in BUNDLE_V1.into_iter().chain(BUNDLE_V2) {
            let changed = form(name).with_bundle(|b| {
                entry(b)["kindVersion"] = json!({ "kind": kind, "version": version });
            });
            if changed.with_bundle(|_| {}).judge(&changed.keys()).is_ok() {
                let Parts::Bundle(json) = form(name).parts else { unreachable!() };
                let genuine = &json["verificationMaterial"]["tlogEntries"][0]["kindVersion"];
                assert_eq!(genuine["kind"], kind, "{name}");
                assert_eq!(genuine["version"], version, "{name}");
            }
        }
    }
}

#[test]
fn entry_without_evidence() {
    for (names, code) in [(&BUNDLE_V1, "log-entry-refused"), (&BUNDLE_V2, "signature-malformed")] {
        bundles(names, code, |b| {
            let entry = entry(b).as_object_mut().unwrap();
            entry.remove("inclusionPromise");
            entry.remove("inclusionProof");
        });
    }
}

#[test]
fn bundle_whose_entries_were_cut_out() {
    // What is left of the keyed bundle is a good signature by its key; nothing in it says that it was ever logged.
    let cut = |name| form(name).with_bundle(|b| b["verificationMaterial"]["tlogEntries"] = json!([]));
    let bare = cut("key-bundle-rekor1");
    let verified = bare.judge(&bare.keys()).unwrap();
    assert_eq!(verified.keys().len(), 1, "the log's key must not be named: {verified:?}");
    assert_eq!(cut("keyless-bundle-rekor1").refused(), "timestamp-refused");
    // A timestamp dates the certificate too (GitHub's instance has no log at all). Whether a log is required is for
    // rules to say, which see that none of its keys was part of the answer.
    let dated = cut("keyless-bundle-rekor2");
    let verified = dated.judge(&dated.keys()).unwrap();
    assert!(verified.keys().iter().all(|k| k.role != Role::Rekor2));
}

#[test]
fn payload_with_one_bit_flipped() {
    for form in forms() {
        let (broken, expected): (Form, &[&str]) = match &form.parts {
            Parts::Bundle(_) => (
                // A blank more is the same statement in other bytes.
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
        // The timestamp is of the signature's bytes and is looked at first.
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
        // Asked about the image that the forged payload names, the signature itself tells.
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

/// Rekor v2 says no time: without a timestamp nothing tells whether the certificate was good.
#[test]
fn keyless_without_a_timestamp() {
    let cut = form("keyless-bundle-rekor2").with_bundle(|b| {
        b["verificationMaterial"].as_object_mut().unwrap().remove("timestampVerificationData");
    });
    assert_eq!(cut.refused(), "timestamp-refused");
    // The keyed form doesn't need one; its key is then not among the proved.
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
    let pem = crate::own::chain(&[&other]).to_pem();
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
