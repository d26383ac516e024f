//! `--since`: what others date before it still counts. The lab's signatures are of 2026-11-22.

use super::{REKOR, SIGNER, SIGNER_FILE, TSA, counts, json, pull, pulled};

#[test]
fn what_a_log_or_an_authority_dates_before_counts() {
    let (test, pack) = pulled();
    let line = format!("revoke {SIGNER} --reason stolen --since 2026-11-25 --images storage");
    let found = json(&test, &line, 0);
    assert_eq!(found["since"], "2026-11-25T00:00:00Z");
    // Those without log and timestamp.
    let lost: std::collections::BTreeSet<_> = found["images"]["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["repository"].as_str().unwrap().split_once('/').unwrap().0)
        .collect();
    let expected = ["key-bundle-notlog", "key-ref11-notlog", "key-tag-notlog"];
    assert_eq!(lost.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!((counts(&test), found["images"]["read"].as_u64()), ((3, 3), Some(9)));
    assert!(!test.has(&format!("keys/{SIGNER_FILE}")), "no other program knows since when");
    let ran = test.run("verify storage").fails(4, "images-refused");
    let _ = ran.says("no log or authority that counts dates the signature before 2026-11-25T00:00:00Z");
    // A pull does not change that.
    pull(&test, &pack).exits(0);
    assert_eq!(counts(&test), (3, 3));
    test.run("inspect keys").exits(0).says("of its signatures those count that are dated before 2026-11-25");
}

#[test]
fn what_is_dated_later_does_not_count() {
    let (test, _) = pulled();
    test.run(&format!("revoke {SIGNER} --reason stolen --since 2026-11-20")).exits(0);
    assert_eq!(counts(&test), (0, 6));
}

/// The time itself is no longer before it.
#[test]
fn a_signature_of_that_very_second_does_not_count() {
    let (test, _) = pulled();
    let found = json(&test, "verify storage", 0);
    let images = found["images"].as_array().unwrap();
    let of = |found: &serde_json::Value| {
        let image =
            found["images"].as_array().unwrap().iter().find(|i| i["repository"] == "key-tag-rekor1/img1");
        image.unwrap().clone()
    };
    assert_eq!((images.len(), &of(&found)["state"]), (9, &"good".into()));
    let signed = of(&found)["signatures"][0]["time"].as_str().unwrap().to_owned();
    let after = signed.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(1);
    test.run(&format!("revoke {SIGNER} --reason stolen --since {after}")).exits(0);
    assert_eq!(of(&json(&test, "verify storage", 4))["state"], "good");
    test.run(&format!("revoke {SIGNER} --reason stolen --since {signed}")).exits(0);
    assert_eq!(of(&json(&test, "verify storage", 4))["state"], "refused");
}

/// A chain falls under the revocations of all of its certificates.
#[test]
fn of_two_revocations_of_one_key_the_stricter_counts() {
    let (test, _) = pulled();
    let found = json(&test, "inspect keys", 0);
    let tsa = found["inventory"]["keys"].as_array().unwrap().iter().find(|key| key["role"] == "tsa").unwrap();
    let certificates: Vec<_> =
        tsa["certificates"].as_array().unwrap().iter().map(|c| c["sha256"].as_str().unwrap()).collect();
    assert_eq!(certificates.len(), 3);
    let since = |found: &serde_json::Value| found["revokedHere"][0]["since"].clone();
    for (more, expected) in [
        (format!("{} --since 2026-11-25", certificates[0]), "2026-11-25T00:00:00Z".into()),
        (format!("{} --since 2026-11-24", certificates[2]), "2026-11-24T00:00:00Z".into()),
        (certificates[1].to_owned(), serde_json::Value::Null),
    ] {
        test.run(&format!("revoke {more} --reason x")).exits(0).says("tsa-");
        assert_eq!(since(&json(&test, "inspect keys", 0)), expected, "{more}");
    }
}

#[test]
fn a_clock_that_is_revoked_itself_says_nothing() {
    let (test, _) = pulled();
    // Anyone who has a log's key can write anything into the log, with any time.
    test.run(&format!("revoke {REKOR} --reason stolen --since 2026-11-25")).exits(0);
    assert_eq!(counts(&test), (4, 4));
    // Of the signer's signatures, those dated by the timestamp authority are left.
    test.run(&format!("revoke {SIGNER} --reason stolen --since 2026-11-25")).exits(0);
    assert_eq!(counts(&test), (1, 7));
    test.run(&format!("revoke {TSA} --reason stolen --since 2026-11-25")).exits(0);
    assert_eq!(counts(&test), (0, 9));
}

#[test]
fn a_later_time_than_before_is_not_taken() {
    let (test, _) = pulled();
    let revoke = |since: &str| json(&test, &format!("revoke {SIGNER} --reason stolen {since}"), 0);
    assert_eq!(revoke("--since 2026-11-25")["recorded"], "new");
    let again = revoke("--since 2026-11-26");
    assert_eq!((&again["recorded"], &again["since"]), (&"again".into(), &"2026-11-25T00:00:00Z".into()));
    let stricter = revoke("--since 2026-11-20");
    assert_eq!(
        (&stricter["recorded"], &stricter["since"]),
        (&"stricter".into(), &"2026-11-20T00:00:00Z".into())
    );
    assert_eq!(counts(&test), (0, 6));
    let none = revoke("");
    assert_eq!((&none["recorded"], none.get("since")), (&"stricter".into(), None));
    assert_eq!(revoke("--since 2026-11-25")["recorded"], "again");
    assert_eq!(counts(&test), (0, 6));
    test.run(&format!("revoke {SIGNER} --reason x --since 2126-01-01")).fails(2, "usage");
    test.run(&format!("revoke {SIGNER} --reason x --since yesterday")).exits(2);
}

#[test]
fn the_key_for_older_signatures_is_the_states_and_not_the_directorys() {
    let (test, _) = pulled();
    test.run(&format!("revoke {SIGNER} --reason stolen --since 2026-11-25")).exits(0);
    // Even with no key left, signatures dated before that time still count.
    for key in ["rekor2-dd20f7e7.pub", "rekor-e69e8241.pub"] {
        assert!(test.has(&format!("keys/{key}")));
    }
    let state = test.state().join("keypack/revoked-here.host");
    let text = std::fs::read_to_string(&state).unwrap();
    let pem = text.find("BEGIN PUBLIC KEY").expect("the key is kept");
    let spoiled = format!("{}{}", &text[..pem], text[pem..].replacen("MFkw", "AAAA", 1));
    std::fs::write(&state, spoiled).unwrap();
    // An unreadable file verifies nothing.
    assert_eq!(counts(&test), (0, 6));
    std::fs::write(&state, "{}").unwrap();
    for line in ["verify storage", "inspect keys", "diff keys keys", "push keys oci:x:y", "state show"] {
        test.run(line).fails(1, "state-malformed");
    }
    test.run(&format!("revoke {SIGNER} --reason x")).fails(1, "state-malformed");
    std::fs::write(&state, text.replacen("\"schemaVersion\": 1", "\"schemaVersion\": 2", 1)).unwrap();
    test.run("verify storage").fails(1, "state-schema-unknown");
}
