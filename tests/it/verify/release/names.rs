//! By which names images before disk-to-mirror are judged: oc-mirror drops the host, and its configuration still has it.

use serde_json::{Value, json};

use super::mirror::Mirror;

const SET: &str = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  additionalImages:\n  \
    - name: registry.example/ubi9/ubi:latest\n  - name: quay.example/a/b:1\n    targetRepo: ours/b\n  \
    - name: one.example/same/path:1\n  - name: two.example/same/path:1\n";

fn mirror() -> Mirror {
    let mirror = Mirror::new();
    for repository in ["ubi9/ubi", "ours/b", "same/path"] {
        mirror.image(repository, Some("1"), "amd64", &[], &json!({}));
    }
    let scopes = json!({"registry.example": [{"type": "reject"}], "quay.example": [{"type": "insecureAcceptAnything"}]});
    let policy = json!({"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": scopes}});
    mirror.test.write("policy.json", policy.to_string());
    mirror
}

/// The names and verdicts of the pulls by tag.
fn pulls(mirror: &Mirror, place: &str) -> Vec<(String, String)> {
    let ran = mirror.test.run(&format!("verify {place} --policy policy.json --format json")).exits(4);
    let report = ran.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let images = report["images"].as_array().unwrap().iter().filter(|pull| pull["form"] == "tag");
    let mut all: Vec<_> = images.map(|pull| (text(&pull["name"]), text(&pull["verdict"]))).collect();
    all.sort();
    all
}

#[test]
fn the_configuration_says_where_additional_images_are_from() {
    let mirror = mirror();
    let unknown = || (String::new(), "not-judged".to_owned());
    // A scope that is a host may be that of any of them.
    assert_eq!(pulls(&mirror, "oc-mirror:in"), [unknown(), unknown(), unknown()]);
    let expected = [
        unknown(),
        ("quay.example/a/b:1".into(), "admitted-unverified".into()),
        ("registry.example/ubi9/ubi:1".into(), "refused".into()),
    ];
    mirror.test.write("in/working-dir/isc_pinned_2026-02-20T00:00:00Z.yaml", SET);
    assert_eq!(pulls(&mirror, "oc-mirror:in"), expected);
    // In an archive it lies beside the storage.
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    };
    for (path, bytes) in mirror.test.tree("in/docker") {
        add(&format!("docker/{path}"), &bytes);
    }
    add("isc_2026-02-20T00:00:00Z", SET.as_bytes());
    mirror.test.write("out/mirror_000001.tar", tar.into_inner().unwrap());
    assert_eq!(pulls(&mirror, "oc-mirror:out"), expected);
    // What can't be read of it is left out, and said.
    mirror.test.write("in/working-dir/isc_pinned_2026-02-20T00:00:00Z.yaml", "kind: [");
    assert_eq!(pulls(&mirror, "oc-mirror:in"), [unknown(), unknown(), unknown()]);
    mirror.test.run("verify oc-mirror:in --policy policy.json").exits(4).tells("isc_pinned_2026");
}
