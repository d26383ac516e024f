//! The report for people: a summary first, one line per image, and nothing shortened until it is ambiguous.

use keypack::oci::Digest;
use serde_json::{Value, json};

use super::{
    lab,
    program::{TRUST, Test},
};

const ROOT: &str = "--trusted-root lab/trust/trusted_root.json";

#[test]
fn many_images_are_counted_and_listed_when_asked_for() {
    let test = Test::new();
    lab::storage(&test);
    let line = format!("discover storage {ROOT}");
    let ran = test.run(&line).fails(4, "incomplete").says("45 images: 45 signed").says("\nImage by image: ");
    assert!(!ran.out.contains("IMAGE") && ran.out.lines().count() < 40, "{}", ran.out);
    let rows = |line: &str| line.contains(" missing") || line.contains(" have");
    assert!(ran.out.lines().all(|line| rows(line) || line.chars().count() <= 80), "{}", ran.out);
    let table = test.run(&format!("{line} --images-table")).fails(4, "incomplete").says("IMAGE");
    let rows: Vec<_> = table.out.lines().filter(|line| line.contains(":v1  ")).collect();
    assert_eq!(rows.len(), 45);
    assert!(rows.contains(&"key-tag-rekor1/img1:v1         simple-signing: signer missing"), "{rows:#?}");
    assert!(rows.iter().all(|row| row.chars().count() <= 80), "{rows:#?}");
    let keys = table.out.find("Keys still needed").unwrap();
    assert!(keys < table.out.find("IMAGE").unwrap(), "the summary comes first: {}", table.out);
    let whole = test
        .run(&format!("{line} -v"))
        .says("      signer 43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f missing\n");
    whole.says("signed by https://ci.test/build.yml@main");
}

#[test]
fn a_name_has_all_tags_and_the_place_where_there_are_several() {
    let test = Test::new();
    test.layout("key-bundle-rekor1-oras", "m");
    let mut index = test.json("m/index.json");
    let mut again = index["manifests"][0].clone();
    again["annotations"]["org.opencontainers.image.ref.name"] = json!("latest");
    index["manifests"].as_array_mut().unwrap().push(again);
    test.write("m/index.json", index.to_string());
    test.run(&format!("discover oci:m {TRUST}")).exits(0).says("\nm:latest,v1  bundle");
    let other = "oci:lab/layouts/key-bundle-notlog-oras";
    let ran = test.run(&format!("discover oci:m {other} {TRUST}")).exits(0).says("\noci:m:latest,v1  ");
    ran.says(&format!("\n{other}:v1  "));
}

#[test]
fn who_signed_is_shown_once_it_is_proved() {
    let test = Test::new();
    let line = "discover oci:lab/layouts/keyless-bundle-rekor2-oras";
    let ran = test.run(&format!("{line} {ROOT}")).exits(0);
    ran.says("https://ci.test/build.yml@main, issuer https://issuer.test: 1 image");
    let report = test.run(&format!("{line} {ROOT} --format json")).json();
    let signature = &report["images"][0]["signatures"][0];
    assert_eq!(signature["identity"], "https://ci.test/build.yml@main");
    assert_eq!(signature["issuer"], "https://issuer.test");
    let ran = test.run(line).fails(4, "incomplete");
    assert!(!ran.out.contains("ci.test"), "a claim until then: {}", ran.out);
}

#[test]
fn a_signed_pack_is_no_image_with_a_missing_key() {
    let (test, _) = super::push::collected();
    test.layout("key-tag-notlog-cosignsave", "m");
    test.push("keys", "oci:m:keys");
    let mut index = test.json("m/index.json");
    let entries = index["manifests"].as_array_mut().unwrap();
    let name = |entry: &Value| entry["annotations"]["org.opencontainers.image.ref.name"].clone();
    let pack = entries.iter().find(|entry| name(entry) == "keys").unwrap()["digest"].clone();
    // As cosign would have tagged it; that the signature is for another image is for `pull` to report.
    entries.retain(|entry| entry["annotations"]["kind"] != "dev.cosignproject.cosign/image");
    let signature = entries.iter_mut().find(|e| e["annotations"]["kind"].is_string()).unwrap();
    let tag = format!("{}.sig", pack.as_str().unwrap().replace(':', "-"));
    signature["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    test.write("m/index.json", index.to_string());
    let ran = test.run("discover oci:m --key lab/trust/cosign.pub").exits(0);
    ran.says("a pack of keys, made by keypack").says("0 images: 0 signed, 0 unsigned. 0 keys needed.");
}

#[test]
fn a_collection_of_unreadable_images_does_not_call_them_unsigned() {
    let test = Test::new();
    for place in ["good", "bad"] {
        test.layout("key-tag-notlog-oras", place);
    }
    let digest = test.json("bad/index.json")["manifests"][0]["digest"].as_str().unwrap()[7..].to_owned();
    test.write(&format!("bad/blobs/sha256/{digest}"), "{");
    let ran = test.run("collect good bad").exits(4).tells("1 image could not be read");
    assert!(!ran.err.contains("no image is signed"), "{}", ran.err);
}

/// A mirror of 3,000 images: the report is a page, and no line of it is wider than a terminal except those with a whole
/// fingerprint. In the table, which is on request, an image has one line.
#[test]
fn three_thousand_images_are_a_page() {
    let test = Test::new();
    lab::storage(&test);
    let root = "storage/docker/registry/v2";
    for number in 0..2955 {
        let config = r#"{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#;
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[],"annotations":{{"n":"{number}"}}}}"#
        );
        let digest = Digest::of(manifest.as_bytes());
        let hex = digest.hex();
        let repository = format!(
            "{root}/repositories/openshift4/some-fairly-long-operator-name-rhel9-{}/_manifests",
            number % 190
        );
        // Every third one by its digest, as oc-mirror tags it.
        let tag =
            if number % 3 == 0 { format!("sha256-{hex}") } else { format!("v4.18.{number}-202611300000") };
        test.write(&format!("{root}/blobs/sha256/{}/{hex}/data", &hex[..2]), manifest);
        test.write(&format!("{repository}/revisions/sha256/{hex}/link"), digest.to_string());
        test.write(&format!("{repository}/tags/{tag}/current/link"), digest.to_string());
    }
    let line = format!("discover storage {TRUST}");
    let ran = test.run(&line).exits(0).says("3000 images: 45 signed, 2955 unsigned");
    assert!(ran.out.lines().count() <= 40, "{} lines", ran.out.lines().count());
    let is_hex = |word: &str| word.len() > 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id = |line: &str| line.split([' ', ':']).any(is_hex);
    let wide = ran.out.lines().find(|line| line.chars().count() > 80 && !is_id(line));
    assert_eq!(wide, None);
    let table = test.run(&format!("{line} --images-table")).exits(0);
    let rows: Vec<_> = table.out.lines().filter(|line| line.starts_with("openshift4/")).collect();
    assert_eq!((rows.len(), table.out.lines().count() - ran.out.lines().count()), (2955, 3000));
    let by_digest = rows.iter().filter(|row| row.contains("@sha256:") && row.contains('…')).count();
    assert_eq!(by_digest, 985);
    assert!(rows.iter().all(|row| row.chars().count() <= 100), "{:?}", rows.iter().max_by_key(|r| r.len()));
}
