//! The files of policy.json as Ignition writes them on nodes: MachineConfig and Butane.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{RULES, golden, json, pulled};
use crate::support::program::Test;

/// What the nodes get: by path, the text.
fn on_host(test: &Test, file: &str, list: &str) -> BTreeMap<String, String> {
    let value: Value = serde_saphyr::from_slice(&test.read(file)).unwrap();
    let files = value.pointer(list).unwrap().as_array().unwrap();
    let text = |file: &Value| {
        assert_eq!((&file["mode"], &file["overwrite"]), (&420.into(), &true.into()));
        let contents = &file["contents"];
        contents["inline"].as_str().map_or_else(
            || {
                let source = contents["source"].as_str().unwrap();
                let data = source.strip_prefix("data:text/plain;charset=utf-8;base64,").unwrap();
                String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()
            },
            str::to_owned,
        )
    };
    files.iter().map(|file| (file["path"].as_str().unwrap().to_owned(), text(file))).collect()
}

const FILES: &str = "/spec/config/storage/files";

#[test]
fn nodes_get_what_policy_json_writes() {
    let test = pulled(Some(RULES));
    for options in ["--for podman@5.3", "--for rhel@9 --keys-at /etc/pki/keypack --default accept"] {
        test.run(&format!("export policy-json {options} -o policy")).exits(0);
        test.run(&format!("export machine-config {options} -o nodes")).exits(0);
        test.run(&format!("export butane {options} -o host")).exits(0);
        let node = on_host(&test, "nodes/99-worker-keypack.yaml", FILES);
        let host = on_host(&test, "host/keypack.bu", "/storage/files");
        assert_eq!(node, host);
        let mut expected: BTreeMap<_, _> = test
            .tree("policy")
            .into_iter()
            .map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()))
            .filter_map(|(path, text)| {
                let at = path.strip_prefix("keys/").map(|name| format!("/etc/pki/keypack/{name}"));
                let at = at.or_else(|| (path == "policy.json").then(|| "/etc/containers/policy.json".into()));
                let at = at
                    .or_else(|| path.starts_with("registries.d/").then(|| format!("/etc/containers/{path}")));
                Some((at?, text))
            })
            .collect();
        assert_eq!(node, expected);
        assert!(
            expected
                .remove("/etc/containers/policy.json")
                .is_some_and(|text| text.contains("sigstoreSigned"))
        );
        for folder in ["policy", "nodes", "host"] {
            std::fs::remove_dir_all(test.path(folder)).unwrap();
        }
    }
}

#[test]
fn the_objects_are_as_people_expect_them() {
    let test = pulled(Some(RULES));
    test.run("export machine-config --for podman@5.3 --pool infra -o nodes").exits(0);
    golden(&test, "nodes", "machine-config");
    test.run("export butane --for podman@4.9 --keys-at /etc/pki/keypack -o host").exits(0);
    golden(&test, "host", "butane");
}

/// The policy inside is what `--check` judges and what `verify --policy` reads.
#[test]
fn what_is_checked_is_what_the_nodes_get() {
    let test = pulled(Some(RULES));
    let line = "export machine-config --for podman@5.3 --check storage --map storage=127.0.0.1:5012 -o nodes";
    let refused = json(&test, line, 4);
    assert_eq!(refused["failure"]["code"], "policy-would-refuse");
    assert!(!test.has("nodes"));
    let report = json(&test, &format!("{line} --default accept"), 0);
    let text = String::from_utf8(test.read("nodes/99-worker-keypack.yaml")).unwrap();
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("# Applying this rolls out to the pool worker") && first.contains("none refused"),
        "{first}"
    );
    let node = on_host(&test, "nodes/99-worker-keypack.yaml", FILES);
    test.write("policy.json", &node["/etc/containers/policy.json"]);
    std::fs::create_dir(test.path("d")).unwrap();
    test.write("d/keypack.yaml", &node["/etc/containers/registries.d/keypack.yaml"]);
    let again = test
        .run(
            "verify storage --map storage=127.0.0.1:5012 --policy policy.json --registries-d d --format json",
        )
        .exits(0);
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(again["counts"], report["check"]["counts"]);
}

#[test]
fn the_command_line_says_one_thing() {
    let test = pulled(Some(RULES));
    for (line, says) in [
        ("machine-config --for openshift@4.22", "export cluster-image-policy"),
        ("machine-config --for podman@5.3 --pool In_fra", "is not a name"),
        ("machine-config --for podman@5.3 --object-name x", "about objects of OpenShift"),
        ("butane --for podman@5.3 --pool infra", "--pool is about a MachineConfig"),
        ("policy-json --for podman@5.3 --pool infra", "--pool is about a MachineConfig"),
        ("butane --for podman@5.3 --keys-at pki", "is not a whole path"),
    ] {
        test.run(&format!("export {line}")).exits(2).tells(says);
    }
}
