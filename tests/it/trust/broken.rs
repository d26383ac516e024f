//! One piece of a log's evidence is broken, everything else is genuine.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::key::Role;
use serde_json::{Value, json};

use super::lab::{Parts, form};

pub const BUNDLE_V1: [&str; 2] = ["key-bundle-rekor1", "keyless-bundle-rekor1"];
pub const BUNDLE_V2: [&str; 2] = ["key-bundle-rekor2", "keyless-bundle-rekor2"];
const TAG_V1: [&str; 2] = ["key-tag-rekor1", "keyless-tag-rekor1"];

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// Flips a bit near the end of base64 content: in a DER signature, that is inside `s`.
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
    // In Rekor v2 only the proof contains the index.
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
    // Genuine entries of the same log, for something else.
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
        // The proof says so too: only the log's signature reveals it.
        bundles(names, "log-entry-refused", |b| {
            checkpoint(b, |lines| lines[2].clone_from(&other));
            entry(b)["inclusionProof"]["rootHash"] = other.clone().into();
        });
    }
    bundles(&BUNDLE_V1, "log-entry-refused", |b| checkpoint(b, |lines| lines[2].clone_from(&other)));
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
    // The lab's key is available, but according to the checkpoint the entry is another log's.
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

/// The log does not sign the kind and the version.
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
    // A timestamp dates the certificate too (GitHub's instance has no log at all). Whether a log is required is up to
    // the rules, which see that none of its keys was involved.
    let dated = cut("keyless-bundle-rekor2");
    let verified = dated.judge(&dated.keys()).unwrap();
    assert!(verified.keys().iter().all(|k| k.role != Role::Rekor2));
}
