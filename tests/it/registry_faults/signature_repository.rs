//! Signatures in another repository than their images, as cosign writes them with `COSIGN_REPOSITORY`.

use serde_json::Value;

use super::fault::{Asked, Reply, Server};
use crate::support::{
    mirror::{self, Content},
    program::{Ran, TRUST, Test},
};

/// What the signature repository answers; `None`: it has nothing there.
type Apart = fn(&Content, &Asked) -> Option<Reply>;

/// The image in `team/app` without its signature, and `team/signatures`.
fn start(apart: Apart) -> Server {
    mirror::start(move |content, asked| {
        let unknown = Reply::new(404).body(r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#);
        if asked.target.starts_with("/v2/team/signatures/") {
            return Some(apart(content, asked).unwrap_or(unknown));
        }
        if asked.line().ends_with("/tags/list") {
            return Some(Reply::ok(r#"{"name":"team/app","tags":["v1"]}"#));
        }
        let name = asked.target.rsplit('/').next().unwrap_or_default();
        let images = asked.target.starts_with("/v2/team/app/");
        (images && name != "v1" && name != content.image).then_some(unknown)
    })
}

fn list_of(digest: &str) -> String {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}]}}"#,
        Content::new().size(digest)
    )
}

fn index(text: String) -> Reply {
    Reply::ok(text).header("Content-Type", "application/vnd.oci.image.index.v1+json")
}

/// Its content, except the tag of the signature.
fn without_tag(content: &Content, asked: &Asked) -> Option<Reply> {
    (!asked.target.ends_with(&content.signature_tag())).then(|| content.answer(asked))
}

#[allow(clippy::unnecessary_wraps, reason = "one of several answers")]
fn by_tag(content: &Content, asked: &Asked) -> Option<Reply> {
    Some(content.answer(asked))
}

fn by_fallback_tag(content: &Content, asked: &Asked) -> Option<Reply> {
    let tag = content.image.replace(':', "-");
    let is_it = asked.target.ends_with(&format!("/manifests/{tag}"));
    if is_it { Some(index(list_of(&content.signature))) } else { without_tag(content, asked) }
}

fn by_api(content: &Content, asked: &Asked) -> Option<Reply> {
    let is_it = asked.target.contains(&format!("/referrers/{}", content.image));
    if is_it { Some(index(list_of(&content.signature))) } else { without_tag(content, asked) }
}

fn discover(test: &Test, server: &Server, what: &str) -> Ran {
    test.run(&format!("discover {what} --plain-http --retry-times 0 --no-host {TRUST} --signature-repository {}/team/signatures", server.host()))
}

#[test]
fn a_signature_is_found_in_another_repository_in_all_forms() {
    let forms: [Apart; 3] = [by_tag, by_fallback_tag, by_api];
    for (number, form) in forms.into_iter().enumerate() {
        let server = start(form);
        let test = Test::new();
        for place in ["/team/app:v1", "/team/app"] {
            let place = format!("docker://{}{place}", server.host());
            let alone = test.run(&format!("discover {place} --plain-http --retry-times 0 --no-host {TRUST}"));
            assert!(alone.out.contains("1 image: 0 signed, 1 unsigned"), "{number}: {}", alone.out);
            let ran = discover(&test, &server, &place).exits(0);
            assert!(ran.out.contains("1 image: 1 signed"), "{number}: {} {}", ran.out, ran.err);
            let json = discover(&test, &server, &format!("{place} --format json")).exits(0);
            let report: Value = serde_json::from_str(&json.out).unwrap();
            assert_eq!(report["images"][0]["signatures"][0]["found"], "signature-repository", "{number}");
        }
    }
}

#[test]
fn verify_reads_it_as_well() {
    let forms: [Apart; 3] = [by_tag, by_fallback_tag, by_api];
    for form in forms {
        let server = start(form);
        let test = Test::new();
        let line = format!("verify docker://{}/team/app --plain-http --retry-times 0 {TRUST}", server.host());
        test.run(&line).fails(4, "nothing-signed");
        let apart = format!("{}/team/signatures", server.host());
        test.run(&format!("{line} --signature-repository {apart}")).exits(0).says("1 image verified");
        test.write("keypack.yaml", format!("signatureRepository: {apart}\n"));
        test.run(&format!("{line} --config keypack.yaml")).exits(0);
    }
    // The missing signature may be in what could not be read.
    let server = start(|_, _| Some(Reply::new(403)));
    let line = format!(
        "verify docker://{0}/team/app --plain-http --retry-times 0 {TRUST} --signature-repository {0}/team/signatures",
        server.host()
    );
    let ran = Test::new().run(&line).fails(4, "not-all-read");
    assert!(!ran.out.contains("verified"), "{}", ran.out);
}

#[test]
fn images_on_a_disk_are_joined_with_a_repository_of_signatures() {
    let server = start(by_tag);
    let test = Test::new();
    test.layout("key-tag-rekor1-cosignsave", "m");
    let mut layout = test.json("m/index.json");
    layout["manifests"].as_array_mut().unwrap().truncate(1);
    test.write("m/index.json", layout.to_string());
    test.run(&format!("discover m --no-host {TRUST}")).says("1 image: 0 signed, 1 unsigned");
    discover(&test, &server, "m").exits(0).says("1 image: 1 signed");
    let setting = format!("signatureRepository: {}/team/signatures\n", server.host());
    test.write("keypack.yaml", setting);
    let line = format!("--config keypack.yaml --plain-http --no-host {TRUST}");
    test.run(&format!("discover m {line}")).exits(0).says("1 image: 1 signed");
    test.run(&format!("collect m -o keys {line}")).exits(0);
}

/// "Could not be read" is never "unsigned".
#[test]
fn a_repository_of_signatures_that_can_not_be_read_is_a_problem() {
    let denied: Apart = |_, _| Some(Reply::new(403));
    let blocked: Apart = |content, asked| {
        let tag = asked.target.ends_with(&content.signature_tag());
        tag.then(|| Reply::new(403))
    };
    let damaged: Apart = |content, asked| {
        let blob = asked.target.contains("/blobs/");
        if blob { Some(Reply::new(404)) } else { Some(content.answer(asked)) }
    };
    for (answer, code) in [(denied, "denied"), (blocked, "denied"), (damaged, "blob-missing")] {
        let server = start(answer);
        let ran = discover(&Test::new(), &server, &format!("docker://{}/team/app:v1", server.host()));
        let ran = ran.fails(4, "incomplete").says(code).says("team/signatures");
        assert!(ran.out.contains("0 signed, 0 unsigned, 1 unreadable"), "{code}: {}", ran.out);
    }
}

#[test]
fn it_is_named_as_a_repository_and_asked_only_with_a_network() {
    let test = Test::new();
    test.layout("key-tag-rekor1-cosignsave", "m");
    for name in ["r.test/a:v1", "r.test/A", "r.test/a@sha256:00", "oci:x"] {
        test.run(&format!("discover m --signature-repository {name}")).fails(2, "usage");
    }
    test.run("discover m --no-network --signature-repository r.test/a").fails(2, "usage");
}
