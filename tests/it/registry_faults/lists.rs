//! Tags, catalogs and referrers: pages that continue on another origin, or never end.

use std::sync::{Arc, Barrier};

use keypack::{
    content::{Referrers, Selection, Source, fetch_manifest},
    diag::Diagnostic,
    discover::{Target, discover},
    limits,
    oci::{Digest, media},
};

use super::{
    Count, anonymous, basic,
    fault::{Reply, Server},
    manifest, sent,
    support::{artifact, code},
    with_alice,
};

#[test]
fn lists_go_on_at_home_only_and_end() {
    let foreign = Arc::new(Server::start(|_| Reply::ok(r#"{"tags":["x"]}"#)));
    for (link, expected) in [
        (foreign.url("/v2/a/b/tags/list"), "link-refused"),
        ("http://u:p@127.0.0.1/".into(), "link-refused"),
        ("?n=1000".into(), "list-endless"),
    ] {
        let server = basic(move |_| {
            Reply::ok(r#"{"tags":["t"],"repositories":["a/b"]}"#)
                .header("Link", format!("<{link}>; rel=\"next\""))
        });
        assert_eq!(code(with_alice(&server).manifests("a/b")), expected);
        let all = with_alice(&server).with_selection(Selection::Prefix(String::new()));
        assert_eq!(code(all.repositories()), expected);
        assert!(server.log().len() <= 4);
    }
    assert!(foreign.log().is_empty());
    let n = Count::default();
    let server = basic(move |_| {
        Reply::ok(r#"{"tags":["t"]}"#).header("Link", format!("<?n=1&last={}>; rel=\"next\"", n.next()))
    });
    assert_eq!(code(with_alice(&server).manifests("a/b")), "list-endless");
    assert_eq!(server.log().len(), limits::PAGES + 1);
}

#[test]
fn lists_are_read_page_by_page() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/v2/a/b/tags/list?n=1000" => {
            Reply::ok(r#"{"tags":["b","../x"]}"#).header("Link", r#"</v2/a/b/tags/list?last=b>; rel="next""#)
        }
        "/v2/a/b/tags/list?last=b" => Reply::ok(r#"{"tags":["a"]}"#),
        "/v2/_catalog?n=1000" => Reply::ok(r#"{"repositories":["ns","ns/x","nsx/y"]}"#)
            .header("Link", r#"<_catalog?last=x>; rel="next""#),
        "/v2/_catalog?last=x" => Reply::ok(r#"{"repositories":["ns/b/c","ns/../y"]}"#),
        t if t.contains("/manifests/") => sent(manifest()),
        _ => Reply::ok(r#"{"name":"c","tags":null}"#),
    });
    let registry = anonymous(&server);
    // What no image can be called is kept, so that it is reported.
    assert_eq!(registry.registry().tags("a/b").unwrap(), ["../x", "a", "b"]);
    assert!(registry.registry().tags("c").unwrap().is_empty());
    let all = registry.with_selection(Selection::Prefix("ns".into()));
    assert_eq!(all.repositories().unwrap(), ["ns", "ns/../y", "ns/b/c", "ns/x"]);
}

#[test]
fn a_refused_catalog_says_what_to_give_instead() {
    for status in [401, 403, 404, 405] {
        let server = Server::start(move |_| Reply::new(status));
        let error =
            anonymous(&server).with_selection(Selection::Prefix("ns".into())).repositories().unwrap_err();
        assert!(Diagnostic::from(&error).hint.contains("--images"));
        assert_eq!(code(Err::<(), _>(error)), "catalog-refused", "{status}");
    }
}

#[test]
fn a_tag_costs_one_request_and_opening_it_none() {
    let server = Server::start(|asked| match asked.target.as_str() {
        t if t.contains("/tags/") => {
            let tags: Vec<_> = (0..40).map(|n| format!("\"t{n}\"")).collect();
            Reply::ok(format!(r#"{{"tags":[{}]}}"#, tags.join(",")))
        }
        t => sent(artifact(t.as_bytes()).manifest.into_bytes()),
    });
    let registry = anonymous(&server);
    let listed = registry.manifests("a/b").unwrap();
    for one in &listed {
        assert!(fetch_manifest(&registry, "a/b", &one.descriptor).unwrap().is_some());
    }
    assert_eq!((listed.len(), server.log().len()), (40, 41));
}

#[test]
fn referrers_come_from_the_api_or_not_at_all() {
    let subject = Digest::of(b"image");
    let entry =
        |d: &[u8]| format!(r#"{{"mediaType":"{}","digest":"{}","size":1}}"#, media::MANIFEST, Digest::of(d));
    let page = move |d: &[u8]| Reply::ok(format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entry(d)));
    let server = Server::start(move |asked| match asked.target.split_once('?') {
        None => page(b"1").header("Link", "<?next>; rel=next"),
        _ => page(b"2"),
    });
    let found = anonymous(&server).referrers("a/b", &subject).unwrap();
    assert_eq!(
        found.iter().map(|d| d.as_ref().unwrap().digest).collect::<Vec<_>>(),
        [Digest::of(b"1"), Digest::of(b"2")]
    );

    // An entry that can't be checked does not hide the others.
    let odd = format!(r#"{{"mediaType":"x","digest":"sha512:{}","size":1}}"#, "a".repeat(128));
    let list = format!(r#"{{"schemaVersion":2,"manifests":[{odd},{}]}}"#, entry(b"1"));
    let server = Server::start(move |_| Reply::ok(list.clone()));
    let mut found = anonymous(&server).referrers("a/b", &subject).unwrap();
    assert_eq!(code(found.pop().unwrap()), "digest-unsupported");
    assert_eq!(found.pop().unwrap().unwrap().digest, Digest::of(b"1"));
    assert!(found.is_empty());

    // There is no such API: a repository is asked once. An unknown name does not mean that.
    for (body, asked) in [("404 page not found", 2), (r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#, 3)] {
        let server = Server::start(move |_| Reply::new(404).body(body));
        let registry = anonymous(&server);
        assert!(registry.referrers("a/b", &subject).unwrap().is_empty());
        assert!(registry.referrers("a/b", &subject).unwrap().is_empty());
        assert!(registry.referrers("c/d", &subject).unwrap().is_empty());
        assert_eq!(server.log().len(), asked, "{body}");
    }
    for (reply, expected) in [
        (Reply::new(401), "unauthorized"),
        (Reply::new(403), "denied"),
        (Reply::new(500), "registry-answer"),
        (Reply::new(429), "rate-limited"),
        (Reply::ok(r#"{"errors":[{"code":"DENIED"}]}"#), "registry-answer"),
        (Reply::ok(r#"{"manifests":[]}"#), "manifest-malformed"),
        (sent(manifest()), "not-a-registry"),
    ] {
        let server = Server::start(move |_| reply.clone());
        assert_eq!(code(anonymous(&server).referrers("a/b", &subject)), expected);
    }
}

/// Each pair of requests is answered only when both have arrived: if they came one after the other, this would time
/// out.
#[test]
fn a_walk_asks_several_at_a_time() {
    let (lists, referrers, first) = (Barrier::new(2), Barrier::new(2), Count::default());
    let server = Server::start(move |asked| match asked.target.as_str() {
        t if t.contains("/tags/") => {
            lists.wait();
            Reply::ok(r#"{"tags":["1","2","3"]}"#)
        }
        t if t.contains("/manifests/") => {
            let layer = t.strip_prefix("/v2/").unwrap();
            sent(artifact(layer.as_bytes()).manifest.into_bytes())
        }
        t if t.contains("/referrers/") => {
            // For each of the two repositories the first image is requested alone.
            if first.next() >= 2 {
                referrers.wait();
            }
            Reply::ok(r#"{"schemaVersion":2,"manifests":[]}"#)
        }
        _ => Reply::new(404),
    });
    let source = anonymous(&server).with_selection(Selection::Repositories(vec!["x".into(), "y".into()]));
    let found = discover(&[Target { source: &source, only: None }], &mut |_| {}).unwrap();
    assert_eq!((found.images.len(), found.places[0].read), (6, 6));
    assert_eq!(server.lines().iter().filter(|line| line.contains("/referrers/")).count(), 6);
}
