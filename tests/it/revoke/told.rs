//! What is reported about a revocation, and where.

use super::{SIGNER, SIGNER_FILE, json, pull, pulled};
use crate::support::program::{TRUST, Test};

#[test]
fn the_log_and_the_state_tell_who_when_and_why() {
    let (test, pack) = pulled();
    test.run(&format!("revoke {SIGNER} --reason stolen --ticket SEC-4711")).exits(0);
    let out = test.run("state log").exits(0).out;
    let line: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let schema = test.run("schema results-v1").exits(0).json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&line), "{line}");
    assert_eq!((&line["command"], &line["result"]), (&"revoke".into(), &"revoked".into()));
    assert_eq!((&line["reason"], &line["ticket"]), (&"stolen".into(), &"SEC-4711".into()));
    assert_eq!((&line["pack"], &line["lineage"]), (&pack.into(), &"default".into()));
    assert_eq!(line["decisions"], serde_json::json!([format!("revoke {SIGNER}")]));
    let shown = json(&test, "state show", 0);
    let revoked = &shown["revokedHere"][SIGNER];
    assert_eq!((&revoked["reason"], &revoked["keys"][0]["lineage"]), (&"stolen".into(), &"default".into()));
    let ran = test.run("state show").exits(0).says("Revoked on this host, for every lineage").says(SIGNER);
    let _ = ran.says("stolen").says(&format!("{SIGNER_FILE} (signer key) of the lineage default"));
    assert_eq!(shown["lineages"].as_array().unwrap().len(), 1, "its file is no lineage's");
}

#[test]
fn later_packs_come_without_it_and_say_so() {
    let (test, pack) = pulled();
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    let shown =
        json(&test, &format!("pull oci-archive:keys.tar:k --digest {pack} -o keys --max-age 999999h"), 0);
    assert_eq!((&shown["revokedHere"][0]["file"], &shown["unchanged"]), (&SIGNER_FILE.into(), &true.into()));
    assert!(!shown["keys"].as_array().unwrap().contains(&SIGNER_FILE.into()));
    // A newer one.
    test.run(&format!("collect storage {TRUST} -o made --state there --expires 2100-01-01")).exits(0);
    let newer = test.run("push made oci-archive:keys.tar:k --state there").exits(0).after("Pack: ");
    let ran = test.run("diff keys oci-archive:keys.tar:k").exits(0);
    let _ = ran.says(&format!("! {SIGNER_FILE}")).says("it is left out here");
    assert_eq!(json(&test, "diff keys oci-archive:keys.tar:k", 0)["revokedHere"][0]["reason"], "stolen");
    pull(&test, &newer).exits(0).tells("the pack still holds it, and it is not installed");
    assert!(!test.has(&format!("keys/{SIGNER_FILE}")));
    let ran = test.run("inspect oci-archive:keys.tar:k").exits(0);
    let _ = ran.says(&format!("revoked here: {SIGNER_FILE}"));
    // With pins the rest of the pack counts as well.
    test.run("verify storage").fails(4, "images-refused").says("revoked-here");
}

#[test]
fn the_images_that_only_it_signed_are_listed() {
    let (test, _) = pulled();
    let found = json(&test, &format!("revoke {SIGNER} --reason stolen --images storage"), 0);
    let images = &found["images"];
    assert_eq!((images["read"].as_u64(), images["images"].as_array().map(Vec::len)), (Some(9), Some(6)));
    // Afterwards too, once its file is gone.
    let again = json(&test, &format!("revoke {SIGNER} --reason stolen --images storage"), 0);
    assert_eq!(again["images"], *images);
    let ran = test.run(&format!("revoke {SIGNER} --reason stolen --images storage")).exits(0);
    let _ = ran
        .says("Images of storage that no other key verifies: 6 of 9")
        .says("key-tag-notlog/img1 v1 sha256:");
    // An unreadable source does not prevent a revocation.
    let rekor = super::REKOR;
    let ran =
        test.run(&format!("revoke {rekor} --reason x --images oci:none")).fails(4, "revocation-incomplete");
    let _ = ran.says("is no longer in keys");
}

/// Whoever is expected to sign: without a rule for them, the images of certificates are no good ones.
#[test]
fn the_images_of_a_certificate_authority_are_listed() {
    let (test, _) = pulled();
    let fulcio = "sha256:98cd189db3720d0c3c3ba5973d4374bd5d05c9ba892845a4342ca60908a0e6d6";
    let found = json(&test, &format!("revoke {fulcio} --reason stolen --images storage"), 0);
    let lost = found["images"]["images"].as_array().unwrap();
    assert!(
        lost.iter().all(|image| image["repository"].as_str().unwrap().starts_with("keyless-")),
        "{lost:?}"
    );
    assert_eq!(lost.len(), 3);
}

#[test]
fn rules_that_name_it_are_reported() {
    let test = Test::new();
    test.layout("key-bundle-rekor1-oras", "m");
    let rules = "rules:\n  - scope: a.test/x\n    signers: [{key: signer-43ef7bc8}]\n    log: required\n";
    test.write("rules.yaml", rules);
    let pack = test.run(&format!("collect oci:m {TRUST} -o made --state there --accept-rules rules.yaml"));
    let pack = pack.exits(0).after("Pack: ");
    test.run("push made oci-archive:keys.tar:k --state there").exits(0);
    pull(&test, &pack).exits(0);
    let found = json(&test, &format!("revoke {SIGNER} --reason stolen"), 0);
    assert_eq!(found["rules"], serde_json::json!([{ "scope": "a.test/x", "signersLeft": 0 }]));
    let ran = test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    let _ = ran.says("The rule for a.test/x: none of its signers is left");
    // Policies: the known ones, and that others are not known.
    let ran = test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    let _ =
        ran.says("Policies and copies that must change by hand").says("keypack does not know where copies");
}

/// Packs that are signed by several keys (testdata/anchors/README.md).
const ANCHORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/anchors");

#[test]
fn the_organisations_own_key_is_taken_no_more() {
    let test = Test::new();
    std::os::unix::fs::symlink(ANCHORS, test.path("fx")).unwrap();
    test.run("push fx/newer oci:m:newer").exits(0);
    let pull = "pull oci:m:newer --verify-key fx/org.pub -o keys";
    test.run(pull).exits(0);
    let shown = test.run("state show --format json").exits(0).json();
    let highest = shown["lineages"][0]["highest"].as_object().unwrap();
    let org = highest.keys().next().unwrap();
    let found = json(&test, &format!("revoke {org} --reason stolen"), 0);
    assert_eq!((&found["isOrganisations"], &found["keys"]), (&true.into(), &serde_json::json!([])));
    test.run(pull).fails(3, "key-revoked").tells("--verify-key");
    test.run(&format!("{pull} --verify-key fx/other.pub")).fails(3, "key-revoked");
}
