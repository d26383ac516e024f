//! Another key from a known source, and keys that nothing has needed for a long time.

use base64::{Engine, prelude::BASE64_STANDARD};
use keypack::{key::Certificate, oci::Digest};
use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};

use super::{
    fault::{Asked, Reply, Server},
    program::{LAB, TRUST, Test},
};
use crate::trust::test_keys;

const SIGNED: &str = "oci:lab/layouts/key-bundle-rekor1-oras";
const REKOR: &str = "sha256:e69e8241a86926434b03c31cf128899cbf3c1f73466f07acae0363289213df19";
const CTLOG: &str = "sha256:0bef3c6b25857ec1fc17125a500f14edc30ff3f321c722b98da5c7d0113f3371";
const SIGNER: &str = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";

fn files(test: &Test) -> Vec<String> {
    test.names("keys").into_iter().filter(|n| n.starts_with("rekor") || n.starts_with("signer")).collect()
}

/// A trusted root in `root.json` whose first Rekor is another one, with the lab's next to it or in its place.
fn root(test: &Test, lab_too: bool) {
    let mut root = test.json("lab/trust/trusted_root.json");
    let other = root["ctlogs"][0].clone();
    let rekor = root["tlogs"]
        .as_array()
        .unwrap()
        .iter()
        .position(|l| l["baseUrl"] == "http://127.0.0.1:5021")
        .unwrap();
    let mut lie = root["tlogs"][rekor].clone();
    (lie["publicKey"]["rawBytes"], lie["logId"]) =
        (other["publicKey"]["rawBytes"].clone(), other["logId"].clone());
    if lab_too {
        root["tlogs"].as_array_mut().unwrap().push(lie);
    } else {
        root["tlogs"][rekor] = lie;
    }
    test.write("root.json", root.to_string());
}

#[test]
fn another_key_at_a_known_address_waits_for_a_person() {
    let test = Test::new();
    root(&test, false);
    let key = "--key lab/trust/cosign.pub";
    test.run(&format!("collect {SIGNED} --trusted-root root.json {key} --include all")).exits(4);
    assert_eq!(files(&test).iter().filter(|n| n.starts_with("rekor-0bef3c6b")).count(), 1);
    let before = files(&test);
    // The URL now serves the key that the signatures need.
    let line = format!("collect {SIGNED} {TRUST}");
    let ran = test
        .run(&line)
        .fails(4, "incomplete")
        .says("refused key-changed: http://127.0.0.1:5021 now gives a different");
    let ran = ran.says(REKOR).says(CTLOG).says(&format!("--accept-change {REKOR}"));
    assert!(ran.out.lines().all(|line| line.chars().count() <= 120), "{}", ran.out);
    assert_eq!(files(&test), before, "the old key stays, the new one does not come");
    // It is refused until it is named, however often it is tried.
    test.run(&line).fails(4, "incomplete").says("key-changed");
    test.run(&format!("{line} --accept-change {CTLOG}"))
        .fails(4, "incomplete")
        .tells(&format!("--accept-change names {CTLOG}, and no key"));
    test.run(&format!("{line} --optional")).exits(0).tells("warning: ");
    assert_eq!(files(&test), before);
    let report = test.run(&format!("{line} --format json")).exits(4).json();
    assert_eq!(report["changed"][0]["fingerprint"], REKOR);
    assert_eq!(report["changed"][0]["known"][0]["fingerprint"], CTLOG);
    let schema = test.run("schema report").exits(0).json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&report));

    std::fs::rename(test.path("keys"), test.path("before")).unwrap();
    for (name, bytes) in test.tree("before") {
        test.write(&format!("keys/{name}"), bytes);
    }
    test.run(&format!("{line} --accept-change {REKOR}")).exits(0).says("written (changed)");
    assert_eq!(files(&test).len(), before.len() + 1, "the old one stays too");
    test.run(&line).exits(0).says("unchanged");
    test.run("diff before keys")
        .exits(0)
        .says("! http://127.0.0.1:5021 now gives a different Rekor v1 log: ");
    let pack = test.push("keys", "oci:out:keys").pack_digest.to_string();
    test.run(&format!("pull oci:out:keys -o before --digest {pack}"))
        .exits(0)
        .tells("! http://127.0.0.1:5021 now gives a different Rekor v1 log");
}

#[test]
fn one_key_more_at_a_known_address_waits_too() {
    let test = Test::new();
    let line = |root: &str| {
        format!("collect {SIGNED} --trusted-root {root} --key lab/trust/cosign.pub --include all")
    };
    test.run(&line("lab/trust/trusted_root.json")).exits(0);
    let before = files(&test);
    root(&test, true);
    test.run(&line("root.json")).fails(4, "incomplete").says("key-changed").says(CTLOG);
    assert_eq!(files(&test), before);
    // The document is now known for the right key; the other one is still new.
    test.run(&line("root.json")).fails(4, "incomplete").says("key-changed");
    assert_eq!(files(&test), before);
    test.run(&format!("{} --accept-change {CTLOG}", line("root.json"))).exits(0);
    assert_eq!(files(&test).len(), before.len() + 1);
}

#[test]
fn another_ca_behind_a_known_certificate() {
    let test = Test::new();
    let line = "collect lab/layouts/keyless-bundle-rekor2-cosignsave --trusted-root root.json --no-host";
    test.write("root.json", test.read("lab/trust/trusted_root.json"));
    test.run(line).exits(0);
    let before = test.names("keys");
    // The genuine root's key in someone else's certificate, with that person's CA behind it.
    let mut root = test.json("root.json");
    let certificates = &mut root["timestampAuthorities"][0]["certChain"]["certificates"];
    let der = |value: &Value| BASE64_STANDARD.decode(value["rawBytes"].as_str().unwrap()).unwrap();
    let genuine = Certificate::from_der(&der(certificates.as_array().unwrap().last().unwrap())).unwrap();
    let evil = test_keys::root("evil");
    let cross = evil.certify(&genuine, &[ExtendedKeyUsagePurpose::TimeStamping]);
    let last = certificates.as_array().unwrap().len() - 1;
    let entry = |certificate: &Certificate| json!({ "rawBytes": BASE64_STANDARD.encode(certificate.der()) });
    certificates[last] = entry(&cross);
    certificates.as_array_mut().unwrap().push(entry(&evil.certificate));
    test.write("root.json", root.to_string());
    // The same from a file of another name and at another URL: the certificate is what is known.
    for name in ["root.json", "elsewhere.json"] {
        root["timestampAuthorities"][0]["uri"] = format!("https://{name}.test").into();
        test.write(name, root.to_string());
        let ran = test.run(&line.replace("root.json", name)).fails(4, "incomplete");
        ran.says("key-changed").says("Test TSA Timestamping").says("--accept-change sha256:");
        assert_eq!(test.names("keys"), before, "{name}");
    }
}

#[test]
fn one_key_more_that_nothing_needs_yet_is_still_new_later() {
    let test = Test::new();
    let signer = test.read("lab/trust/cosign.pub");
    test.write("cosign.pub", &signer);
    let line = |root: &str| format!("collect {SIGNED} --trusted-root {root} --key cosign.pub");
    test.run(&line("lab/trust/trusted_root.json")).exits(0);
    let before = files(&test);
    root(&test, true);
    for _ in 0..2 {
        let ran = test.run(&line("root.json")).exits(0);
        ran.tells("http://127.0.0.1:5021 now gives a different Rekor v1 log").tells(CTLOG);
        assert_eq!(files(&test), before);
    }
    // A file to which someone added a key.
    test.write("cosign.pub", [signer, test.read("lab/trust/ctfe.pub")].concat());
    test.run(&line("lab/trust/trusted_root.json")).exits(0).tells("cosign.pub now gives a different");
    // Now they would go in.
    let ran = test.run(&format!("{} --include all", line("root.json"))).fails(4, "incomplete");
    ran.says("key-changed: http://127.0.0.1:5021").says("key-changed: cosign.pub");
    let there = files(&test);
    let new = there.iter().filter(|n| n.starts_with("rekor-0bef3c6b") || n.starts_with("signer-0bef3c6b"));
    assert_eq!(new.count(), 0, "{there:?}");
}

#[test]
fn a_second_key_of_an_unchanged_document_is_nothing_new() {
    let test = Test::new();
    root(&test, true);
    let line = format!("collect {SIGNED} --trusted-root root.json --key lab/trust/cosign.pub");
    test.run(&line).exits(0);
    assert_eq!(files(&test).len(), 2);
    test.run(&format!("{line} --include all")).exits(0);
    assert!(files(&test).len() > 3);
}

#[test]
fn another_key_in_a_known_file_waits_for_a_person() {
    let test = Test::new();
    test.write("k/cosign.pub", test.read("lab/trust/ctfe.pub"));
    let line = format!("collect {SIGNED} --trusted-root lab/trust/trusted_root.json --key k/cosign.pub");
    test.run(&format!("{line} --include all")).exits(4);
    test.write("k/cosign.pub", test.read("lab/trust/cosign.pub"));
    test.run(&line).fails(4, "incomplete").says("cosign.pub now gives a different signer key").says(SIGNER);
    // Exit code 4 comes with its reason in the summary; a key that no signature proved is counted as unproved.
    let ran = test.run(&line).fails(4, "incomplete").says("12 that fit no known signature");
    let words: Vec<_> = ran.out.split_whitespace().collect();
    assert!(words.join(" ").contains("0 open, 1 refused until --accept-change"), "{}", ran.out);
    // Next to the old one it is an additional key.
    let both = [test.read("lab/trust/ctfe.pub"), test.read("lab/trust/cosign.pub")].concat();
    test.write("k/cosign.pub", both);
    test.run(&line).fails(4, "incomplete").says("key-changed");
    test.run(&format!("{line} --accept-change {SIGNER}")).exits(0);
    test.run(&line).exits(0).says("unchanged");
}

#[test]
fn a_file_of_the_same_name_in_another_folder_is_another_file() {
    let test = Test::new();
    test.write("a/cosign.pub", test.read("lab/trust/ctfe.pub"));
    test.write("b/cosign.pub", test.read("lab/trust/cosign.pub"));
    let line = format!(
        "collect {SIGNED} --trusted-root lab/trust/trusted_root.json --include all --key a/cosign.pub"
    );
    test.run(&line).exits(4);
    test.run(&format!("{line} --key b/cosign.pub")).exits(0);
}

#[test]
fn a_file_of_another_folder_in_a_later_run_is_another_file() {
    let test = Test::new();
    test.write("a/cosign.pub", test.read("lab/trust/ctfe.pub"));
    test.write("b/cosign.pub", test.read("lab/trust/cosign.pub"));
    let line = format!("collect {SIGNED} --trusted-root lab/trust/trusted_root.json --include all --key");
    test.run(&format!("{line} a/cosign.pub")).exits(4);
    // If the paths are not remembered, there is only the name to go by.
    test.run(&format!("{line} b/cosign.pub --state none")).fails(4, "incomplete").says("key-changed");
    test.run(&format!("{line} b/cosign.pub")).exits(0);
    // What is known about a path stays, however it is written, and the inventory names no folder.
    test.write("b/cosign.pub", test.read("lab/trust/rekor.pub"));
    test.run(&format!("{line} ./b//cosign.pub")).exits(4).says("key-changed: cosign.pub");
    assert!(!String::from_utf8(test.read("keys/keypack.json")).unwrap().contains("b/cosign.pub"));
}

#[test]
fn a_rekor_that_lost_its_key_is_noticed() {
    let test = Test::new();
    let key = |name: &str| std::fs::read(format!("{LAB}/trust/{name}")).unwrap();
    let (old, new) = (key("ctfe.pub"), key("rekor.pub"));
    let rotated = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&rotated);
    let server = Server::start(move |asked: &Asked| {
        if asked.target.starts_with("/api/v1/log/publicKey") {
            let now = flag.load(std::sync::atomic::Ordering::SeqCst);
            Reply::ok(if now { new.clone() } else { old.clone() })
        } else {
            Reply::ok("{}")
        }
    });
    let line = format!("collect {SIGNED} --key lab/trust/cosign.pub --rekor {}", server.url("/"));
    test.run(&format!("{line} --include all")).exits(4);
    rotated.store(true, std::sync::atomic::Ordering::SeqCst);
    let ran =
        test.run(&line).fails(4, "incomplete").says("key-changed").says("now gives a different Rekor v1 log");
    ran.says(REKOR).says(CTLOG);
    test.run(&format!("{line} --accept-change {REKOR}")).exits(0);
}

#[test]
fn keys_that_nothing_needs_for_long_are_told() {
    let test = Test::new();
    let other =
        "collect oci:lab/layouts/keyless-bundle-rekor2-oras --trusted-root lab/trust/trusted_root.json";
    test.run(&format!("collect {SIGNED} {TRUST} --created 2026-01-01T00:00:00Z")).exits(0);
    let told = "no collection has needed 2 keys for more than 180 days: rekor-e69e8241.pub (since \
                2026-01-02T00:00:00Z), signer-43ef7bc8.pub (since 2026-01-02T00:00:00Z)";
    let early = test.run(&format!("{other} --created 2026-01-02T00:00:00Z")).exits(0);
    assert!(!early.err.contains("no collection"), "{}", early.err);
    let early = test.run(&format!("{other} --created 2026-07-01T00:00:00Z")).exits(0);
    assert!(!early.err.contains("no collection"), "exactly 180 days: {}", early.err);
    test.run(&format!("{other} --created 2026-07-01T00:00:01Z")).exits(0).tells(told).tells("--prune");
    test.run("inspect keys").exits(0).says("none has needed it since 2026-01-02T00:00:00Z");
    let pack = test.push("keys", "oci:out:keys").pack_digest.to_string();
    let now: jiff::Timestamp = std::time::SystemTime::now().try_into().unwrap();
    if now > "2026-07-02T00:00:00Z".parse().unwrap() {
        test.run(&format!("pull oci:out:keys -o in --digest {pack}"))
            .exits(0)
            .tells(told)
            .tells("ask the pack's maker");
    }
    let inventory: Value = test.json("keys/keypack.json");
    assert_eq!(inventory["keys"][0]["kept"], "2026-01-02T00:00:00Z");
    assert_eq!(Digest::of(&test.read("keys/keypack.json")).to_string(), pack);
}
