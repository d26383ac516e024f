//! Bundles with one change each: none verifies, and each error says which part is wrong.

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    Test,
    blob_file::{KEY, ROOT, WHO, bundle_of, take},
};

/// A change to a bundle.
type Change = fn(&mut Value);

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

fn at<'a>(bundle: &'a mut Value, pointer: &str) -> &'a mut Value {
    bundle.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"))
}

fn entry<'a>(bundle: &'a mut Value, below: &str) -> &'a mut Value {
    at(bundle, &format!("{ENTRY}{below}"))
}

fn remove(bundle: &mut Value, parent: &str, name: &str) {
    assert!(at(bundle, parent).as_object_mut().unwrap().remove(name).is_some(), "no {name}");
}

/// Flips a bit in the middle of base64-encoded bytes.
fn flip(value: &mut Value) {
    let mut bytes = BASE64.decode(value.as_str().unwrap()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *value = json!(BASE64.encode(bytes));
}

/// Changes base64-encoded JSON.
fn inside(value: &mut Value, from: &str, to: &str) {
    let text = String::from_utf8(BASE64.decode(value.as_str().unwrap()).unwrap()).unwrap();
    assert!(text.contains(from), "no {from} in {text}");
    *value = json!(BASE64.encode(text.replacen(from, to, 1)));
}

/// The bundle of one form, with each of the changes.
fn all_refused(name: &str, who: &str, changes: &[(&str, &str, Change)]) {
    let test = Test::new();
    take(&test, name);
    let line = format!("verify-blob --bundle changed.json {who} {ROOT} file");
    let original = test.json("b.json");
    test.write("changed.json", original.to_string());
    test.run(&line).exits(0);
    let mut wrong = Vec::new();
    for (what, code, change) in changes {
        let mut bundle = original.clone();
        change(&mut bundle);
        assert_ne!(bundle, original, "{what} changes nothing");
        test.write("changed.json", bundle.to_string());
        let ran = test.run(&line);
        let found = ran.err.lines().find_map(|line| line.rsplit_once('[')?.1.strip_suffix(']'));
        let expected = found.is_some_and(|found| code.split('|').any(|code| code == found));
        if ran.code != 4 || !expected || ran.out.contains("verified") {
            wrong.push(format!("{what}: {} {found:?} and not {code}: {}{}", ran.code, ran.out, ran.err));
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

const OF_EVERY_BUNDLE: &[(&str, &str, Change)] = &[
    ("no media type", "signature-malformed", |b| remove(b, "", "mediaType")),
    ("an unknown version", "signature-malformed", |b| {
        b["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.4");
    }),
    ("no material", "signature-malformed", |b| remove(b, "", "verificationMaterial")),
    ("no content", "signature-malformed", |b| remove(b, "", "dsseEnvelope")),
    ("two signers", "signature-malformed", |b| {
        let material = b["verificationMaterial"].as_object_mut().unwrap();
        let other = if material.contains_key("publicKey") { "certificate" } else { "publicKey" };
        material.insert(other.into(), json!({"hint": "x", "rawBytes": "AA=="}));
    }),
    ("two contents", "signature-malformed", |b| {
        b["messageSignature"] = json!({"signature": b["dsseEnvelope"]["signatures"][0]["sig"]});
    }),
    ("another signature", "signature-does-not-match|timestamp-refused", |b| {
        flip(at(b, "/dsseEnvelope/signatures/0/sig"));
    }),
    ("no signature", "signature-malformed", |b| b["dsseEnvelope"]["signatures"] = json!([])),
    ("the signature twice", "signature-malformed", |b| {
        let signature = b["dsseEnvelope"]["signatures"][0].clone();
        b["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(signature);
    }),
    ("another payload type", "signed-for-other-image", |b| {
        b["dsseEnvelope"]["payloadType"] = json!("application/octet-stream");
    }),
    ("another subject", "signed-for-other-image", |b| {
        inside(at(b, "/dsseEnvelope/payload"), "\"sha256\":\"", "\"sha256\":\"0000000000000000");
    }),
    ("another statement about the file", "signature-does-not-match", |b| {
        inside(at(b, "/dsseEnvelope/payload"), "cosign/sign/v1", "cosign/other/v1");
    }),
    ("no subject", "signed-for-other-image", |b| {
        inside(at(b, "/dsseEnvelope/payload"), "\"subject\":", "\"subjects\":");
    }),
    ("no statement", "signature-malformed", |b| b["dsseEnvelope"]["payload"] = json!("e30=e30=")),
    ("no log entry", "log-entry-refused", |b| {
        b["verificationMaterial"]["tlogEntries"] = json!([]);
        b["verificationMaterial"]["timestampVerificationData"] = json!({});
    }),
    ("the log entry twice", "log-entry-refused", |b| {
        let twice = entry(b, "").clone();
        b["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap().push(twice);
    }),
    ("an entry without evidence beside it", "log-entry-refused|signature-malformed", |b| {
        let mut empty = entry(b, "").clone();
        empty["logIndex"] = json!("77");
        empty.as_object_mut().unwrap().remove("inclusionPromise");
        empty.as_object_mut().unwrap().remove("inclusionProof");
        b["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap().push(empty);
    }),
    ("another log", "no-key", |b| flip(entry(b, "/logId/keyId"))),
    ("no proof", "log-entry-refused|signature-malformed", |b| remove(b, ENTRY, "inclusionProof")),
    ("another root hash", "log-entry-refused", |b| flip(entry(b, "/inclusionProof/rootHash"))),
    ("a larger tree", "log-entry-refused", |b| *entry(b, "/inclusionProof/treeSize") = json!("9")),
    ("another place in the tree", "log-entry-refused", |b| {
        entry(b, "/inclusionProof")["logIndex"] = json!("7");
    }),
    ("a hash too many", "log-entry-refused", |b| {
        let hash = entry(b, "/inclusionProof/rootHash").clone();
        let hashes = &mut entry(b, "/inclusionProof")["hashes"];
        let mut all = hashes.as_array().cloned().unwrap_or_default();
        all.push(hash);
        *hashes = json!(all);
    }),
    ("no checkpoint", "log-entry-refused|signature-malformed", |b| {
        remove(b, &format!("{ENTRY}/inclusionProof"), "checkpoint");
    }),
    ("an unsigned checkpoint", "signature-malformed", |b| {
        let text = entry(b, "/inclusionProof/checkpoint/envelope");
        let body = text.as_str().unwrap().split("\n\n").next().unwrap().to_owned();
        *text = json!(format!("{body}\n\n"));
    }),
    ("another origin", "log-entry-refused|no-key", |b| {
        let text = entry(b, "/inclusionProof/checkpoint/envelope");
        let all = text.as_str().unwrap();
        *text = json!(format!("x{all}"));
    }),
    ("another kind of entry", "signature-malformed|no-key", |b| {
        *entry(b, "/kindVersion/kind") = json!("intoto");
    }),
    ("another body", "log-entry-refused", |b| {
        inside(entry(b, "/canonicalizedBody"), "\"apiVersion\"", "\"apiversion\"");
    }),
];

const OF_REKOR_1: &[(&str, &str, Change)] = &[
    ("neither promise nor proof", "log-entry-refused", |b| {
        remove(b, ENTRY, "inclusionPromise");
        remove(b, ENTRY, "inclusionProof");
    }),
    ("another promise", "log-entry-refused", |b| {
        flip(entry(b, "/inclusionPromise/signedEntryTimestamp"));
    }),
    ("another time", "log-entry-refused", |b| *entry(b, "/integratedTime") = json!("1795359000")),
    ("no time", "log-entry-refused|timestamp-refused", |b| remove(b, ENTRY, "integratedTime")),
    ("another index", "log-entry-refused", |b| entry(b, "")["logIndex"] = json!("1")),
];

fn of(all: &[&[(&'static str, &'static str, Change)]]) -> Vec<(&'static str, &'static str, Change)> {
    all.iter().flat_map(|changes| changes.iter().copied()).collect()
}

#[test]
fn one_change_of_a_bundle_by_certificate_and_rekor_1_is_refused() {
    let own: &[(&str, &str, Change)] = &[
        ("another certificate", "certificate-refused", |b| {
            flip(at(b, "/verificationMaterial/certificate/rawBytes"));
        }),
        ("a key in its place", "no-key", |b| {
            remove(b, "/verificationMaterial", "certificate");
            b["verificationMaterial"]["publicKey"] = json!({"hint": "x"});
        }),
        ("no promise: nothing says when", "timestamp-refused", |b| remove(b, ENTRY, "inclusionPromise")),
        ("a chain in version 0.3", "signature-malformed", |b| {
            let certificate = b["verificationMaterial"]["certificate"].take();
            remove(b, "/verificationMaterial", "certificate");
            b["verificationMaterial"]["x509CertificateChain"] = json!({"certificates": [certificate]});
        }),
        ("no certificate", "signature-malformed", |b| remove(b, "/verificationMaterial", "certificate")),
    ];
    all_refused("keyless-bundle-rekor1", WHO, &of(&[OF_EVERY_BUNDLE, OF_REKOR_1, own]));
}

#[test]
fn one_change_of_a_bundle_by_key_and_rekor_1_is_refused() {
    all_refused("key-bundle-rekor1", KEY, &of(&[OF_EVERY_BUNDLE, OF_REKOR_1]));
}

#[test]
fn one_change_of_a_bundle_by_rekor_2_is_refused() {
    let stamp: &[(&str, &str, Change)] = &[
        ("another timestamp", "timestamp-refused", |b| {
            flip(at(
                b,
                "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp",
            ));
        }),
        ("the timestamp twice", "timestamp-refused", |b| {
            let stamps = at(b, "/verificationMaterial/timestampVerificationData/rfc3161Timestamps");
            let twice = stamps[0].clone();
            stamps.as_array_mut().unwrap().push(twice);
        }),
        ("no timestamp", "signature-malformed", |b| {
            *at(b, "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp") =
                json!("");
        }),
    ];
    all_refused("key-bundle-rekor2", KEY, &of(&[OF_EVERY_BUNDLE, stamp]));
    let undated: &[(&str, &str, Change)] = &[("nothing says when", "timestamp-refused", |b| {
        remove(b, "/verificationMaterial", "timestampVerificationData");
    })];
    all_refused("keyless-bundle-rekor2", WHO, &of(&[OF_EVERY_BUNDLE, stamp, undated]));
}

#[test]
fn evidence_of_another_signature_is_refused() {
    for (name, who, part) in [
        ("key-bundle-rekor1", KEY, "tlogEntries"),
        ("key-bundle-rekor2", KEY, "tlogEntries"),
        ("key-bundle-rekor2", KEY, "timestampVerificationData"),
        ("keyless-bundle-rekor1", WHO, "tlogEntries"),
        ("keyless-bundle-rekor1", WHO, "certificate"),
        ("keyless-bundle-rekor2", WHO, "timestampVerificationData"),
        ("keyless-bundle-rekor2", WHO, "certificate"),
    ] {
        let test = Test::new();
        take(&test, name);
        let mut bundle = test.json("b.json");
        let other = bundle_of(&test, &format!("{name}/img2"));
        assert_ne!(bundle["verificationMaterial"][part], other["verificationMaterial"][part]);
        bundle["verificationMaterial"][part] = other["verificationMaterial"][part].clone();
        test.write("changed.json", bundle.to_string());
        let ran = test.run(&format!("verify-blob --bundle changed.json {who} {ROOT} file"));
        assert_eq!(ran.code, 4, "{name}: {part}: {}{}", ran.out, ran.err);
        // The complete bundle of the other image as well.
        test.write("changed.json", other.to_string());
        test.run(&format!("verify-blob --bundle changed.json {who} {ROOT} file"))
            .fails(4, "signed-for-other-image");
    }
}

#[test]
fn the_older_versions_have_rules_of_their_own() {
    let test = Test::new();
    take(&test, "keyless-bundle-rekor1");
    let mut old = test.json("b.json");
    let certificate = old["verificationMaterial"]["certificate"].take();
    remove(&mut old, "/verificationMaterial", "certificate");
    old["verificationMaterial"]["x509CertificateChain"] = json!({"certificates": [certificate]});
    let run = |bundle: &Value, version: &str| {
        let mut bundle = bundle.clone();
        bundle["mediaType"] = json!(format!("application/vnd.dev.sigstore.bundle+json;version={version}"));
        test.write("old.json", bundle.to_string());
        test.run(&format!("verify-blob --bundle old.json {WHO} {ROOT} file"))
    };
    run(&old, "0.1").exits(0);
    run(&old, "0.2").exits(0);
    run(&old, "0.3").exits(4);
    // Version 0.1 has a promise, later versions have a proof.
    let mut unproved = old.clone();
    remove(&mut unproved, ENTRY, "inclusionProof");
    run(&unproved, "0.1").exits(0);
    run(&unproved, "0.2").fails(4, "log-entry-refused");
    let mut unpromised = old.clone();
    remove(&mut unpromised, ENTRY, "inclusionPromise");
    run(&unpromised, "0.1").fails(4, "log-entry-refused");
    // The root does not belong in the chain; a single certificate is what makes this a key holder's bundle.
    let mut unlogged = old.clone();
    unlogged["verificationMaterial"]["tlogEntries"] = json!([]);
    for version in ["0.1", "0.2"] {
        run(&unlogged, version).fails(4, "log-entry-refused");
    }
}

#[test]
fn oddities_of_json_are_no_bundle() {
    let test = Test::new();
    take(&test, "key-bundle-rekor1");
    let text = String::from_utf8(test.read("b.json")).unwrap();
    let line = format!("verify-blob --bundle odd.json {KEY} {ROOT} file");
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "no {from}");
        text.replacen(from, to, 1)
    };
    for (what, odd) in [
        ("a field twice", change("\"mediaType\":", "\"mediaType\":\"x\",\"mediaType\":")),
        ("a field twice, inside", change("\"payloadType\":", "\"payloadType\":\"x\",\"payloadType\":")),
        ("text behind it", format!("{text} x")),
        ("two bundles", format!("{text}{text}")),
        ("cut short", text[..text.len() - 1].to_owned()),
        ("an array", format!("[{text}]")),
        ("nothing", String::new()),
        ("null", "null".into()),
        ("a number for a text", change("\"kind\":\"dsse\"", "\"kind\":1")),
        ("no base64", change("\"signedEntryTimestamp\":\"", "\"signedEntryTimestamp\":\"*")),
        ("a negative index", change("\"logIndex\":\"", "\"logIndex\":\"-")),
        ("deep", "[".repeat(100_000)),
    ] {
        test.write("odd.json", odd);
        let ran = test.run(&line);
        assert_eq!(ran.code, 4, "{what}: {}{}", ran.out, ran.err);
        assert!(!ran.out.contains("verified"), "{what}");
    }
}

#[test]
fn another_hint_of_the_key_changes_nothing() {
    // It is a hint (protos/sigstore_common.proto, PublicKeyIdentifier): the user who gives the key knows which one it
    // is.
    let test = Test::new();
    take(&test, "key-bundle-rekor1");
    let mut bundle = test.json("b.json");
    bundle["verificationMaterial"]["publicKey"]["hint"] = json!("another");
    test.write("hint.json", bundle.to_string());
    test.run(&format!("verify-blob --bundle hint.json {KEY} {ROOT} file")).exits(0);
}

#[test]
fn a_key_that_was_not_in_use_then_is_not_believed() {
    let test = Test::new();
    let window = |start: &str, end: &str| json!({"start": start, "end": end});
    let (before, after) = (
        window("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"),
        window("2099-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
    );
    for (name, who, list, validity) in [
        ("keyless-bundle-rekor1", WHO, "tlogs", "/publicKey/validFor"),
        ("keyless-bundle-rekor1", WHO, "ctlogs", "/publicKey/validFor"),
        ("keyless-bundle-rekor1", WHO, "certificateAuthorities", "/validFor"),
        ("keyless-bundle-rekor2", WHO, "timestampAuthorities", "/validFor"),
        ("keyless-bundle-rekor2", WHO, "certificateAuthorities", "/validFor"),
        ("key-bundle-rekor1", KEY, "tlogs", "/publicKey/validFor"),
        ("key-bundle-rekor2", KEY, "timestampAuthorities", "/validFor"),
    ] {
        take(&test, name);
        for window in [&before, &after] {
            let mut root = test.json("lab/trust/trusted_root.json");
            for key in root[list].as_array_mut().unwrap() {
                *key.pointer_mut(validity).unwrap() = window.clone();
            }
            test.write("root.json", root.to_string());
            let ran = test.run(&format!("verify-blob --bundle b.json {who} --trusted-root root.json file"));
            assert_eq!(ran.code, 4, "{name}: {list} {window}: {}{}", ran.out, ran.err);
            assert!(!ran.out.contains("verified"));
        }
        // Keys of the root that the bundle does not need may have any validity period.
        let mut root = test.json("lab/trust/trusted_root.json");
        for key in root["timestampAuthorities"].as_array_mut().unwrap() {
            key["validFor"] = before.clone();
        }
        test.write("root.json", root.to_string());
        if name.ends_with('1') {
            test.run(&format!("verify-blob --bundle b.json {who} --trusted-root root.json file")).exits(0);
        }
    }
}
