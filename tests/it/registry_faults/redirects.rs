//! Redirects: followed without credentials, or not at all.

use std::sync::{Arc, Mutex};

use keypack::content::{Sink, Source};

use super::{
    CONTENT, basic, blob,
    fault::{Reply, Server},
    read,
    support::{alice, artifact, code, options, registry},
    with_alice,
};

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
    let realm = Server::start(|_| Reply::ok(r#"{"token":"TOKEN"}"#));
    let challenge = format!("Bearer realm=\"{}\"", realm.url("/token"));
    let store = Server::start(move |_| Reply::new(401).header("WWW-Authenticate", challenge.clone()));
    let to = store.url("/store");
    let redirect = move |_: &_| Reply::new(307).header("Location", to.clone());
    for server in [Server::start(redirect.clone()), basic(redirect)] {
        assert_eq!(code(read(&with_alice(&server), &blob(CONTENT))), "unauthorized");
    }
    assert!(realm.log().is_empty());
    store.assert_no_credentials();
}

/// A server certificate for this address, and a folder for `--cert-dir` that trusts it.
pub(crate) fn certified() -> (tempfile::TempDir, Arc<rustls::ServerConfig>) {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let der = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], der)
        .unwrap();
    let certificates = tempfile::tempdir().unwrap();
    std::fs::write(certificates.path().join("ca.crt"), key.cert.pem()).unwrap();
    (certificates, Arc::new(tls))
}

#[test]
fn never_from_https_to_http() {
    let (certificates, tls) = certified();
    let plain = Arc::new(Server::start(|_| Reply::ok(CONTENT)));
    let (redirect, realm) = (plain.url("/store"), plain.url("/token"));
    let server = Server::start_tls(tls, move |asked| match asked.target.as_str() {
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
    let mut options = options(alice());
    options.plain_http = false;
    options.http.tls.cert_dir = Some(certificates.path().into());
    let registry = registry(&server.host(), options);
    assert_eq!(code(read(&registry, &blob(CONTENT))), "redirect-refused");
    assert_eq!(code(registry.manifests("a/b")), "link-refused");
    assert_eq!(code(registry.resolve("a/b", "realm")), "realm-refused");
    assert_eq!(code(registry.sink("a/b").unwrap().put(&artifact(b"x"), "t")), "location-refused");
    assert!(plain.log().is_empty());
}
