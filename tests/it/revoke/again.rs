//! An interrupted revocation is completed, and a mistaken one is undone.

use super::{SIGNER, SIGNER_FILE, counts, json, pulled};
use crate::support::program::{TRUST, Test};

#[test]
fn a_revocation_that_was_broken_off_holds_and_is_finished() {
    // The run's second exchange is that of keys/: by then the state contains the revocation.
    let (test, _) = pulled();
    let ran = test.run_injected("renameat2:error=EIO", &format!("revoke {SIGNER} --reason stolen"));
    ran.fails(4, "revocation-incomplete");
    assert!(test.has(&format!("keys/{SIGNER_FILE}")), "the exchange failed");
    assert_eq!(counts(&test), (0, 6), "it holds all the same");
    test.run("inspect keys").exits(0).tells(&format!("keypack revoke {SIGNER} --reason … --keys-dir keys"));
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0).says("is no longer in keys");
    assert!(!test.has(&format!("keys/{SIGNER_FILE}")));
    let results: Vec<_> = log(&test).iter().map(|line| line["result"].clone()).collect();
    assert_eq!(results, ["installed", "revocation-incomplete", "unchanged"]);
}

fn log(test: &Test) -> Vec<serde_json::Value> {
    let out = test.run("state log").exits(0).out;
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_mistake_is_taken_back_with_the_key() {
    let (test, _) = pulled();
    test.run(&format!("revoke {SIGNER} --undo-unsafe --reason x")).fails(1, "not-revoked-here");
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    test.run(&format!("revoke {SIGNER} --undo-unsafe --reason x --since 2026-11-01")).exits(2);
    // Only if it can be logged.
    let path = test.state().join("keypack/log.jsonl");
    let whole = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    test.run(&format!("revoke {SIGNER} --undo-unsafe --reason x")).fails(1, "state-write-failed");
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, whole).unwrap();
    assert_eq!(counts(&test), (0, 6));
    let found = json(&test, &format!("revoke {SIGNER} --undo-unsafe --reason mistyped --ticket SEC-2"), 0);
    assert_eq!(found["recorded"], "undone");
    assert!(test.has(&format!("keys/{SIGNER_FILE}")));
    assert_eq!(counts(&test), (6, 0));
    let lines = log(&test);
    let last: Vec<_> = lines.iter().rev().take(2).collect();
    for (line, result) in last.iter().zip(["undone", "begun"]) {
        assert_eq!(
            (&line["result"], &line["ticket"], &line["reason"]),
            (&result.into(), &"SEC-2".into(), &"mistyped".into())
        );
        assert_eq!(line["decisions"], serde_json::json!([format!("revoke {SIGNER} --undo-unsafe")]));
    }
}

#[test]
fn a_collection_on_that_host_carries_it_on() {
    let test = Test::new();
    test.layout("key-bundle-rekor1-oras", "m");
    test.run(&format!("collect oci:m {TRUST} -o keys")).exits(0);
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    test.run("inspect keys").exits(0).says("COLLECTED HERE").says("minus 1 revoked here");
    // From now on the pack says so, also to hosts that do not know about it.
    let ran = test.run(&format!("collect oci:m {TRUST} -o keys")).exits(4);
    let _ = ran.tells("is revoked, and is left out");
    let inventory = test.json("keys/keypack.json");
    assert_eq!(inventory["revoked"][0]["fingerprint"], SIGNER);
    assert_eq!(inventory["revoked"][0]["reason"], "stolen");
    assert!(inventory["keys"].as_array().unwrap().iter().all(|key| key["fingerprint"] != SIGNER));
    test.run("inspect keys").exits(0).says("COLLECTED HERE");
    // Also in another directory, although nothing there says so.
    test.run(&format!("collect oci:m {TRUST} -o fresh")).exits(4);
    assert!(!test.has(&format!("fresh/{SIGNER_FILE}")));
}
