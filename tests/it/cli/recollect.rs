//! Collecting into an existing directory.

use std::{fs, os::unix::fs::MetadataExt as _};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;

use super::program::{TRUST, Test};

const REKOR1: &str = "collect lab/layouts/key-bundle-rekor1-oras";
const REKOR2: &str = "collect lab/layouts/keyless-bundle-rekor2-oras";

const SIGNER: &str = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";

/// A directory with the keys of one image, made at a given time.
fn collected(at: &str) -> Test {
    let test = Test::new();
    test.run(&format!("{REKOR1} {TRUST} --created {at}")).exits(0);
    test
}

fn names(test: &Test, kept: bool) -> Vec<String> {
    let inventory = test.json("keys/keypack.json");
    let of = |k: &&Value| k["kept"].is_null() != kept;
    inventory["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(of)
        .map(|k| k["role"].as_str().unwrap().to_owned())
        .collect()
}

/// What a write would change.
fn marks(test: &Test) -> Vec<(String, u64, i64, i64)> {
    let mut marks: Vec<_> = test.names("keys").into_iter().map(|name| format!("keys/{name}")).collect();
    marks.push("keys".into());
    marks
        .into_iter()
        .map(|name| {
            let data = fs::metadata(test.path(&name)).unwrap();
            (name, data.ino(), data.mtime(), data.mtime_nsec())
        })
        .collect()
}

#[test]
fn nothing_changed_leaves_the_directory_alone() {
    let test = collected("2026-01-01T00:00:00Z");
    let (tree, marks_before) = (test.tree("keys"), marks(&test));
    for line in [
        format!("{REKOR1} {TRUST} --created 2026-01-30T00:00:00Z"),
        format!("collect lab/layouts/key-bundle-rekor1-cosignsave {TRUST} --created 2026-01-02T00:00:00Z"),
    ] {
        test.run(&line).exits(0).says("version 1767225600, unchanged");
        assert_eq!(test.tree("keys"), tree);
        assert_eq!(marks(&test), marks_before);
    }
}

#[test]
fn an_unchanged_pack_is_made_anew_after_thirty_days() {
    let test = collected("2026-01-01T00:00:00Z");
    let line = format!("{REKOR1} {TRUST} --created");
    test.run(&format!("{line} 2026-01-30T23:59:59Z")).exits(0).says("unchanged");
    test.run(&format!("{line} 2026-01-10T00:00:00Z --refresh-after 8days")).exits(0).says("(refreshed)");
    test.run(&format!("{line} 2026-02-09T00:00:00Z")).exits(0).says("(refreshed)");
    let inventory = test.json("keys/keypack.json");
    assert_eq!(inventory["created"], "2026-02-09T00:00:00Z");
    assert_eq!(inventory["version"], 1_770_595_200);
}

#[test]
fn collecting_is_cumulative() {
    let test = collected("2026-01-01T00:00:00Z");
    let line = format!("{REKOR2} {TRUST} --created");
    let ran = test.run(&format!("{line} 2026-01-02T00:00:00Z")).exits(0);
    ran.says("4 keys and 2 kept from earlier collections, version 1767312000, written (changed)");
    assert_eq!(names(&test, false), ["rekor2", "ctlog", "fulcio", "tsa"]);
    assert_eq!(names(&test, true), ["rekor", "signer"]);
    assert!(test.has("keys/signer-43ef7bc8.pub"));
    let kept = &test.json("keys/keypack.json")["keys"][0]["kept"];
    assert_eq!(kept, "2026-01-02T00:00:00Z");
    // Being kept for longer is not a change.
    test.run(&format!("{line} 2026-01-03T00:00:00Z")).exits(0).says("unchanged");
    test.run(&format!("{line} 2026-01-03T00:00:00Z --prune")).exits(0).says("4 keys, version");
    assert_eq!(names(&test, true), [""; 0]);
    assert!(!test.has("keys/signer-43ef7bc8.pub"));
}

#[test]
fn pruning_never_leaves_a_pack_without_keys() {
    let test = collected("2026-01-01T00:00:00Z");
    let before = test.tree("keys");
    test.run(&format!("{REKOR1} --prune")).fails(4, "incomplete").tells("nothing was written");
    assert_eq!(test.tree("keys"), before);
}

#[test]
fn versions_never_go_backwards() {
    let test = collected("2026-02-01T00:00:00Z");
    test.run(&format!("{REKOR2} {TRUST} --created 2026-01-01T00:00:00Z")).exits(0);
    assert_eq!(test.json("keys/keypack.json")["version"], 1_769_904_001);
}

#[test]
fn a_name_does_not_depend_on_who_gave_the_key() {
    let test = collected("2026-01-01T00:00:00Z");
    test.write("renamed.pub", test.read("lab/trust/cosign.pub"));
    let line = format!("{REKOR1} --trusted-root lab/trust/trusted_root.json --key renamed.pub");
    test.run(&format!("{line} -o other")).exits(0);
    assert_eq!(test.names("other"), test.names("keys"));
    assert!(test.has("keys/signer-43ef7bc8.pub"));
}

#[test]
fn a_missing_key_that_is_kept_or_revoked_is_told_as_that() {
    let test = collected("2026-01-01T00:00:00Z");
    let line = "collect oci:lab/layouts/key-bundle-rekor1-oras --trusted-root lab/trust/trusted_root.json";
    let ran = test.run(line).fails(4, "incomplete").says("no source of this run gives this key");
    ran.says("give the key again with --key FILE");
    let report =
        test.run(&format!("{line} --prune --when never --format json")).fails(4, "incomplete").json();
    assert!(report["open"][0]["reason"].as_str().unwrap().starts_with("no key"), "{report}");
    let revoke = format!("{line} --key lab/trust/cosign.pub --revoke {SIGNER} --reason lost");
    for line in [revoke, format!("{line} --key lab/trust/cosign.pub"), line.to_owned()] {
        let ran = test.run(&line).fails(4, "incomplete").says("key-revoked: this key is revoked");
        assert!(!ran.out.contains("--key FILE"), "{}", ran.out);
    }
}

/// A user who mistypes the fingerprint of a stolen key must not believe that it is revoked.
#[test]
fn a_revocation_of_no_key_that_is_here_is_told() {
    let test = collected("2026-01-01T00:00:00Z");
    let (right, wrong) = (format!("--revoke {SIGNER}"), format!("--revoke sha256:{}", "a".repeat(64)));
    let only_log = "--trusted-root lab/trust/trusted_root.json";
    for (keys, revoke, told) in [
        (TRUST, &wrong, true),
        // Only in a source, only in the existing directory, and already revoked there.
        (&format!("{TRUST} -o new"), &right, false),
        (only_log, &right, false),
        (only_log, &right, false),
        (only_log, &wrong, false),
        (&format!("{only_log} -o other --when always"), &right, true),
    ] {
        let ran = test.run(&format!("{REKOR1} {keys} {revoke} --reason lost"));
        assert_eq!(ran.err.contains("warning: --revoke names sha256:"), told, "{keys} {revoke}: {}", ran.err);
    }
}

/// The report also shows ids that are not fingerprints; revoking by one of these would revoke nothing.
#[test]
fn a_revocation_by_an_id_that_is_no_fingerprint() {
    let test = Test::new();
    let report = test.run(&format!("{REKOR2} {TRUST} --when never --format json")).exits(0).json();
    let needs = report["images"][0]["signatures"][0]["needs"].as_array().unwrap();
    let id = |role: &str| {
        let need = needs.iter().find(|need| need["role"] == role).unwrap();
        need["id"].as_str().unwrap().to_owned()
    };
    let log = id("rekor2").split(' ').nth(1).unwrap().to_owned();
    let ca = id("fulcio").split(' ').next().unwrap().to_owned();
    // A serial number, of any length.
    let tsa = id("tsa").split(' ').next().unwrap().to_owned();
    let ids = [
        (log, "Rekor v2 log"),
        (ca, "Fulcio CA"),
        (tsa.trim_start_matches('0').to_owned(), "timestamp authority"),
        (format!("{tsa:0>40}"), "timestamp authority"),
        (tsa[..12].to_owned(), "timestamp authority"),
    ];
    for (id, role) in ids {
        test.run(&format!("{REKOR2} {TRUST} --revoke {id} --reason lost"))
            .fails(2, "usage")
            .tells(role)
            .tells("give it whole: --revoke sha256:");
        assert!(!test.has("keys"));
    }
    // What can't be a part of an id is refused before anything is read.
    test.run("collect oci:nowhere --revoke md5:00 --reason lost")
        .fails(2, "usage")
        .tells("is not a fingerprint");
}

/// A genuine key that can't be proved without the CA is not called bad.
#[test]
fn what_a_revoked_ca_leaves_unproved() {
    let test = Test::new();
    let report = test.run(&format!("{REKOR2} {TRUST} --when never --format json")).exits(0).json();
    let keys = report["keys"].as_array().unwrap();
    let ca = keys.iter().find(|key| key["key"].as_str().unwrap().starts_with("fulcio:")).unwrap();
    let fingerprint = ca["fingerprint"].as_str().unwrap();
    let line = format!("{REKOR2} {TRUST} --revoke {fingerprint} --reason lost --when never --format json");
    let report = test.run(&line).fails(4, "incomplete").json();
    let open: Vec<_> = report["open"].as_array().unwrap().iter().collect();
    let of = |role: &str| *open.iter().find(|need| need["role"] == role).unwrap();
    assert_eq!((&of("fulcio")["state"], &of("fulcio")["code"]), (&"missing".into(), &"key-revoked".into()));
    assert_eq!(of("ctlog")["state"], "unproved");
    assert!(of("ctlog")["reason"].as_str().unwrap().contains("Fulcio CA"), "{report}");
    assert!(open.iter().all(|need| need["state"] != "refused"), "{report}");
}

#[test]
fn another_lineage_is_refused() {
    let test = Test::new();
    test.run(&format!("{REKOR1} {TRUST} --name prod")).exits(0);
    let before = test.tree("keys");
    test.run(&format!("{REKOR2} {TRUST} --name test"))
        .fails(3, "lineage-mismatch")
        .tells("\"prod\", not \"test\"");
    assert_eq!(test.tree("keys"), before);
    test.run(&format!("{REKOR2} {TRUST}")).exits(0);
    assert_eq!(test.json("keys/keypack.json")["name"], "prod", "the directory's own is the default");
    for name in ["", "a/b", "-x", &"x".repeat(65)] {
        let ran =
            test.run_args(&["collect", "lab/layouts/key-bundle-rekor1-oras", &format!("--name={name}")]);
        ran.exits(2).tells("1 to 64 letters");
    }
}

#[test]
fn a_signature_of_the_old_inventory_does_not_outlive_it() {
    let test = collected("2026-01-01T00:00:00Z");
    let about = |digest: String| {
        let digest = BASE64.encode(hex::decode(&digest["sha256:".len()..]).unwrap());
        format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",
                "verificationMaterial":{{"publicKey":{{"hint":""}}}},
                "messageSignature":{{"messageDigest":{{"algorithm":"SHA2_256","digest":"{digest}"}},
                "signature":"AAAA"}}}}"#
        )
    };
    let ran = test.run(&format!("{REKOR1} {TRUST} --created 2026-01-02T00:00:00Z")).exits(0);
    test.write("keys/keypack.json.sigstore.json", about(ran.after("Pack: ")));
    test.write("keys/keypack.json.other.sigstore.json", about(format!("sha256:{}", "0".repeat(64))));
    let ran = test.run(&format!("{REKOR1} {TRUST} --created 2026-01-02T00:00:00Z")).exits(0);
    ran.says("unchanged")
        .tells("warning: keypack.json.other.sigstore.json is not a signature of this inventory");
    assert!(test.has("keys/keypack.json.sigstore.json"));
    assert!(!test.has("keys/keypack.json.other.sigstore.json"));
    let ran = test.run(&format!("{REKOR2} {TRUST} --created 2026-01-02T00:00:00Z")).exits(0);
    ran.tells("warning: keypack.json.sigstore.json is not a signature of this inventory and was removed");
    assert!(!test.has("keys/keypack.json.sigstore.json"));
}

#[test]
fn a_damaged_directory_is_refused_and_untouched() {
    type Damage = fn(&Test);
    let damages: [(&str, i32, Damage); 7] = [
        ("key-mismatch", 3, |t| t.write("keys/signer-43ef7bc8.pub", t.read("lab/trust/ctfe.pub"))),
        ("trusted-root-mismatch", 3, |t| {
            t.write("keys/trusted_root.json", t.read("lab/trust/trusted_root.json"));
        }),
        ("file-not-in-inventory", 3, |t| t.write("keys/mine.txt", "hello")),
        ("file-missing", 3, |t| fs::remove_file(t.path("keys/trusted_root.json")).unwrap()),
        ("inventory-malformed", 3, |t| t.write("keys/keypack.json", "{}")),
        ("file-missing", 3, |t| fs::remove_file(t.path("keys/keypack.json")).unwrap()),
        ("target-has-foreign-files", 1, |t| t.write("keys/folder/file", "hello")),
    ];
    for (code, exit, damage) in damages {
        let test = collected("2026-01-01T00:00:00Z");
        damage(&test);
        let before = test.tree("keys");
        test.run(&format!("{REKOR2} {TRUST}")).fails(exit, code).tells("keys");
        assert_eq!(test.tree("keys"), before, "{code}");
    }
}

#[test]
fn a_target_that_is_not_ours_is_refused() {
    let test = Test::new();
    test.write("mine/notes.txt", "hello");
    test.write("file", "hello");
    fs::create_dir(test.path("empty")).unwrap();
    std::os::unix::fs::symlink("empty", test.path("link")).unwrap();
    let line = format!("{REKOR1} {TRUST} -o");
    let ran =
        test.run(&format!("{line} mine")).fails(1, "target-has-foreign-files").tells("mine holds files");
    ran.tells("notes.txt").tells("name an empty directory");
    let ran = test.run("push mine oci:m:keys").fails(1, "keys-with-foreign-files").tells("notes.txt");
    ran.tells("name the directory that `keypack collect` or `keypack pull` wrote");
    test.run(&format!("{line} file")).fails(1, "target-not-a-directory");
    test.run(&format!("{line} link")).fails(1, "target-is-symlink");
    test.run(&format!("{line} no/such/keys")).fails(1, "parent-missing");
    test.run(&format!("{line} .")).fails(1, "target-unusable");
    assert_eq!(test.names("mine"), ["notes.txt"]);
    assert_eq!(test.names("empty"), [""; 0]);
    test.run(&format!("{line} empty")).exits(0);
    test.run(&format!("{line} with/")).exits(0);
}
