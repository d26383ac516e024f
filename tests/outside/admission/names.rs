//! By which name images are judged: that of the source for what mirror sets cover, that of the mirror for catalogs and the graph
//! image, which oc-mirror writes into none.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::content::Content;
use crate::support::{find::find, program::Test};

pub(crate) fn trials() -> Vec<Trial> {
    let name = "admission::names: catalogs and the graph image are pulled by the mirror's name";
    if find("docker-registry").is_none() {
        return vec![
            Trial::test(format!("{name}: needs docker-registry"), || Ok(())).with_ignored_flag(true),
        ];
    }
    vec![Trial::test(name, || {
        catalogs();
        Ok(())
    })]
}

fn catalogs() {
    let mut mirror = Content::new();
    let test = Test::new();
    for kind in ["configs.v1", "database.v1"] {
        let label = format!("operators.operatorframework.io.index.{kind}");
        mirror.labelled(&format!("ocp/redhat/{kind}"), Some("v4.22"), "amd64", &json!({label: "/configs"}));
    }
    mirror.image("ocp/openshift/graph-image", Some("latest"), "amd64");
    mirror.image("ocp/redhat/app", Some("v1"), "amd64");
    mirror.image("ocp/other/graph-image", Some("v1"), "amd64");
    let policy = |scopes: &[&str]| {
        let scopes: serde_json::Map<String, Value> =
            scopes.iter().map(|scope| ((*scope).to_owned(), json!([{"type": "reject"}]))).collect();
        let policy =
            json!({"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": scopes}});
        test.write("policy.json", policy.to_string());
    };
    let at_registry = || {
        let host = mirror.host();
        let line = format!(
            "verify docker://{host} --plain-http --policy policy.json --map {host}/ocp=registry.example --format json"
        );
        test.run(&line).exits(4).json()
    };
    let on_disk = || {
        let storage = mirror.storage();
        let line = format!(
            "verify {} --policy policy.json --map {0}/ocp=registry.example --format json",
            storage.display()
        );
        test.run(&line).exits(4).json()
    };
    let by_mirror = ["ocp/redhat/configs.v1", "ocp/redhat/database.v1", "ocp/openshift/graph-image"];
    let by_source = ["ocp/redhat/app", "ocp/other/graph-image"];
    let expect = |report: &Value, repositories: &[&str], verdict: &str, code: &str, name: &str| {
        for repository in repositories {
            let images = report["images"].as_array().unwrap().iter();
            let own: Vec<_> = images.filter(|pull| pull["repository"] == *repository).collect();
            assert_eq!(own.len(), 2, "{repository}: {report}");
            for pull in own {
                assert_eq!((&pull["verdict"], &pull["code"]), (&json!(verdict), &json!(code)), "{pull}");
                assert!(pull["name"].as_str().unwrap().starts_with(name), "{pull}");
            }
        }
    };

    policy(&["registry.example"]);
    let report = at_registry();
    expect(&report, &by_source, "refused", "policy-rejects", "registry.example/");
    expect(&report, &by_mirror, "outside", "not-verified-by-policy", mirror.host());
    // The mirror's name is not known, but every scope is that of a source.
    let report = on_disk();
    expect(&report, &by_source, "refused", "policy-rejects", "registry.example/");
    expect(&report, &by_mirror, "outside", "not-verified-by-policy", "registry.example/");

    // A scope that is the mirror's, or may be.
    policy(&[mirror.host()]);
    let report = at_registry();
    expect(&report, &by_source, "outside", "not-verified-by-policy", "registry.example/");
    expect(&report, &by_mirror, "refused", "mirror-name-in-scope", mirror.host());
    expect(&on_disk(), &by_mirror, "not-judged", "pulled-name-unknown", "registry.example/");
    policy(&["*.corp.example", "registry.example"]);
    expect(&on_disk(), &by_mirror, "not-judged", "pulled-name-unknown", "registry.example/");
}
