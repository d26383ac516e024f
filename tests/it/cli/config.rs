//! `--config`: the configuration file and its precedence below the flags.

use std::path::Path;

use super::program::{Ran, Test};

const SIGNER: &str = "signer:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
const REKOR: &str = "rekor:e69e8241a86926434b03c31cf128899cbf3c1f73466f07acae0363289213df19";
const SIGNED: &str = "oci:lab/layouts/key-bundle-rekor1-oras";
const UNSIGNED: &str = "lab/layouts/key-tag-notlog-oras";
const SOURCES: &str =
    "sources: {trustedRoots: [../lab/trust/trusted_root.json], keys: [../lab/trust/cosign.pub]}\n";

/// A folder with this configuration in `etc/keypack.yaml`.
fn with(setting: &str) -> Test {
    let test = Test::new();
    test.write("etc/keypack.yaml", setting);
    test
}

fn run(test: &Test, line: &str) -> Ran {
    test.run(&format!("{line} --config etc/keypack.yaml"))
}

fn documented() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = text.split_once("<!-- a test runs this -->\n```yaml\n").unwrap().1;
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_documented_setting_works_on_both_sides() {
    let test = with(&documented());
    for name in ["trusted_root.json", "cosign.pub", "rekor.pub"] {
        test.write(&format!("etc/{name}"), test.read(&format!("lab/trust/{name}")));
    }
    test.write("etc/org.pub", test.read("lab/trust/cosign.pub"));
    run(&test, &format!("discover {SIGNED}")).exits(0).says("2 at hand and proved");
    run(&test, &format!("collect {SIGNED} --created 2026-11-02T00:00:00Z")).exits(0);
    let inventory = test.json("keys/keypack.json");
    assert_eq!(inventory["name"], "plant-7");
    assert_eq!(inventory["expires"], "2027-05-01T00:00:00Z");
    assert_eq!(inventory["revoked"][0]["date"], "2026-11-01T00:00:00Z");
    assert_eq!(inventory["rules"][0]["scope"], "registry.example.com/team");
    let pack = run(&test, "push keys oci:out:keys").exits(0).after("Pack: ");
    run(&test, "inspect oci:out:keys").exits(0);
    run(&test, "diff keys oci:out:keys").exits(0);
    // The organisation did not sign, so the digest alone is not enough: anchors of the file and of the command line
    // must all hold.
    run(&test, &format!("pull oci:out:keys -o in --digest {pack}")).fails(3, "pack-unsigned");
    test.run(&format!("pull oci:out:keys -o in --digest {pack}")).fails(3, "lineage-mismatch");
}

#[test]
fn the_documented_rules_can_be_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = text.split_once("## Rules\n").unwrap().1.split_once("```yaml\n").unwrap().1;
    let test = with(block.split_once("```").unwrap().0);
    run(&test, &format!("discover {UNSIGNED}")).exits(0);
}

#[test]
fn every_field_of_the_schema_is_documented() {
    let schema = Test::new().run("schema config").exits(0).json();
    let text = documented();
    for field in schema["properties"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("{field}:")), "{field} is not in the documented setting");
    }
    for field in schema["properties"]["sources"]["properties"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("{field}:")), "sources.{field} is not in the documented setting");
    }
}

#[test]
fn what_is_not_understood_is_an_error_with_its_place() {
    let test = with("when: auto\nonfailure: warn\n");
    let ran = run(&test, &format!("collect {SIGNED}")).fails(2, "config-malformed");
    ran.tells("error: etc/keypack.yaml:2:1: there is no field \"onfailure\" here")
        .tells("did you mean \"onFailure\"?");
    // Nothing forgives a configuration that can't be read.
    run(&test, &format!("discover {SIGNED} --optional")).fails(2, "config-malformed");
    test.run(&format!("discover {SIGNED} --config nope.yaml --optional")).fails(2, "config-not-readable");
    test.run(&format!("discover {SIGNED} --config etc")).fails(2, "config-not-readable");
    test.write("long.yaml", format!("# {}\nwhen: auto\n", "x".repeat(1 << 20)));
    test.run(&format!("discover {SIGNED} --config long.yaml"))
        .fails(2, "config-malformed")
        .tells("1048576 bytes");
    test.write("latin.yaml", b"name: caf\xe9\n");
    test.run(&format!("discover {SIGNED} --config latin.yaml")).fails(2, "config-malformed").tells("UTF-8");
    test.write("anchors.yaml", "name: &a prod\nimages: *a\n");
    test.run(&format!("discover {SIGNED} --config anchors.yaml"))
        .fails(2, "config-malformed")
        .tells("anchors.yaml:1:10: it uses anchors");
    test.write("hostile.yaml", "na\u{1b}[2Jme: x\n");
    let ran = test.run(&format!("discover {SIGNED} --config hostile.yaml")).fails(2, "config-malformed");
    assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
}

#[test]
fn the_command_line_wins() {
    let test = with(&format!("{SOURCES}name: file\ninclude: all\nexpires: 2027-01-01\nwhen: never\n"));
    run(&test, &format!("collect {SIGNED} -o never")).exits(0);
    assert!(!test.has("never"));
    let created = "--created 2026-01-01T00:00:00Z";
    run(&test, &format!("collect {SIGNED} -o file --when auto {created}")).exits(0);
    let inventory = test.json("file/keypack.json");
    assert_eq!((&inventory["name"], &inventory["expires"]), (&"file".into(), &"2027-01-01T00:00:00Z".into()));
    assert_eq!(inventory["keys"].as_array().unwrap().len(), 13);
    let flags = "--when auto --name flag --include needed --expires 90days";
    run(&test, &format!("collect {SIGNED} -o flag {flags} {created}")).exits(0);
    let inventory = test.json("flag/keypack.json");
    assert_eq!((&inventory["name"], &inventory["expires"]), (&"flag".into(), &"2026-04-01T00:00:00Z".into()));
    assert_eq!(inventory["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn sources_of_the_file_and_of_the_command_line_add_up() {
    // Relative to the folder of the file, not to the working directory.
    let test = with("sources: {keys: [../lab/trust/cosign.pub], rekor: [../lab/trust/rekor.pub]}\n");
    run(&test, &format!("discover {SIGNED}")).exits(0).says("2 at hand and proved");
    let test = with("sources: {keys: [../lab/trust/cosign.pub]}\n");
    run(&test, &format!("discover {SIGNED}")).exits(4).says("1 at hand and proved, 1 open");
    run(&test, &format!("discover {SIGNED} --rekor lab/trust/rekor.pub")).exits(0);
    let test = with("sources: {keys: [lab/trust/cosign.pub]}\n");
    run(&test, &format!("discover {SIGNED}"))
        .fails(1, "key-file-not-found")
        .tells("etc/lab/trust/cosign.pub");
}

#[test]
fn on_failure_is_optional() {
    let test = with("onFailure: warn\n");
    run(&test, &format!("discover {SIGNED}")).exits(0).tells("warning: ").says("Keys still needed");
    run(&test, &format!("collect {SIGNED}")).exits(0).tells("warning: ");
    run(&test, "discover oci:nope").exits(0).tells("[not-found]");
    run(&test, &format!("discover {SIGNED} --on-failure fail")).fails(4, "incomplete");
    run(&test, "discover busybox").fails(2, "usage");
    let test = with("onFailure: fail\n");
    run(&test, &format!("discover {SIGNED} --optional")).exits(0);
    test.run(&format!("discover {SIGNED} --on-failure warn")).exits(0);
    test.run(&format!("discover {SIGNED} --on-failure warn --optional")).exits(2);
    // Push and its destination.
    let test = with(&format!("{SOURCES}onFailure: warn\n"));
    run(&test, &format!("collect {SIGNED}")).exits(0);
    run(&test, "push keys docker://127.0.0.1:1/x:y --retry-times 0").exits(0).tells("[unreachable]");
    run(&test, "push keys docker://127.0.0.1:1/x:y --retry-times 0 --on-failure fail")
        .fails(1, "unreachable");
    // A pull is never forgiven.
    run(&test, "pull oci:nope:x").fails(1, "not-found");
}

#[test]
fn when_auto_follows_the_signatures() {
    let test = with(&format!("{SOURCES}when: auto\nonFailure: warn\n"));
    run(&test, &format!("collect {UNSIGNED}")).exits(0).tells("--remove-signatures=false");
    assert!(!test.has("keys"));
    // Nothing readable is not "unsigned".
    test.write("empty/index.json", r#"{"schemaVersion":2,"manifests":[]}"#);
    test.write("empty/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    run(&test, "collect empty --on-failure fail").fails(1, "nothing-readable");
    run(&test, "collect empty").exits(0).tells("[nothing-readable]");
    run(&test, &format!("collect {UNSIGNED} --when always")).exits(0);
    assert_eq!(test.json("keys/keypack.json")["keys"].as_array().unwrap().len(), 13);
}

#[test]
fn the_network_can_be_forbidden_and_allowed_again() {
    let test = with("network: false\nsources: {rekor: [http://127.0.0.1:1/]}\n");
    run(&test, &format!("discover {SIGNED}")).fails(2, "usage").tells("forbids asking http://127.0.0.1:1/");
    run(&test, &format!("discover {SIGNED} --network --retry-times 0")).fails(1, "unreachable");
    let test = with("network: false\n");
    run(&test, "discover docker://127.0.0.1:1/x --retry-times 0").fails(2, "usage");
    run(&test, "discover docker://127.0.0.1:1/x --retry-times 0 --network").fails(1, "unreachable");
}

#[test]
fn images_are_listed_by_a_file_or_a_place() {
    for images in ["list.txt", "oci:../lab/layouts/key-bundle-rekor1-oras"] {
        let test = with(&format!("images: {images}\n"));
        test.write("etc/list.txt", "127.0.0.1:1/app:v1\n");
        let ran = run(&test, "discover docker://127.0.0.1:1/ns --retry-times 0");
        assert!(ran.code == 1 && !ran.err.contains("list.txt"), "{images}: {}", ran.err);
    }
    let test = with("images: list.txt\n");
    run(&test, "discover docker://127.0.0.1:1/ns").exits(2).tells("list.txt");
}

#[test]
fn anchors_of_the_command_line_stand_in_place_of_those_in_the_file() {
    let test = with(&format!("name: plant\npins: [\"{SIGNER}\"]\n"));
    test.run(&format!(
        "collect {SIGNED} --trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub --name plant"
    ))
    .exits(0);
    test.push("keys", "oci:out:keys");
    // One pin is too few, and two are the set; they are not added to the file's.
    run(&test, "pull oci:out:keys -o in").fails(3, "key-not-pinned");
    run(&test, &format!("pull oci:out:keys -o in --pin {REKOR}")).fails(3, "key-not-pinned");
    run(&test, &format!("pull oci:out:keys -o in --pin {REKOR} --pin {SIGNER}")).exits(0);
    let test = with("name: plant\nverifyKeys: [../lab/trust/cosign.pub]\n");
    test.run(&format!(
        "collect {SIGNED} --trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub --name plant"
    ))
    .exits(0);
    test.push("keys", "oci:out:keys");
    run(&test, "pull oci:out:keys -o in").fails(3, "pack-unsigned");
}

#[test]
fn a_key_that_the_setting_revokes_is_used_by_no_verb() {
    let test = with(&format!(
        "{SOURCES}revoked: [{{fingerprint: \"sha256:{}\", reason: stolen}}]\n",
        SIGNER.strip_prefix("signer:").unwrap()
    ));
    run(&test, &format!("discover {SIGNED}")).exits(4).tells("is revoked, and is left out");
    run(&test, &format!("collect {SIGNED}")).exits(4).tells("is revoked, and is left out");
    let inventory = test.json("keys/keypack.json");
    assert_eq!(inventory["keys"].as_array().unwrap().len(), 1);
    assert_eq!(inventory["revoked"][0]["reason"], "stolen");
    // A pack that was made before: the enclave's own revocation is enough.
    let trust = "--trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub";
    test.run(&format!("collect {SIGNED} {trust} -o before --state other")).exits(0);
    let pack = test.push("before", "oci:out:keys").pack_digest.to_string();
    run(&test, &format!("pull oci:out:keys -o in --digest {pack} --state fresh")).fails(3, "key-revoked");
    test.run(&format!("pull oci:out:keys -o in --digest {pack} --state fresh")).exits(0);
}
