//! Token services: which ones get requests, with what, and how often.

use keypack::{
    content::Source,
    diag::Diagnostic,
    registry::{
        AllowedRealm,
        credentials::{CredentialStore, Credentials, Secret},
    },
};

use super::{
    BASIC, Count, anonymous, basic,
    fault::{Reply, Server},
    manifest, sent,
    support::{PASSWORD, alice, code, options, registry},
    with_alice,
};

/// A registry that wants a token from `realm`, and accepts `TOKEN`.
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
    assert_eq!(Diagnostic::from(&error).hint.matches("--allow-realm localhost").count(), 1, "{error}");
    assert_eq!(code(Err::<(), _>(error)), "realm-refused");
    assert!(foreign.log().is_empty());
    // Without credentials: an anonymous token.
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
        // The first token is valid for one request.
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
fn of_two_fields_for_the_token_one_may_be_empty() {
    for body in [
        r#"{"token":"","access_token":"TOKEN"}"#,
        r#"{"token":"TOKEN","access_token":""}"#,
        r#"{"token":null,"access_token":"TOKEN"}"#,
    ] {
        let tokens = Server::start(move |_| Reply::ok(body));
        assert!(with_alice(&bearer(tokens.url("/token"))).resolve("a/b", "t").unwrap().is_some(), "{body}");
    }
}

#[test]
fn tokens_in_other_words() {
    for reply in [
        Reply::new(201).body(r#"{"token":"TOKEN"}"#),
        Reply::ok(r#"{"token":"TOKEN","expires_in":"300"}"#),
        Reply::ok(r#"{"token":"TOKEN","expires_in":"soon","issued_at":"yesterday"}"#),
        Reply::ok(r#"{"token":"TOKEN","expires_in":null,"access_token":null,"issued_at":null}"#),
        Reply::ok(r#"{"token":"TOKEN","expires_in":-1}"#),
    ] {
        let name = format!("{reply:?}");
        let tokens = Server::start(move |_| reply.clone());
        assert!(with_alice(&bearer(tokens.url("/token"))).resolve("a/b", "t").unwrap().is_some(), "{name}");
    }
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
    // A refresh token is sent in the body: no redirect at all is followed there.
    let keyring = CredentialStore::given(Credentials::IdentityToken(Secret::new(PASSWORD)));
    assert_eq!(code(registry(&server.host(), options(keyring)).resolve("a/b", "t")), "redirect-refused");
    foreign.assert_no_credentials();
}

#[test]
fn an_identity_token_is_posted() {
    let tokens = tokens();
    let server = bearer(tokens.url("/token"));
    let keyring = CredentialStore::given(Credentials::IdentityToken(Secret::new("refresh me")));
    assert!(registry(&server.host(), options(keyring)).resolve("a/b", "t").unwrap().is_some());
    let asked = tokens.log().pop().unwrap();
    assert_eq!((asked.line().as_str(), asked.header("authorization")), ("POST /token", None));
    assert_eq!(
        String::from_utf8(asked.body).unwrap(),
        "grant_type=refresh_token&client_id=keypack&refresh_token=refresh+me&scope=repository%3Aa%2Fb%3Apull&service=s"
    );
}
