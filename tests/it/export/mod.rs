//! Exporting the policy of a consumer: only rules make policy, only authenticated keys are written, and only what keypack wrote is
//! replaced. What the policies do is held against the consumer's own program in `tests/outside/export.rs`.

mod admission;
mod cosign;
mod nodes;
mod openshift;
mod plan;
mod trusted_root;

use serde_json::Value;

use super::cli::lab::storage;
use super::support::program::{TRUST, Test};

/// What someone does to the folder.
type Change = fn(&Test);

const SIGNER: &str = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";

/// Rules for two repositories of the lab, by a key alone and with the log.
const RULES: &str = "\
rules:
  - scope: 127.0.0.1:5012/key-tag-notlog
    signers: [{key: signer-43ef7bc8}]
    log: none
    signedIdentity: {type: matchRepository}
  - scope: 127.0.0.1:5012/key-tag-rekor1
    signers: [{key: signer-43ef7bc8}]
    log: [rekor-e69e8241]
    signedIdentity: {type: matchRepository}
";

fn pulled(rules: Option<&str>) -> Test {
    let test = Test::at_epoch("1793664000");
    storage(&test);
    let mut line = format!("collect storage {TRUST} -o made --state there");
    if let Some(rules) = rules {
        test.write("rules.yaml", rules);
        line.push_str(" --accept-rules rules.yaml");
    }
    let pack = test.run(&line).exits(0).after("Pack: ");
    test.push("made", "oci-archive:keys.tar:k");
    test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o keys")).exits(0);
    test
}

fn json(test: &Test, line: &str, code: i32) -> Value {
    let ran = test.run(&format!("{line} --format json")).exits(code);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    if report["error"].is_null() {
        for (schema, value) in [("export-v1", &report), ("admission-v1", &report["check"])] {
            if !value.is_null() {
                let errors: Vec<_> =
                    super::schemas::schema(schema).iter_errors(value).map(|e| e.to_string()).collect();
                assert!(errors.is_empty(), "{schema}: {errors:?}\n{value}");
            }
        }
    }
    report
}

#[test]
fn without_rules_there_is_no_policy() {
    let test = pulled(None);
    test.run("export policy-json --for podman@5.3")
        .fails(4, "no-rules")
        .tells("only rules make policy")
        .tells("--draft-rules rules.yaml")
        .tells("--accept-rules rules.yaml");
    assert!(!test.has("policy"));
}

#[test]
fn only_keys_that_this_host_authenticated_are_exported() {
    let test = pulled(Some(RULES));
    test.run("export policy-json --for podman@5.3 --state other").fails(3, "keys-not-authenticated");
    test.run("export policy-json --for podman@5.3 --keys-dir made --state there")
        .fails(3, "keys-collected-here");
    assert!(!test.has("policy"));
}

#[test]
fn a_key_that_was_revoked_here_is_exported_nowhere() {
    let test = pulled(Some(RULES));
    test.run("export policy-json --for podman@5.3").exits(0);
    let before = String::from_utf8(test.read("policy/policy.json")).unwrap();
    assert_eq!(before.matches("sigstoreSigned").count(), 2);
    // This one names no key.
    test.run("export registries-d --for podman@5.3 -o lookups").exits(0);
    let ran = test.run(&format!("revoke {SIGNER} --reason stolen --since 2026-01-01")).exits(0);
    let ran = ran.says("exported here: ").says("/policy (policy-json, 20");
    assert_eq!(ran.out.matches("exported here").count(), 1, "{}", ran.out);
    let report = json(&test, "export policy-json --for podman@5.3", 0);
    assert_eq!(report["change"], "replaced");
    assert_eq!(report["leftOut"][0]["fingerprint"], SIGNER);
    let after = String::from_utf8(test.read("policy/policy.json")).unwrap();
    assert!(!after.contains("keyData") && !after.contains("sigstoreSigned"), "{after}");
    assert_eq!(after.matches("\"reject\"").count(), 3, "the default and both scopes: {after}");
    // The rules still name the key, and the policy does not.
    let again = test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    assert!(!again.out.contains("/policy (policy-json"), "{}", again.out);
}

#[test]
fn what_keypack_did_not_write_is_never_replaced() {
    let test = pulled(Some(RULES));
    let line = "export policy-json --for podman@5.3";
    assert_eq!(json(&test, line, 0)["change"], "created");
    assert_eq!(json(&test, line, 0)["change"], "unchanged");
    assert_eq!(json(&test, "export policy-json --for podman@4.9", 0)["change"], "replaced");
    test.run("export registries-d --for podman@4.9")
        .fails(1, "target-has-foreign-files")
        .tells("another format");
    // Someone changed a file, added one, made a folder, removed the list.
    let written = test.tree("policy");
    let changes: [(&str, Change); 5] = [
        ("policy.json", |test| test.write("policy/policy.json", "{}")),
        ("notes.txt", |test| test.write("policy/notes.txt", "mine")),
        ("registries.d/mine.yaml", |test| test.write("policy/registries.d/mine.yaml", "docker: {}")),
        ("mine", |test| std::fs::create_dir(test.path("policy/mine")).unwrap()),
        ("policy.json", |test| std::fs::remove_file(test.path("policy/keypack-export.json")).unwrap()),
    ];
    for (named, change) in changes {
        change(&test);
        let changed = test.tree("policy");
        test.run(line).fails(1, "target-has-foreign-files").tells(named);
        assert_eq!(test.tree("policy"), changed, "{named}");
        std::fs::remove_dir_all(test.path("policy")).unwrap();
        test.run("export policy-json --for podman@4.9").exits(0);
        assert_eq!(test.tree("policy"), written);
    }
}

#[test]
fn a_command_line_that_can_not_be_meant_is_refused() {
    let test = pulled(Some(RULES));
    for (line, says) in [
        ("export policy-json", "--for podman@5.3"),
        ("export policy-json --for podman", "write CONSUMER@VERSION"),
        ("export policy-json --for podman@4.1", "the oldest that keypack knows is podman@4.2"),
        ("export policy-json --for docker@28", "there is no consumer"),
        ("export policy-json --for openshift@4.22", "does not read what policy-json writes"),
        ("export policy-json --for podman@5.3 --pulled-by mirror", "--check docker://HOST"),
        ("export policy-json --for podman@5.3 --keys-at etc/pki", "is not a whole path"),
    ] {
        test.run(line).exits(2).tells(says);
    }
    assert!(!test.has("policy"));
}

#[test]
fn the_files_are_as_people_expect_them() {
    let test = pulled(Some(RULES));
    test.run("export policy-json --for podman@4.9,rhel@9 --keys-at /etc/pki/keypack --map mirror.example:5000=127.0.0.1:5012")
        .exits(0)
        .says("Not checked against any mirror");
    golden(&test, "policy", "policy-json");
    test.run("export registries-d --for crio@1.35 --map mirror.example:5000=127.0.0.1:5012 -o other")
        .exits(0);
    assert_eq!(test.read("other/registries.d/keypack.yaml"), test.read("policy/registries.d/keypack.yaml"));
    assert!(!test.has("other/policy.json"));
}

/// The rule names the CA that issues; with those above it, a consumer would accept what any CA below the same root issues.
#[test]
fn a_ca_in_a_policy_is_the_one_that_the_rule_names() {
    use crate::trust::test_keys;
    let root = test_keys::root("acme root");
    let issuing = root.issue("acme signing CA");
    let chain = test_keys::chain(&[&issuing.certificate, &root.certificate]);
    let test = Test::at_epoch("1793664000");
    storage(&test);
    test.write("ca.pem", chain.to_pem());
    test.write(
        "rules.yaml",
        format!(
            "rules:\n  - scope: quay.example/acme\n    signers: [{{authorities: [\"fulcio:{}\"], identity: rel@acme.example, \
             oidcIssuer: https://issuer.example}}]\n    log: [rekor-e69e8241]\n",
            chain.id().hex()
        ),
    );
    let line = format!("collect storage {TRUST} --key fulcio=ca.pem --include all --accept-rules rules.yaml");
    let pack = test.run(&format!("{line} -o made --state there")).exits(0).after("Pack: ");
    test.push("made", "oci-archive:keys.tar:k");
    test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o keys")).exits(0);

    let encoded = |text: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(text)
    };
    let issuing_pem = test_keys::chain(&[&issuing.certificate]).to_pem();
    let text = |folder: &str| -> String {
        let files = test.tree(folder).into_iter().filter(|(path, _)| path != "keypack-export.json");
        files.map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect()
    };
    for (format, target) in [
        ("policy-json", "podman@5.3"),
        ("cluster-image-policy", "openshift@4.22"),
        ("policy-controller", "policy-controller@0.15"),
    ] {
        let report = json(&test, &format!("export {format} --for {target} -o {format}"), 0);
        let is_whole = format == "policy-controller";
        let pem = if is_whole { chain.to_pem() } else { issuing_pem.clone() };
        // At the end of its line, or of its text in JSON.
        let written = text(format);
        let after = written.split_once(&encoded(&pem)).unwrap_or_else(|| panic!("{format}: {written}")).1;
        assert!(after.starts_with(['"', '\n']), "{format}: {written}");
        assert_eq!(report["notes"].to_string().contains("every other CA below it"), is_whole, "{report}");
    }
    test.run("export kyverno --for kyverno@1.19 -o kyverno").exits(0);
    assert_eq!(text("kyverno").matches("BEGIN CERTIFICATE").count(), 1);
    test.run("export cosign --for cosign@3.1 -o cosign").exits(0);
    let certificates = |file: &str| {
        let authorities = test.json(file)["certificateAuthorities"].clone();
        let chains = authorities.as_array().unwrap().iter();
        chains.map(|ca| ca["certChain"]["certificates"].as_array().unwrap().len()).max()
    };
    assert_eq!(certificates("cosign/roots/quay-example-acme.json"), Some(1));
    test.run("export trusted-root -o root").exits(0);
    assert_eq!(certificates("root/trusted_root.json"), Some(2), "it holds keys and decides nothing");
}

/// Compares with `testdata/export`; KEYPACK_WRITE_GOLDEN writes it.
fn golden(test: &Test, written: &str, name: &str) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/export").join(name);
    for (path, bytes) in test.tree(written) {
        // Digests of packs contain the version of keypack's inventory.
        if path.ends_with("keypack-export.json") {
            continue;
        }
        let file = folder.join(&path);
        if std::env::var_os("KEYPACK_WRITE_GOLDEN").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &bytes).unwrap();
        }
        let expected = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&expected), "{path}");
    }
}

#[test]
fn what_was_checked_says_so_on_top() {
    let test = pulled(Some(RULES));
    // A registry's data folder does not say by which names its images are pulled.
    let line = "export policy-json --for podman@5.3 --check storage";
    let report = json(&test, line, 4);
    assert_eq!(report["failure"]["code"], "policy-not-evaluated");
    assert!(report["change"].is_null() && !test.has("policy"));
    let report = json(&test, &format!("{line} --allow-rejects"), 0);
    assert_eq!(report["change"], "created");
    let yaml = String::from_utf8(test.read("policy/registries.d/keypack.yaml")).unwrap();
    assert!(yaml.starts_with("# Written by keypack export with --allow-rejects: "), "{yaml}");
    let list = test.json("policy/keypack-export.json");
    assert_eq!(list["checked"]["refused"], report["check"]["counts"]["notJudged"]);
}

#[test]
fn a_folder_is_named_by_what_it_was_copied_from_and_is_no_place_to_pull_from() {
    let test = pulled(Some(RULES));
    let line =
        "export policy-json --for podman@5.3 --check storage --default accept --map storage=127.0.0.1:5012";
    let report = json(&test, line, 0);
    assert_eq!(report["check"]["counts"]["notJudged"], 0, "{report}");
    let yaml = String::from_utf8(test.read("policy/registries.d/keypack.yaml")).unwrap();
    assert!(yaml.contains("\"127.0.0.1:5012/key-tag-rekor1\":") && !yaml.contains("storage/"), "{yaml}");
}
