//! Wrong signatures, vanished content, and unreasonable amounts of both.

use keypack::oci::Digest;
use serde_json::{Value, json};

use super::{Test, blob, image, keep, linked, pulled, says_nothing_is_verified};

#[test]
fn an_image_or_a_signature_that_vanished_is_reported_and_nothing_is_verified() {
    let test = pulled(None);
    keep(&test, "key-tag");
    let digest = linked(&test, "key-tag-notlog/img1", "v1");
    std::fs::remove_file(test.path(&blob(&digest))).unwrap();
    let ran = says_nothing_is_verified(test.run("verify storage").fails(4, "not-all-read"));
    ran.says("NOT HERE 1 image").says("key-tag-notlog/img1:v1  image-elsewhere");
    let test = pulled(None);
    keep(&test, "key-tag");
    let image = linked(&test, "key-tag-notlog/img1", "v1");
    let signature = linked(&test, "key-tag-notlog/img1", &format!("{}.sig", image.replace(':', "-")));
    let manifest = test.json(&blob(&signature));
    std::fs::remove_file(test.path(&blob(manifest["layers"][0]["digest"].as_str().unwrap()))).unwrap();
    says_nothing_is_verified(test.run("verify storage").fails(4, "not-all-read"));
}

/// Rewrites the signatures of `key-tag-notlog/img1`.
fn resign(test: &Test, change: impl FnOnce(&mut Vec<Value>)) {
    let image = linked(test, "key-tag-notlog/img1", "v1");
    let tag = format!("{}.sig", image.replace(':', "-"));
    let mut manifest = test.json(&blob(&linked(test, "key-tag-notlog/img1", &tag)));
    change(manifest["layers"].as_array_mut().unwrap());
    let bytes = manifest.to_string();
    let digest = Digest::of(bytes.as_bytes()).to_string();
    test.write(&blob(&digest), bytes);
    let manifests = "storage/docker/registry/v2/repositories/key-tag-notlog/img1/_manifests";
    let _ = std::fs::remove_dir_all(test.path(&format!("{manifests}/revisions")));
    test.write(&format!("{manifests}/tags/{tag}/current/link"), &digest);
}

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

fn wrong(layer: &Value, number: usize) -> Value {
    let mut wrong = layer.clone();
    // A different layer each: identical ones count once.
    wrong["annotations"]["test"] = json!(number.to_string());
    let text = wrong["annotations"][SIGNATURE].as_str().unwrap();
    let other = if text[20..24] == *"AAAA" { "BBBB" } else { "AAAA" };
    wrong["annotations"][SIGNATURE] = json!(format!("{}{other}{}", &text[..20], &text[24..]));
    wrong
}

#[test]
fn a_broken_signature_beside_a_good_one_is_always_reported() {
    let test = pulled(None);
    keep(&test, "key-tag-notlog");
    resign(&test, |layers| layers.insert(0, wrong(&layers[0], 0)));
    let ran = test.run("verify storage").exits(0);
    ran.says("BROKEN OR UNREADABLE 1 signature").says("signature-does-not-match").says("5 images verified");
    says_nothing_is_verified(test.run("verify storage --all-signatures").fails(4, "images-refused"));
    let strict = test.run("verify storage --all-signatures --format json").exits(4).json();
    assert_eq!(image(&strict, "key-tag-notlog/img1")["state"], "refused", "and not only the run");
    resign(&test, |layers| drop(layers.pop()));
    says_nothing_is_verified(test.run("verify storage").fails(4, "images-refused"));
}

#[test]
fn identical_layers_count_once_and_501_signatures_are_all_judged() {
    let test = pulled(None);
    keep(&test, "key-tag-notlog");
    resign(&test, |layers| {
        let good = layers[0].clone();
        layers.extend(std::iter::repeat_n(good, 7));
    });
    let found = test.run("verify storage --format json").exits(0).json();
    assert_eq!(image(&found, "key-tag-notlog/img1")["signatures"].as_array().unwrap().len(), 1);
    resign(&test, |layers| {
        let good = layers.remove(0);
        *layers = (0..500).map(|number| wrong(&good, number)).collect();
        layers.push(good);
    });
    let found = test.run("verify storage --format json").exits(0).json();
    assert_eq!(found["counts"]["brokenBesideGood"], 500);
    assert_eq!(image(&found, "key-tag-notlog/img1")["state"], "good");
}

#[test]
fn more_signatures_than_are_read_of_one_image_are_not_silently_left_out() {
    let test = pulled(None);
    keep(&test, "key-tag-notlog");
    resign(&test, |layers| {
        let good = layers[0].clone();
        layers.extend((0..600).map(|number| wrong(&good, number)));
    });
    says_nothing_is_verified(test.run("verify storage").fails(4, "not-all-read"));
}

#[test]
fn an_empty_place_is_no_success() {
    let test = pulled(None);
    test.write("empty/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    test.write("empty/index.json", r#"{"schemaVersion":2,"manifests":[]}"#);
    says_nothing_is_verified(test.run("verify oci:empty").fails(1, "nothing-readable"));
}
