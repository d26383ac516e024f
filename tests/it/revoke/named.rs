//! Which key is meant: only a whole fingerprint revokes.

use super::{SIGNER, SIGNER_FILE, json, pulled};

#[test]
fn an_id_or_a_part_is_refused_with_the_fingerprint() {
    let (test, _) = pulled();
    let rekor2 = "sha256:8584d9f90dfc53d2d386d9194e6346fba150558e0aa75af517f18b2230a11ae5";
    for (text, meant) in [
        ("43ef7bc8", SIGNER),
        ("43EF7BC8", SIGNER),
        ("0x43ef7bc8", SIGNER),
        ("sha256:43ef7bc87c44", SIGNER),
        ("9811b24f", SIGNER),
        // As long as the fingerprint of a GPG key.
        ("43ef7bc87c44704aa997d44437f45c362729aee8", SIGNER),
        (SIGNER_FILE, SIGNER),
        ("signer-43ef7bc8", SIGNER),
        // The log's own id, which also depends on its origin.
        ("dd20f7e7", rekor2),
    ] {
        let ran = test.run(&format!("revoke {text} --reason x")).fails(2, "usage");
        let _ = ran.tells(&format!("keypack revoke {meant}"));
    }
    for text in ["", "xyz", "md5:00", "43ef"] {
        test.run_args(&["revoke", text, "--reason", "x"]).exits(2);
    }
    assert_eq!(json(&test, "state show", 0)["revokedHere"], serde_json::json!({}));
    test.run("verify storage").exits(0);
}

/// As `inspect` prints it after `pin`; a log's also has its origin.
#[test]
fn a_pin_names_its_key() {
    let (test, _) = pulled();
    for (role, file) in [("signer", SIGNER_FILE), ("rekor2", "rekor2-dd20f7e7.pub")] {
        let keys = test.run("inspect keys").exits(0).out;
        let pin = keys.lines().filter_map(|line| line.trim().strip_prefix("pin")).map(str::trim);
        let pin = pin.filter(|pin| pin.starts_with(&format!("{role}:"))).collect::<Vec<_>>();
        assert_eq!(pin.len(), 1, "{keys}");
        test.run_args(&["revoke", pin[0], "--reason", "x"]).exits(0).says(file);
        assert!(!test.has(&format!("keys/{file}")));
    }
}

#[test]
fn a_fingerprint_of_no_key_here_holds_and_is_reported() {
    let (test, _) = pulled();
    let wrong = SIGNER.replace("b24f", "b24e");
    let ran = test.run(&format!("revoke {wrong} --reason stolen")).fails(4, "revocation-incomplete");
    let _ = ran.tells("no key in keys has the fingerprint").tells(SIGNER).tells("digit for digit");
    assert!(json(&test, "state show", 0)["revokedHere"][wrong.as_str()].is_object());
    let found = json(&test, &format!("revoke {wrong} --reason stolen"), 4);
    assert_eq!(
        (&found["recorded"], &found["problems"][0]["code"]),
        (&"again".into(), &"not-revoked-here".into())
    );
    test.run("verify storage").exits(0);
}

#[test]
fn a_key_may_be_revoked_before_it_comes() {
    let (test, pack) = pulled();
    std::fs::remove_dir_all(test.path("keys")).unwrap();
    let ran = test.run(&format!("revoke {SIGNER} --reason stolen")).fails(4, "revocation-incomplete");
    let _ = ran.tells("there are no keys in keys");
    super::pull(&test, &pack).exits(0).tells("it is not installed");
    assert!(!test.has(&format!("keys/{SIGNER_FILE}")));
    test.run("verify storage").fails(4, "images-refused").says("revoked-here");
}

#[test]
fn keys_that_nobody_authenticated_are_left_as_they_are() {
    let (test, pack) = pulled();
    let inventory = test.read("keys/keypack.json");
    test.write("keys/keypack.json", [inventory.as_slice(), b"\n"].concat());
    let before = test.tree("keys");
    let ran = test.run(&format!("revoke {SIGNER} --reason stolen")).fails(4, "revocation-incomplete");
    let _ = ran.tells("nothing authenticates keys");
    assert_eq!(test.tree("keys"), before);
    // Damaging keys/ does not prevent the key from being revoked.
    std::fs::write(test.path("keys/keypack.json"), b"{").unwrap();
    test.run(&format!("revoke {SIGNER} --reason again")).fails(4, "revocation-incomplete");
    std::fs::remove_dir_all(test.path("keys")).unwrap();
    super::pull(&test, &pack).exits(0).tells("it is not installed");
}

#[test]
fn foreign_files_do_not_keep_it_from_being_revoked() {
    let (test, _) = pulled();
    test.write("keys/notes.doc", "x");
    let ran = test.run(&format!("revoke {SIGNER} --reason stolen")).fails(4, "revocation-incomplete");
    let _ = ran.tells("file-not-in-inventory");
    assert!(test.has(&format!("keys/{SIGNER_FILE}")) && test.has("keys/notes.doc"));
    std::fs::remove_file(test.path("keys/notes.doc")).unwrap();
    test.run("verify storage").fails(4, "images-refused").tells("it is still in keys");
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    assert!(!test.has(&format!("keys/{SIGNER_FILE}")));
}
