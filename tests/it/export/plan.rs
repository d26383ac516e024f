//! `diff --plan`: from the keys of one pack to those of another. The mirror of two keys is in `tests/outside/plan.rs`.

use rcgen::KeyPair;
use serde_json::Value;

use crate::{
    cli::lab::storage,
    support::program::{TRUST, Test},
};

const OLD: &str = "{key: signer-43ef7bc8}";

/// Two packs of one lineage with these signers for what is mirrored from quay.example.
fn packs(old: &str, new: &str) -> Test {
    let test = Test::at_epoch("1793664000");
    storage(&test);
    let key = KeyPair::generate().unwrap();
    test.write("new.pub", key.public_key_pem());
    for (name, signers) in [("old", old), ("new", new)] {
        let id = id(&test, "new.pub");
        let rules = format!(
            "rules:\n  - scope: quay.example\n    signers: [{}]\n    log: none\n    signedIdentity: {{type: exactRepository, dockerRepository: \"127.0.0.1:5012/key-tag-notlog/img1\"}}\n",
            signers.replace("NEW", &format!("{{key: \"{id}\"}}"))
        );
        test.write("rules.yaml", rules);
        let line = format!(
            "collect storage {TRUST} --key new.pub --key pki=lab/trust/fulcio.pem --include all --accept-rules rules.yaml -o {name}"
        );
        test.run(&format!("{line} --state {name}-state")).exits(0);
    }
    test
}

/// `ROLE:FINGERPRINT` of a key file.
fn id(test: &Test, file: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let pem = String::from_utf8(test.read(file)).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let digest = keypack::oci::Digest::of(&STANDARD.decode(body).unwrap());
    format!("signer:{}", digest.hex())
}

/// The plan, held to its schema.
fn plan(test: &Test, options: &str) -> Value {
    plan_from(test, "old", options)
}

fn plan_from(test: &Test, old: &str, options: &str) -> Value {
    let report = test.run(&format!("diff {old} new {options} --format json")).exits(0).json();
    let errors: Vec<_> =
        super::super::schemas::schema("results-v1").iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{report}");
    report["plan"].clone()
}

fn steps(plan: &Value, when: &str) -> String {
    plan["steps"][when].to_string()
}

#[test]
fn without_a_mirror_no_image_is_named() {
    let test = packs(OLD, "NEW");
    let plan = plan(&test, "--plan openshift@4.22");
    assert_eq!((plan["oneKey"].clone(), plan["images"].clone()), (true.into(), Value::Null));
    assert!(steps(&plan, "first").contains("--images SOURCE"), "{plan}");
    assert_eq!(plan["scopes"][0]["scope"], "quay.example");
    test.run("diff old new --plan openshift@4.22")
        .exits(0)
        .says("PLAN FOR OPENSHIFT 4.22")
        .says("To go back");
    assert!(plan["bridge"].as_array().unwrap().is_empty());
}

#[test]
fn a_policy_with_one_key_is_bridged_by_the_images_that_only_the_old_one_verifies() {
    let test = packs(OLD, "NEW");
    for (consumer, object) in [("podman@4.9", "sigstoreSigned"), ("podman@5.3", "")] {
        let plan = plan(&test, &format!("--plan {consumer} --images storage --map storage=quay.example"));
        let only_old = plan["images"]["onlyOld"].as_array().unwrap();
        let name = "quay.example/key-tag-notlog/img1";
        assert!(
            !only_old.is_empty() && only_old.iter().all(|pull| pull.as_str().unwrap().starts_with(name)),
            "{plan}"
        );
        if object.is_empty() {
            // It takes both keys at once.
            assert!(plan["bridge"].as_array().unwrap().is_empty());
            assert!(steps(&plan, "first").contains("name the old and the new signers"), "{plan}");
            continue;
        }
        assert_eq!(plan["images"]["bridged"], only_old.len(), "{plan}");
        let bridge = &plan["bridge"][0];
        assert!(
            bridge["scopes"]
                .as_array()
                .unwrap()
                .iter()
                .all(|scope| scope.as_str().unwrap().starts_with(name))
        );
        assert!(bridge["text"].as_str().unwrap().contains(object), "{plan}");
        assert!(steps(&plan, "keep").contains("the old key, and the scopes below"), "{plan}");
        assert!(steps(&plan, "back").contains("before/"), "{plan}");
    }
}

/// However many keys a policy takes: one requirement accepts keys or certificates.
#[test]
fn signers_that_no_policy_accepts_at_once_are_bridged() {
    let test = packs(OLD, "{authorities: [pki-98cd189d], identity: rel@acme.example}");
    let plan = plan(&test, "--plan podman@5.5 --images storage --map storage=quay.example");
    assert_eq!((plan["oneKey"].clone(), plan["isApart"].clone()), (false.into(), true.into()));
    let only_old = plan["images"]["onlyOld"].as_array().unwrap().len();
    assert!(only_old > 0 && plan["images"]["bridged"] == only_old, "{plan}");
    assert!(!steps(&plan, "first").contains("name the old and the new signers"), "{plan}");
}

/// A rule that names both is that of a consumer with several keys; one with a single key takes the new one.
#[test]
fn a_rule_that_names_both_keys_is_on_the_way() {
    let test = packs(OLD, "{key: signer-43ef7bc8}, NEW");
    let several = plan(&test, "--plan podman@5.3 --images storage --map storage=quay.example");
    assert!(several["images"]["onlyOld"].as_array().unwrap().is_empty(), "{several}");
    assert!(steps(&several, "first").contains("it accepts both keys"), "{several}");
    let one = plan(&test, "--plan podman@4.9 --images storage --map storage=quay.example");
    assert!(!one["images"]["onlyOld"].as_array().unwrap().is_empty(), "{one}");
    assert_eq!(one["images"]["bridged"], one["images"]["onlyOld"].as_array().unwrap().len());
    assert!(steps(&one, "first").contains("let it name the new key alone"), "{one}");
}

#[test]
fn the_bridge_is_written_by_the_rules_of_every_export() {
    let test = packs(OLD, "NEW");
    let line = "--plan podman@4.9 --images storage --map storage=quay.example -o bridge";
    // Only keys that this host authenticated are written.
    test.run(&format!("diff old new {line}")).fails(3, "keys-not-authenticated");
    test.run(&format!("diff old new {line} --state old-state")).fails(3, "keys-collected-here");
    let digest = test.push("old", "oci-archive:old.tar:k").pack_digest;
    test.run(&format!("pull oci-archive:old.tar:k --digest {digest} -o pulled")).exits(0);
    test.run(&format!("diff oci-archive:old.tar:k new {line}")).exits(2).tells("name the keys/ that");
    test.run("diff pulled new --plan podman@4.9 -o bridge").exits(2).tells("--images");
    assert!(!test.has("bridge"));

    let report = plan_from(&test, "pulled", line);
    assert_eq!(report["written"]["change"], "created", "{report}");
    let scopes = test.json("bridge/bridge.json")["transports"]["docker"].as_object().unwrap().len();
    assert_eq!(scopes, report["bridge"][0]["scopes"].as_array().unwrap().len());
    assert!(steps(&report, "first").contains("bridge/bridge.json > policy.json"), "{report}");
    test.run(&format!("diff pulled new {line}")).exits(0).says("bridge is up to date: 3 files");
    test.write("bridge/mine.txt", "mine");
    test.run(&format!("diff pulled new {line}")).fails(1, "target-has-foreign-files").tells("mine.txt");
    let fingerprint = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
    test.run(&format!("revoke {fingerprint} --reason stolen --keys-dir pulled")).says("/bridge (bridge, 20");
}

#[test]
fn a_revoked_key_is_not_bridged() {
    let test = packs(OLD, "NEW");
    let fingerprint = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
    test.run(&format!("revoke {fingerprint} --reason stolen --keys-dir old"));
    let plan = plan(&test, "--plan podman@4.9 --images storage --map storage=quay.example");
    assert_eq!(plan["scopes"][0]["oldIsRevoked"], true, "{plan}");
    assert!(plan["bridge"].as_array().unwrap().is_empty(), "{plan}");
    assert!(steps(&plan, "back").contains("do not go back"), "{plan}");
}

#[test]
fn nothing_to_do_is_said() {
    let test = packs(OLD, OLD);
    let plan = plan(&test, "--plan openshift@4.22");
    assert_eq!(plan["scopes"], Value::Array(Vec::new()));
    test.run("diff old new --plan openshift@4.22").exits(0).says("no rule changes who must sign");
}

#[test]
fn what_can_not_be_planned_is_refused() {
    let test = packs(OLD, "NEW");
    for (options, says) in [
        ("--plan cosign@3.1", "keypack evaluates no policy of cosign@3.1"),
        ("--plan kyverno@1.19", "keypack evaluates no policy of kyverno@1.19"),
        ("--plan openshift", "write CONSUMER@VERSION"),
        ("--images storage", "--plan"),
        ("--plan podman@4.9 --map a.test=b.test", "--images"),
    ] {
        test.run(&format!("diff old new {options}")).exits(2).tells(says);
    }
    test.run(&format!("collect storage {TRUST} -o bare --state bare-state")).exits(0);
    test.run("diff old bare --plan podman@5.3").fails(4, "no-rules").tells("the new pack");
}
