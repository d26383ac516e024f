//! Every form of signature from every kind of source, with the keys that it needs and that it proves.

use serde_json::Value;

use super::{
    lab::{self, FORMATS},
    program::{LAB, TRUST, Test},
};

/// The form, the source, and `role:state` of each need of an image's only signature.
#[track_caller]
fn only_signature(image: &Value) -> (String, String, Vec<String>) {
    let [signature] = image["signatures"].as_array().unwrap().as_slice() else {
        panic!("not one signature: {image:#}")
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let needs = signature["needs"].as_array().unwrap();
    let needs = needs.iter().map(|n| format!("{}:{}", text(&n["role"]), text(&n["state"]))).collect();
    (text(&signature["form"]), text(&signature["found"]), needs)
}

fn have(roles: &[&str]) -> Vec<String> {
    roles.iter().map(|role| format!("{role}:have")).collect()
}

#[test]
fn layouts_by_oras_list_referrers_and_lose_signature_tags() {
    let test = Test::new();
    for (format, form, stored, roles) in FORMATS {
        let ran = test.run(&format!("discover oci:lab/layouts/{format}-oras {TRUST} --format json")).exits(0);
        let report = ran.json();
        let image = &report["images"][0];
        assert_eq!(image["tags"][0], "v1");
        if stored == "tag" {
            assert_eq!(image["signatures"].as_array().unwrap().len(), 0, "{format}");
            assert_eq!(report["counts"]["unsigned"], 1);
        } else {
            assert_eq!(only_signature(image), (form.into(), "referrer".into(), have(roles)), "{format}");
        }
    }
}

#[test]
fn layouts_by_cosign_save_leave_bundles_unlisted() {
    let test = Test::new();
    for (format, form, stored, roles) in FORMATS {
        let way = if stored == "tag" { "untagged" } else { "unlisted" };
        let ran =
            test.run(&format!("discover lab/layouts/{format}-cosignsave {TRUST} --format json")).exits(0);
        let image = &ran.json()["images"][0];
        assert_eq!(only_signature(image), (form.into(), way.into(), have(roles)), "{format}");
    }
}

/// Only its payload says which image an untagged signature is for.
#[test]
fn an_untagged_signature_that_cant_be_read_leaves_its_image_open() {
    let test = Test::new();
    test.layout("key-tag-rekor1-cosignsave", "m");
    let index = test.json("m/index.json");
    let digest = |value: &serde_json::Value| value["digest"].as_str().unwrap()[7..].to_owned();
    let (image, signature) = (digest(&index["manifests"][0]), digest(&index["manifests"][1]));
    let payload = digest(&test.json(&format!("m/blobs/sha256/{signature}"))["layers"][0]);
    test.write(&format!("m/blobs/sha256/{payload}"), "{}");
    for place in ["oci:m".to_owned(), format!("oci:m@sha256:{image}")] {
        let ran = test.run(&format!("discover {place} {TRUST}")).fails(4, "incomplete");
        ran.says("1 image: 0 signed, 0 unsigned, 1 unreadable");
    }
}

#[test]
fn a_registrys_data_folder_has_all_nine_formats() {
    let test = Test::new();
    lab::storage(&test);
    let report = test.run(&format!("discover storage {TRUST} --format json")).exits(0).json();
    let images = report["images"].as_array().unwrap();
    assert_eq!((images.len(), &report["counts"]["signed"]), (45, &45.into()));
    for (format, form, stored, roles) in FORMATS {
        let of_format: Vec<_> = images
            .iter()
            .filter(|i| i["repository"].as_str().unwrap().split('/').next() == Some(format))
            .collect();
        assert_eq!(of_format.len(), 5, "{format}");
        for image in of_format {
            assert_eq!(only_signature(image), (form.into(), stored.into(), have(roles)), "{format}");
        }
    }
    // The folder itself and the same folder in a tar give the same result.
    lab::archive(&test, "storage", "storage.tar");
    for place in ["storage/docker/registry/v2", "storage.tar"] {
        let other = test.run(&format!("discover {place} {TRUST} --format json")).exits(0).json();
        assert_eq!(other["counts"], report["counts"], "{place}");
    }
}

#[test]
fn archives_answer_as_their_layouts_do() {
    let test = Test::new();
    for (format, ..) in FORMATS {
        for by in ["oras", "cosignsave"] {
            let layout = format!("lab/layouts/{format}-{by}");
            lab::archive(&test, &layout, "a.tar");
            let of_layout = test.run(&format!("discover {layout} {TRUST} --format json")).exits(0).json();
            for place in ["oci-archive:a.tar", "a.tar"] {
                let ran = test.run(&format!("discover {place} {TRUST} --format json")).exits(0);
                let mut images = ran.json()["images"].clone();
                images[0]["source"] = of_layout["images"][0]["source"].clone();
                assert_eq!(images, of_layout["images"], "{layout} {place}");
            }
        }
    }
}

#[test]
fn dir_and_sync_trees_hold_signatures_as_files() {
    let test = Test::new();
    lab::storage(&test);
    for (format, form, _, roles) in FORMATS.into_iter().filter(|(_, _, stored, _)| *stored == "tag") {
        lab::dir(&test, &format!("{format}/img1"), "one");
        let report = test.run(&format!("discover dir:one {TRUST} --format json")).exits(0).json();
        assert_eq!(
            only_signature(&report["images"][0]),
            (form.into(), "file".into(), have(roles)),
            "{format}"
        );
        lab::dir(&test, &format!("{format}/img2"), &format!("tree/mirror.test/{format}/img2:v1"));
        std::fs::remove_dir_all(test.path("one")).unwrap();
    }
    for place in ["tree", "dir:tree"] {
        let report = test.run(&format!("discover {place} {TRUST} --format json")).exits(0).json();
        assert_eq!(report["counts"]["signed"], 3, "{place}");
        assert_eq!(report["images"][0]["repository"], "mirror.test/key-tag-notlog/img2");
        assert_eq!(report["images"][0]["tags"][0], "v1");
    }
}

#[test]
fn every_report_satisfies_the_schema() {
    let path = format!("{LAB}/../../schemas/report-v1.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let test = Test::new();
    lab::storage(&test);
    test.layout("key-bundle-rekor1-oras", "torn");
    std::fs::remove_dir_all(test.path("torn/blobs")).unwrap();
    test.layout("key-bundle-rekor2-oras", "other");
    test.write("bad.pub", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    for line in [
        "discover storage".to_owned(),
        format!("discover storage {TRUST}"),
        format!("discover other torn {TRUST} --key bad.pub"),
        format!("collect storage {TRUST}"),
        "collect other --key lab/trust/cosign.pub --key lab/trust/fulcio.pem -o other-keys".to_owned(),
    ] {
        let ran = test.run(&format!("{line} --format json"));
        let report = ran.json();
        let errors: Vec<_> =
            schema.iter_errors(&report).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        assert!([0, 4].contains(&ran.code), "{line}: {}", ran.code);
    }
}

#[test]
fn every_result_satisfies_its_schema_and_is_one_object() {
    let path = format!("{LAB}/../../schemas/results-v1.schema.json");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let test = Test::new();
    let lab = "lab/layouts/key-bundle-rekor1-oras lab/layouts/keyless-bundle-rekor2-oras";
    test.run(&format!("collect {lab} {TRUST} -o old")).exits(0);
    test.run(&format!("collect lab/layouts/key-tag-notlog-cosignsave {TRUST} -o keys")).exits(0);
    let signer = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
    let rule =
        format!(r#"{{"rules": [{{"scope": "a.test", "signers": [{{"key": "{signer}"}}], "log": "none"}}]}}"#);
    test.write("rules.yaml", rule);
    let line = format!(
        "collect {lab} {TRUST} --accept-rules rules.yaml --revoke sha256:{} --reason x",
        "0".repeat(64)
    );
    let pack = test.run(&line).exits(0).after("Pack: ");
    for (kind, line, exit) in [
        ("push", "push keys oci:m:keys", 0),
        ("push", "push keys oci:m:keys", 0),
        ("failure", "pull oci:m:keys -o out", 3),
        ("failure", "pull oci:m:nothing -o out", 1),
        ("failure", "discover nowhere", 2),
        ("pull", &format!("pull oci:m:keys --digest {pack} -o out"), 0),
        ("pull", &format!("pull oci:m:keys --digest {pack} -o out"), 0),
        ("inspect", "inspect keys", 0),
        ("inspect", "inspect oci:m:keys", 0),
        ("diff", "diff old keys", 0),
        ("diff", "diff keys old", 0),
        ("diff", "diff keys out", 0),
    ] {
        let ran = test.run(&format!("{line} --format json")).exits(exit);
        // It matches its own kind, not just a similar one.
        schema["anyOf"] = serde_json::json!([{ "$ref": format!("#/$defs/{kind}") }]);
        let schema = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> =
            schema.iter_errors(&ran.json()).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
}
