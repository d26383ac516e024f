//! `verify --report`: what is in it, when it is written, what it never replaces, and what a name in it can do. How it looks is
//! tested with a browser in `tests/outside/report.rs`.

use std::collections::BTreeSet;

use keypack::oci::Digest;
use serde_json::{Value, json};

use super::{Test, keep, pulled, release::mirror::Mirror, strip};
use crate::{schemas::schema, support::program::Ran};

const RULES: &str = "rules:\n  - scope: registry.example/key-tag-rekor1\n    signers: [{key: signer-43ef7bc8}]\n    log: required\n";

/// A host that pulled keys, and a mirror of a few images.
fn place() -> Test {
    let test = pulled(Some(RULES));
    keep(&test, "key-tag-rekor1");
    test
}

/// The report in a file, which the schema describes.
#[track_caller]
fn report(test: &Test, name: &str) -> Value {
    let report = test.json(name);
    let schema = schema("verify-report-v1");
    let errors: Vec<_> =
        schema.iter_errors(&report).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
    report
}

/// The digest of a file is the one that was printed and logged.
#[track_caller]
fn is_logged(test: &Test, name: &str, ran: &Ran, result: &str) {
    let digest = Digest::of(&test.read(name)).to_string();
    assert!(ran.out.contains(&format!("Report   {name}, {digest}\n")), "{}", ran.out);
    let log = test.run("state log").exits(0).out;
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!((&last["command"], &last["result"]), (&json!("verify"), &json!(result)), "{last}");
    assert_eq!(last["reportSha256"], digest.as_str());
    assert_eq!(last["report"], test.path(name).display().to_string());
    let results = schema("results-v1");
    assert!(
        results.is_valid(&last),
        "{:?}",
        results.iter_errors(&last).map(|e| e.to_string()).collect::<Vec<_>>()
    );
}

#[test]
fn a_good_result_is_reported_with_all_that_it_depends_on() {
    let test = place();
    let idms = "kind: ImageDigestMirrorSet\nspec: {imageDigestMirrors: [{source: registry.example/key-tag-rekor1, mirrors: [mirror.example/key-tag-rekor1]}]}\n";
    test.write("idms.yaml", idms);
    let ran = test.run("verify storage --report a.json --map key-tag-rekor1=registry.example/key-tag-rekor1 --idms idms.yaml").exits(0);
    is_logged(&test, "a.json", &ran, "verified");
    let report = report(&test, "a.json");
    assert_eq!((&report["verdict"], &report["exit"]), (&json!("verified"), &json!(0)));
    let pack = &report["pack"];
    assert_eq!(pack["digest"], test.run("inspect keys").exits(0).after("Pack: ").as_str());
    assert_eq!(
        pack["keys"].as_array().unwrap().len(),
        test.json("keys/keypack.json")["keys"].as_array().unwrap().len()
    );
    assert!(pack["anchors"].to_string().contains("pack-digest, when it was pulled"), "{pack}");
    let pull = &pack["history"].as_array().unwrap()[0];
    assert_eq!((&pull["command"], &pull["result"]), (&json!("pull"), &json!("installed")));
    assert_eq!(report["clock"]["source"], "system-clock");
    assert!(report["clock"]["signatures"]["log"].as_u64().unwrap() > 0, "{}", report["clock"]);
    // Each digest can be made again from what it is of.
    let input = |what: &str| {
        let inputs = report["inputs"].as_array().unwrap().iter();
        let found: Vec<_> =
            inputs.filter(|input| input["what"] == what).map(|i| i["sha256"].as_str().unwrap()).collect();
        found.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let of = |bytes: &[u8]| Digest::of(bytes).to_string();
    assert_eq!(input("program"), [of(&std::fs::read(env!("CARGO_BIN_EXE_keypack")).unwrap())]);
    assert_eq!(
        input("mapping"),
        [of(b"key-tag-rekor1=registry.example/key-tag-rekor1"), of(idms.as_bytes())]
    );
    let images = report["images"].as_array().unwrap();
    let word = |image: &Value, name: &str| image[name].as_str().unwrap_or("-").to_owned();
    let line = |image: &Value| {
        format!("{} {} {}\n", word(image, "name"), word(image, "platform"), word(image, "digest"))
    };
    assert_eq!(input("images"), [of(images.iter().map(line).collect::<String>().as_bytes())]);
    let consumers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("consumers");
    let mut lines: Vec<_> = std::fs::read_dir(consumers).unwrap().map(|file| file.unwrap()).collect();
    lines.sort_by_key(std::fs::DirEntry::file_name);
    let sum = |file: &std::fs::DirEntry| {
        let hex = Digest::of(&std::fs::read(file.path()).unwrap()).hex();
        format!("{hex}  consumers/{}\n", file.file_name().display())
    };
    assert_eq!(input("consumer data"), [of(lines.iter().map(sum).collect::<String>().as_bytes())]);
    assert!(
        images.iter().any(|image| image["verdict"] == "good" && image["signers"][0] == "signer-43ef7bc8.pub"),
        "{images:?}"
    );
}

#[test]
fn a_bad_result_is_reported_too_with_what_to_do() {
    let test = place();
    strip(&test);
    let line = "verify storage --map key-tag-rekor1=registry.example/key-tag-rekor1";
    let ran = test.run(&format!("{line} --report a.json")).exits(4);
    is_logged(&test, "a.json", &ran, "images-refused");
    let bad = report(&test, "a.json");
    assert_eq!((&bad["exit"], &bad["failure"]["code"]), (&json!(4), &json!("images-refused")));
    let refused =
        bad["images"].as_array().unwrap().iter().find(|image| image["section"] == "refused").unwrap();
    assert_eq!(refused["code"], "signature-missing");
    assert!(!refused["fix"].as_str().unwrap().is_empty(), "{refused}");
    test.run(&format!("{line} --report a.html")).exits(4);
    let page = String::from_utf8(test.read("a.html")).unwrap();
    for text in ["REFUSED 5 images", "signature-missing", "fix: ", "exit code 4", "APPENDIX: EVERY IMAGE"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    // What is printed as JSON names it as well.
    let json = test.run(&format!("{line} --report a.html --format json")).exits(4).json();
    assert_eq!(json["report"]["sha256"], Digest::of(&test.read("a.html")).to_string());
}

#[test]
fn a_policy_is_reported_with_its_verdicts() {
    let test = place();
    let policy = json!({"default": [{"type": "reject"}], "transports": {"docker": {
        "registry.example": [{"type": "sigstoreSigned", "keyPath": "lab/trust/cosign.pub",
            "signedIdentity": {"type": "exactRepository", "dockerRepository": "127.0.0.1:5012/key-tag-rekor1/img1"}}]}}})
    .to_string();
    test.write("policy.json", &policy);
    test.write("registries.d/a.yaml", "default-docker:\n  use-sigstore-attachments: true\n");
    let line = "verify storage --policy policy.json --registries-d registries.d --map key-tag-rekor1=registry.example/key-tag-rekor1";
    let ran = test.run(&format!("{line} --fix a.txt --report a.json")).exits(4);
    is_logged(&test, "a.json", &ran, "policy-would-refuse");
    let report = report(&test, "a.json");
    assert_eq!(report["verdict"], "refused");
    let input = |what: &str| {
        report["inputs"].as_array().unwrap().iter().find(|i| i["what"] == what).unwrap()["sha256"].clone()
    };
    assert_eq!(input("policy"), Digest::of(policy.as_bytes()).to_string());
    assert_eq!(input("registries.d"), Digest::of(&test.read("registries.d/a.yaml")).to_string());
    let sections: BTreeSet<_> =
        report["images"].as_array().unwrap().iter().map(|i| i["section"].as_str().unwrap()).collect();
    assert_eq!(sections, BTreeSet::from(["good", "refused"]));
    assert_eq!(report.get("pack"), None);
    test.run(&format!("{line} --report a.html")).exits(4);
    let page = String::from_utf8(test.read("a.html")).unwrap();
    assert!(page.contains("no pack was used") && page.contains("policy.json"), "{page}");
}

#[test]
fn a_release_is_reported_with_its_stages_and_the_pack_that_authenticates_it() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    mirror.test.run("verify oc-mirror:in --policy openshift --report a.json").exits(0);
    let found = report(&mirror.test, "a.json");
    assert!(found["pack"]["keys"].to_string().contains("gpg-"), "{}", found["pack"]);
    let stages: Vec<_> = found["stages"].as_array().unwrap().iter().map(|stage| &stage["stage"]).collect();
    assert!(stages.contains(&&json!("first-boot")) && stages.contains(&&json!("update-gate")), "{stages:?}");
    mirror.test.run("verify oc-mirror:in --policy openshift --report a.html").exits(0);
    let page = String::from_utf8(mirror.test.read("a.html")).unwrap();
    assert!(page.contains("first boot") && page.contains("OpenShift 4.22.7"), "{page}");
}

/// Nothing could be judged, and that is what the report says.
#[test]
fn a_run_without_a_result_is_reported_if_it_exits_4_and_not_otherwise() {
    let test = place();
    let ran = test.run("verify storage --policy openshift --report a.json").fails(4, "policy-not-in-mirror");
    ran.tells(&format!("wrote the report a.json, {}", Digest::of(&test.read("a.json"))));
    let found = report(&test, "a.json");
    assert_eq!((&found["verdict"], &found["images"]), (&json!("policy-not-in-mirror"), &json!([])));
    test.run("verify ./nowhere --report b.json");
    let other = Digest::of(b"other");
    test.run(&format!("verify storage --keys-dir made --digest {other} --report b.json")).exits(3);
    assert!(!test.has("b.json"));
}

#[test]
fn two_reports_of_one_thing_differ_in_their_times_alone() {
    let test = place();
    for name in ["a", "b"] {
        test.run(&format!("verify storage --report {name}.html")).exits(0);
        test.run(&format!("verify storage --report {name}.json")).exits(0);
    }
    for ending in ["html", "json"] {
        let [a, b] =
            ["a", "b"].map(|name| String::from_utf8(test.read(&format!("{name}.{ending}"))).unwrap());
        assert_eq!(a.lines().count(), b.lines().count());
        let differ = |(a, b): &(&str, &str)| a != b;
        let odd: Vec<_> = a
            .lines()
            .zip(b.lines())
            .filter(differ)
            .filter(|(a, _)| !(a.contains("Clock") || a.contains("\"time\"")))
            .collect();
        assert!(odd.is_empty(), "{odd:?}");
    }
}

#[test]
fn a_report_says_what_changed_since_the_one_that_it_replaces() {
    let test = place();
    test.run("verify storage --report a.html").exits(0);
    assert!(String::from_utf8(test.read("a.html")).unwrap().contains("<p>not compared: "));
    let first = Digest::of(&test.read("a.html"));
    test.run("verify storage --report a.html").exits(0);
    let page = String::from_utf8(test.read("a.html")).unwrap();
    assert!(page.contains(&first.to_string()) && page.contains("nothing has changed but the time"), "{page}");
    // A page and JSON are compared with each other.
    strip(&test);
    test.run("verify storage --report b.json --since a.html --require-signed").exits(4);
    let changes = report(&test, "b.json")["changes"].clone();
    assert_eq!(changes["file"], "a.html");
    let result = &changes["changed"]["result"];
    assert_eq!(result["was"], "verified, exit 0", "{changes}");
    let images =
        changes["changed"].as_object().unwrap().iter().filter(|(what, _)| what.starts_with("image "));
    let images: Vec<_> =
        images.map(|(_, change)| change["is"].as_str().unwrap().split(' ').next().unwrap()).collect();
    assert!(!images.is_empty() && images.iter().all(|is| *is == "refused"), "{changes}");
    test.run("verify storage --report a.html --since b.json").exits(4);
    let page = String::from_utf8(test.read("a.html")).unwrap();
    assert!(
        page.contains("that was b.json of ") && page.contains("nothing has changed but the time"),
        "{page}"
    );
    test.run("verify storage --report a.html --since a.html --trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub").exits(4);
    let page = String::from_utf8(test.read("a.html")).unwrap();
    assert!(page.contains("- pack default: version ") && page.contains("NOT AUTHENTICATED"), "{page}");
}

#[test]
fn nothing_but_a_report_is_replaced_and_nothing_is_half_written() {
    let test = place();
    for (name, text) in [("a.html", "<!doctype html>\n"), ("a.json", "{\"report\": 1}"), ("b.html", "")] {
        test.write(name, text);
        test.run(&format!("verify storage --report {name}")).fails(1, "report-taken");
        assert_eq!(test.read(name), text.as_bytes());
        test.run(&format!("verify storage --report c.html --since {name}")).fails(1, "report-unreadable");
    }
    test.run("verify storage --report no/c.html").exits(1).tells("is not an existing directory");
    test.run("verify storage --report c.html --since nowhere.html").exits(1);
    for name in ["c.pdf", "c", "html", ".html", "c.HTML.txt"] {
        test.run(&format!("verify storage --report {name}")).exits(2).tells("FILE.html or FILE.json");
    }
    test.run("verify storage --since a.html").exits(2);
    // One that was cut off is keypack's all the same.
    test.run("verify storage --report c.json").exits(0);
    let text = test.read("c.json");
    test.write("c.json", &text[..100]);
    test.run("verify storage --report c.json").exits(0);
    report(&test, "c.json");
    assert!(test.names("").iter().all(|name| !name.contains(".keypack-")), "{:?}", test.names(""));
}

/// No name becomes markup, hides or reorders text, or ends the comment with the facts.
#[test]
fn hostile_names_are_text() {
    const HOSTILE: &str = "x--></td></table><script>alert('1')</script>&lt;<img src=x onerror=\"alert(2)\">\u{202e}\u{1b}[2J\u{ad}\r\n--!>";
    let test = Test::new();
    test.layout("key-tag-rekor1-cosignsave", "m");
    let mut index = test.json("m/index.json");
    for entry in index["manifests"].as_array_mut().unwrap() {
        let mut named = entry.clone();
        named["annotations"]["org.opencontainers.image.ref.name"] = json!(HOSTILE);
        *entry = if entry["annotations"].to_string().contains("sigs") { entry.clone() } else { named };
    }
    test.write("m/index.json", index.to_string());
    let key = HOSTILE.replace(['/', '\r', '\n'], "") + ".pub";
    test.write(&key, std::fs::read("testdata/lab/trust/cosign.pub").unwrap());
    let mut line =
        vec!["collect", "m", "--trusted-root", "lab/trust/trusted_root.json", "--key", &key, "-o", "made"];
    line.extend(["--collected-by", HOSTILE, "--given-by", HOSTILE, "--state", "there"]);
    test.run_args(&line).exits(0);
    let digest = test.push("made", "oci:p:keys").pack_digest;
    test.run_args(&[
        "pull",
        "oci:p:keys",
        "--digest",
        &digest.to_string(),
        "-o",
        "keys",
        "--ticket",
        HOSTILE,
    ])
    .exits(0);
    let policy =
        json!({"default": [{"type": "reject"}], "transports": {"docker": {HOSTILE: [{"type": "reject"}]}}});
    test.write("policy.json", policy.to_string());
    let identity = format!("https://{HOSTILE}");
    let runs: [&[&str]; 3] = [
        &["verify", "m"],
        &["verify", "m", "--certificate-identity", &identity, "--certificate-oidc-issuer", HOSTILE],
        &["verify", "m", "--policy", "policy.json"],
    ];
    for run in runs {
        for name in ["a.html", "a.html", "a.json"] {
            let ran = test.run_args(&[run, &["--report", name]].concat());
            assert!([0, 4].contains(&ran.code), "{}", ran.err);
            let text = String::from_utf8(test.read(name)).unwrap();
            assert!(!text.chars().any(|c| c != '\n' && keypack::display::hidden(c)), "{text:?}");
            if name == "a.json" {
                report(&test, name);
                continue;
            }
            assert!(text.contains("alert(&#39;1&#39;)"), "the name is there: {text}");
            assert_eq!(tags(&text), Vec::<String>::new());
            assert!(
                !text.contains("url(")
                    && text.matches("<!--").count() == 2
                    && text.matches("-->").count() == 2
            );
        }
    }
}

/// The tags that a report must not have.
fn tags(page: &str) -> Vec<String> {
    let known = [
        "!doctype", "!--", "html", "head", "meta", "style", "title", "body", "h1", "h2", "p", "div", "code",
        "pre", "table", "thead", "tbody", "tr", "th", "td",
    ];
    let names = page.split('<').skip(1).map(|part| part.trim_start_matches('/'));
    let odd = names.filter(|part| {
        !known.iter().any(|name| part.strip_prefix(name).is_some_and(|rest| rest.starts_with(['>', ' '])))
    });
    // No attribute is made of a name: each tag is one of these few.
    let attributes = page.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(tag, _)| tag));
    let allowed = |tag: &&str| {
        !tag.contains(' ')
            || tag.starts_with('!')
            || tag.starts_with("meta ")
            || tag.starts_with("html ")
            || ["class=\"", "style=\"width: "].iter().any(|start| {
                tag.split_once(' ').is_some_and(|(_, rest)| {
                    rest.strip_prefix(start)
                        .is_some_and(|value| value.ends_with('"') && value.matches('"').count() == 1)
                })
            })
    };
    let odd_attributes = attributes.filter(|tag| !allowed(tag));
    odd.chain(odd_attributes).map(str::to_owned).collect()
}
