//! sigstore's trusted root, and what holds one: no rules, no check, the same keys in every form.

use serde_json::Value;

use super::{golden, json};
use crate::support::program::{TRUST, Test};

const PLAIN: &str = "export trusted-root -o root";

/// keys/ with all kinds of keys.
fn all_kinds() -> Test {
    let test = Test::at_epoch("1793664000");
    let line = "collect lab/layouts/key-bundle-rekor1-oras lab/layouts/keyless-bundle-rekor2-oras";
    from(test, &format!("{line} {TRUST}"))
}

fn from(test: Test, collect: &str) -> Test {
    let pack = test.run(&format!("{collect} -o made --state there")).exits(0).after("Pack: ");
    test.push("made", "oci-archive:keys.tar:k");
    test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o keys")).exits(0);
    test
}

fn text(test: &Test, path: &str) -> String {
    String::from_utf8(test.read(path)).unwrap()
}

fn yaml(test: &Test, path: &str) -> Value {
    serde_saphyr::from_str(&text(test, path)).unwrap()
}

#[test]
fn it_is_that_of_the_keys_and_needs_no_rules() {
    let test = all_kinds();
    let report = json(&test, PLAIN, 0);
    assert_eq!(report["format"], "trusted-root");
    assert_eq!(report["for"], Value::Array(Vec::new()));
    assert!(report["notCheckable"].as_str().unwrap().contains("decides nothing about images"));
    assert_eq!(test.read("root/trusted_root.json"), test.read("keys/trusted_root.json"));
    assert!(text(&test, "root/README.txt").starts_with("Written by keypack export. NOT CHECKED against"));
    assert_eq!(json(&test, PLAIN, 0)["change"], "unchanged");
    test.run("export trusted-root --as flux -o root").fails(1, "target-has-foreign-files");
}

#[test]
fn the_forms_are_as_people_expect_them() {
    let test = all_kinds();
    for form in ["plain", "kyverno", "policy-controller", "flux", "rhacs"] {
        test.run(&format!("export trusted-root --as {form} -o {form}")).exits(0);
        golden(&test, form, &format!("trusted-root-{form}"));
    }
}

/// Every form holds what the plain one holds, or says what it leaves out.
#[test]
fn every_form_holds_the_same_keys() {
    let test = all_kinds();
    let plain = test.json("keys/trusted_root.json");
    test.run("export trusted-root --as kyverno -o kyverno").exits(0);
    let held = yaml(&test, "kyverno/trustedRoot.yaml");
    let held: Value = serde_json::from_str(held["trustedRoot"]["value"].as_str().unwrap()).unwrap();
    assert_eq!(held, plain);

    test.run("export trusted-root --as flux --object-name own --namespace apps -o flux").exits(0);
    let secret = yaml(&test, "flux/own.yaml");
    assert_eq!(secret["metadata"], serde_json::json!({"name": "own", "namespace": "apps"}));
    let data = decoded(&secret["data"]["trusted_root.json"]);
    assert_eq!(data, text(&test, "keys/trusted_root.json"));

    let report = json(&test, "export trusted-root --as policy-controller -o controller", 0);
    let notes = report["notes"].to_string();
    assert!(notes.contains("rekor2-") && notes.contains("left out"), "{notes}");
    let keys = yaml(&test, "controller/keypack.yaml")["spec"]["sigstoreKeys"].clone();
    for (list, of, pem) in [
        ("tLogs", "tlogs", "rekor-"),
        ("ctLogs", "ctlogs", "ctlog-"),
        ("certificateAuthorities", "certificateAuthorities", "fulcio-"),
        ("timestampAuthorities", "timestampAuthorities", "tsa-"),
    ] {
        let theirs = keys[list].as_array().unwrap();
        // Of two logs one is a Rekor v2.
        assert_eq!(
            theirs.len(),
            plain[of].as_array().unwrap().len() - usize::from(list == "tLogs"),
            "{list}"
        );
        let file = test.names("keys").into_iter().find(|name| name.starts_with(pem)).unwrap();
        let entry = theirs[0].get("publicKey").unwrap_or(&theirs[0]["certChain"]);
        assert_eq!(decoded(entry), text(&test, &format!("keys/{file}")), "{list}");
    }
    for list in ["certificateAuthorities", "timestampAuthorities"] {
        for name in ["organization", "commonName"] {
            assert!(!keys[list][0]["subject"][name].as_str().unwrap().is_empty(), "its webhook wants both");
        }
    }
}

fn decoded(value: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

#[test]
fn a_revoked_log_is_in_no_form() {
    let test = all_kinds();
    let listed = test.json("keys/keypack.json");
    let log = listed["keys"].as_array().unwrap().iter().find(|key| key["role"] == "rekor").unwrap();
    test.run(&format!("revoke {} --reason stolen", log["fingerprint"].as_str().unwrap()));
    let report = json(&test, PLAIN, 0);
    assert_eq!(report["leftOut"][0]["role"], "rekor");
    let logs = test.json("root/trusted_root.json")["tlogs"].clone();
    assert_eq!(logs.as_array().unwrap().len(), 1, "{logs}");
    test.run("export trusted-root --as rhacs -o rhacs").exits(0);
    assert!(!test.tree("rhacs").keys().any(|path| path.contains("rekor-")));
}

#[test]
fn what_the_consumer_can_not_use_is_refused() {
    // Signers by key alone.
    let alone = from(Test::new(), &format!("collect lab/layouts/key-bundle-notlog-oras {TRUST}"));
    alone.run(PLAIN).fails(4, "trusted-root-unusable").tells("the pack has none");
    // A log whose address nobody told.
    let bare = from(
        Test::new(),
        "collect lab/layouts/key-bundle-rekor1-oras --key lab/trust/cosign.pub --key rekor=lab/trust/rekor.pub",
    );
    bare.run("export trusted-root --as flux -o x")
        .fails(4, "trusted-root-unusable")
        .tells("address of a log")
        .tells("--rekor URL");
    bare.run("export trusted-root --as policy-controller -o x")
        .fails(4, "trusted-root-unusable")
        .tells("must have a CA or a timestamp authority");
    bare.run(PLAIN).exits(0);
    assert!(!bare.has("x") && !alone.has("root"));
}

#[test]
fn the_command_line_says_one_thing() {
    let test = all_kinds();
    for (options, says) in [
        ("--check docker://127.0.0.1:1", "can't be checked against a mirror"),
        ("--allow-rejects", "can't be checked against a mirror"),
        ("--map a.test=b.test", "can't be checked against a mirror"),
        ("--for kyverno@1.19", "leave --for out"),
        ("--keys-at /etc/pki", "are about policies"),
        ("--object-name own", "no object with a name"),
        ("--as kyverno --namespace own", "no object of a namespace"),
        ("--as flux --object-name A_b", "is not a name"),
    ] {
        test.run(&format!("{PLAIN} {options}")).exits(2).tells(says);
    }
    test.run("export policy-json --for podman@5.3 --as flux").exits(2).tells("--as is about");
    test.run("export policy-json").exits(2).tells("--for podman@5.3");
    assert!(!test.has("root"));
}
