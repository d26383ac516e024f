//! Rules: discovered signers are a draft, rules that the user gives are policy, and policy never becomes weaker.

use keypack::oci::Digest;
use serde_json::{Value, json};

use super::program::{Ran, TRUST, Test};

const SIGNED: &str = "oci:lab/layouts/key-bundle-rekor1-oras";
const SIGNER: &str = "43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
const NAMED: &str =
    "rules:\n  - scope: registry.example/app\n    signers: [{key: signer-43ef7bc8}]\n    log: required\n";

fn collect(test: &Test, rules: &str) -> Ran {
    test.write("rules.yaml", rules);
    test.run(&format!("collect {SIGNED} {TRUST} --accept-rules rules.yaml"))
}

fn rules(test: &Test) -> Value {
    test.json("keys/keypack.json")["rules"].clone()
}

#[test]
fn a_draft_is_refused_until_a_person_went_through_it() {
    let test = Test::new();
    super::lab::storage(&test);
    test.run(&format!("discover storage {TRUST} --draft-rules=draft.yaml"))
        .exits(0)
        .tells("wrote a draft")
        .says("45 images: ");
    let draft = String::from_utf8(test.read("draft.yaml")).unwrap();
    assert!(draft.starts_with("# DRAFT"), "{draft}");
    assert!(draft.contains("127.0.0.1:5012/keyless-tag-rekor1/img1"), "{draft}");
    assert!(
        draft.contains("identity: \"https://ci.test/build.yml@main\"")
            && draft.contains("identityKind: uri")
            && draft.contains("oidcIssuer: \"https://issuer.test\"")
    );
    assert!(draft.contains("signer-43ef7bc8, 5 images"), "how many images: {draft}");
    // The five images of each form are signed alike.
    assert!(
        draft.contains("  # seen: 5 images in 5 repositories of this namespace, all signed alike\n"),
        "{draft}"
    );
    let line = format!("collect storage {TRUST} --accept-rules");
    test.run(&format!("{line} draft.yaml")).fails(3, "rules-are-draft").tells("draft.yaml:4:8");
    test.run(&format!("{line} draft.yaml --optional")).fails(3, "rules-are-draft");
    assert!(!test.has("keys"));
    // What the source does not contain is not guessed: bundles name no repository, and a data folder no host.
    let decided = draft.replace("draft: true\n", "");
    test.write("decided.yaml", &decided);
    test.run(&format!("{line} decided.yaml")).fails(2, "config-malformed").tells("\"\" is not a scope");
    let parts: Vec<_> = decided.split("scope: \"\"").collect();
    let named: String = parts
        .iter()
        .enumerate()
        .map(|(n, part)| {
            format!(
                "{part}{}",
                if n + 1 < parts.len() { format!("scope: \"registry.example/r{n}\"") } else { String::new() }
            )
        })
        .collect();
    test.write("decided.yaml", named);
    test.run(&format!("{line} decided.yaml")).exits(0);
    assert_eq!(rules(&test).as_array().unwrap().len(), 9);
    // The same text as another kind of name is another signer.
    let keyless = rules(&test)
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|rule| rule["signers"][0]["identityKind"].as_str())
        .count();
    assert!(keyless > 0, "{}", rules(&test));
    // A file that someone may have edited is not overwritten.
    test.run(&format!("discover storage {TRUST} --draft-rules=decided.yaml")).fails(1, "draft-exists");
    // Without a file, stdout contains only the draft.
    let ran = test.run(&format!("discover storage {TRUST} --draft-rules -")).exits(0);
    assert_eq!(ran.out, draft);
    test.run(&format!("discover storage {TRUST} --draft-rules - --format json")).fails(2, "usage");
}

#[test]
fn discovering_and_collecting_make_no_rules() {
    let test = Test::new();
    test.run(&format!("discover {SIGNED} {TRUST} --draft-rules=draft.yaml")).exits(0);
    test.run(&format!("collect {SIGNED} {TRUST}")).exits(0);
    assert_eq!(rules(&test), Value::Null);
}

/// A layout with the same image and a signature that names the right keys but verifies with none.
fn forged(test: &Test) {
    test.layout("keyless-bundle-rekor1-oras", "forged");
    let mut index = test.json("forged/index.json");
    let put = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        test.write(&format!("forged/blobs/sha256/{}", digest.hex()), bytes);
        (digest.to_string(), bytes.len())
    };
    for entry in index["manifests"].as_array_mut().unwrap() {
        let path = |d: &Value| format!("forged/blobs/sha256/{}", &d["digest"].as_str().unwrap()[7..]);
        let mut manifest = test.json(&path(entry));
        if manifest["subject"].is_null() {
            continue;
        }
        let mut bundle = test.json(&path(&manifest["layers"][0]));
        // A manifest that nothing lists is found anyway.
        std::fs::remove_file(test.path(&path(entry))).unwrap();
        let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap().to_owned();
        let other = signature.replacen(
            &signature[20..24],
            if &signature[20..24] == "AAAA" { "BBBB" } else { "AAAA" },
            1,
        );
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = other.into();
        let (digest, size) = put(bundle.to_string().as_bytes());
        (manifest["layers"][0]["digest"], manifest["layers"][0]["size"]) = (digest.into(), size.into());
        let (digest, size) = put(manifest.to_string().as_bytes());
        (entry["digest"], entry["size"]) = (digest.into(), size.into());
    }
    test.write("forged/index.json", index.to_string());
}

#[test]
fn a_signature_that_does_not_verify_is_not_seen() {
    // The keys that it names are proved by the other image; that proves nothing about this one.
    let test = Test::new();
    forged(&test);
    let good = test
        .run(&format!("discover lab/layouts/keyless-bundle-rekor1-oras {TRUST} --draft-rules -"))
        .exits(0);
    assert!(good.out.contains("identity: "), "{}", good.out);
    let ran = test.run(&format!("discover forged {TRUST} --draft-rules -"));
    assert!(!ran.out.contains("identity: ") && ran.out.contains("no rule"), "{}", ran.out);
    let ran =
        test.run(&format!("discover lab/layouts/keyless-bundle-rekor1-oras forged {TRUST} --draft-rules -"));
    assert_eq!(ran.out.matches("identity: ").count(), 1, "{}", ran.out);
}

#[test]
fn names_in_content_write_no_rules() {
    let test = Test::new();
    for (number, name) in [
        "registry.example/app:v1",
        "evil\"\n  - scope: \"*.com\"\n    signers: []",
        "*.com/x:v1",
        "registry.example/*",
        "x/\ndraft: false\n# ",
        "\u{85}draft: false\u{2028}rules: []",
        "\u{1b}[2J/\u{202e}x",
        "a: [*x, &y, !z]",
    ]
    .into_iter()
    .enumerate()
    {
        let place = format!("m{number}");
        test.layout("key-bundle-rekor1-oras", &place);
        let mut index = test.json(&format!("{place}/index.json"));
        for entry in index["manifests"].as_array_mut().unwrap() {
            if entry["annotations"]["org.opencontainers.image.ref.name"].is_string() {
                entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
            }
        }
        test.write(&format!("{place}/index.json"), index.to_string());
        let draft = test.run(&format!("discover {place} {TRUST} --draft-rules -")).exits(0).out;
        assert!(draft.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "{name:?}: {draft:?}");
        let read: Value = serde_saphyr::from_str(&draft).unwrap_or_else(|e| panic!("{name:?}: {e}\n{draft}"));
        let scope = if number == 0 { "registry.example/app" } else { "" };
        assert_eq!(read["draft"], true, "{draft}");
        assert_eq!(read["rules"].as_array().unwrap().len(), 1, "{draft}");
        assert_eq!(read["rules"][0]["scope"], scope, "{draft}");
        assert_eq!(read["rules"][0]["signers"][0]["key"], format!("signer:{SIGNER}"), "{draft}");
        assert_eq!(read.as_object().unwrap().len(), 2, "{draft}");
    }
}

#[test]
fn a_signed_name_is_shown_and_makes_no_scope() {
    // An image that was signed as 127.0.0.1:5012/… is in a mirror: the rule is for the mirror.
    let test = Test::new();
    for (place, scope) in [("registry.example/mirror/app:v1", "registry.example/mirror/app"), ("v1", "")] {
        test.layout("key-tag-rekor1-cosignsave", "m");
        let mut index = test.json("m/index.json");
        index["manifests"][0]["annotations"] = json!({ "org.opencontainers.image.ref.name": place });
        test.write("m/index.json", index.to_string());
        let draft = test.run(&format!("discover m {TRUST} --draft-rules -")).exits(0).out;
        let read: Value = serde_saphyr::from_str(&draft).unwrap();
        assert_eq!(read["rules"][0]["scope"], scope, "{draft}");
        assert_eq!(read["rules"].as_array().unwrap().len(), 1, "{draft}");
        assert!(draft.contains("  # signed as \"127.0.0.1:5012/key-tag-rekor1/img1\"\n"), "{draft}");
    }
}

#[test]
fn rules_are_in_the_pack_digest_and_in_order() {
    let test = Test::at_epoch("1767225600");
    let without = test.run(&format!("collect {SIGNED} {TRUST} -o without")).exits(0).after("Pack: ");
    let two = "rules:\n  - {scope: b.example, signers: [{key: signer-43ef7bc8}], log: none}\n  \
               - {scope: a.example, signers: [{key: \"sha256:SIGNER\"}, {key: \"signer:SIGNER\"}], log: [127.0.0.1]}\n"
        .replace("SIGNER", SIGNER);
    let with = collect(&test, &two).exits(0).after("Pack: ");
    assert_ne!(with, without);
    let read = rules(&test);
    assert_eq!((&read[0]["scope"], &read[1]["scope"]), (&"a.example".into(), &"b.example".into()));
    assert_eq!(
        read[0]["signers"],
        json!([{ "key": format!("signer:{SIGNER}") }]),
        "one key, however it is named"
    );
    assert_eq!(read[0]["log"][0].as_str().unwrap().split_at(6).0, "rekor:");
    // The same rules in another notation and order are the same pack; no new one is made.
    let again = collect(&test, &two).exits(0).says("unchanged");
    assert_eq!(again.after("Pack: "), with);
    // They stay without being given again, and are removed when the configuration says that there are none.
    test.run(&format!("collect {SIGNED} {TRUST}")).exits(0).says("unchanged");
    test.write("keypack.yaml", "rules: []\n");
    test.run(&format!("collect {SIGNED} {TRUST} --config keypack.yaml")).exits(0).says("changed");
    assert_eq!(rules(&test), Value::Null);
}

#[test]
fn a_rule_about_a_key_that_is_not_there_stops_everything() {
    let test = Test::new();
    for (rule, what) in [
        (NAMED.replace("43ef7bc8", "43ef7bc9"), "signer-43ef7bc9, which is not in the pack"),
        (NAMED.replace("signer-43ef7bc8", "rekor-e69e8241"), "which is a Rekor v1 log, and a signer key"),
        (NAMED.replace("required", "[rekor.example]"), "rekor.example, which is not in the pack"),
        (
            NAMED.replace("required", &format!("[\"signer:{SIGNER}\"]")),
            "which is a signer key, and a Rekor v1 log",
        ),
        (
            NAMED.replace("{key: signer-43ef7bc8}", "{authorities: [127.0.0.1], identity: a, oidcIssuer: b}"),
            "127.0.0.1, which is a Rekor v1 log, and a Fulcio CA",
        ),
    ] {
        collect(&test, &rule).fails(4, "rule-unmet").tells(what).says("2 at hand and proved");
        assert!(!test.has("keys"));
    }
    // Images go on.
    test.run(&format!("collect {SIGNED} {TRUST} --accept-rules rules.yaml --optional"))
        .exits(0)
        .tells("[rule-unmet]");
    let ran = test.run(&format!("collect {SIGNED} {TRUST} --accept-rules rules.yaml --format json")).exits(4);
    assert_eq!(ran.json()["error"]["code"], "rule-unmet");
    // An existing pack stays as it is.
    collect(&test, NAMED).exits(0);
    let before = test.tree("keys");
    collect(&test, &NAMED.replace("43ef7bc8", "43ef7bc9")).fails(4, "rule-unmet");
    assert_eq!(test.tree("keys"), before);
    // A key that a rule needs is not silently pruned.
    let other =
        "collect oci:lab/layouts/keyless-bundle-rekor2-oras --trusted-root lab/trust/trusted_root.json";
    test.run(&format!("{other} --prune")).fails(4, "rule-unmet");
    assert_eq!(test.tree("keys"), before);
    test.run(other).exits(0);
    assert_eq!(rules(&test).as_array().unwrap().len(), 1, "a kept key does");
}

#[test]
fn a_revoked_signer_leaves_its_rule_and_the_rule_stays() {
    let test = Test::new();
    collect(&test, NAMED).exits(0);
    let revoke = format!("collect {SIGNED} {TRUST} --revoke sha256:{SIGNER} --reason lost");
    test.run(&revoke)
        .exits(4)
        .tells("warning: the rule for registry.example/app names signer:43ef7bc8")
        .tells("is revoked");
    assert_eq!(rules(&test)[0]["signers"], json!([]));
    test.run("inspect keys").exits(0).says("no one (all signers were revoked)");
    // The file may still name it, by fingerprint or by a name that is gone with it.
    let named = NAMED.replace("signer-43ef7bc8", &format!("\"signer:{SIGNER}\""));
    collect(&test, &named).exits(4).tells("is revoked");
    assert_eq!(rules(&test)[0]["signers"], json!([]));
}

#[test]
fn revocations_and_rules_do_not_wait_for_a_signed_image() {
    let test = Test::new();
    test.run(&format!("collect {SIGNED} {TRUST}")).exits(0);
    let unsigned = "collect lab/layouts/key-tag-notlog-oras";
    test.write("rules.yaml", NAMED);
    test.run(&format!("{unsigned} --accept-rules rules.yaml")).exits(0).says("written (changed)");
    assert_eq!(rules(&test).as_array().unwrap().len(), 1);
    test.run(&format!("{unsigned} --revoke sha256:{SIGNER} --reason lost"))
        .exits(0)
        .says("written (changed)");
    let inventory = test.json("keys/keypack.json");
    assert_eq!(inventory["revoked"][0]["fingerprint"], format!("sha256:{SIGNER}"));
    assert_eq!(inventory["keys"].as_array().unwrap().len(), 1);
    test.run(unsigned).exits(0).tells("nothing was written");
    assert_eq!(test.json("keys/keypack.json"), inventory);
    // If there is no pack yet, there is nothing to record it in.
    test.run(&format!("{unsigned} --accept-rules rules.yaml -o new")).exits(0).tells("nothing was written");
}

#[test]
fn rules_are_shown_and_compared() {
    let test = Test::new();
    test.run(&format!("collect {SIGNED} {TRUST} -o none")).exits(0);
    collect(&test, NAMED).exits(0);
    test.run("inspect keys")
        .exits(0)
        .says("rule for registry.example/app\n  signed by   signer-43ef7bc8\n  log         required\n");
    test.run("diff none keys")
        .exits(0)
        .says("+ rule for registry.example/app added: signed by signer:43ef7bc8");
    test.run("diff keys none").exits(0).says("- rule for registry.example/app removed: ");
    let diff = test.run("diff none keys --format json").exits(0).json();
    assert_eq!(diff["rules"][0]["new"]["log"], "required");
    std::fs::rename(test.path("keys"), test.path("before")).unwrap();
    collect(&test, &NAMED.replace("required", "none")).exits(0);
    test.run("diff before keys")
        .exits(0)
        .says("~ rule for registry.example/app changed: ")
        .says("it was: signed by");
}

#[test]
fn pins_alone_carry_no_rules() {
    let test = Test::new();
    collect(&test, NAMED).exits(0);
    let pack = test.push("keys", "oci:out:keys").pack_digest.to_string();
    test.run(&format!("pull oci:out:keys -o whole --digest {pack} --state one"))
        .exits(0)
        .tells("+ rule for registry.example/app added: ");
    assert_eq!(test.json("whole/keypack.json")["rules"][0]["scope"], "registry.example/app");
    let shown = test.run("inspect keys").out;
    let pins: String = shown
        .lines()
        .filter_map(|l| l.trim().strip_prefix("pin "))
        .map(|pin| format!(" --pin {}", pin.trim()))
        .collect();
    test.run(&format!("pull oci:out:keys -o pinned{pins} --state two")).exits(0);
    assert!(test.json("pinned/keypack.json").get("rules").is_none(), "nobody vouches for them");
}

#[test]
fn rules_of_the_command_line_stand_in_place_of_those_of_the_setting() {
    let test = Test::new();
    test.write("keypack.yaml", NAMED.replace("registry.example/app", "setting.example"));
    test.run(&format!("collect {SIGNED} {TRUST} --config keypack.yaml")).exits(0);
    assert_eq!(rules(&test)[0]["scope"], "setting.example");
    test.write("rules.yaml", format!("draft: false\n{NAMED}"));
    test.run(&format!("collect {SIGNED} {TRUST} --config keypack.yaml --accept-rules rules.yaml")).exits(0);
    assert_eq!(rules(&test).as_array().unwrap().len(), 1);
    assert_eq!(rules(&test)[0]["scope"], "registry.example/app");
    test.run(&format!("collect {SIGNED} {TRUST} --accept-rules nope.yaml --optional"))
        .fails(2, "config-not-readable");
}
