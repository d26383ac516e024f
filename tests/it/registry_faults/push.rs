//! Uploads that are sent elsewhere, break, or are refused.

use std::sync::Arc;

use keypack::{content::Sink, oci::Digest};

use super::{
    Count, basic,
    fault::{Asked, Reply, Server},
    sent,
    support::{artifact, code},
    with_alice,
};

/// A registry that accepts uploads; `location` is where an upload continues.
fn taking(
    location: impl Into<String>,
    tweak: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> Server {
    let location = location.into();
    basic(move |asked| {
        if let Some(reply) = tweak(asked) {
            return reply;
        }
        match (asked.method.as_str(), asked.target.as_str()) {
            ("POST", _) => Reply::new(202).header("Location", location.clone()),
            ("PUT", _) => {
                Reply::new(201).header("Docker-Content-Digest", Digest::of(&asked.body).to_string())
            }
            _ => Reply::new(404),
        }
    })
}

#[test]
fn an_upload_goes_on_at_home_only() {
    let foreign = Arc::new(Server::start(|_| Reply::new(201)));
    for location in [foreign.url("/up?state=1"), foreign.alias("/up"), "http://u:p@127.0.0.1/".into()] {
        let server = taking(location, |_| None);
        assert_eq!(
            code(with_alice(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t")),
            "location-refused"
        );
        assert!(!server.lines().iter().any(|line| line.starts_with("PUT")));
    }
    assert!(foreign.log().is_empty());
    for location in ["/up?state=1", "up?state=1"] {
        let server = taking(location, |_| None);
        let stored = with_alice(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t").unwrap();
        assert_eq!((stored.written, stored.tagged), (3, true));
        let put = server.log().into_iter().find(|a| a.method == "PUT").unwrap();
        assert!(put.target.contains("up?state=1&digest=sha256%3A"), "{}", put.target);
    }
}

/// containers/image#381, containers/containerd#3750: older Quay answers 202 to a manifest.
#[test]
fn any_2xx_is_success() {
    for status in [200, 201, 202, 203, 204] {
        let server = taking("/up", move |asked| {
            let digest = Digest::of(&asked.body).to_string();
            (asked.method == "PUT").then(|| Reply::new(status).header("Docker-Content-Digest", digest))
        });
        let stored = with_alice(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t").unwrap();
        assert_eq!((stored.written, stored.tagged), (3, true), "{status}");
    }
    for begun in [200, 202] {
        let server = taking("/up", move |asked| {
            (asked.method == "POST").then(|| Reply::new(begun).header("Location", "/up"))
        });
        assert!(with_alice(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t").is_ok(), "{begun}");
        assert_eq!(server.lines().iter().filter(|line| *line == "PUT /up").count(), 2, "{begun}");
    }
}

#[test]
fn what_is_written_is_not_redirected_elsewhere() {
    let foreign = Arc::new(Server::start(|_| Reply::new(201)));
    let to = foreign.url("/x");
    let server = taking("/up", move |asked| {
        (asked.method != "HEAD" && asked.method != "GET")
            .then(|| Reply::new(307).header("Location", to.clone()))
    });
    assert_eq!(code(with_alice(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t")), "redirect-refused");
    assert!(foreign.log().is_empty());
}

#[test]
fn a_failed_push_does_not_touch_the_tag() {
    for (status, expected) in
        [(400, "registry-answer"), (403, "denied"), (500, "registry-answer"), (429, "rate-limited")]
    {
        let server = taking("/up", move |asked| (asked.line() == "PUT /up").then(|| Reply::new(status)));
        assert_eq!(
            code(with_alice(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t")),
            expected,
            "{status}"
        );
        assert!(!server.lines().contains(&"PUT /v2/a/b/manifests/t".to_owned()), "{status}");
    }
}

#[test]
fn an_upload_that_breaks_begins_again() {
    let n = Count::default();
    let server =
        taking("/up", move |asked| (asked.line() == "PUT /up" && n.next() == 0).then(|| Reply::new(404)));
    assert!(with_alice(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t").is_ok());
    assert_eq!(server.lines().iter().filter(|l| *l == "POST /v2/a/b/blobs/uploads/").count(), 3);
}

#[test]
fn a_registry_that_stores_something_else_is_told() {
    let other = Digest::of(b"other").to_string();
    let server = taking("/up", move |asked| {
        (asked.method == "PUT").then(|| Reply::new(201).header("Docker-Content-Digest", other.clone()))
    });
    assert_eq!(
        code(with_alice(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t")),
        "digest-header-mismatch"
    );
}

/// distribution-spec, "Pushing Manifests": the header is only a SHOULD.
#[test]
fn what_a_registry_stored_is_read_back_where_it_does_not_say() {
    let pushed = artifact(b"x");
    let good = pushed.manifest.bytes().to_vec();
    let another = artifact(b"y").manifest.bytes().to_vec();
    for said in [None, Some("sha512:00")] {
        for (stored, expected) in [
            (Some(good.clone()), None),
            (Some(another.clone()), Some("manifest-not-stored")),
            (None, Some("manifest-not-stored")),
        ] {
            let n = Count::default();
            let server = taking("/up", move |asked| match (asked.line().as_str(), &stored) {
                ("PUT /v2/a/b/manifests/t", _) => Some(match said {
                    Some(said) => Reply::new(201).header("Docker-Content-Digest", said),
                    None => Reply::new(201),
                }),
                // The first request asks what the tag names now.
                ("GET /v2/a/b/manifests/t", Some(stored)) if n.next() > 0 => Some(sent(stored.clone())),
                _ => None,
            });
            let put = with_alice(&server).sink("a/b").unwrap().put(&pushed, "t");
            match expected {
                None => assert!(put.unwrap().tagged),
                Some(expected) => assert_eq!(code(put), expected),
            }
        }
    }
}
