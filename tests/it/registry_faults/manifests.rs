//! Manifests that do not match their description, and names that are not valid names.

use keypack::{
    content::Source,
    oci::{Digest, media},
};

use super::{
    CONTENT, anonymous, blob,
    fault::{Reply, Server},
    manifest, read, sent,
    support::{artifact, code},
};

#[test]
fn manifests_that_lie_are_refused() {
    let own = manifest();
    let digest = Digest::of(&own).to_string();
    let index = br#"{"schemaVersion":2,"manifests":[]}"#.to_vec();
    for (name, reference, reply, expected) in [
        (
            "header type",
            "t",
            Reply::ok(own.clone()).header("Content-Type", media::INDEX),
            "manifest-ambiguous",
        ),
        (
            "docker type",
            "t",
            Reply::ok(own.clone()).header("Content-Type", media::DOCKER_MANIFEST),
            "manifest-ambiguous",
        ),
        ("index as manifest", "t", sent(index), "manifest-ambiguous"),
        (
            "header digest",
            "t",
            sent(own.clone()).header("Docker-Content-Digest", Digest::of(b"x").to_string()),
            "digest-header-mismatch",
        ),
        (
            "header junk",
            "t",
            sent(own.clone()).header("Docker-Content-Digest", "junk"),
            "digest-header-mismatch",
        ),
        (
            "other manifest",
            digest.as_str(),
            sent(artifact(b"other").manifest.into_bytes()),
            "digest-mismatch",
        ),
        ("endless tag", "t", sent(vec![b' '; 1 << 16]).endless(), "answer-too-long"),
        ("endless digest", digest.as_str(), sent(vec![b' '; 1 << 16]).endless(), "too-large"),
        (
            "web page",
            "t",
            Reply::ok("<html>").header("Content-Type", "text/html; charset=utf-8"),
            "not-a-registry",
        ),
    ] {
        let server = Server::start(move |_| reply.clone());
        assert_eq!(code(anonymous(&server).resolve("a/b", reference)), expected, "{name}");
    }
}

#[test]
fn absent_is_not_an_error_and_others_are() {
    for (status, expected) in
        [(400, "registry-answer"), (401, "unauthorized"), (403, "denied"), (500, "registry-answer")]
    {
        let server =
            Server::start(move |_| Reply::new(status).body(r#"{"errors":[{"code":"X","message":"why"}]}"#));
        let error = anonymous(&server).resolve("a/b", "t").unwrap_err();
        assert!(error.to_string().ends_with("X, why"), "{error}");
        assert_eq!(error.code().as_str(), expected, "{status}");
        assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), expected, "{status}");
    }
    let server = Server::start(|_| Reply::new(404));
    assert_eq!(anonymous(&server).resolve("a/b", "t").unwrap(), None);
    assert_eq!(read(&anonymous(&server), &blob(CONTENT)).unwrap(), None);
    assert!(anonymous(&server).manifests("a/b").unwrap().is_empty());
}

#[test]
fn names_that_are_paths_are_never_asked_for() {
    let server = Server::start(|_| Reply::new(404));
    let registry = anonymous(&server);
    for reference in ["../../x", "a/b", "t?x=1", "%2e%2e", "sha512:00", ""] {
        if !reference.is_empty() {
            assert_eq!(code(registry.resolve("a/b", reference)), "reference-invalid", "{reference}");
        }
        assert_eq!(
            code(registry.resolve(&format!("../{reference}"), "t")),
            "reference-invalid",
            "{reference}"
        );
    }
    assert!(server.log().is_empty());
}
