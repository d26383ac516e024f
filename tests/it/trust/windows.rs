//! The validity periods of keys as their sources state them, with the built program; and what is not reported.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Key, Material, Role},
    oci::Digest,
};
use serde_json::{Value, json};

use super::{
    issue,
    lab::{Form, Parts, root},
    test_keys,
};
use crate::{
    support::program::{Ran, TRUST, Test},
    tuf::keeper::Keeper,
};

const IMAGE: &str = "keyless-bundle-rekor1-oras";
const CLOSED: &str = "2026-11-22T14:56:40Z";

/// The trusted root of the lab, with something changed in it.
fn lab_root(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let test = Test::new();
    let mut root = test.json("lab/trust/trusted_root.json");
    change(&mut root);
    root.to_string().into_bytes()
}

fn close(role: Role, root: &mut Value) {
    let window = match role {
        Role::Fulcio => &mut root["certificateAuthorities"][0]["validFor"],
        _ => &mut root["tlogs"][0]["publicKey"]["validFor"],
    };
    window["end"] = CLOSED.into();
}

/// The only difference that is reported.
fn difference(ran: &Ran, role: &str) -> Value {
    let json = ran.json();
    let [difference] = json["windows"].as_array().unwrap().as_slice() else { panic!("{json:#}") };
    assert!(difference["key"].as_str().unwrap().starts_with(&format!("{role}:")), "{difference}");
    assert_eq!(difference["stated"].as_array().unwrap().len(), 2);
    difference.clone()
}

/// The signatures of the lab were made after that end.
#[test]
fn a_file_or_a_repository_that_closes_what_the_other_leaves_open() {
    for role in [Role::Rekor, Role::Fulcio] {
        let (open, closed) = (lab_root(|_| {}), lab_root(|root| close(role, root)));
        for (repository, file) in [(&open, &closed), (&closed, &open), (&closed, &closed)] {
            let test = Test::new();
            test.layout(IMAGE, "m");
            Keeper::new(repository).write(&test, "repo");
            test.write("file.json", file);
            let line = "oci:m --tuf repo --tuf-root repo.root.json --trusted-root file.json";
            let ran = test.run(&format!("discover {line} --format json")).exits(4);
            let keys = ran.json()["keys"].as_array().unwrap().clone();
            assert!(
                !keys.iter().any(|key| key["key"].as_str().unwrap().starts_with(&format!("{role}:"))),
                "{role}: {keys:?}"
            );
            if repository == file {
                assert_eq!(ran.json()["windows"], json!([]));
                continue;
            }
            assert_eq!(difference(&ran, role.as_str())["used"]["end"], CLOSED);
            test.run(&format!("discover {line}")).exits(4).says("the narrowest");
            let ran = test.run(&format!("collect {line} -o keys --format json"));
            assert_eq!(difference(&ran, role.as_str())["used"]["end"], CLOSED, "{role}");
        }
    }
}

/// A layout with an image whose bundle is this one.
fn layout(test: &Test, form: &Form) {
    let Parts::Bundle(bundle) = &form.parts else { panic!() };
    let bundle_type = bundle["mediaType"].as_str().unwrap();
    test.layout(IMAGE, "m");
    let put = |media_type: &str, json: &Value| {
        let bytes = json.to_string();
        let digest = Digest::of(bytes.as_bytes());
        test.write(&format!("m/blobs/sha256/{}", digest.hex()), &bytes);
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    };
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let mut index = test.json("m/index.json");
    let image = index["manifests"][0].clone();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": kind, "artifactType": bundle_type,
        "config": put("application/vnd.oci.empty.v1+json", &json!({})),
        "layers": [put(bundle_type, bundle)],
        "subject": { "mediaType": kind, "digest": image["digest"], "size": image["size"] },
    });
    index["manifests"] = json!([image, put(kind, &manifest)]);
    test.write("m/index.json", index.to_string());
}

/// The public-good instance's, which is built in.
#[test]
fn a_file_that_closes_what_is_built_in() {
    let public = sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
    let keys = root(public.as_bytes(), "public");
    let open = |role: Role| {
        let fits = |key: &&Key| key.role == role && key.validity.end.is_none();
        keys.iter().map(|c| &c.key).find(fits).unwrap()
    };
    let Material::Chain(ca) = &open(Role::Fulcio).material else { panic!() };
    let (form, _) = issue::sign(&test_keys::namesake(ca.first()), issue::good(), issue::NOW);
    let log = open(Role::Rekor).id;
    let form = form.with_bundle(|bundle| {
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry["logId"]["keyId"] = BASE64.encode(log.as_bytes()).into();
    });
    let test = Test::new();
    layout(&test, &form);
    for (list, role) in [("tlogs", "rekor"), ("certificateAuthorities", "fulcio")] {
        let mut root: Value = serde_json::from_str(public).unwrap();
        for entry in root[list].as_array_mut().unwrap() {
            let of_log = list == "tlogs";
            let window = if of_log { &mut entry["publicKey"]["validFor"] } else { &mut entry["validFor"] };
            if window["end"].is_null() {
                window["end"] = CLOSED.into();
            }
        }
        test.write("file.json", root.to_string());
        let ran = test.run("discover oci:m --trusted-root file.json --format json").exits(4);
        let difference = difference(&ran, role);
        assert_eq!(difference["used"]["end"], CLOSED);
        let sources: Vec<_> = difference["stated"].as_array().unwrap().iter().map(|s| &s["source"]).collect();
        assert!(sources.contains(&&json!("file.json")), "{sources:?}");
        assert!(sources.contains(&&json!("sigstore public-good trusted root")), "{sources:?}");
    }
}

/// sigstore-go rejects such a root; keypack uses the key and says so.
#[test]
fn a_log_without_the_start_of_its_validity() {
    for (list, id) in [("tlogs", "tlogs[0]"), ("ctlogs", "ctlogs[0]")] {
        for without_window in [true, false] {
            let bytes = lab_root(|root| {
                let key = root[list][0]["publicKey"].as_object_mut().unwrap();
                if without_window {
                    key.remove("validFor");
                } else {
                    key.insert("validFor".into(), json!({}));
                }
            });
            let test = Test::new();
            test.layout(IMAGE, "m");
            test.write("file.json", &bytes);
            Keeper::new(&bytes).write(&test, "repo");
            for line in ["--trusted-root file.json", "--tuf repo --tuf-root repo.root.json"] {
                for command in ["discover oci:m", "collect oci:m -o keys"] {
                    let ran = test.run(&format!("{command} {line} --format json")).exits(0);
                    let json = ran.json();
                    let undated = json["undated"].as_array().unwrap();
                    assert_eq!((undated.len(), &undated[0]["code"]), (1, &json!("log-window-missing")));
                    assert!(undated[0]["entry"].as_str().unwrap().starts_with(id), "{undated:?}");
                    assert_eq!(json["unusable"], json!([]));
                    let text = test.run(&format!("{command} {line}")).exits(0);
                    text.says("note log-window-missing: ").says("hint: keypack uses it");
                }
            }
        }
    }
    let test = Test::new();
    test.layout(IMAGE, "m");
    let ran = test.run(&format!("discover oci:m {TRUST} --format json")).exits(0);
    assert_eq!(ran.json()["undated"], json!([]));
}

/// Removing the log entry from a signature makes it prove less.
#[test]
fn signatures_that_no_log_has_are_shown() {
    for (image, logged) in [
        ("key-tag-notlog-cosignsave", false),
        ("key-bundle-notlog-oras", false),
        ("key-tag-rekor1-cosignsave", true),
    ] {
        let test = Test::new();
        test.layout(image, "m");
        for command in ["discover oci:m", "collect oci:m -o keys"] {
            let json = test.run(&format!("{command} {TRUST} --format json")).exits(0).json();
            assert_eq!(json["images"][0]["signatures"][0]["logged"], logged, "{image}");
            assert_eq!(json["counts"]["notLogged"], usize::from(!logged), "{image}");
            let text = test.run(&format!("{command} {TRUST}")).exits(0).out;
            assert_eq!(text.contains("1 signature without a"), !logged, "{text}");
        }
        let text = test.run(&format!("discover oci:m {TRUST} -v")).exits(0).out;
        assert_eq!(text.contains(", not logged)"), !logged, "{text}");
    }
}
