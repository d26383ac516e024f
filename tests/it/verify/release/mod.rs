//! `verify --policy openshift`: the policy in the mirror's own release, which counts only once the release is authenticated.
mod attacks;
mod lists;
pub(super) mod mirror;
mod names;
mod stages;

use serde_json::{Value, json};

use self::mirror::{CONTENT, Mirror, RELEASE};
use crate::support::program::{LAB, Ran};

const LINE: &str = "verify oc-mirror:in --policy openshift";

/// The report, which the schema describes.
#[track_caller]
fn report(ran: &Ran) -> Value {
    let report = ran.json();
    let schema = std::fs::read(format!("{LAB}/../../schemas/admission-v1.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let errors: Vec<_> =
        schema.iter_errors(&report).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
    report
}

/// The code that a run fails with.
#[track_caller]
fn code(mirror: &Mirror, more: &str, exit: i32) -> String {
    let report = mirror.test.run(&format!("{LINE} {more} --format json")).exits(exit).json();
    let failure = if report["error"].is_null() { &report["failure"] } else { &report["error"] };
    failure["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_policy_of_an_authenticated_release_decides() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let report = report(&mirror.test.run(&format!("{LINE} --format json")).exits(0));
    assert_eq!(report["verdict"], "admitted");
    assert_eq!(report["policy"]["scopes"], json!([RELEASE, CONTENT]));
    assert_eq!(report["policy"]["objects"], json!(["ClusterImagePolicy openshift"]));
    let release = &report["releases"][0];
    assert_eq!((&release["version"], &release["platforms"]), (&json!("4.22.7"), &json!(["linux/amd64"])));
    assert_eq!(release["images"], 3);
    assert!(release["signedBy"].as_str().unwrap().starts_with("gpg-"), "{release}");
    // The test's key is not Red Hat's: both are shown.
    let note = report["policy"]["notes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|note| note["code"] == "policy-differs-from-builtin");
    let note = note.unwrap()["message"].as_str().unwrap();
    assert!(
        note.contains("In the release: ") && note.contains("Built in: ") && note.contains("ba9d26350d78"),
        "{note}"
    );
    let verdicts = |name: &str| -> Vec<&str> {
        let images = report["images"].as_array().unwrap();
        let own = images.iter().filter(|pull| pull["repository"] == name);
        own.map(|pull| pull["verdict"].as_str().unwrap()).collect()
    };
    assert_eq!(verdicts("openshift/release-images"), ["admitted"]);
    assert_eq!(verdicts("openshift/release"), ["admitted"; 3]);
    // By tag and by digest; its host is not known, and no scope may be its own on any.
    assert_eq!(verdicts("ubi9/ubi"), ["outside"; 2]);
    mirror
        .test
        .run(LINE)
        .exits(0)
        .says("OpenShift 4.22.7, nodes linux/amd64")
        .says("openshift, as release 4.22.7 ships it")
        .says("update gate (CVO) of 4.22.7: admitted")
        .says("first boot of 4.22.7: admitted");
}

#[test]
fn an_image_without_its_signature_is_refused() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let tags = mirror.test.path("in/docker/registry/v2/repositories/openshift/release/_manifests/tags");
    let one = std::fs::read_dir(&tags).unwrap().map(|tag| tag.unwrap().path());
    one.filter(|tag| tag.extension().is_some_and(|end| end == "sig"))
        .for_each(|tag| std::fs::remove_dir_all(tag).unwrap());
    let report = report(&mirror.test.run(&format!("{LINE} --format json")).exits(4));
    assert_eq!(report["failure"]["code"], "policy-would-refuse");
    let stage = |name: &str| {
        let stages = report["stages"].as_array().unwrap();
        stages.iter().find(|stage| stage["stage"] == name).unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!((stage("first-boot"), stage("running-cluster")), ("refused".into(), "refused".into()));
    assert_eq!(stage("update-gate"), "admitted");
}

#[test]
fn a_mirror_without_a_release_has_no_policy() {
    let mirror = Mirror::new();
    mirror.image("ubi9/ubi", Some("latest"), "amd64", &[], &json!({}));
    mirror.test.run(LINE).fails(4, "policy-not-in-mirror").tells("builtin:openshift@");
    // Something else may lie at the name of releases.
    mirror.image("openshift/release-images", Some("x"), "amd64", &[], &json!({"a": "b"}));
    assert_eq!(code(&mirror, "", 4), "policy-not-in-mirror");
}

#[test]
fn a_policy_that_is_off_by_default_asks_for_nothing() {
    let mirror = Mirror::new();
    mirror.release("4.20.11", &[RELEASE], "    release.openshift.io/feature-set: TechPreviewNoUpgrade\n");
    mirror.pull_keys();
    let report = report(&mirror.test.run(&format!("{LINE} --format json")).exits(4));
    assert_eq!(report["failure"]["code"], "nothing-in-scope");
    assert_eq!(report["policy"]["notes"][0]["code"], "policy-not-in-force");
    assert!(report["images"].as_array().unwrap().iter().all(|pull| pull["verdict"] == "outside"));
    let older = Mirror::new();
    let references = older.images("4.16.3");
    let layers = [mirror::gzip(&mirror::tar(&[(mirror::REFERENCES, references.as_bytes())]))];
    older.gpg_sign("4.16.3", older.release_of("4.16.3", &layers));
    older.pull_keys();
    older.test.run(LINE).exits(4).says("release 4.16.3 brings no policy for images");
}

#[test]
fn every_release_on_the_way_must_admit_an_image() {
    let mirror = Mirror::new();
    mirror.release("4.21.3", &[RELEASE], "");
    mirror.release("4.22.7", &[RELEASE, CONTENT], "");
    mirror.pull_keys();
    let report = report(&mirror.test.run(&format!("{LINE} --format json")).exits(0));
    assert_eq!(report["releases"].as_array().unwrap().len(), 2);
    // 4.21 has no scope for these, and 4.22 has.
    let images = report["images"].as_array().unwrap();
    assert!(images.iter().all(|pull| pull["verdict"] == "admitted"), "{images:?}");
    let file = report["policy"]["file"].as_str().unwrap();
    assert!(file.contains("4.21.3 ships it") && file.contains("4.22.7 ships it"), "{file}");
}

#[test]
fn an_image_of_the_release_that_is_missing_is_listed() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let folder = "in/docker/registry/v2/repositories/openshift/release/_manifests";
    let tag = format!("{folder}/tags/4.22.7-x86_64-etcd");
    let digest = String::from_utf8(mirror.test.read(&format!("{tag}/current/link"))).unwrap();
    // Without a tag it is still there: a cluster pulls it by digest.
    std::fs::remove_dir_all(mirror.test.path(&tag)).unwrap();
    assert_eq!(code(&mirror, "", 0), "");
    std::fs::remove_dir_all(mirror.test.path(&format!("{folder}/revisions/sha256/{}", &digest[7..])))
        .unwrap();
    let report = report(&mirror.test.run(&format!("{LINE} --format json")).exits(4));
    assert_eq!(report["failure"]["code"], "release-images-missing");
    assert_eq!(
        (&report["missing"][0]["name"], &report["missing"][0]["image"]),
        (&json!("etcd"), &json!(format!("{CONTENT}@{digest}")))
    );
    mirror.test.run(LINE).exits(4).says("NOT IN THE MIRROR 1 image").says("etcd of 4.22.7");
}
