//! `discover --for`: which consumer could verify which of the lab's nine forms of signatures.

use serde_json::Value;

use super::{
    lab::storage,
    program::{TRUST, Test},
};

fn found(test: &Test, line: &str, code: i32) -> Value {
    let ran = test.run(&format!("{line} --format json")).exits(code);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let errors: Vec<_> =
        crate::schemas::schema("report-v1").iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    report["consumers"].clone()
}

type Row = (String, u64, Vec<(u64, String)>);

/// The consumer with how many of the 45 images it could verify, and why not the others.
fn summary(consumers: &Value) -> Vec<Row> {
    let all = consumers.as_array().unwrap().iter();
    all.map(|one| {
        assert_eq!(one["signed"], 45, "{one}");
        let cannot = one["cannot"].as_array().unwrap().iter();
        let mut cannot: Vec<_> = cannot
            .map(|why| (why["images"].as_u64().unwrap(), why["code"].as_str().unwrap().to_owned()))
            .collect();
        cannot.sort();
        (one["consumer"].as_str().unwrap().to_owned(), one["could"].as_u64().unwrap(), cannot)
    })
    .collect()
}

fn row(consumer: &str, could: u64, cannot: &[(u64, &str)]) -> Row {
    (consumer.into(), could, cannot.iter().map(|(n, code)| (*n, (*code).to_owned())).collect())
}

#[test]
fn each_consumer_reads_its_own_forms() {
    let test = Test::new();
    storage(&test);
    let line = format!(
        "discover storage {TRUST} --for openshift@4.22,podman@4.2,cosign@2.4,cosign@3.1,kyverno@1.19"
    );
    assert_eq!(
        summary(&found(&test, &line, 0)),
        [
            row(
                "openshift@4.22",
                10,
                &[(5, "form-not-read"), (5, "subject-not-accepted"), (25, "form-not-read")]
            ),
            row("podman@4.2", 10, &[(5, "consumer-too-old"), (5, "form-not-read"), (25, "form-not-read")]),
            row("cosign@2.4", 20, &[(25, "form-not-read")]),
            row("cosign@3.1", 45, &[]),
            row("kyverno@1.19", 40, &[(5, "form-not-read")]),
        ]
    );
    let text = test.run(&format!("discover storage {TRUST} --for openshift@4.22")).exits(0).out;
    assert!(text.contains("OPENSHIFT 4.22 COULD VERIFY 10 of 45 signed images"), "{text}");
    // A key that is missing is no reason of the consumer's.
    let without =
        found(&test, "discover storage --trusted-root lab/trust/trusted_root.json --for openshift@4.22", 4);
    let (_, could, cannot) = summary(&without).remove(0);
    assert_eq!((could, cannot.contains(&(10, "key-missing".to_owned()))), (0, true), "{without}");
    test.run("discover storage --for openshift").fails(2, "usage").tells("write CONSUMER@VERSION");
}

/// `cosign save` leaves a signature without a tag, and `cosign load` gives it one again.
#[test]
fn what_cosign_saved_is_read_as_it_will_be_loaded() {
    let test = Test::new();
    let line = format!("discover lab/layouts/key-tag-rekor1-cosignsave {TRUST} --for openshift@4.22");
    let one = &found(&test, &line, 0)[0];
    assert_eq!((&one["signed"], &one["could"]), (&1.into(), &1.into()), "{one}");
}

/// A mirror may have the signatures and not their images.
#[test]
fn an_image_that_is_not_here_counts_by_its_signature() {
    let test = Test::new();
    test.layout("key-tag-rekor1-cosignsave", "m");
    let image = test.json("m/index.json")["manifests"][0]["digest"].as_str().unwrap()[7..].to_owned();
    std::fs::remove_file(test.path(&format!("m/blobs/sha256/{image}"))).unwrap();
    let one = &found(&test, &format!("discover oci:m {TRUST} --for openshift@4.22"), 4)[0];
    assert_eq!((&one["signed"], &one["could"]), (&1.into(), &1.into()), "{one}");
}

/// The keys are those of the run, and no others.
#[test]
fn verify_asks_the_same_question_with_its_own_keys() {
    let test = Test::new();
    storage(&test);
    let consumers = "openshift@4.22,podman@4.2,cosign@2.4,cosign@3.1,kyverno@1.19";
    let asked = |line: &str| {
        let json: Value = serde_json::from_str(&test.run(&format!("{line} --format json")).out).unwrap();
        let errors: Vec<_> =
            crate::schemas::schema("verify-v1").iter_errors(&json).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        json["consumers"].clone()
    };
    let discovered = found(&test, &format!("discover storage {TRUST} --for {consumers}"), 0);
    assert_eq!(asked(&format!("verify storage {TRUST} --for {consumers}")), discovered);
    let without = "storage --trusted-root lab/trust/trusted_root.json --for openshift@4.22";
    let with_builtin = found(&test, &format!("discover {without}"), 4);
    assert_eq!(asked(&format!("verify {without}")), with_builtin, "no key of the lab is built in");
    // An authenticated keys/ answers as its files do.
    let pack = test.run(&format!("collect storage {TRUST} -o made --state there")).exits(0).after("Pack: ");
    test.push("made", "oci:p:keys");
    test.run(&format!("pull oci:p:keys --digest {pack} -o keys")).exits(0);
    assert_eq!(asked(&format!("verify storage --for {consumers}")), discovered);
    let ran = test.run("verify storage --for openshift@4.22 --report a.html");
    assert!(ran.out.contains("OPENSHIFT 4.22 COULD VERIFY 10 of 45 signed images"), "{}", ran.out);
    let page = String::from_utf8(test.read("a.html")).unwrap();
    assert!(
        page.contains("openshift@4.22 (containers/image ") && page.contains(": 10 of 45 signed images"),
        "{page}"
    );
    test.run("verify storage --for openshift").fails(2, "usage").tells("write CONSUMER@VERSION");
    test.run("verify storage --for openshift@4.22 --policy a.json").exits(2);
    test.run("verify docker://127.0.0.1:1 --images - --for openshift@4.22")
        .fails(2, "usage")
        .tells("--images FILE");
}
