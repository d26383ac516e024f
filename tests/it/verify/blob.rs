//! One file: what sigstore's clients refuse is refused.

use serde_json::{Value, json};

use super::{
    super::cli::memory::within,
    Test,
    blob_file::{KEY, ROOT, WHO, take},
};

fn change(test: &Test, change: impl FnOnce(&mut Value)) {
    let mut bundle = test.json("b.json");
    change(&mut bundle);
    test.write("changed.json", bundle.to_string());
}

fn root(test: &Test, change: impl FnOnce(&mut Value)) {
    let mut root = test.json("lab/trust/trusted_root.json");
    change(&mut root);
    test.write("root.json", root.to_string());
}

#[test]
fn bundles_of_keys_and_certificates_verify_by_file_and_by_digest() {
    for (name, who) in [
        ("key-bundle-rekor1", KEY),
        ("key-bundle-rekor2", KEY),
        ("keyless-bundle-rekor1", WHO),
        ("keyless-bundle-rekor2", WHO),
    ] {
        let test = Test::new();
        let digest = take(&test, name);
        for artifact in ["file", &digest] {
            let line = format!("verify-blob --bundle b.json {who} {ROOT} {artifact}");
            let found = test.run(&format!("{line} --format json")).exits(0).json();
            assert_eq!(found["verdict"], "verified");
            assert_eq!(found["clock"], if name.ends_with('1') { "log" } else { "timestamp" });
            test.run(&line).exits(0).says("verified: signed by");
        }
    }
}

#[test]
fn another_file_or_signer_is_refused() {
    let test = Test::new();
    take(&test, "keyless-bundle-rekor1");
    test.write("other", "other");
    let line = format!("verify-blob --bundle b.json {ROOT}");
    test.run(&format!("{line} {WHO} other")).fails(4, "signed-for-other-image");
    test.run(&format!("{line} {WHO} sha256:{}", "0".repeat(64))).fails(4, "signed-for-other-image");
    test.run(&format!("{line} {} file", WHO.replace("main", "x"))).fails(4, "signer-unexpected");
    test.run(&format!("{line} {} file", WHO.replace("issuer.test", "issuer.x")))
        .fails(4, "signer-unexpected");
    test.run(&format!("{line} {KEY} file")).fails(4, "signer-unexpected");
    test.run(&format!("{line} --certificate-identity x file")).fails(2, "usage");
    test.run(&format!("{line} file")).exits(2);
    test.run(&format!("verify-blob --bundle b.json {WHO} file")).fails(2, "usage");
    let test = Test::new();
    take(&test, "key-bundle-rekor1");
    test.write("wrong.pub", test.read("lab/trust/rekor.pub"));
    assert_eq!(test.run(&format!("verify-blob --bundle b.json {ROOT} --key wrong.pub file")).code, 4);
    assert_eq!(test.run(&format!("verify-blob --bundle b.json {ROOT} {WHO} file")).code, 4);
}

#[test]
fn evidence_that_is_missing_or_changed_is_refused() {
    let test = Test::new();
    take(&test, "keyless-bundle-rekor1");
    let refused = |what: &str| {
        let ran = test.run(&format!("verify-blob --bundle changed.json {ROOT} {WHO} file"));
        assert_eq!(ran.code, 4, "{what}: {}", ran.err);
        assert!(!ran.out.contains("verified"));
    };
    let material = "verificationMaterial";
    change(&test, |b| b[material]["tlogEntries"] = json!([]));
    refused("no log entry");
    change(&test, |b| drop(b[material]["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionProof")));
    refused("no proof");
    change(&test, |b| {
        let entry = b[material]["tlogEntries"][0].as_object_mut().unwrap();
        entry.remove("inclusionProof");
        entry.remove("inclusionPromise");
    });
    refused("neither proof nor promise");
    change(&test, |b| b[material]["tlogEntries"][0]["integratedTime"] = json!("4000000000"));
    refused("another time");
    change(&test, |b| {
        let checkpoint = &mut b[material]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"];
        *checkpoint = json!(checkpoint.as_str().unwrap().replace('A', "B"));
    });
    refused("another checkpoint");
    change(&test, |b| b["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.9"));
    refused("an unknown version");
    test.write("changed.json", "{}");
    refused("no bundle");
}

#[test]
fn a_bundle_without_log_entry_and_timestamp_is_refused_also_by_key() {
    let test = Test::new();
    take(&test, "key-bundle-notlog");
    test.run(&format!("verify-blob --bundle b.json {ROOT} {KEY} file")).fails(4, "log-entry-refused");
}

#[test]
fn a_root_that_says_too_little_is_not_believed() {
    let test = Test::new();
    take(&test, "keyless-bundle-rekor1");
    let line = format!("verify-blob --bundle b.json --trusted-root root.json {WHO} file");
    root(&test, |_| {});
    test.run(&line).exits(0);
    for list in ["tlogs", "ctlogs"] {
        root(&test, |root| {
            for log in root[list].as_array_mut().unwrap() {
                log["publicKey"].as_object_mut().unwrap().remove("validFor");
            }
        });
        test.run(&line).fails(4, "no-key").tells("validFor.start");
    }
    root(&test, |root| root["certificateAuthorities"] = json!([]));
    test.run(&line).fails(4, "no-key");
    root(&test, |root| root["mediaType"] = json!("x"));
    test.run(&line).fails(3, "trusted-root-malformed");
    test.write("root.json", "{}");
    test.run(&line).fails(3, "trusted-root-malformed");
}

#[test]
fn a_large_file_is_hashed_as_a_stream() {
    let test = Test::new();
    take(&test, "keyless-bundle-rekor1");
    std::fs::File::create(test.path("large")).unwrap().set_len(120 << 20).unwrap();
    let ran = within(100, &test, &format!("verify-blob --bundle b.json {WHO} {ROOT} large"));
    assert_eq!(ran.status.code(), Some(4), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("[signed-for-other-image]"));
}
