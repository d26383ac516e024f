//! Objects for Kyverno and policy-controller, and the document of Talos. What is asked of them is read in their own code
//! (docs/consumers.md names it); `tests/outside/published_schemas.rs` holds them against the CRDs, where these are present.

use serde_json::{Value, json};

use super::{RULES, SIGNER, golden, pulled};
use crate::support::program::Test;

/// Signers of every kind in nested scopes.
const MANY: &str = "\
rules:
  - scope: docker.io/library/nginx
    signers: [{key: signer-43ef7bc8}]
    log: none
  - scope: quay.example/acme
    signers:
      - {key: signer-43ef7bc8}
      - authorities: [fulcio-98cd189d]
        identity: 'https://ci.example/*?build@main'
        oidcIssuer: https://issuer.example
    log: [rekor-e69e8241]
  - scope: quay.example/acme/tools
    signers:
      - authorities: [fulcio-98cd189d]
        identityRegexp: '.*@acme\\.example|root'
        identityKind: email
        oidcIssuerRegexp: 'https://(a|b)\\.example'
    log: required
";

fn objects(test: &Test, folder: &str) -> Vec<Value> {
    let yaml = test
        .tree(folder)
        .into_iter()
        .filter(|(path, _)| std::path::Path::new(path).extension().is_some_and(|end| end == "yaml"));
    yaml.map(|(path, bytes)| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("# Written by keypack export. NOT CHECKED"), "{path}: {text}");
        serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}\n{text}"))
    })
    .collect()
}

fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(path).unwrap_or_else(|| panic!("{path} in {value}"))
}

const NGINX: &str = "/spec/rules/0/verifyImages/0";

#[test]
fn a_cluster_policy_verifies_offline_whatever_the_rule_asks() {
    let test = pulled(Some(MANY));
    test.run("export kyverno --for kyverno@1.13 -o k").exits(0);
    golden(&test, "k", "kyverno-cluster-policy");
    for policy in objects(&test, "k") {
        let verify = at(&policy, NGINX);
        assert_eq!(verify["failureAction"], "Audit");
        assert_eq!(policy["spec"]["webhookConfiguration"]["failurePolicy"], "Ignore");
        assert_eq!(verify["mutateDigest"], false, "Kyverno refuses an Audit policy that changes pods");
        let set = at(verify, "/attestors/0");
        assert_eq!(set["count"], 1, "any of them is enough");
        for entry in set["entries"].as_array().unwrap() {
            // What is missing here is fetched from the internet.
            let given = entry.get("keys").or(entry.get("keyless")).unwrap();
            let has = |place: &str| given.pointer(place).is_some();
            assert!(has("/rekor/pubkey") != has("/rekor/ignoreTlog"), "{entry}");
            assert!(has("/ctlog/pubkey") != has("/ctlog/ignoreSCT"), "{entry}");
            assert!(has("/publicKeys") != has("/roots"), "{entry}");
            if has("/roots") {
                assert!(has("/rekor/pubkey"), "a certificate is judged by its log entry: {entry}");
            }
        }
    }
    test.run("export kyverno --for kyverno@1.13 -o k --enforce").exits(0);
    for policy in objects(&test, "k") {
        let verify = at(&policy, NGINX);
        assert_eq!((&verify["failureAction"], &verify["mutateDigest"]), (&json!("Enforce"), &json!(true)));
        assert_eq!(policy["spec"]["webhookConfiguration"]["failurePolicy"], "Fail");
    }
}

#[test]
fn names_with_wildcards_are_compared_exactly() {
    let test = pulled(Some(MANY));
    test.run("export kyverno --for kyverno@1.19 -o k").exits(0);
    let text = String::from_utf8(test.read("k/keypack-quay-example-acme.yaml")).unwrap();
    let policy: Value = serde_saphyr::from_str(&text).unwrap();
    let verify = at(&policy, NGINX);
    let keyless = at(verify, "/attestors/0/entries/0/keyless");
    let exact = regex::Regex::new(keyless["subjectRegExp"].as_str().unwrap()).unwrap();
    assert!(exact.is_match("https://ci.example/*?build@main"));
    assert!(
        !exact.is_match("https://ci.example/xybuild@main")
            && !exact.is_match("https://ci.example/*?build@main2")
    );
    assert_eq!(keyless["issuer"], "https://issuer.example");
    let inner = at(verify, "/skipImageReferences");
    assert_eq!(inner[0], "quay.example/acme/tools:*", "a narrower rule is left out of the wider one");
}

#[test]
fn an_image_validating_policy_never_has_a_trusted_root_that_is_dropped() {
    let test = pulled(Some(MANY));
    let line = "export kyverno --kind image-validating-policy --for kyverno@1.19 -o k";
    test.run(line).fails(4, "rule-not-expressible").tells("asks a TUF repository").tells("--tuf-mirror");
    test.write("root.json", "{}");
    test.run(&format!("{line} --tuf-mirror https://tuf.example --tuf-mirror-root root.json")).exits(0);
    golden(&test, "k", "kyverno-image-validating-policy");
    let mut with_root = 0;
    for policy in objects(&test, "k") {
        assert_eq!(policy["spec"]["validationActions"], json!(["Audit"]));
        for attestor in policy["spec"]["attestors"].as_array().unwrap() {
            let cosign = &attestor["cosign"];
            // kyverno#17562
            let ignores = cosign["ctlog"]["insecureIgnoreTlog"] == true;
            assert!(ignores != cosign["trustedRoot"].is_object(), "{attestor}");
            if let Some(root) = cosign["trustedRoot"]["value"].as_str() {
                let root: Value = serde_json::from_str(root).unwrap();
                assert_eq!(root["tlogs"].as_array().unwrap().len(), 1, "the log of this attestor alone");
                assert_eq!(cosign["tuf"]["root"]["data"], "e30=");
                with_root += 1;
            }
        }
    }
    assert!(with_root >= 3, "{with_root}");
    test.run(&line.replace("1.19", "1.18")).fails(4, "rule-not-expressible").tells("kyverno#16298");
}

#[test]
fn bundles_are_verified_offline_by_key_alone() {
    let test = pulled(Some(RULES));
    let line = "export kyverno --bundles -o k --for";
    test.run(&format!("{line} kyverno@1.19"))
        .fails(4, "rule-not-expressible")
        .tells("key-tag-rekor1")
        .tells("TUF");
    let one = pulled(Some(&RULES[..RULES.find("  - scope: 127.0.0.1:5012/key-tag-rekor1").unwrap()]));
    one.run(&format!("{line} kyverno@1.18")).fails(4, "rule-not-expressible").tells("1.19 can");
    one.run(&format!("{line} kyverno@1.19")).exits(0);
    assert_eq!(at(&objects(&one, "k")[0], NGINX)["type"], "SigstoreBundle");
}

#[test]
fn a_trust_root_holds_what_its_signer_needs_and_nothing_else() {
    let test = pulled(Some(&MANY.replace("quay.example/acme/tools", "quay.example/tools")));
    test.run("export policy-controller --for policy-controller@0.15 -o p").exits(0);
    golden(&test, "p", "policy-controller");
    let all = objects(&test, "p");
    let roots: Vec<_> = all.iter().filter(|object| object["kind"] == "TrustRoot").collect();
    let mut named = 0;
    for policy in all.iter().filter(|object| object["kind"] == "ClusterImagePolicy") {
        assert_eq!(policy["spec"]["mode"], "warn");
        for authority in policy["spec"]["authorities"].as_array().unwrap() {
            for place in ["/keyless/trustRootRef", "/ctlog/trustRootRef"] {
                let Some(name) = authority.pointer(place) else { continue };
                let root = roots.iter().find(|root| root["metadata"]["name"] == *name).unwrap();
                assert_eq!(at(root, "/spec/sigstoreKeys/tLogs").as_array().unwrap().len(), 1);
                named += 1;
            }
            assert!(authority["key"].is_null() || authority["signatureFormat"].is_null());
        }
    }
    assert!(named >= 8 && roots.len() == 3, "{named} {}", roots.len());
    test.run("export policy-controller --for policy-controller@0.15 -o p --enforce").exits(0);
    assert!(objects(&test, "p").iter().any(|object| object["spec"]["mode"] == "enforce"));
    let nested = pulled(Some(MANY));
    nested
        .run("export policy-controller --for policy-controller@0.15 -o p")
        .fails(4, "rule-not-expressible")
        .tells("quay.example/acme: the rule for quay.example/acme/tools is inside of it");
}

#[test]
fn talos_takes_one_key_and_the_narrow_rule_first() {
    let rule =
        |scope: &str| format!("  - scope: {scope}\n    signers: [{{key: signer-43ef7bc8}}]\n    log: none\n");
    let scopes = ["quay.example/acme", "quay.example/acme/tools", "docker.io/library/nginx", "'*.example'"];
    let test = pulled(Some(&format!("rules:\n{}", scopes.map(rule).concat())));
    test.run("export talos --for talos@1.13 -o t").exits(0);
    golden(&test, "t", "talos");
    let document = &objects(&test, "t")[0];
    let patterns: Vec<_> =
        document["rules"].as_array().unwrap().iter().map(|rule| rule["image"].as_str().unwrap()).collect();
    let place =
        |pattern: &str| patterns.iter().position(|p| *p == pattern).unwrap_or_else(|| panic!("{pattern}"));
    assert!(place("quay.example/acme/tools/*") < place("quay.example/acme/*"));
    assert!(place("quay.example/acme/*") < place("*.example/*"));
    place("index.docker.io/library/nginx");
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    test.run("export talos --for talos@1.13 -o t").exits(0);
    let document = &objects(&test, "t")[0];
    assert!(
        document["rules"]
            .as_array()
            .unwrap()
            .iter()
            .all(|rule| rule["deny"] == true && rule["publicKey"].is_null())
    );
    let logged = pulled(Some(RULES));
    logged
        .run("export talos --for talos@1.13 -o t")
        .fails(4, "rule-not-expressible")
        .tells("key-tag-rekor1: it asks for a log entry, and Talos looks at none");
}

#[test]
fn keyless_is_refused_for_talos_with_the_reason() {
    let test = pulled(Some(MANY));
    test.run("export talos --for talos@1.13 -o t")
        .fails(4, "rule-not-expressible")
        .tells("public TUF repository");
    assert!(!test.has("t"));
}

#[test]
fn a_revoked_signer_leaves_nothing_admitted() {
    let test = pulled(Some(RULES));
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    for kind in ["cluster-policy", "image-validating-policy"] {
        test.run(&format!("export kyverno --kind {kind} --for kyverno@1.19 -o k"))
            .fails(4, "rule-not-expressible")
            .tells("this policy can't deny");
    }
    test.run("export policy-controller --for policy-controller@0.15 -o p").exits(0);
    for policy in objects(&test, "p") {
        let authorities = at(&policy, "/spec/authorities").as_array().unwrap();
        assert!(authorities.iter().all(|one| one["static"]["action"] == "fail"), "{policy}");
    }
}

#[test]
fn by_the_mirrors_names_each_rule_has_its_own_place() {
    let test = pulled(Some(RULES));
    let line = "export kyverno --for kyverno@1.19 --pulled-by mirror -o k";
    test.run(line).fails(4, "rule-not-expressible").tells("no mirror of it is known");
    test.run(&format!("{line} --map mirror.example:5000/lab=127.0.0.1:5012")).exits(0);
    let seen: Vec<_> =
        objects(&test, "k").iter().map(|policy| at(policy, NGINX)["imageReferences"][0].clone()).collect();
    assert_eq!(
        seen,
        ["mirror.example:5000/lab/key-tag-notlog:*", "mirror.example:5000/lab/key-tag-rekor1:*"]
    );
    let readme = String::from_utf8(test.read("k/README.txt")).unwrap();
    assert!(!readme.contains("knows no mirrors"), "{readme}");
}

#[test]
fn nothing_is_checked_and_the_command_line_says_so() {
    let test = pulled(Some(RULES));
    for (line, says) in [
        ("kyverno --for kyverno@1.19 --check storage", "--check"),
        ("talos --for talos@1.13 --check storage", "--check"),
        ("policy-controller --for policy-controller@0.15 --check storage", "--check"),
        ("kyverno --for podman@5.3", "does not read what kyverno writes"),
        ("talos --for kyverno@1.19", "does not read what talos writes"),
        ("policy-json --for kyverno@1.19", "does not read what policy-json writes"),
        ("kyverno --for kyverno@1.18,kyverno@1.19", "name one version"),
        ("kyverno --for kyverno@1.19 --default accept", "--default"),
        ("kyverno --for kyverno@1.19 --keys-at /etc/pki", "--keys-at"),
        ("kyverno --for kyverno@1.19 --namespace x", "--namespace"),
        ("talos --for talos@1.13 --enforce", "--enforce"),
        ("talos --for talos@1.13 --bundles", "--bundles"),
        ("policy-json --for podman@5.3 --enforce", "--enforce"),
        ("kyverno --for kyverno@1.19 --tuf-mirror https://t", "--tuf-mirror"),
        ("kyverno --for kyverno@1.19 --tuf-mirror-root f", "--tuf-mirror"),
        ("policy-controller --for policy-controller@0.15 --kind cluster-policy", "--kind"),
    ] {
        test.run(&format!("export {line} -o x")).exits(2).tells(says);
    }
    assert!(!test.has("x"));
    let none = pulled(None);
    for line in [
        "kyverno --for kyverno@1.19",
        "policy-controller --for policy-controller@0.15",
        "talos --for talos@1.13",
    ] {
        none.run(&format!("export {line} -o x")).fails(4, "no-rules").tells("--draft-rules");
    }
}
