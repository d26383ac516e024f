//! Why the registry client is not the crate `oci-client`: one canary per bug of its 0.18, against a server on this
//! machine. If one fails, upstream has fixed that bug, and the decision can be reconsidered.

use oci_client::{
    Client, Reference, RegistryOperation,
    client::{ClientConfig, ClientProtocol},
    manifest::OciDescriptor,
    secrets::RegistryAuth,
};

use super::{
    BASIC, CONTENT, Count,
    fault::{Reply, Server},
    manifest, sent,
    support::{PASSWORD, USER},
};
use keypack::oci::{Digest, media};

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

fn client() -> Client {
    Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() })
}

fn image(server: &Server, name: &str) -> Reference {
    format!("{}/{name}", server.host()).parse().unwrap()
}

fn alice() -> RegistryAuth {
    RegistryAuth::Basic(USER.to_owned(), PASSWORD.to_owned())
}

fn pull(client: &Client, image: &Reference, auth: &RegistryAuth) -> Result<Vec<u8>, String> {
    let pulled = run(client.pull_manifest_raw(image, auth, &[media::MANIFEST]));
    pulled.map(|(bytes, _)| bytes.to_vec()).map_err(|e| e.to_string())
}

/// A registry that names this realm at `/v2/` and serves a manifest to everyone.
fn challenging(realm: String) -> Server {
    Server::start(move |asked| match asked.line().as_str() {
        "GET /v2/" => {
            Reply::new(401).header("WWW-Authenticate", format!(r#"Bearer realm="{realm}",service="s""#))
        }
        _ => sent(manifest()),
    })
}

/// CVE-2026-48978, GHSA-xf85-363p-868w
#[test]
fn canary_it_hands_credentials_to_any_realm() {
    let foreign = Server::start(|_| Reply::ok(r#"{"token":"TOKEN"}"#));
    let server = challenging(foreign.alias("/token"));
    let auth = run(client().auth(&image(&server, "a/b:t"), &alice(), RegistryOperation::Pull));
    assert!(auth.is_ok(), "{auth:?}");
    assert_eq!(foreign.log()[0].header("authorization"), Some(BASIC));
}

#[test]
fn canary_the_first_credentials_of_a_registry_win() {
    let tokens = Server::start(|_| Reply::ok(r#"{"token":"TOKEN"}"#));
    let server = challenging(tokens.url("/token"));
    let client = client();
    let bob = RegistryAuth::Basic("bob".into(), "another".into());
    pull(&client, &image(&server, "a/x:t"), &alice()).unwrap();
    pull(&client, &image(&server, "b/x:t"), &bob).unwrap();
    assert!(tokens.log().iter().all(|asked| asked.header("authorization") == Some(BASIC)));
}

#[test]
fn canary_a_refused_token_goes_on_anonymously() {
    let tokens = Server::start(|_| Reply::new(401));
    let server = challenging(tokens.url("/token"));
    assert!(pull(&client(), &image(&server, "a/b:t"), &alice()).is_ok());
    assert_eq!(server.log().last().unwrap().header("authorization"), None);
}

#[test]
fn canary_manifests_have_no_bound() {
    let large = format!(r#"{{"schemaVersion":2,"x":"{}"}}"#, "x".repeat(32 << 20)).into_bytes();
    let size = large.len();
    let server = Server::start(move |asked| match asked.line().as_str() {
        "GET /v2/" => Reply::ok("{}"),
        _ => sent(large.clone()),
    });
    let read = pull(&client(), &image(&server, "a/b:t"), &RegistryAuth::Anonymous);
    assert_eq!(read.map(|bytes| bytes.len()), Ok(size));
}

#[test]
fn canary_nothing_is_asked_again_after_429() {
    let count = Count::default();
    let server = Server::start(move |asked| match asked.line().as_str() {
        "GET /v2/" => Reply::ok("{}"),
        _ if count.next() == 0 => Reply::new(429).header("Retry-After", "0"),
        _ => sent(manifest()),
    });
    assert!(pull(&client(), &image(&server, "a/b:t"), &RegistryAuth::Anonymous).is_err());
    assert_eq!(server.lines().iter().filter(|line| line.contains("/manifests/")).count(), 1);
}

#[test]
fn canary_a_declined_mount_is_an_error() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "POST" => Reply::new(202).header("Location", "/up"),
        _ => Reply::ok("{}"),
    });
    let digest = Digest::of(CONTENT).to_string();
    let mounted = run(client().mount_blob(&image(&server, "a/b:t"), &image(&server, "c/d:t"), &digest));
    assert!(mounted.is_err());
}

#[test]
fn canary_a_push_by_digest_without_location_panics() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "PUT" => Reply::new(201),
        _ => Reply::ok("{}"),
    });
    let image = image(&server, &format!("a/b@{}", Digest::of(&manifest())));
    let pushed = std::panic::catch_unwind(|| {
        run(client().push_manifest_raw(&image, manifest(), media::MANIFEST.parse().unwrap())).is_ok()
    });
    assert!(pushed.is_err());
}

#[test]
fn canary_foreign_urls_are_followed() {
    let foreign = Server::start(|_| Reply::ok(CONTENT));
    let server = Server::start(|asked| match asked.line().as_str() {
        "GET /v2/" => Reply::ok("{}"),
        _ => Reply::new(404),
    });
    let layer = OciDescriptor {
        digest: Digest::of(CONTENT).to_string(),
        urls: Some(vec![foreign.url("/anywhere")]),
        ..OciDescriptor::default()
    };
    let mut read = Vec::new();
    run(client().pull_blob(&image(&server, "a/b:t"), &layer, &mut read)).unwrap();
    assert_eq!((read.as_slice(), foreign.log().len()), (CONTENT, 1));
}

/// A signed image looks unsigned.
#[test]
fn canary_too_many_requests_at_the_fallback_tag_reads_as_no_referrers() {
    let server = Server::start(|asked| match asked.line().as_str() {
        "GET /v2/" => Reply::ok("{}"),
        line if line.contains("/referrers/") => Reply::new(404),
        _ => Reply::new(429).body(r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"later"}]}"#),
    });
    let image = image(&server, &format!("a/b@{}", Digest::of(b"image")));
    let found = run(client().pull_referrers(&image, None));
    assert_eq!(found.map(|index| index.manifests.len()).ok(), Some(0));
}

#[test]
fn canary_it_asks_for_the_version_before_every_request() {
    let server = Server::start(|asked| match asked.line().as_str() {
        "GET /v2/" => Reply::ok("{}"),
        _ => sent(manifest()),
    });
    let client = client();
    for tag in ["1", "2", "3"] {
        pull(&client, &image(&server, &format!("a/b:{tag}")), &RegistryAuth::Anonymous).unwrap();
    }
    assert_eq!(server.lines().iter().filter(|line| *line == "GET /v2/").count(), 3);
}
