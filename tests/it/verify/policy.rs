//! `verify --policy`: a consumer's policy decides, with its own keys. What it decides is held to skopeo in `tests/outside/admission`;
//! here is what keypack makes of it: verdicts, exit codes, what is printed.

use serde_json::{Value, json};

use super::{Test, linked, storage};
use crate::support::program::LAB;

const MAP: &str = "--map key-tag-notlog=registry.example/notlog --map key-tag-rekor1=registry.example/rekor1";

/// The lab's images, a policy and a registries.d that turns attachments on.
fn place(docker: &Value) -> Test {
    let test = Test::new();
    storage(&test);
    policy(&test, docker);
    test.write("registries.d/a.yaml", "default-docker:\n  use-sigstore-attachments: true\n");
    test
}

fn policy(test: &Test, docker: &Value) {
    let policy = json!({"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": docker}});
    test.write("policy.json", policy.to_string());
}

fn signed() -> Value {
    json!({"type": "sigstoreSigned", "keyPath": "lab/trust/cosign.pub",
           "signedIdentity": {"type": "exactRepository", "dockerRepository": "127.0.0.1:5012/key-tag-notlog/img1"}})
}

fn pulls<'a>(report: &'a Value, name: &str) -> Vec<&'a Value> {
    let images = report["images"].as_array().unwrap();
    images.iter().filter(|pull| pull["name"].as_str().is_some_and(|own| own.starts_with(name))).collect()
}

const LINE: &str = "verify storage --policy policy.json --registries-d registries.d";

#[test]
fn every_image_is_judged_by_tag_and_by_digest() {
    let test = place(&json!({"registry.example/notlog": [signed()]}));
    let report = test.run(&format!("{LINE} {MAP} --format json")).exits(4).json();
    let schema: Value = serde_json::from_slice(
        &std::fs::read(format!("{LAB}/../../schemas/admission-v1.schema.json")).unwrap(),
    )
    .unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        schema.iter_errors(&report).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(
        (&report["verdict"], &report["failure"]["code"]),
        (&json!("refused"), &json!("policy-would-refuse"))
    );
    let own = pulls(&report, "registry.example/notlog/img1");
    let forms: Vec<_> =
        own.iter().map(|pull| (pull["form"].as_str().unwrap(), pull["verdict"].as_str().unwrap())).collect();
    assert_eq!(forms, [("tag", "admitted"), ("digest", "admitted")]);
    assert_eq!(
        own[1]["name"],
        format!("registry.example/notlog/img1@{}", linked(&test, "key-tag-notlog/img1", "v1"))
    );
    // Signed under another name than the policy accepts.
    for pull in pulls(&report, "registry.example/notlog/img2") {
        assert_eq!((&pull["verdict"], &pull["code"]), (&json!("refused"), &json!("identity-not-accepted")));
        assert_eq!(pull["scope"], "registry.example/notlog");
    }
    // Mapped, and in no scope; without a name there is no verdict.
    assert!(pulls(&report, "registry.example/rekor1").iter().all(|pull| pull["verdict"] == "outside"));
    let nameless = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .find(|pull| pull["repository"] == "key-bundle-notlog/img1");
    assert_eq!(nameless.unwrap()["code"], "pulled-name-unknown");
    // The worst is at the top, and the text output gives each cause once, with what to do.
    assert_eq!(report["images"][0]["verdict"], "refused");
    test.run(&format!("{LINE} {MAP}"))
        .exits(4)
        .says("THE CONSUMER WOULD REFUSE 8 of 80 pulls in scope")
        .says("registry.example/notlog/img2:v1  identity-not-accepted")
        .says("fix: choose the signedIdentity that fits");
}

/// Every image under one name, so that none lacks a name.
const ALL: &str = "--map key-tag-notlog=registry.example/notlog";

fn only(test: &Test) {
    let repositories = test.path("storage/docker/registry/v2/repositories");
    for entry in std::fs::read_dir(repositories).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name != "key-tag-notlog") {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
}

#[test]
fn the_exit_code_says_whether_all_in_scope_is_admitted() {
    let mut requirement = signed();
    requirement["signedIdentity"] = json!({"type": "remapIdentity", "prefix": "registry.example/notlog", "signedPrefix": "127.0.0.1:5012/key-tag-notlog"});
    let test = place(&json!({"registry.example": [requirement]}));
    only(&test);
    let code = |line: &str, exit: i32| {
        let ran = test.run(&format!("{LINE} {line} --format json")).exits(exit);
        let report = ran.json();
        let failure = if report["error"].is_null() { &report["failure"] } else { &report["error"] };
        failure["code"].as_str().unwrap_or_default().to_owned()
    };
    // cosign signs names without a tag, which remapIdentity never accepts.
    assert_eq!(code(ALL, 4), "policy-would-refuse");
    let mut requirement = signed();
    requirement.as_object_mut().unwrap().remove("signedIdentity");
    policy(&test, &json!({"registry.example": [{"type": "insecureAcceptAnything"}]}));
    assert_eq!(code(ALL, 0), "");
    policy(&test, &json!({"registry.elsewhere": [requirement]}));
    assert_eq!(code(ALL, 4), "nothing-in-scope");
    // No name is known.
    assert_eq!(code("", 4), "policy-not-evaluated");
    policy(&test, &json!({"registry.example": [{"type": "reject"}]}));
    assert_eq!(code(ALL, 4), "policy-would-refuse");
    policy(&test, &json!({"registry.example": [{"type": "reject", "more": 1}]}));
    assert_eq!(code(ALL, 3), "policy-invalid");
    policy(&test, &json!({"registry.example": [signed()]}));
    test.write("registries.d/b.yaml", "docker: [");
    assert_eq!(code(ALL, 3), "policy-invalid");
}

#[test]
fn what_is_about_nothing_is_noted() {
    let test = place(
        &json!({"registry.example/notlog/": [signed()], "*.example": [{"type": "insecureAcceptAnything"}]}),
    );
    only(&test);
    let codes = |report: &Value| -> Vec<String> {
        let notes = report["policy"]["notes"].as_array().unwrap();
        notes.iter().map(|note| note["code"].as_str().unwrap().to_owned()).collect()
    };
    let report = test.run(&format!("{LINE} {ALL} --format json")).exits(0).json();
    assert_eq!(
        (codes(&report), &report["verdict"]),
        (vec!["scope-unused".into()], &json!("admitted-unverified"))
    );
    let report = test.run(&format!("{LINE} --map nowhere=registry.example/x --format json")).exits(4).json();
    assert_eq!(codes(&report), ["scope-unused", "scope-unused", "mapping-unused"]);
    policy(&test, &json!({"registry.example": [signed()]}));
    let report =
        test.run(&format!("verify storage --policy policy.json {ALL} --format json")).exits(4).json();
    assert_eq!(report["policy"]["notes"][0]["code"], "attachments-off");
    assert!(report["images"].as_array().unwrap().iter().all(|pull| pull["code"] == "attachments-off"));
}

#[test]
fn keys_beside_a_policy_are_refused() {
    let test = place(&json!({}));
    for more in [
        "--keys-dir keys",
        "--key lab/trust/cosign.pub",
        "--require-signed",
        "--digest sha256:00",
        "--certificate-identity a",
    ] {
        test.run(&format!("{LINE} {more}")).exits(2);
    }
    test.run("verify storage --registries-d registries.d").exits(2);
    test.run("verify storage --policy nowhere.json").exits(1);
    test.write("policy.json", vec![b' '; 5 << 20]);
    test.run(LINE).exits(3).tells("has more than");
}

#[test]
fn the_policies_of_openshift_are_rendered_and_judged_alike() {
    let test = place(&json!({}));
    only(&test);
    let object = |kind: &str, more: Value| {
        let key = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            std::fs::read(format!("{LAB}/trust/cosign.pub")).unwrap(),
        );
        let mut object = json!({
            "apiVersion": "config.openshift.io/v1", "kind": kind, "metadata": {"name": "own"},
            "spec": {"scopes": ["registry.example/notlog"], "policy": {
                "rootOfTrust": {"policyType": "PublicKey", "publicKey": {"keyData": key}},
                "signedIdentity": {"matchPolicy": "ExactRepository",
                                   "exactRepository": {"repository": "127.0.0.1:5012/key-tag-notlog/img1"}}}},
        });
        for (pointer, value) in more.as_object().unwrap() {
            *object.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone();
        }
        object.to_string()
    };
    let line = format!("verify storage --policy objects.yaml {ALL} --format json");
    let write = |text: String| test.write("objects.yaml", text);
    write(object("ClusterImagePolicy", json!({})));
    let report = test.run(&line).exits(4).json();
    assert_eq!(
        (&report["policy"]["kind"], &report["policy"]["objects"]),
        (&json!("openshift"), &json!(["ClusterImagePolicy own"]))
    );
    // No registries.d is given: OpenShift turns attachments on for the scope and its mirrors.
    assert!(pulls(&report, "registry.example/notlog/img1").iter().all(|pull| pull["verdict"] == "admitted"));
    assert!(
        pulls(&report, "registry.example/notlog/img2")
            .iter()
            .all(|pull| pull["code"] == "identity-not-accepted")
    );
    for (kind, more) in [
        ("Deployment", json!({})),
        ("ClusterImagePolicy", json!({"/apiVersion": "config.openshift.io/v2"})),
        ("ClusterImagePolicy", json!({"/spec/scopes": ["busybox"]})),
        ("ClusterImagePolicy", json!({"/spec/scopes": ["registry.example/"]})),
        ("ClusterImagePolicy", json!({"/spec/scopes": ["a.*.example"]})),
        ("ClusterImagePolicy", json!({"/spec/policy/rootOfTrust/policyType": "PKI"})),
        ("ClusterImagePolicy", json!({"/spec/policy/rootOfTrust/publicKey": {"keyData": "AAAA"}})),
        ("ClusterImagePolicy", json!({"/spec/policy/rootOfTrust/publicKey/keyData": 5})),
        ("ClusterImagePolicy", json!({"/spec/policy/signedIdentity/matchPolicy": "MatchRepository"})),
        ("ClusterImagePolicy", json!({"/spec/policy/signedIdentity": {"matchPolicy": "matchExact"}})),
        ("ClusterImagePolicy", json!({"/spec": {"scopes": [], "policy": {}, "more": 1}})),
    ] {
        write(object(kind, more.clone()));
        let report = test.run(&line).exits(3).json();
        assert_eq!(report["error"]["code"], "policy-invalid", "{kind} {more}");
    }
    write(object("ClusterImagePolicy", json!({})));
    test.run(&format!("verify storage --policy objects.yaml --registries-d registries.d {ALL}")).exits(2);
}

#[test]
fn the_policy_of_a_release_is_built_in() {
    let test = place(&json!({}));
    only(&test);
    let map = "--map key-tag-notlog=quay.io/openshift-release-dev/ocp-v4.0-art-dev --format json";
    let scopes = |version: &str| {
        let report =
            test.run(&format!("verify storage --policy builtin:openshift@{version} {map}")).exits(4).json();
        (
            report["policy"]["scopes"].as_array().unwrap().len(),
            report["failure"]["code"].as_str().unwrap().to_owned(),
            report,
        )
    };
    assert_eq!((scopes("4.21").0, scopes("4.21").1.as_str()), (1, "nothing-in-scope"));
    let (count, code, report) = scopes("4.22.7");
    assert_eq!((count, code.as_str()), (3, "policy-would-refuse"));
    // The lab's key is not Red Hat's, and release images are only pulled by digest.
    let images = report["images"].as_array().unwrap();
    assert!(images.iter().all(|pull| pull["form"] == "digest" && pull["code"] == "signature-does-not-match"));
    test.run("verify storage --policy builtin:openshift@4.20").exits(2);
    test.run("verify storage --policy builtin:podman").exits(2);
    test.run("verify storage --policy openshift").fails(4, "policy-not-in-mirror");
}

#[test]
fn a_mapping_names_the_images_of_a_layout() {
    let test = place(&json!({"registry.example": [{"type": "reject"}]}));
    let line = "verify oci:lab/layouts/key-tag-notlog-oras --policy policy.json --format json";
    let report = test.run(line).exits(4).json();
    assert!(report["images"].as_array().unwrap().iter().all(|pull| pull["code"] == "pulled-name-unknown"));
    for map in [
        "lab/layouts/key-tag-notlog-oras",
        "oci:lab/layouts/key-tag-notlog-oras/",
        "./lab/layouts/key-tag-notlog-oras",
    ] {
        let report = test.run(&format!("{line} --map {map}=registry.example/app")).exits(4).json();
        let names = pulls(&report, "registry.example/app");
        let forms: Vec<_> = names.iter().map(|pull| pull["form"].as_str().unwrap()).collect();
        assert_eq!(forms, ["tag", "digest"], "{map}: {report}");
        assert!(names.iter().all(|pull| pull["code"] == "policy-rejects"), "{report}");
    }
    // As docker save and ctr write it, with a whole name beside the short one.
    let (text, name) = (
        std::fs::read_to_string(test.path("lab/layouts/key-tag-notlog-oras/index.json")).unwrap(),
        r#""org.opencontainers.image.ref.name":"v1""#,
    );
    assert!(text.contains(name), "{text}");
    std::fs::create_dir(test.path("saved")).unwrap();
    test.write(
        "saved/index.json",
        text.replace(name, &format!(r#"{name},"io.containerd.image.name":"registry.example/app:v1""#)),
    );
    test.write("saved/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let blobs = test.path("lab/layouts/key-tag-notlog-oras/blobs/sha256");
    std::fs::create_dir_all(test.path("saved/blobs/sha256")).unwrap();
    for entry in std::fs::read_dir(blobs).unwrap() {
        let entry = entry.unwrap();
        let name = format!("saved/blobs/sha256/{}", entry.file_name().display());
        test.write(&name, std::fs::read(entry.path()).unwrap());
    }
    let report = test.run("verify oci:saved --policy policy.json --format json").exits(4).json();
    let names: Vec<_> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pull| pull["name"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(names.len(), 2, "{report}");
    assert!(
        names[0] == "registry.example/app:v1" && names[1].starts_with("registry.example/app@sha256:"),
        "{names:?}"
    );
}

/// The consumer takes any curve that Go knows, and keypack has no P-521: it says so, and neither admits nor refuses. The cells
/// `p521-sha256` in `tests/outside/admission/keys.rs` hold it to what skopeo does.
#[test]
fn a_p521_key_is_not_judged() {
    let p521 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap().public_key_pem();
    let test = place(&json!({}));
    only(&test);
    test.write("p521.pub", &p521);
    for more in [
        json!({"keyPath": "p521.pub"}),
        json!({"keyPath": null, "keyPaths": ["lab/trust/cosign.pub", "p521.pub"]}),
        json!({"rekorPublicKeyPath": "p521.pub"}),
    ] {
        let mut requirement = signed();
        for (name, value) in more.as_object().unwrap() {
            match value {
                Value::Null => drop(requirement.as_object_mut().unwrap().remove(name)),
                value => requirement[name] = value.clone(),
            }
        }
        policy(&test, &json!({"registry.example/notlog/img1": [requirement]}));
        let report = test.run(&format!("{LINE} {MAP} --format json")).exits(4).json();
        assert_eq!(report["failure"]["code"], "policy-not-evaluated", "{more}");
        let own = pulls(&report, "registry.example/notlog/img1");
        assert!(!own.is_empty());
        for pull in own {
            assert_eq!(
                (&pull["verdict"], &pull["code"]),
                (&json!("not-judged"), &json!("unsupported-by-verifier")),
                "{more}"
            );
        }
    }
}
