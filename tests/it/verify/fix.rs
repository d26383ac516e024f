//! `verify --policy --fix FILE` where no source can be asked: what is written, and what is never written. That the commands
//! work is tested with oras and real registries in `tests/outside/admission/fix.rs`.

use std::process::Command;

use serde_json::{Value, json};

use super::{Test, linked, storage};

/// Nothing listens there.
const SOURCE: &str = "127.0.0.1:1/notlog";

/// A registry's data folder with signed images, of which img2 lost its signature, and a policy that admits img1.
fn place() -> Test {
    let test = Test::new();
    storage(&test);
    let repositories = test.path("storage/docker/registry/v2/repositories");
    for entry in std::fs::read_dir(&repositories).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name != "key-tag-notlog") {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
    let image = linked(&test, "key-tag-notlog/img2", "v1").replace(':', "-");
    let tags = repositories.join("key-tag-notlog/img2/_manifests/tags");
    std::fs::remove_dir_all(tags.join(format!("{image}.sig"))).unwrap();
    test.write("registries.d/a.yaml", "default-docker:\n  use-sigstore-attachments: true\n");
    policy(
        &test,
        &json!({"type": "sigstoreSigned", "keyPath": "lab/trust/cosign.pub",
        "signedIdentity": {"type": "exactRepository", "dockerRepository": "127.0.0.1:5012/key-tag-notlog/img1"}}),
    );
    test
}

fn policy(test: &Test, requirement: &Value) {
    let policy = json!({"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"127.0.0.1:1": [requirement]}}});
    test.write("policy.json", policy.to_string());
}

fn line() -> String {
    format!(
        "verify storage --policy policy.json --registries-d registries.d --map key-tag-notlog={SOURCE} --fix a.txt"
    )
}

#[test]
fn what_is_missing_is_copied_through_a_folder() {
    let test = place();
    let image = linked(&test, "key-tag-notlog/img2", "v1").replace(':', "-");
    let report = test.run(&format!("{} --format json", line())).exits(4).json();
    assert_eq!(report["fix"]["written"], true, "{report}");
    assert_eq!((&report["fix"]["copies"], &report["fix"]["way"]), (&json!(1), &json!("carried")));
    assert_eq!(report["fix"]["notAsked"][0]["host"], "127.0.0.1:1");
    // By tag and by digest, it is one signature.
    let images = report["images"].as_array().unwrap().iter();
    let lost: Vec<_> = images.filter(|pull| pull["repository"] == "key-tag-notlog/img2").collect();
    assert_eq!(lost.len(), 2);
    for pull in lost {
        assert_eq!(pull["fix"]["kind"], "copy", "{pull}");
        assert_eq!(pull["fix"]["asked"], false);
        assert_eq!(pull["fix"]["from"], format!("{SOURCE}/img2:{image}.sig"));
        assert_eq!(pull["fix"]["to"], format!("$MIRROR/key-tag-notlog/img2:{image}.sig"));
    }
    let text = std::fs::read_to_string(test.path("a.txt")).unwrap();
    let first = text.lines().next().unwrap();
    assert_eq!(first, "# Written by keypack verify --fix: storage, policy policy.json");
    assert!(text.contains(&format!(
        "has {SOURCE}/img2:{image}.sig && oras cp --to-oci-layout {SOURCE}/img2:{image}.sig keypack-signatures:{image}.sig ||"
    )), "{text}");
    assert!(text.contains(&format!(
        "oras cp --from-oci-layout keypack-signatures:{image}.sig \"$MIRROR\"/key-tag-notlog/img2:{image}.sig ||"
    )), "{text}");
    let check = Command::new("sh").arg("-n").arg(test.path("a.txt")).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    // The same run writes the same file again.
    test.run(&line())
        .exits(4)
        .says("a.txt copies 1 missing signature")
        .says("127.0.0.1:1 could not be asked");
    assert_eq!(std::fs::read_to_string(test.path("a.txt")).unwrap(), text);
}

#[test]
fn only_what_keypack_wrote_is_replaced() {
    let test = place();
    test.write("a.txt", "my notes\n");
    test.run(&line()).fails(1, "fix-taken");
    assert_eq!(std::fs::read(test.path("a.txt")).unwrap(), b"my notes\n");
    test.run(&line().replace("a.txt", "nowhere/a.txt")).fails(1, "parent-missing");
    test.run(&line().replace("--policy policy.json --registries-d registries.d", "")).exits(2);
}

#[test]
fn nothing_is_written_where_nothing_is_refused() {
    let test = place();
    policy(&test, &json!({"type": "insecureAcceptAnything"}));
    test.run(&line()).exits(0).says("nothing would be refused, so a.txt is not written");
    assert!(!test.path("a.txt").exists());
}

#[test]
fn what_no_copy_cures_has_its_cure_and_no_command() {
    let test = place();
    policy(&test, &json!({"type": "reject"}));
    let report = test.run(&format!("{} --format json", line())).exits(4).json();
    assert_eq!(report["fix"]["copies"], 0, "{report}");
    assert!(report["images"].as_array().unwrap().iter().all(|pull| pull["fix"]["kind"] == "other"));
    let text = std::fs::read_to_string(test.path("a.txt")).unwrap();
    assert!(text.contains("policy-rejects: the policy rejects every image here"), "{text}");
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    // Pulled by its own name, it has no source.
    test.run(&line()).exits(4).says("a.txt has no command");
}

#[test]
fn hostile_names_are_text() {
    let test = place();
    let folder = "it's\n$(touch owned)`touch owned`";
    std::fs::rename(test.path("storage"), test.path(folder)).unwrap();
    let line = line();
    let args: Vec<_> = line.split(' ').map(|word| if word == "storage" { folder } else { word }).collect();
    test.run_args(&args).exits(4);
    let ran = Command::new("sh").arg(test.path("a.txt")).current_dir(test.path("")).output().unwrap();
    assert!(!ran.status.success());
    assert!(!test.path("owned").exists());
    assert_eq!(
        std::fs::read_to_string(test.path("a.txt")).unwrap().lines().next().unwrap(),
        "# Written by keypack verify --fix: it's\\u{a}$(touch owned)`touch owned`, policy policy.json"
    );
}
