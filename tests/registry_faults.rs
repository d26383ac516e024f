//! The registry client against a server that lies. Every case states the error's code, and that no credentials reached
//! anybody they do not belong to: another port, and another name of the same address, are other origins.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests write files")]

#[path = "support/fault.rs"]
mod fault;
#[path = "support/registry.rs"]
mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fault::{Asked, Reply, Server};
use keypack::{
    content::{
        ContentError, Sink, Source,
        auth::{AuthEnv, Credentials, Keyring, Secret},
        fetch, fetch_manifest,
        registry::{AllowedRealm, Extent, Registry},
    },
    limits, net,
    oci::{Blob, Descriptor, Digest, media},
};
use support::{PASSWORD, alice, artifact, code, options, registry};

const BASIC: &str = "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==";

/// Counts the requests that a server answered.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Behind HTTP Basic: whoever comes without is told so.
fn basic(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |asked| match asked.header("authorization") {
        Some(BASIC) => answer(asked),
        _ => Reply::new(401).header("WWW-Authenticate", r#"Basic realm="r""#),
    })
}

fn anonymous(server: &Server) -> Registry {
    registry(&server.host(), options(Keyring::anonymous()))
}

fn with_alice(server: &Server) -> Registry {
    registry(&server.host(), options(alice()))
}

fn blob(bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media::LAYER.into(),
        size: Some(bytes.len() as u64),
        ..Descriptor::of_digest(Digest::of(bytes))
    }
}

fn read(registry: &Registry, descriptor: &Descriptor) -> Result<Option<Vec<u8>>, ContentError> {
    Ok(fetch(registry, "a/b", descriptor, 1 << 20)?.map(Blob::into_bytes))
}

fn manifest() -> Vec<u8> {
    artifact(b"layer").manifest.into_bytes()
}

fn sent(bytes: Vec<u8>) -> Reply {
    Reply::ok(bytes).header("Content-Type", media::MANIFEST)
}

// ---- patience ----

#[test]
fn retry_after_is_obeyed_in_seconds_and_as_a_date() {
    let n = Count::default();
    let server = Server::start(move |_| match n.next() {
        0 => Reply::new(429).header("Retry-After", "1"),
        1 => Reply::new(503)
            .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("Retry-After", "Sun, 06 Nov 1994 08:49:38 GMT"),
        _ => sent(manifest()),
    });
    let heard = Arc::new(Mutex::new(vec![]));
    let ears = heard.clone();
    let mut options = options(Keyring::anonymous());
    options.net.notice = Some(net::Notice::new(move |line| ears.lock().unwrap().push(line.to_owned())));
    let registry = registry(&server.host(), options);
    assert!(registry.resolve("a/b", "t").unwrap().is_some());
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 2);
    assert!(heard[0].contains("429; trying again in 1 s (1 of 2)"), "{heard:?}");
    assert!(heard[1].contains("503; trying again in 1 s (2 of 2)"), "{heard:?}");
}

#[test]
fn who_asks_for_an_hour_is_not_waited_for() {
    let server = Server::start(|_| Reply::new(429).header("Retry-After", "3600"));
    let error = anonymous(&server).resolve("a/b", "t").unwrap_err();
    assert!(error.to_string().ends_with("asks to wait 3600 s"), "{error}");
    assert_eq!((error.code(), server.log().len()), ("rate-limited", 1));
}

#[test]
fn patience_ends() {
    for (status, expected) in
        [(429, "rate-limited"), (502, "unavailable"), (503, "unavailable"), (504, "unavailable")]
    {
        let server = Server::start(move |_| Reply::new(status));
        assert_eq!(code(anonymous(&server).resolve("a/b", "t")), expected);
        assert_eq!(server.log().len(), 3, "{status}");
    }
    let server = Server::start(|_| Reply::new(500));
    assert_eq!(code(anonymous(&server).resolve("a/b", "t")), "registry-answer");
    assert_eq!(server.log().len(), 1);
}

#[test]
fn nobody_there_is_unreachable() {
    let host = Server::start(|_| Reply::new(200)).host();
    assert_eq!(code(registry(&host, options(Keyring::anonymous())).resolve("a/b", "t")), "unreachable");
}

#[test]
fn silence_ends() {
    let server = Server::start(|_| Reply::mute());
    let mut options = options(Keyring::anonymous());
    (options.net.silence, options.net.retries) = (Duration::from_millis(200), 1);
    assert_eq!(code(registry(&server.host(), options).resolve("a/b", "t")), "timed-out");
    assert_eq!(server.log().len(), 2);
}

// ---- bodies that break ----

/// Serves a blob, with `first` done to the first answer, and with ranges if `ranges`.
fn breaking(
    content: &'static [u8],
    ranges: bool,
    first: impl Fn(Reply) -> Reply + Send + Sync + 'static,
) -> Server {
    let n = Count::default();
    Server::start(move |asked| {
        let from =
            asked.header("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        match (n.next(), from) {
            (0, _) => first(Reply::ok(content)),
            (_, Some(from)) if ranges => Reply::new(206)
                .header("Content-Range", format!("bytes {from}-{}/{}", content.len() - 1, content.len()))
                .body(&content[from..]),
            _ => Reply::ok(content),
        }
    })
}

const CONTENT: &[u8] = b"0123456789abcdefghij";

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let server = breaking(CONTENT, true, |reply| reply.cut(7));
    assert_eq!(read(&anonymous(&server), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
    assert_eq!(server.log()[1].header("range"), Some("bytes=7-"));
}

#[test]
fn a_registry_without_ranges_sends_the_whole_again() {
    let server = breaking(CONTENT, false, |reply| reply.cut(7));
    assert_eq!(read(&anonymous(&server), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
}

#[test]
fn a_stalled_download_goes_on_where_it_stalled() {
    let server = breaking(CONTENT, true, |reply| reply.stall(7));
    let mut options = options(Keyring::anonymous());
    options.net.silence = Duration::from_secs(1);
    assert_eq!(read(&registry(&server.host(), options), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
    assert_eq!(server.log().len(), 2);
}

#[test]
fn a_range_that_was_not_asked_for_is_refused() {
    let n = Count::default();
    let server = Server::start(move |_| match n.next() {
        0 => Reply::ok(CONTENT).cut(7),
        _ => Reply::new(206).header("Content-Range", "bytes 0-19/20").body(CONTENT),
    });
    assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), "read-failed");
}

#[test]
fn a_download_that_always_breaks_ends() {
    let server = Server::start(|_| Reply::ok(CONTENT).cut(3));
    assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), "read-failed");
    assert_eq!(server.log().len(), 3);
}

#[test]
fn a_manifest_that_breaks_off_is_asked_for_again() {
    let server = {
        let n = Count::default();
        Server::start(move |_| if n.next() == 0 { sent(manifest()).cut(9) } else { sent(manifest()) })
    };
    assert!(anonymous(&server).resolve("a/b", "t").unwrap().is_some());
}

#[test]
fn other_bytes_than_named_are_refused() {
    for (bytes, expected) in [
        (&b"0123456789abcdefghiX"[..], "digest-mismatch"),
        (b"0123456789abcdefghijk", "size-mismatch"),
        (b"0123", "read-failed"),
    ] {
        let server = Server::start(move |_| Reply::ok(bytes));
        assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), expected);
    }
    let server = Server::start(|_| Reply::ok(vec![b'x'; 1000]).endless());
    let unsized_blob = Descriptor { size: None, ..blob(CONTENT) };
    assert_eq!(code(read(&anonymous(&server), &unsized_blob)), "too-large");
}

// ---- manifests that lie ----

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
        assert_eq!(error.code(), expected, "{status}");
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

// ---- redirects ----

#[test]
fn a_redirect_elsewhere_goes_without_credentials() {
    let store = Server::start(|_| Reply::ok(CONTENT));
    let to = store.url("/store?sig=1");
    let server = basic(move |_| Reply::new(307).header("Location", to.clone()));
    assert_eq!(read(&with_alice(&server), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
    assert_eq!(store.lines(), ["GET /store"]);
    store.assert_no_credentials();
}

#[test]
fn a_redirect_to_another_name_and_back_loses_the_credentials() {
    let cell = Arc::new(Mutex::new((String::new(), String::new())));
    let names = cell.clone();
    let server = Server::start(move |asked| {
        let (alias, back) = names.lock().unwrap().clone();
        match asked.target.as_str() {
            "/alias" => Reply::new(302).header("Location", back),
            "/back" => Reply::ok(CONTENT),
            _ if asked.header("authorization").is_some() => Reply::new(307).header("Location", alias),
            _ => Reply::new(401).header("WWW-Authenticate", "Basic"),
        }
    });
    *cell.lock().unwrap() = (server.alias("/alias"), server.url("/back"));
    assert_eq!(read(&with_alice(&server), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
    for asked in server.log().iter().filter(|a| !a.target.starts_with("/v2/")) {
        assert_eq!(asked.header("authorization"), None, "{}", asked.line());
    }
    assert_eq!(server.log().len(), 4);
}

#[test]
fn redirects_that_are_not_followed() {
    let user = |s: &Server| s.url("/x").replace("//", "//u:p@");
    let store = Server::start(|_| Reply::ok(CONTENT));
    for to in ["/v2/loop".to_owned(), "ftp://127.0.0.1/x".into(), "file:///etc/passwd".into(), user(&store)] {
        let server = basic(move |_| Reply::new(307).header("Location", to.clone()));
        assert_eq!(code(read(&with_alice(&server), &blob(CONTENT))), "redirect-refused");
        assert!(server.log().len() <= 8);
    }
    assert!(store.log().is_empty());
}

#[test]
fn a_challenge_from_elsewhere_is_not_answered() {
    let store = Server::start(|_| Reply::new(401).header("WWW-Authenticate", "Basic"));
    let to = store.url("/store");
    let server = basic(move |_| Reply::new(307).header("Location", to.clone()));
    assert_eq!(code(read(&with_alice(&server), &blob(CONTENT))), "unauthorized");
    store.assert_no_credentials();
}

#[test]
fn never_from_https_to_http() {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let der = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], der)
        .unwrap();
    let plain = Arc::new(Server::start(|_| Reply::ok(CONTENT)));
    let (redirect, realm) = (plain.url("/store"), plain.url("/token"));
    let server = Server::start_tls(Arc::new(tls), move |asked| match asked.target.as_str() {
        t if t.contains("/blobs/uploads/") => Reply::new(202).header("Location", redirect.clone()),
        t if t.contains("/blobs/") && asked.method == "HEAD" => Reply::new(404),
        t if t.contains("/blobs/") => Reply::new(307).header("Location", redirect.clone()),
        t if t.contains("/tags/") => {
            Reply::ok(r#"{"tags":[]}"#).header("Link", format!("<{redirect}>; rel=\"next\""))
        }
        t if t.contains("/manifests/realm") => {
            Reply::new(401).header("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))
        }
        _ => Reply::new(404),
    });
    let certificates = tempfile::tempdir().unwrap();
    std::fs::write(certificates.path().join("ca.crt"), key.cert.pem()).unwrap();
    let mut options = options(alice());
    options.plain_http = false;
    options.net.tls.cert_dir = Some(certificates.path().into());
    let registry = registry(&server.host(), options);
    assert_eq!(code(read(&registry, &blob(CONTENT))), "redirect-refused");
    assert_eq!(code(registry.manifests("a/b")), "link-refused");
    assert_eq!(code(registry.resolve("a/b", "realm")), "realm-refused");
    assert_eq!(code(registry.sink("a/b").unwrap().put(&artifact(b"x"), "t")), "location-refused");
    assert!(plain.log().is_empty());
}

// ---- tokens ----

/// A registry that wants a token of `realm`, and takes `TOKEN`.
fn bearer(realm: impl Into<String>) -> Server {
    let realm = realm.into();
    Server::start(move |asked| match asked.header("authorization") {
        Some("Bearer TOKEN") => sent(manifest()),
        _ => Reply::new(401).header(
            "WWW-Authenticate",
            format!(r#"Bearer realm="{realm}",service="s",scope="repository:evil:pull""#),
        ),
    })
}

fn tokens() -> Server {
    Server::start(|_| Reply::ok(r#"{"token":"TOKEN","expires_in":300}"#))
}

#[test]
fn a_foreign_realm_sees_nothing_until_it_is_allowed() {
    let foreign = tokens();
    let server = bearer(foreign.alias("/token"));
    let error = with_alice(&server).resolve("a/b", "t").unwrap_err();
    assert_eq!(error.hint().unwrap().matches("--allow-realm localhost").count(), 1, "{error}");
    assert_eq!(code(Err::<(), _>(error)), "realm-refused");
    assert!(foreign.log().is_empty());
    // Nobody's credentials: anybody's token.
    assert!(anonymous(&server).resolve("a/b", "t").unwrap().is_some());
    foreign.assert_no_credentials();

    let mut allowing = options(alice());
    allowing.allowed = vec![AllowedRealm::parse("localhost").unwrap()];
    assert!(registry(&server.host(), allowing).resolve("a/b", "t").unwrap().is_some());
    let asked = foreign.log().pop().unwrap();
    assert_eq!(asked.header("authorization"), Some(BASIC));
    assert_eq!(asked.target, "/token?service=s&scope=repository%3Aa%2Fb%3Apull&account=alice");
}

#[test]
fn one_token_serves_a_repository_and_the_next_needs_no_challenge() {
    let tokens = tokens();
    let server = bearer(tokens.url("/token"));
    let registry = with_alice(&server);
    for repository in ["a/b", "a/b", "c/d", "c/d"] {
        registry.resolve(repository, "t").unwrap();
    }
    assert_eq!((server.log().len(), tokens.log().len()), (5, 2));
}

#[test]
fn an_expired_token_is_renewed_during_the_run() {
    let (n, m) = (Count::default(), Count::default());
    let tokens = Server::start(move |_| Reply::ok(format!(r#"{{"access_token":"T{}"}}"#, n.next())));
    let realm = tokens.url("/token");
    let server = Server::start(move |asked| {
        // The first token is good for one request.
        let good = match asked.header("authorization") {
            Some("Bearer T0") => m.next() == 0,
            other => other == Some("Bearer T1"),
        };
        if good {
            sent(manifest())
        } else {
            Reply::new(401).header("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))
        }
    });
    let registry = with_alice(&server);
    for _ in 0..3 {
        assert!(registry.resolve("a/b", "t").unwrap().is_some());
    }
    assert_eq!(tokens.log().len(), 2);
}

#[test]
fn a_registry_that_is_never_content_is_asked_twice() {
    let tokens = tokens();
    let realm = tokens.url("/token");
    let server = Server::start(move |_| {
        Reply::new(401).header("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))
    });
    assert_eq!(code(with_alice(&server).resolve("a/b", "t")), "unauthorized");
    assert_eq!((server.log().len(), tokens.log().len()), (2, 1));
    let server = basic(|_| Reply::new(401).header("WWW-Authenticate", "Basic"));
    assert_eq!(code(with_alice(&server).resolve("a/b", "t")), "unauthorized");
    assert_eq!(code(anonymous(&server).resolve("a/b", "t")), "unauthorized");
    assert_eq!(server.log().len(), 3);
}

#[test]
fn token_services_that_lie() {
    for (reply, expected) in [
        (Reply::new(401), "unauthorized"),
        (Reply::new(400), "unauthorized"),
        (Reply::new(403), "denied"),
        (Reply::new(500), "registry-answer"),
        (Reply::ok("{}"), "not-a-registry"),
        (Reply::ok(r#"{"token":"a\nb"}"#), "not-a-registry"),
        (Reply::ok("<html>"), "not-a-registry"),
        (Reply::ok(vec![b' '; 1 << 16]).endless(), "answer-too-long"),
        (Reply::new(302).header("Location", "ftp://x/"), "redirect-refused"),
    ] {
        let tokens = Server::start(move |_| reply.clone());
        let server = bearer(tokens.url("/token"));
        assert_eq!(code(with_alice(&server).resolve("a/b", "t")), expected);
    }
}

#[test]
fn a_token_service_that_redirects_does_not_pass_credentials_on() {
    let foreign = tokens();
    let to = foreign.url("/token");
    let first = Server::start(move |_| Reply::new(302).header("Location", to.clone()));
    let server = bearer(first.url("/token"));
    assert!(with_alice(&server).resolve("a/b", "t").unwrap().is_some());
    foreign.assert_no_credentials();
    // A refresh token travels in the body: there, no redirect at all.
    let keyring = Keyring::given(Credentials::IdentityToken(Secret::new(PASSWORD)));
    assert_eq!(code(registry(&server.host(), options(keyring)).resolve("a/b", "t")), "redirect-refused");
    foreign.assert_no_credentials();
}

#[test]
fn an_identity_token_is_posted() {
    let tokens = tokens();
    let server = bearer(tokens.url("/token"));
    let keyring = Keyring::given(Credentials::IdentityToken(Secret::new("refresh me")));
    assert!(registry(&server.host(), options(keyring)).resolve("a/b", "t").unwrap().is_some());
    let asked = tokens.log().pop().unwrap();
    assert_eq!((asked.line().as_str(), asked.header("authorization")), ("POST /token", None));
    assert_eq!(
        String::from_utf8(asked.body).unwrap(),
        "grant_type=refresh_token&client_id=keypack&refresh_token=refresh+me&scope=repository%3Aa%2Fb%3Apull&service=s"
    );
}

// ---- lists ----

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
        let all = with_alice(&server).with_extent(Extent::Prefix(String::new()));
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
    assert_eq!(registry.tags("a/b").unwrap(), ["a", "b"]);
    assert!(registry.tags("c").unwrap().is_empty());
    let all = registry.with_extent(Extent::Prefix("ns".into()));
    assert_eq!(all.repositories().unwrap(), ["ns", "ns/b/c", "ns/x"]);
}

#[test]
fn a_refused_catalog_says_what_to_give_instead() {
    for status in [401, 403, 404, 405] {
        let server = Server::start(move |_| Reply::new(status));
        let error = anonymous(&server).with_extent(Extent::Prefix("ns".into())).repositories().unwrap_err();
        assert!(error.hint().unwrap().contains("--images"));
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
    assert_eq!(found.iter().map(|d| d.digest).collect::<Vec<_>>(), [Digest::of(b"1"), Digest::of(b"2")]);

    // No such API: asked once for the whole registry. An unknown name is no such sign.
    for (body, asked) in [("404 page not found", 1), (r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#, 2)] {
        let server = Server::start(move |_| Reply::new(404).body(body));
        let registry = anonymous(&server);
        assert!(registry.referrers("a/b", &subject).unwrap().is_empty());
        assert!(registry.referrers("c/d", &subject).unwrap().is_empty());
        assert_eq!(server.log().len(), asked, "{body}");
    }
    for (reply, expected) in [
        (Reply::new(401), "unauthorized"),
        (Reply::new(403), "denied"),
        (Reply::new(500), "registry-answer"),
        (Reply::new(429), "rate-limited"),
        (Reply::ok("<html>"), "manifest-malformed"),
        (sent(manifest()), "not-a-registry"),
    ] {
        let server = Server::start(move |_| reply.clone());
        assert_eq!(code(anonymous(&server).referrers("a/b", &subject)), expected);
    }
}

// ---- push ----

/// A registry that takes uploads; `location` is where an upload goes on.
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
            ("POST" | "PATCH", _) => Reply::new(202).header("Location", location.clone()),
            ("PUT", _) => Reply::new(201),
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
fn what_is_too_large_for_a_proxy_goes_up_in_pieces() {
    let layer = vec![7; (1 << 20) + 1];
    let server = taking("/up", |asked| (asked.body.len() > 600_000).then(|| Reply::new(413)));
    assert!(with_alice(&server).sink("a/b").unwrap().put(&artifact(&layer), "t").is_ok());
    let pieces: Vec<_> = server.log().into_iter().filter(|a| a.method == "PATCH").collect();
    let ranges: Vec<_> = pieces.iter().map(|a| a.header("content-range").unwrap().to_owned()).collect();
    assert_eq!(ranges, ["0-524287", "524288-1048575", "1048576-1048576"]);
    assert_eq!(pieces.into_iter().flat_map(|a| a.body).collect::<Vec<_>>(), layer);
}

#[test]
fn a_mount_is_taken_or_the_blob_goes_up() {
    let mount = |status| {
        let server = taking("/up", move |asked| {
            asked.target.contains("mount=").then(|| Reply::new(status).header("Location", "/up"))
        });
        let sink = with_alice(&server).sink("a/b").unwrap().mounting_from("other/repo");
        assert!(sink.put(&artifact(b"x"), "t").is_ok(), "{status}");
        server.lines().iter().filter(|l| *l == "PUT /up").count()
    };
    assert_eq!([mount(201), mount(202), mount(403), mount(405)], [0, 2, 2, 2]);
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

// ---- credential programs ----

fn program(script: &str) -> (tempfile::TempDir, Keyring) {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("docker-credential-test");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let authfile = dir.path().join("auth.json");
    std::fs::write(&authfile, r#"{"credsStore":"test","credHelpers":{"path":"../x"}}"#).unwrap();
    let env = AuthEnv { authfile: Some(authfile), path: Some(dir.path().into()), ..AuthEnv::default() };
    (dir, Keyring::new(env).with_patience(Duration::from_secs(20)))
}

#[test]
fn credential_programs_are_asked_once_and_not_trusted() {
    let (dir, keyring) = program(
        r#"read server; echo "$1 $server" >> "${0%/*}/asked"; echo "{\"Username\":\"alice\",\"Secret\":\"correct horse\"}""#,
    );
    for _ in 0..2 {
        let found = keyring.lookup("docker.io", "library/x").unwrap();
        assert_eq!(found, Some(Credentials::password("alice", PASSWORD)));
    }
    assert_eq!(
        std::fs::read_to_string(dir.path().join("asked")).unwrap(),
        "get https://index.docker.io/v1/\n"
    );
    assert_eq!(keyring.lookup("path", "x").unwrap_err().code(), "credential-helper");

    let (_dir, keyring) = program(r#"echo '{"Username":"<token>","Secret":"t"}'"#);
    assert_eq!(keyring.lookup("q", "x").unwrap(), Some(Credentials::IdentityToken(Secret::new("t"))));
    let (_dir, keyring) = program("echo 'credentials not found in native keychain'; exit 1");
    assert_eq!(keyring.lookup("q", "x").unwrap(), None);
    for script in ["exit 1", "echo '<html>'", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done"] {
        let (_dir, keyring) = program(script);
        assert_eq!(keyring.lookup("q", "x").unwrap_err().code(), "credential-helper", "{script}");
    }
    let (_dir, keyring) = program("exec /bin/sleep 600");
    let keyring = keyring.with_patience(Duration::from_millis(200));
    assert!(keyring.lookup("q", "x").unwrap_err().to_string().contains("did not answer"));
}

#[test]
fn an_auth_file_that_is_named_must_be_there() {
    let env = AuthEnv { authfile: Some("/nonexistent/auth.json".into()), ..AuthEnv::default() };
    assert_eq!(Keyring::new(env).lookup("q", "x").unwrap_err().code(), "auth-file");
    let env = AuthEnv { home: Some("/nonexistent".into()), ..AuthEnv::default() };
    assert_eq!(Keyring::new(env).lookup("q", "x").unwrap(), None);
}

#[test]
fn a_registry_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Registry>();
}
