//! What a policy, and what is given beside it, may hold that is wrong: each has its code, and none costs much memory or time.

use std::fmt::Write as _;

use serde_json::json;

use super::{Test, storage};

/// A mirror with one image.
fn place() -> Test {
    let test = Test::new();
    storage(&test);
    let repositories = test.path("storage/docker/registry/v2/repositories");
    for entry in std::fs::read_dir(repositories).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name != "key-tag-notlog") {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
    test.write("policy.json", json!({"default": [{"type": "insecureAcceptAnything"}]}).to_string());
    test.write("registries.d/a.yaml", "docker: {}\n");
    test
}

const LINE: &str =
    "verify storage --policy policy.json --registries-d registries.d --map key-tag-notlog=registry.example/a";

/// Aliases that double 60 times.
fn bomb() -> String {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for n in 1..60 {
        writeln!(text, "a{n}: &a{n} [*a{}, *a{0}]", n - 1).unwrap();
    }
    text
}

fn deep() -> String {
    format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20))
}

#[test]
fn a_policy_that_no_consumer_loads_is_invalid() {
    let test = place();
    let header = "apiVersion: config.openshift.io/v1\nkind: ClusterImagePolicy\nmetadata: {name: a}\n";
    for (name, text) in [
        ("empty", String::new()),
        ("not JSON", "default: []".to_owned()),
        ("10 MB", format!("{{\"default\": [{{\"type\": \"reject\"}}]{}}}", " ".repeat(10 << 20))),
        ("10 MB of YAML", format!("{header}{}", "# \n".repeat(4 << 20))),
        ("aliases", format!("{header}{}", bomb())),
        ("depth", deep()),
        ("depth of YAML", format!("{header}spec: {}", deep())),
        ("unknown kind", "apiVersion: v1\nkind: Pod\n".to_owned()),
        ("no requirement", json!({"default": []}).to_string()),
        ("unknown requirement", json!({"default": [{"type": "notaryProject"}]}).to_string()),
        (
            "twice",
            r#"{"default": [{"type": "reject"}], "default": [{"type": "insecureAcceptAnything"}]}"#
                .to_owned(),
        ),
    ] {
        test.write("policy.json", text);
        let line = LINE.replace("--registries-d registries.d", "");
        let report = test.run(&format!("{line} --format json")).exits(3).json();
        assert_eq!(report["error"]["code"], "policy-invalid", "{name}");
        assert!(report["error"]["message"].as_str().unwrap().len() < 1000, "{name}");
    }
}

#[test]
fn a_folder_that_no_consumer_loads_is_invalid() {
    let test = place();
    for (name, text) in [
        ("not YAML", "docker: [".to_owned()),
        ("10 MB", " \n".repeat(5 << 20)),
        ("aliases", bomb()),
        ("depth", deep()),
        ("not UTF-8", "docker: \u{0}".to_owned()),
    ] {
        test.write("registries.d/a.yaml", text);
        let report = test.run(&format!("{LINE} --format json")).exits(3).json();
        assert_eq!(report["error"]["code"], "policy-invalid", "{name}");
    }
    std::fs::remove_file(test.path("registries.d/a.yaml")).unwrap();
    test.run(LINE).exits(0);
    test.run(&LINE.replace("registries.d ", "nowhere ")).exits(1);
}

#[test]
fn a_mapping_that_maps_nothing_is_said() {
    let test = place();
    for (name, text, code) in [
        ("40 MB", format!("kind: ImageDigestMirrorSet\n{}", "# \n".repeat(12 << 20)), "too-large"),
        ("aliases", format!("kind: ImageDigestMirrorSet\n{}", bomb()), "mapping-malformed"),
        ("depth", format!("kind: ImageDigestMirrorSet\nspec: {}", deep()), "mapping-malformed"),
        ("no mirror", "kind: ImageDigestMirrorSet\nspec: {imageDigestMirrors: []}\n".to_owned(), "mapping-empty"),
        ("something else", "kind: Pod\n".to_owned(), "mapping-empty"),
        ("no prefix", "kind: ImageDigestMirrorSet\nspec: {imageDigestMirrors: [{source: 'a b', mirrors: [c.example]}]}\n".to_owned(), "mapping-malformed"),
    ] {
        test.write("idms.yaml", text);
        let report = test.run(&format!("{LINE} --idms idms.yaml --format json")).exits(1).json();
        assert_eq!(report["error"]["code"], code, "{name}");
    }
    let set = "kind: ImageDigestMirrorSet\nspec: {imageDigestMirrors: [{source: a.example, mirrors: [c.example]}]}\n";
    test.write("idms.yaml", set);
    let line = LINE.replace("--map key-tag-notlog=registry.example/a", "--idms idms.yaml");
    test.run(&line).exits(4).says("mapping-unused");
}
