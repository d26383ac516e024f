//! keys/ stays in use without the key, and someone who can write to it can't bring the key back.

use std::process::Command;

use super::{REKOR, SIGNER, SIGNER_FILE, counts, json, pull, pulled};
use crate::support::program::{TRUST, Test};

/// A copy of the directory, as it was.
fn copy(test: &Test, from: &str, to: &str) {
    for (name, bytes) in test.tree(from) {
        test.write(&format!("{to}/{name}"), bytes);
    }
}

fn sums_fit(test: &Test) {
    let mut command = Command::new("sha256sum");
    let ran =
        command.args(["--check", "--strict", "SHA256SUMS"]).current_dir(test.path("keys")).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

#[test]
fn the_other_keys_go_on_as_authenticated() {
    let (test, pack) = pulled();
    assert_eq!(counts(&test), (6, 0));
    let before = test.tree("keys");
    let ran = test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    let _ = ran
        .says("revoked on this host, for every lineage")
        .says("5 keys left in it, authenticated as before");
    let after = test.tree("keys");
    assert!(!after.contains_key(SIGNER_FILE));
    assert_eq!(before["keypack.json"], after["keypack.json"], "as signed");
    assert_eq!(before["trusted_root.json"], after["trusted_root.json"], "a signer is not in it");
    assert!(!String::from_utf8(after["SHA256SUMS"].clone()).unwrap().contains(SIGNER_FILE));
    let readme = String::from_utf8(after["README.txt"].clone()).unwrap();
    assert!(readme.contains(&format!("{SIGNER_FILE}              revoked on this host")), "{readme}");
    assert!(!readme.contains("install -D -m 0644 signer"), "{readme}");
    sums_fit(&test);

    let shown = json(&test, "inspect keys", 0);
    assert_eq!((&shown["authenticated"], &shown["packDigest"]), (&true.into(), &pack.into()));
    assert_eq!(shown["revokedHere"][0]["file"], SIGNER_FILE);
    assert_eq!(shown["revokedHere"][0]["stillThere"], false);
    let ran = test.run("inspect keys").exits(0).says("AUTHENTICATED HERE").says("; minus 1 revoked here");
    let _ = ran.says(&format!("revoked here: {SIGNER_FILE}")).says("stolen");
    test.run("inspect keys --sheet").exits(0).says("KEYS (5)").says("REVOKED ON THIS HOST (1)");

    assert_eq!(counts(&test), (0, 6));
    test.run("verify storage").fails(4, "images-refused").says("minus 1 revoked here").says("revoked-here");
    let found = json(&test, "verify storage", 4);
    assert_eq!((&found["keys"]["count"], &found["keys"]["authenticated"]), (&5.into(), &true.into()));
    // The keyless signatures don't need it.
    let identity =
        "--certificate-identity https://ci.test/build.yml@main --certificate-oidc-issuer https://issuer.test";
    let found = json(&test, &format!("verify storage {identity}"), 4);
    assert_eq!((&found["counts"]["good"], &found["counts"]["refused"]), (&3.into(), &6.into()));
    test.run("discover storage --keys-dir keys").exits(4).tells("it is left out");
}

#[test]
fn a_log_leaves_the_trusted_root_too() {
    let (test, _) = pulled();
    test.run(&format!("revoke {REKOR} --reason stolen")).exits(0);
    let root = String::from_utf8(test.read("keys/trusted_root.json")).unwrap();
    assert!(!root.contains("rekor1") && root.contains("certificateAuthorities"), "{root}");
    sums_fit(&test);
    // Only signatures that are in no Rekor v1 log are left.
    assert_eq!(counts(&test), (4, 4));
}

#[test]
fn what_is_put_back_does_not_count() {
    let (test, pack) = pulled();
    copy(&test, "keys", "before");
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    test.run(&format!("revoke {REKOR} --reason stolen")).exits(0);
    // The key's file, the derived file, both, the whole directory: nothing makes it count.
    for put in [
        &[SIGNER_FILE][..],
        &["trusted_root.json"],
        &["rekor-e69e8241.pub"],
        &["rekor-e69e8241.pub", "trusted_root.json"],
        &["SHA256SUMS", "README.txt", SIGNER_FILE, "rekor-e69e8241.pub", "trusted_root.json"],
    ] {
        for name in put {
            test.write(&format!("keys/{name}"), test.read(&format!("before/{name}")));
        }
        test.run("verify storage").fails(4, "images-refused").tells("it does not count, but it is still in");
        assert_eq!(counts(&test), (0, 8), "{put:?}");
        let shown = json(&test, "inspect keys", 0);
        let there = shown["revokedHere"].as_array().unwrap().iter().filter(|key| key["stillThere"] == true);
        assert!(there.count() > 0, "{put:?}");
        test.run("push keys oci:elsewhere:k").fails(3, "revoked-here");
        // The next command that may write removes it: a pull, or the same revocation.
        if put.len() == 1 {
            pull(&test, &pack).exits(0).tells("the pack still holds it, and it is not installed");
        } else {
            test.run(&format!("revoke {SIGNER} --reason again")).exits(0).says("is already revoked");
        }
        assert!(!test.has(&format!("keys/{SIGNER_FILE}")) && !test.has("keys/rekor-e69e8241.pub"), "{put:?}");
        test.run("inspect keys").exits(0).says("minus 2 revoked here");
    }
    // Another key in place of the removed one is not authenticated.
    test.write(&format!("keys/{SIGNER_FILE}"), test.read("keys/ctlog-0bef3c6b.pub"));
    test.run("verify storage").fails(3, "key-mismatch");
    std::fs::remove_file(test.path(&format!("keys/{SIGNER_FILE}"))).unwrap();
    // A key that was not revoked is not ignored just because its file is gone.
    std::fs::remove_file(test.path("keys/ctlog-0bef3c6b.pub")).unwrap();
    test.run("verify storage").fails(3, "file-missing");
}

#[test]
fn a_host_that_did_not_revoke_it_misses_the_file() {
    let (test, _) = pulled();
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    test.run("inspect keys --state elsewhere").fails(3, "file-missing").tells(SIGNER_FILE);
    // An anchor does not bring it back either, or need it.
    test.run("verify storage --state elsewhere --digest sha256:00").exits(2);
}

#[test]
fn an_anchor_given_to_verify_does_not_bring_it_back() {
    let (test, pack) = pulled();
    copy(&test, "keys", "before");
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    let line = format!("verify storage --digest {pack} --keys-dir");
    test.run(&format!("{line} keys")).fails(4, "images-refused").says("minus 1 revoked here");
    test.run(&format!("{line} before")).fails(4, "images-refused").says("minus 1 revoked here");
    let ran =
        test.run("verify storage --key lab/trust/cosign.pub --trusted-root lab/trust/trusted_root.json");
    ran.exits(4).tells("was revoked on this host, and is left out");
}

#[test]
fn every_lineage_goes_without_it() {
    let (test, _) = pulled();
    let line = format!("collect storage {TRUST} -o made2 --name other --state there");
    let pack = test.run(&line).exits(0).after("Pack: ");
    test.run("push made2 oci-archive:other.tar:k --state there").exits(0);
    std::fs::create_dir(test.path("b")).unwrap();
    let pull = format!("pull oci-archive:other.tar:k --digest {pack} --name other -o b/keys");
    test.run(&pull).exits(0);
    let found = json(&test, &format!("revoke {SIGNER} --reason stolen"), 0);
    assert_eq!(found["alsoIn"], serde_json::json!([test.path("b/keys").to_str().unwrap()]));
    test.run("verify storage --keys-dir b/keys").fails(4, "images-refused").tells("it is still in b/keys");
    test.run("state forget-unsafe other --all --reason x").exits(0);
    test.run(&pull).exits(0).tells("it is not installed");
    assert!(!test.has(&format!("b/keys/{SIGNER_FILE}")));
}

#[test]
fn a_key_inside_a_chain_takes_the_chain() {
    let (test, pack) = pulled();
    // The intermediate certificate of the timestamp authority, as openssl prints it.
    let intermediate =
        "50:89:09:EC:C8:40:85:8E:3A:72:E7:C2:B2:E7:CE:88:EE:EE:E2:03:69:38:A7:BD:E3:9D:66:CF:35:B9:2F:64";
    let found = json(&test, &format!("revoke {intermediate} --reason stolen"), 0);
    assert_eq!(found["keys"][0]["file"], "tsa-03df1167.pem");
    test.run("inspect keys").exits(0).says("minus 1 revoked here");
    pull(&test, &pack).exits(0).tells("tsa-03df1167.pem");
    assert!(!test.has("keys/tsa-03df1167.pem"));
    assert_eq!(counts(&test), (5, 2));
}

#[test]
fn the_last_key_goes_too() {
    let test = Test::new();
    test.layout("key-bundle-notlog-oras", "m");
    let pack = test.run(&format!("collect oci:m {TRUST} -o made --state there")).exits(0).after("Pack: ");
    test.run("push made oci-archive:keys.tar:k --state there").exits(0);
    pull(&test, &pack).exits(0);
    test.run("verify oci:m").exits(0);
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0).says("No key is left in keys");
    test.run("verify oci:m").fails(3, "revoked-here").tells("every key of keys was revoked");
    test.run("inspect keys").exits(0).says("minus 1 revoked here");
    let before = test.tree("keys");
    pull(&test, &pack).fails(3, "pack-without-keys").tells("every key of it was revoked on this host");
    assert_eq!(test.tree("keys"), before);
    test.run(&format!("revoke {SIGNER} --reason again")).exits(0).says("is already revoked");
}
