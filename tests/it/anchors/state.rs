//! `keypack state`: what it shows, logs and forgets.

use serde_json::Value;

use super::{NEWER, OLD, program::Test, scene};

/// The lines of the log, each validated against the schema.
fn log(test: &Test) -> Vec<Value> {
    let schema: Value = test.run("schema results-v1").exits(0).json();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let out = test.run("state log").exits(0).out;
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert!(schema.is_valid(line), "{line}");
    }
    lines
}

fn show(test: &Test) -> Value {
    let shown = test.run("state show --format json").exits(0).json();
    let schema: Value = test.run("schema results-v1").exits(0).json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&shown), "{shown:#}");
    shown
}

#[test]
fn what_this_host_remembers_is_shown_with_the_last_anchor() {
    let test = scene();
    test.run("state show").exits(0).says("Nothing was collected or authenticated here yet.");
    assert_eq!(show(&test)["lineages"], serde_json::json!([]));
    test.run(&format!("pull oci:m:old --digest {OLD} -o a")).exits(0);
    test.run("pull oci:m:newer --verify-key fx/org.pub -o b").exits(0);
    let shown = show(&test);
    let lineage = &shown["lineages"][0];
    assert_eq!(lineage["lineage"], "default");
    assert_eq!(lineage["packs"].as_array().unwrap().len(), 2);
    let last = &lineage["lastPull"];
    assert_eq!(last["pack"], NEWER);
    assert_eq!(last["directory"], test.path("b").to_str().unwrap());
    assert!(last["anchors"][0].as_str().unwrap().starts_with("inventory-signature:sha256:"));
    let ran = test.run("state show").exits(0).says("Lineage default").says(NEWER).says(OLD);
    let _ = ran.says("last pull").says("by          inventory-signature:sha256:").says("by digest");
    // A lineage that can't be read hides no other.
    let dir = shown["directory"].as_str().unwrap();
    std::fs::write(format!("{dir}/broken.json"), "{}").unwrap();
    let ran = test.run("state show").fails(1, "state-malformed").says("Lineage default");
    let _ = ran.tells("broken.json");
}

#[test]
fn each_run_that_came_as_far_as_a_pack_is_a_line_of_the_log() {
    let test = scene();
    assert_eq!(log(&test), Vec::<Value>::new());
    // Commands that only read are not logged, nor is a wrong command line.
    test.run("pull oci:m:old -o a").fails(3, "no-anchor");
    test.run("pull oci:m:none --verify-key fx/org.pub -o a").exits(1);
    assert_eq!(log(&test), Vec::<Value>::new());
    test.run("pull oci:m:newer --verify-key fx/org.pub -o a").exits(0);
    test.run("pull oci:m:newer --verify-key fx/org.pub -o a").exits(0);
    test.run("pull oci:m:newer --verify-key fx/other.pub -o a").fails(3, "pack-signature-refused");
    test.run("pull oci:m:old --verify-key fx/org.pub -o a").fails(3, "rollback");
    let reason = ["--allow-rollback-unsafe", "--reason", "the new one lacks\na key"];
    let args = ["pull", "oci:m:old", "--verify-key", "fx/org.pub", "-o", "a"];
    test.run_args(&[args.as_slice(), &reason].concat()).exits(0);
    let collect = "collect oci:lab/layouts/key-bundle-rekor1-oras --trusted-root lab/trust/trusted_root.json \
                   --key lab/trust/cosign.pub --name other -o keys";
    test.run(collect).exits(0);
    let lines = log(&test);
    let results: Vec<_> = lines.iter().map(|line| line["result"].as_str().unwrap()).collect();
    let expected = [
        "installed",
        "unchanged",
        "pack-signature-refused",
        "rollback",
        // Before it is done, and after.
        "begun",
        "installed",
        "first",
    ];
    assert_eq!(results, expected);
    for line in &lines[..6] {
        assert_eq!((&line["command"], &line["lineage"]), (&"pull".into(), &"default".into()));
        assert_eq!((&line["place"], &line["timeSource"]), (&line["place"], &"system-clock".into()));
        assert_eq!(line["directory"], test.path("a").to_str().unwrap());
        assert_eq!(line["uid"], rustix::process::getuid().as_raw());
        assert!(line["host"].is_string());
    }
    assert_eq!(lines[0]["pack"], NEWER);
    assert!(lines[0]["anchors"][0].as_str().unwrap().starts_with("inventory-signature:sha256:"));
    assert_eq!((&lines[3]["pack"], &lines[3]["place"]), (&OLD.into(), &"oci:m:old".into()));
    for unsafe_line in &lines[4..6] {
        assert_eq!(unsafe_line["decisions"], serde_json::json!(["--allow-rollback-unsafe"]));
        assert_eq!(unsafe_line["reason"], "the new one lacks\na key");
    }
    assert_eq!((&lines[6]["command"], &lines[6]["lineage"]), (&"collect".into(), &"other".into()));
}

/// The log's file.
fn file(test: &Test) -> std::path::PathBuf {
    let shown = show(test);
    std::path::Path::new(shown["directory"].as_str().unwrap()).join("log.jsonl")
}

#[test]
fn what_is_unsafe_is_not_done_unless_it_can_be_logged() {
    let test = scene();
    test.run("pull oci:m:newer --verify-key fx/org.pub -o a").exits(0);
    let path = file(&test);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let ran = test.run("pull oci:m:newer --verify-key fx/org.pub -o a").exits(0);
    let _ = ran.tells("warning: this run is not in the log: ").tells("[state-write-failed]");
    let before = test.tree("a");
    let rollback = "pull oci:m:old --verify-key fx/org.pub -o a --allow-rollback-unsafe --reason x";
    test.run(rollback).fails(1, "state-write-failed");
    assert_eq!(test.tree("a"), before, "nothing was installed");
    test.run("state forget-unsafe default --reason x").fails(1, "state-write-failed");
    test.run("state forget-unsafe default --reason x --all").fails(1, "state-write-failed");
    assert_eq!(show(&test)["lineages"][0]["packs"].as_array().unwrap().len(), 1, "nothing was forgotten");
}

#[test]
fn half_a_line_of_a_killed_run_spoils_no_other() {
    let test = scene();
    test.run("pull oci:m:old --verify-key fx/org.pub -o a").exits(0);
    let path = file(&test);
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}{}", &whole[..40])).unwrap();
    test.run("pull oci:m:newer --verify-key fx/org.pub -o a").exits(0);
    let ran = test.run("state log").fails(1, "state-malformed").tells("line 2 is not one that keypack wrote");
    let packs: Vec<_> =
        ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["pack"].clone()).collect();
    assert_eq!(packs, [OLD, NEWER]);
}

#[test]
fn a_long_reason_stays_a_line_that_is_read_back() {
    let test = scene();
    let reason = "\u{1}\u{1f600}".repeat(5000);
    let args = ["pull", "oci:m:old", "--verify-key", "fx/org.pub", "-o", "a", "--allow-rollback-unsafe"];
    test.run_args(&[args.as_slice(), &["--reason", &reason]].concat()).exits(0);
    let lines = log(&test);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["reason"].as_str().unwrap().chars().count(), 500);
}

#[test]
fn a_log_that_others_can_write_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt as _;
    let test = scene();
    test.run("pull oci:m:old --verify-key fx/org.pub -o a").exits(0);
    let path = file(&test);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o622)).unwrap();
    test.run("state log").fails(1, "state-exposed");
    let ran = test.run("pull oci:m:newer --verify-key fx/org.pub -o a").exits(0);
    let _ = ran.tells("[state-exposed]");
}

#[test]
fn a_forgotten_lineage_keeps_its_floor_and_its_revocations() {
    let test = scene();
    test.run("state forget-unsafe default --reason x").fails(1, "lineage-unknown");
    assert!(!test.has("state"));
    test.run("pull oci:m:newer --verify-key fx/org.pub -o a").exits(0);
    test.run("inspect a").exits(0).says("AUTHENTICATED HERE");
    test.run("state forget-unsafe default").exits(2);
    let kept = test.run("state forget-unsafe default --reason retired --format json").exits(0).json();
    let schema: Value = test.run("schema results-v1").exits(0).json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&kept), "{kept:#}");
    test.run("inspect a").exits(0).says("NOT AUTHENTICATED");
    test.run("state show").exits(0).says("forgotten").says("retired").says("highest");
    test.run("pull oci:m:old --verify-key fx/org.pub -o a").fails(3, "rollback");
    let line = log(&test).pop().unwrap();
    assert_eq!((&line["result"], &line["pack"]), (&"rollback".into(), &OLD.into()));
    // All of it: after that, an older pack can't be detected.
    test.run("state forget-unsafe default --reason again --all").exits(0);
    assert_eq!(show(&test)["lineages"], serde_json::json!([]));
    test.run("pull oci:m:old --verify-key fx/org.pub -o a").exits(0);
    let lines = log(&test);
    let forgot: Vec<_> = lines.iter().filter(|line| line["command"] == "state forget-unsafe").collect();
    let results: Vec<_> = forgot.iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["begun", "forgotten", "begun", "forgotten"]);
    assert_eq!(forgot[3]["decisions"], serde_json::json!(["forget-unsafe", "--all"]));
    assert_eq!((&forgot[3]["reason"], &forgot[3]["lineage"]), (&"again".into(), &"default".into()));
}
