//! `--image-config`: the registries that a cluster allows and blocks, beside its policies.

use serde_json::{Value, json};

use super::{Test, storage};

const MAP: &str = "--map key-tag-notlog=registry.example/notlog --map key-tag-rekor1=other.example/rekor1";

/// The lab's images, a policy for those of registry.example, and the registries that the cluster allows or blocks.
fn place(sources: &Value) -> Test {
    let test = Test::new();
    storage(&test);
    let repositories = test.path("storage/docker/registry/v2/repositories");
    for entry in std::fs::read_dir(repositories).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name != "key-tag-notlog" && name != "key-tag-rekor1") {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
    let key = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        std::fs::read(test.path("lab/trust/cosign.pub")).unwrap(),
    );
    let policy = json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ClusterImagePolicy", "metadata": {"name": "own"},
        "spec": {"scopes": ["registry.example/notlog/img1"], "policy": {
            "rootOfTrust": {"policyType": "PublicKey", "publicKey": {"keyData": key}},
            "signedIdentity": {"matchPolicy": "ExactRepository",
                               "exactRepository": {"repository": "127.0.0.1:5012/key-tag-notlog/img1"}}}},
    });
    test.write("objects.yaml", policy.to_string());
    config(&test, sources);
    test
}

fn config(test: &Test, sources: &Value) {
    let object = json!({"apiVersion": "config.openshift.io/v1", "kind": "Image", "metadata": {"name": "cluster"},
                        "spec": {"registrySources": sources}});
    test.write("image.yaml", object.to_string());
}

const LINE: &str = "verify storage --policy objects.yaml --image-config image.yaml --format json";

/// The verdict and the code of the images below a name, each once.
fn of(report: &Value, name: &str) -> Vec<(String, String)> {
    let images = report["images"].as_array().unwrap().iter();
    let own = images.filter(|pull| pull["name"].as_str().is_some_and(|own| own.starts_with(name)));
    let mut found: Vec<_> = own
        .map(|pull| {
            let text = |field: &str| pull[field].as_str().unwrap_or_default().to_owned();
            (text("verdict"), text("code"))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn one(verdict: &str, code: &str) -> Vec<(String, String)> {
    vec![(verdict.into(), code.into())]
}

#[test]
fn what_is_not_allowed_is_refused() {
    let test = place(&json!({"allowedRegistries": ["registry.example"]}));
    let report = test.run(&format!("{LINE} {MAP}")).exits(4).json();
    assert_eq!(of(&report, "registry.example/notlog/img1"), one("admitted", ""));
    assert_eq!(of(&report, "registry.example/notlog/img2"), one("outside", "not-verified-by-policy"));
    assert_eq!(of(&report, "other.example"), one("refused", "registry-not-allowed"));
    assert_eq!(report["policy"]["registries"]["allowed"], json!(["registry.example"]));
    // Lists of registries are no scopes of a policy.
    assert_eq!(report["policy"]["scopes"], json!(["registry.example/notlog/img1"]));
    assert_eq!(report["policy"]["notes"], json!([]));
}

#[test]
fn what_is_blocked_is_refused() {
    let test = place(
        &json!({"blockedRegistries": ["other.example", "*.nowhere.example"], "insecureRegistries": ["a.example:5000"]}),
    );
    let report = test.run(&format!("{LINE} {MAP}")).exits(4).json();
    assert_eq!(of(&report, "registry.example/notlog/img1"), one("admitted", ""));
    assert_eq!(of(&report, "registry.example/notlog/img2"), one("outside", "not-verified-by-policy"));
    assert_eq!(of(&report, "other.example"), one("refused", "registry-blocked"));
    test.run(&format!("{LINE} {MAP}").replace("--format json", ""))
        .exits(4)
        .says("registries blocked by image.yaml: other.example, *.nowhere.example")
        .says("other.example/rekor1/img1:v1  registry-blocked");
}

/// Then the machine-config-operator renders nothing, and the nodes keep what they have.
#[test]
fn a_scope_that_the_lists_contradict_is_an_invalid_policy() {
    for sources in [
        json!({"allowedRegistries": ["other.example"]}),
        json!({"allowedRegistries": ["registry.example/notlog/img1/deeper"]}),
        json!({"blockedRegistries": ["registry.example"]}),
        json!({"blockedRegistries": ["*.example"]}),
        json!({"allowedRegistries": ["registry.example"], "blockedRegistries": ["other.example"]}),
    ] {
        let test = place(&sources);
        let report = test.run(&format!("{LINE} {MAP}")).exits(3).json();
        assert_eq!(report["error"]["code"], "policy-invalid", "{sources}");
    }
}

#[test]
fn a_malformed_object_is_refused() {
    let test = place(&json!({}));
    for text in [
        "",
        "[]",
        "kind: Image\n",
        "apiVersion: config.openshift.io/v1\nkind: ImageConfig\n",
        "apiVersion: config.openshift.io/v1\nkind: Image\nspec: {registrySources: {allowed: [a.example]}}\n",
        "apiVersion: config.openshift.io/v1\nkind: Image\nspec: {registrySources: {blockedRegistries: [a.example/]}}\n",
        "apiVersion: config.openshift.io/v1\nkind: Image\nspec: {registrySources: {blockedRegistries: ['a.example:tag/x']}}\n",
        "apiVersion: config.openshift.io/v1\nkind: Image\nspec: {registrySources: {blockedRegistries: ['*']}}\n",
        "a: &a [x]\nb: [*a, *a]\n",
    ] {
        test.write("image.yaml", text);
        let report = test.run(&format!("{LINE} {MAP}")).exits(3).json();
        assert_eq!(report["error"]["code"], "policy-invalid", "{text}");
    }
    config(&test, &json!({}));
    let report = test.run(&format!("{LINE} {MAP}")).exits(0).json();
    assert_eq!(of(&report, "other.example"), one("outside", "not-verified-by-policy"));
    // It is OpenShift's, and changes no policy.json.
    test.write("policy.json", json!({"default": [{"type": "insecureAcceptAnything"}]}).to_string());
    test.run("verify storage --policy policy.json --image-config image.yaml").exits(2);
    test.run("verify storage --image-config image.yaml").exits(2);
}

/// As in OpenShift: its own release can't be blocked, but for a cluster with a mirror of it.
#[test]
fn the_release_itself_is_not_blocked() {
    let test = place(&json!({"blockedRegistries": ["quay.io/openshift-release-dev/ocp-release"]}));
    test.write(
        "idms.yaml",
        json!({"apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "spec": {
        "imageDigestMirrors": [{"source": "quay.io/openshift-release-dev/ocp-release",
                                "mirrors": ["quay.io/openshift-release-dev/ocp-release/mirror"]}]}})
        .to_string(),
    );
    // The only mirror is blocked too, so the entry has no effect.
    let report = test.run(&format!("{LINE} {MAP} --idms idms.yaml")).exits(0).json();
    assert!(
        report["policy"]["notes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|note| note["code"] == "registry-not-blocked"),
        "{report}"
    );
    // Else the release alone is allowed, and the scope of the policy is not.
    test.run(&format!("{LINE} {MAP}")).exits(3).tells("OpenShift adds that alone");
}

/// A node looks up each place that it contacts in the lists, a mirror as well (containers/image `newDockerClient`), so images whose
/// only mirror is blocked are not pulled, whatever their own registry is.
#[test]
fn a_mirror_that_is_blocked_is_not_contacted() {
    let server = crate::support::mirror::start(|_, _| None);
    let host = server.host();
    let test = place(&json!({}));
    test.write(
        "idms.yaml",
        json!({"apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "spec": {
        "imageDigestMirrors": [{"source": "registry.example/app", "mirrors": [format!("{host}/team/app")]}]}})
        .to_string(),
    );
    test.write(
        "itms.yaml",
        String::from_utf8(test.read("idms.yaml"))
            .unwrap()
            .replace("Digest", "Tag")
            .replace("imageDigest", "imageTag"),
    );
    let line = format!(
        "verify docker://{host}/team --plain-http --idms idms.yaml --itms itms.yaml --policy objects.yaml --image-config image.yaml --format json"
    );
    let name = host.split(':').next().unwrap();
    for entry in [host.clone(), format!("{host}/team"), format!("{host}/team/app"), name.to_owned()] {
        config(&test, &json!({"blockedRegistries": [entry]}));
        let report = test.run(&line).exits(4).json();
        assert_eq!(
            of(&report, "registry.example/app"),
            one("refused", "registry-blocked"),
            "{entry}: {report}"
        );
        let cause = report["images"][0]["cause"].as_str().unwrap();
        assert!(cause.contains(&format!("{host}/team/app")) && cause.contains(&entry), "{cause}");
        // A copy of its signature does not help.
        let fixed = test.run(&format!("{line} --fix a.txt")).exits(4).json();
        assert_eq!(fixed["fix"]["copies"], 0, "{fixed}");
    }
    // The source may be blocked: the mirror serves its images.
    for entry in ["registry.example/other", "other.example", "*.mirror.example"] {
        config(&test, &json!({"blockedRegistries": [entry]}));
        let report = test.run(&line).json();
        assert_eq!(
            of(&report, "registry.example/app"),
            one("outside", "not-verified-by-policy"),
            "{entry}: {report}"
        );
    }
}
