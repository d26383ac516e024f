//! What the host remembers: versions, digests, revoked keys.

use std::fs;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use keypack::oci::Digest;
use serde_json::Value;

use super::{NEWER, OLD, copy, program::TRUST, scene};

const SIGNED: &str = "--verify-key fx/org.pub -o out";

#[test]
fn an_older_pack_with_a_good_signature() {
    let test = scene();
    test.run(&format!("pull oci:m:newer {SIGNED}")).exits(0).tells("can't be detected");
    let before = test.tree("out");
    let ran = test.run(&format!("pull oci:m:old {SIGNED}")).fails(3, "rollback");
    ran.tells("version 1704067200").tells("1706745600");
    assert_eq!(test.tree("out"), before);
    // Not into another directory either, nor after the directory is gone: the state belongs to the host.
    test.run("pull oci:m:old --verify-key fx/org.pub -o two").fails(3, "rollback");
    fs::remove_dir_all(test.path("out")).unwrap();
    test.run(&format!("pull oci:m:old {SIGNED}")).fails(3, "rollback");
}

#[test]
fn a_rollback_that_a_person_wants_needs_a_reason_and_is_logged() {
    let test = scene();
    test.run(&format!("pull oci:m:newer {SIGNED} --state s")).exits(0);
    let pull = format!("pull oci:m:old {SIGNED} --state s --allow-rollback-unsafe");
    test.run(&pull).exits(2);
    test.run(&format!("{pull} --reason=")).exits(2);
    test.run(&format!("{pull} --reason lost-disk")).exits(0).tells("--allow-rollback-unsafe");
    let state = test.json("s/default.json");
    let logged = &state["acceptances"][0];
    assert_eq!(
        (&logged["flag"], &logged["reason"]),
        (&"--allow-rollback-unsafe".into(), &"lost-disk".into())
    );
    assert_eq!(logged["pack"], OLD);
    // It was reported once.
    test.run(&format!("pull oci:m:old {SIGNED} --state s")).exits(0).tells("already installed");
    test.run(&format!("pull oci:m:newer {SIGNED} --state s")).exits(0);
}

#[test]
fn a_rollback_behind_a_signature_that_was_stripped() {
    // Both keys signed the old pack, one of them the newer. The old one comes back without that key's signature.
    let test = scene();
    let both = "--verify-key fx/org.pub --verify-key fx/rsa.pub -o out";
    test.run(&format!("pull oci:m:newer {both}")).exits(0);
    copy(&test, "fx/keys", "keys");
    for name in ["keypack.json.sigstore.json", "keypack.json.p384.sigstore.json"] {
        fs::remove_file(test.path(&format!("keys/{name}"))).unwrap();
    }
    test.push("keys", "oci:n:lie");
    test.run(&format!("pull oci:n:lie {both}")).fails(3, "rollback");
    test.run("pull oci:n:lie --verify-key fx/rsa.pub -o out").exits(0).tells("versions start afresh");
}

/// The counters of those who sign the older pack, and of those that objected to it: the others stay as they are.
#[test]
fn an_allowed_rollback_lowers_no_counter_that_it_need_not() {
    let test = scene();
    let signer = |file: &str| {
        let pem = String::from_utf8(test.read(file)).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        Digest::of(&BASE64_STANDARD.decode(body).unwrap()).to_string()
    };
    test.run(&format!("pull oci:m:newer {SIGNED} --state s")).exits(0);
    test.run(&format!("pull oci:m:newer --digest {NEWER} -o out --state s")).exits(0);
    // Signed by the RSA and the Ed25519 key.
    copy(&test, "fx/keys", "keys");
    for name in ["keypack.json.sigstore.json", "keypack.json.p384.sigstore.json"] {
        fs::remove_file(test.path(&format!("keys/{name}"))).unwrap();
    }
    test.push("keys", "oci:n:lie");
    let line = "pull oci:n:lie --verify-key fx/rsa.pub --verify-key fx/p384.pub -o out --state s";
    test.run(line).fails(3, "rollback");
    test.run(&format!("{line} --allow-rollback-unsafe --reason x")).exits(0);
    let state = test.json("s/default.json");
    let highest = |signer: &str| state["highest"][signer]["digest"].as_str().unwrap_or("none").to_owned();
    assert_eq!(highest(&signer("fx/rsa.pub")), OLD, "it signs this pack");
    assert_eq!(highest("digest"), OLD, "a digest counts for every anchor, so it objected");
    assert_eq!(highest(&signer("fx/org.pub")), NEWER, "it was not asked");
    assert_eq!(highest(&signer("fx/p384.pub")), "none", "it neither signed nor objected");
    assert_eq!(highest(&signer("fx/ed25519.pub")), "none", "nobody believes it");
    let instead: Vec<_> = state["acceptances"][0]["insteadOf"].as_object().unwrap().keys().collect();
    assert_eq!(instead, ["digest"]);
    // The organisation's own key does not accept the old one.
    test.run(&format!("pull oci:m:old {SIGNED} --state s")).fails(3, "rollback");
}

#[test]
fn two_packs_under_one_version() {
    let test = scene();
    let collect = |from: &str, to: &str| {
        let line = format!("collect lab/layouts/{from} {TRUST} -o {to} --created 2024-03-01T00:00:00Z");
        let digest = test.run(&line).exits(0).after("Pack: ");
        test.run(&format!("push {to} oci:m:{to}")).exits(0);
        digest
    };
    let one = collect("key-bundle-rekor1-oras", "one");
    let two = collect("key-bundle-notlog-oras", "two");
    test.run(&format!("pull oci:m:one --digest {one} -o out")).exits(0);
    test.run(&format!("pull oci:m:two --digest {two} -o out")).fails(3, "equivocation");
    test.run(&format!("pull oci:m:one --digest {one} -o out")).exits(0).tells("already installed");
}

#[test]
fn a_version_that_was_written_down_and_a_state_that_must_be_there() {
    let test = scene();
    let pull = format!("pull oci:m:old {SIGNED}");
    test.run(&format!("{pull} --min-version 1704067201")).fails(3, "below-min-version");
    test.run(&format!("{pull} --require-state")).fails(3, "no-state");
    assert!(!test.has("out"));
    test.run(&format!("{pull} --min-version 1704067200")).exits(0);
    test.run(&format!("pull oci:m:newer {SIGNED} --require-state")).exits(0);
}

#[test]
fn the_state_is_written_only_once_the_keys_are_in_place() {
    let test = scene();
    test.write("out/mine.txt", "mine");
    test.run(&format!("pull oci:m:newer {SIGNED} --state s")).fails(1, "target-has-foreign-files");
    assert!(!test.has("s/default.json"));
    test.run("pull oci:m:old --verify-key fx/org.pub -o two --state s").exits(0);
}

#[test]
fn a_state_that_cannot_be_written_refuses_before_anything_is_replaced() {
    let test = scene();
    test.write("s", "a file");
    test.run(&format!("pull oci:m:old {SIGNED} --state s")).exits(1).tells("[state-");
    assert!(!test.has("out"));
    fs::create_dir(test.path("t")).unwrap();
    test.write("t/default.json", "{}");
    test.run(&format!("pull oci:m:old {SIGNED} --state t")).fails(1, "state-malformed");
    assert!(!test.has("out"));
}

#[test]
fn a_revoked_key_in_a_later_pack() {
    let test = scene();
    let fingerprint = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
    let collect = "collect lab/layouts/key-bundle-rekor1-oras lab/layouts/keyless-bundle-rekor1-oras";
    let line = format!("{collect} {TRUST} -o keys --state c");
    test.run(&format!("{line} --created 2024-03-01T00:00:00Z")).exits(0);
    assert!(test.names("keys").contains(&"signer-43ef7bc8.pub".to_owned()));
    let revoke = format!("{line} --created 2024-03-02T00:00:00Z --revoke {fingerprint}");
    test.run(&revoke).exits(2);
    let ran = test.run(&format!("{revoke} --reason stolen")).exits(4);
    ran.tells("is revoked, and is left out");
    let pack = test.json("keys/keypack.json");
    assert_eq!(pack["revoked"][0]["fingerprint"], fingerprint);
    assert!(!test.names("keys").contains(&"signer-43ef7bc8.pub".to_owned()));
    // It satisfies no need of a later collection either.
    test.run(&format!("{line} --created 2024-03-03T00:00:00Z")).exits(4).tells("is revoked, and is left out");
    let digest = test.push("keys", "oci:m:revoking").pack_digest.to_string();
    test.run("diff fx/keys keys").exits(0).says(&format!("! {fingerprint} revoked: stolen"));

    // In the enclave: the key comes back in a pack of a higher version, signed or not.
    test.run(&format!("pull oci:m:old --digest {OLD} -o out")).exits(0);
    test.run(&format!("pull oci:m:revoking --digest {digest} -o out")).exits(0).tells("revoked: stolen");
    let later = format!("collect lab/layouts/key-bundle-notlog-oras {TRUST} -o later --state l");
    let later = test.run(&format!("{later} --created 2024-04-01T00:00:00Z")).exits(0).after("Pack: ");
    test.push("later", "oci:m:later");
    let before = test.tree("out");
    test.run(&format!("pull oci:m:later --digest {later} -o out")).fails(3, "key-revoked").tells(fingerprint);
    let pins = format!("--pin signer:{} -o out", &fingerprint["sha256:".len()..]);
    test.run(&format!("pull oci:m:later {pins}")).fails(3, "key-revoked");
    assert_eq!(test.tree("out"), before);
}

#[test]
fn a_revocation_that_is_tried_out_holds_where_it_was_tried() {
    let test = scene();
    let fingerprint = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
    let line = format!("collect lab/layouts/key-bundle-rekor1-oras {TRUST} --state s");
    test.run(&format!("{line} -o keys --created 2024-03-01T00:00:00Z")).exits(0);
    let trial = format!("{line} -o scratch --include all --created 2024-03-02T00:00:00Z");
    test.run(&format!("{trial} --revoke {fingerprint} --reason trial")).exits(4);
    // It stays revoked there, even if an older inventory comes back.
    copy(&test, "keys", "old");
    fs::remove_dir_all(test.path("scratch")).unwrap();
    copy(&test, "old", "scratch");
    test.run(&trial).exits(4).tells("is revoked");
    // In other directories nothing was decided.
    let ran = test.run(&format!("{line} -o keys --created 2024-03-03T00:00:00Z")).exits(0);
    assert!(!ran.err.contains("revoked"), "{}", ran.err);
    assert!(test.names("keys").contains(&"signer-43ef7bc8.pub".to_owned()));
    // What an anchor authenticated applies everywhere.
    let digest = test.push("scratch", "oci:m:revoking").pack_digest.to_string();
    test.run(&format!("pull oci:m:revoking --digest {digest} -o in --state s")).exits(0);
    test.run(&format!("{line} -o keys --created 2024-03-04T00:00:00Z")).exits(4).tells("is revoked");
}

#[test]
fn two_collectors_of_one_name() {
    // Neither was given a name, so both are called "default": the older of the two looks like a rollback.
    let test = scene();
    test.run(&format!("pull oci:m:newer {SIGNED}")).exits(0);
    let ran = test.run("pull oci:m:old --verify-key fx/org.pub -o other").fails(3, "rollback");
    ran.tells("the lineage \"default\"").tells("collect --name").tells("pull --name");
}

#[test]
fn what_is_looked_at_is_authenticated_only_as_it_was_pulled() {
    let test = scene();
    test.run(&format!("pull oci:m:old {SIGNED}")).exits(0);
    let says = |line: &str| test.run(line).exits(0).json()["authenticated"].clone();
    assert_eq!(says("inspect out --format json"), Value::Bool(true));
    assert_eq!(says("inspect fx/newer --format json"), Value::Bool(false));
    // An attacker puts another keys/ in its place, complete and consistent.
    fs::remove_dir_all(test.path("out")).unwrap();
    copy(&test, "fx/newer", "out");
    assert_eq!(says("inspect out --format json"), Value::Bool(false));
    test.run("inspect out").exits(0).says("NOT AUTHENTICATED");
}

#[test]
fn kept_keys_of_a_directory_that_nobody_here_knows_are_told() {
    let test = scene();
    copy(&test, "fx/keys", "keys");
    let line = format!("collect lab/layouts/keyless-bundle-rekor1-oras {TRUST} -o keys");
    test.run(&line).exits(0).tells("has no record of making");
}

#[test]
fn a_diff_tells_added_removed_and_changed() {
    let test = scene();
    let ran = test.run("diff fx/keys oci:m:newer").exits(0);
    let ran = ran.says("+ ctlog-").says("+ fulcio-").says("~ signer-");
    ran.says("changed (kept)");
    let json = test.run("diff oci:m:newer fx/keys --format json").exits(0).json();
    assert_eq!(json["removed"].as_array().unwrap().len(), 2);
    assert_eq!((&json["old"]["packDigest"], &json["new"]["packDigest"]), (&NEWER.into(), &OLD.into()));
    test.run("diff fx/keys oci:m:old").exits(0).says("no key, rule or revocation differs");
    // A pull reports it before the swap.
    test.run(&format!("pull oci:m:old {SIGNED}")).exits(0);
    test.run(&format!("pull oci:m:newer {SIGNED}")).exits(0).tells("+ ctlog-");
}

#[test]
fn an_older_pack_by_a_key_whose_own_counter_stayed_behind() {
    let test = scene();
    test.run(&format!("pull oci:m:old {SIGNED}")).exits(0);
    test.run(&format!("pull oci:m:newer --digest {NEWER} -o out")).exits(0);
    test.run(&format!("pull oci:m:old {SIGNED}")).fails(3, "rollback");
    // If another key installed the newer one, that key may have been lost: this is reported.
    let old = "pull oci:m:old --verify-key fx/rsa.pub -o two --state s";
    test.run(old).exits(0);
    test.run(&format!("pull oci:m:newer {SIGNED} --state s")).exits(0);
    test.run(old).exits(0).tells("version 1706745600 was installed at ");
}
