//! What `keypack export` writes for Kubernetes, held against the schemas that the consumers publish. The files are theirs and
//! large, so that they are not here: KEYPACK_SCHEMAS names a folder with those of FILES.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use serde_json::{Value, json};

/// The goldens, which a test compares with what is written, and the file that describes them.
const FILES: [(&str, &str, &str); 5] = [
    // kyverno/kyverno config/crds/kyverno, v1.13 to v1.19
    ("kyverno-cluster-policy", "ClusterPolicy", "kyverno.io_clusterpolicies.yaml"),
    // kyverno/kyverno config/crds/policies.kyverno.io, v1.19
    (
        "kyverno-image-validating-policy",
        "ImageValidatingPolicy",
        "policies.kyverno.io_imagevalidatingpolicies.yaml",
    ),
    // sigstore/policy-controller config/300-clusterimagepolicy.yaml and 300-trustroot.yaml, v0.15
    ("policy-controller", "ClusterImagePolicy", "300-clusterimagepolicy.yaml"),
    ("policy-controller", "TrustRoot", "300-trustroot.yaml"),
    // openshift/api machineconfiguration/v1/zz_generated.crd-manifests/0000_80_machine-config_01_machineconfigs.crd.yaml
    ("machine-config", "MachineConfig", "0000_80_machine-config_01_machineconfigs.crd.yaml"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let folder = std::env::var_os("KEYPACK_SCHEMAS").map(PathBuf::from);
    FILES
        .into_iter()
        .map(|(golden, kind, file)| {
            let name = format!("published_schemas::{kind}");
            match folder.as_ref().map(|folder| folder.join(file)).filter(|path| path.exists()) {
                Some(path) => Trial::test(name, move || {
                    check(golden, kind, &path);
                    Ok(())
                }),
                None => Trial::test(name, || Ok(()))
                    .with_kind("needs the consumer's schema in KEYPACK_SCHEMAS")
                    .with_ignored_flag(true),
            }
        })
        .collect()
}

fn check(golden: &str, kind: &str, schema: &Path) {
    let text = std::fs::read_to_string(schema).unwrap();
    let published: Value = serde_saphyr::from_str(text.trim_start_matches("---")).unwrap();
    let mut checked = 0;
    for object in objects(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/export").join(golden)) {
        if object["kind"] != kind {
            continue;
        }
        let schema = of_version(&published, &object);
        let errors: Vec<_> =
            jsonschema::validator_for(&schema).unwrap().iter_errors(&object).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{kind}: {errors:#?}");
        // A field that is not known must be found out.
        let mut wrong = object;
        wrong.as_object_mut().unwrap().insert("unknown".into(), json!(1));
        assert!(!jsonschema::is_valid(&schema, &wrong), "{kind} takes anything");
        checked += 1;
    }
    assert!(checked > 0, "no golden of kind {kind}");
}

fn objects(folder: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(objects(&path));
        } else if path.extension().is_some_and(|end| end == "yaml") {
            all.push(serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
        }
    }
    all
}

/// The schema of the object's version in a CRD.
fn of_version(published: &Value, object: &Value) -> Value {
    let versions = published.pointer("/spec/versions").and_then(Value::as_array).unwrap();
    let name = object["apiVersion"].as_str().unwrap().rsplit('/').next().unwrap();
    let version = versions.iter().find(|version| version["name"] == name && version["served"] == true);
    let mut schema =
        version.unwrap_or_else(|| panic!("no version {name}"))["schema"]["openAPIV3Schema"].clone();
    close(&mut schema);
    // Every object has these, whether its schema says so or not.
    for name in ["apiVersion", "kind", "metadata"] {
        schema["properties"][name] = json!({});
    }
    schema
}

/// The API server drops fields that a CRD does not know, so that a misspelt one would have no effect.
fn close(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let is_open = object.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true))
        || object.contains_key("additionalProperties");
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.iter_mut().filter(|(name, _)| *name != "metadata").for_each(|(_, schema)| close(schema));
        if !is_open {
            object.insert("additionalProperties".into(), json!(false));
        }
    }
    for inner in ["items", "additionalProperties"] {
        object.get_mut(inner).into_iter().for_each(close);
    }
}
