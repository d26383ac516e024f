//! `export cosign`: a line for each signer of each rule. That they do what the rules say is held in `tests/outside/cosign_lines.rs`.

use super::{RULES, SIGNER, golden, json, pulled};

const ONE: &str = "export cosign -o lines --for";

/// An identity with what a shell would take apart, and one that nothing dates.
const KEYLESS: &str = "\
rules:
  - scope: 127.0.0.1:5012/keyless-tag-rekor1
    signers: [{authorities: [fulcio-98cd189d], identityRegexp: \"https://ci[.]test/(it's|build).*\", identityKind: uri, oidcIssuer: https://issuer.test}]
    log: required
  - scope: 127.0.0.1:5012/keyless-bundle-rekor2
    signers: [{authorities: [fulcio-98cd189d], identity: https://ci.test/build.yml@main, oidcIssuer: https://issuer.test}]
    log: none
";

#[test]
fn the_lines_are_as_people_expect_them() {
    let rules = format!("{RULES}{}", KEYLESS.strip_prefix("rules:\n").unwrap());
    let test = pulled(Some(&rules));
    let report = json(&test, &format!("{ONE} cosign@2.6,cosign@3.1"), 0);
    assert_eq!(report["for"][1]["consumer"], "cosign@3.1");
    assert!(report["notCheckable"].as_str().unwrap().contains("no policy of cosign"));
    let notes = report["notes"].to_string();
    assert!(notes.contains("not of the kind uri alone") && notes.contains("not the name"), "{notes}");
    golden(&test, "lines", "cosign");
    let text = |name: &str| String::from_utf8(test.read(&format!("lines/{name}"))).unwrap();
    let (old, new) = (text("cosign-2.6.txt"), text("cosign-3.1.txt"));
    assert!(new.starts_with("# Written by keypack export. NOT CHECKED against any mirror: "), "{new}");
    let lines = |text: &str| text.lines().filter(|line| line.starts_with("cosign ")).count();
    assert_eq!(
        (lines(&new), lines(&old)),
        (5, 12),
        "both forms, and a line that asks for the timestamp of Rekor v2"
    );
    // The trusted root of a rule has the log of the rule, and no other.
    let root = test.json("lines/roots/127-0-0-1-5012-key-tag-rekor1.json");
    assert_eq!(root["tlogs"].as_array().unwrap().len(), 1);
    assert_eq!(test.json("lines/roots/none.json")["tlogs"], serde_json::json!([]));
}

#[test]
fn a_key_that_was_revoked_here_has_no_line() {
    let test = pulled(Some(RULES));
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    test.run(&format!("{ONE} cosign@3.1")).exits(0);
    let text = String::from_utf8(test.read("lines/cosign-3.1.txt")).unwrap();
    assert!(!text.contains("cosign verify") && text.matches("# reject every image").count() == 2, "{text}");
    assert!(!test.has("lines/keys"));
}

#[test]
fn what_cosign_can_not_be_asked_is_refused() {
    let test = pulled(Some(RULES));
    for (options, says) in [
        ("cosign@2.4", "cosign from 2.6 on takes a trusted root"),
        ("podman@5.3", "does not read what cosign writes"),
        ("cosign@3.1 --check storage", "can't be checked against a mirror"),
        ("cosign@3.1 --keys-at /etc/pki", "are about policies"),
        ("cosign@3.1 --object-name x", "no object with a name"),
        ("cosign@3.1 --as flux", "--as is about"),
    ] {
        test.run(&format!("{ONE} {options}")).exits(2).tells(says);
    }
    pulled(None).run(&format!("{ONE} cosign@3.1")).fails(4, "no-rules");
    assert!(!test.has("lines"));
}
