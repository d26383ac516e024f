//! Basic and token authentication, with the right credentials, the wrong ones and none.

use std::fs;

use keypack::{
    content::{Selection, Sink, Source},
    registry::{
        AllowedRealm,
        credentials::{CredentialStore, Credentials},
    },
};
use tempfile::TempDir;

use super::{
    docker_registry::DockerRegistry,
    open, round_trip,
    support::{self, USER, alice, artifact, code, options, registry},
    tokens,
};

pub(crate) fn basic_credentials_open_the_door() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("htpasswd");
    // bcrypt of the test password, with few rounds.
    fs::write(&file, format!("{USER}:$2y$04$y4nLLoYXVHxYxdiI8uUCnuXqQFFBu7cgQer1s9pt5LxgzMx1P1zwK\n"))
        .unwrap();
    let auth = format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", file.display());
    let server = DockerRegistry::start(dir, "", &auth, "");
    round_trip(&registry(server.host(), options(alice())), "a/b");
    let error = open(&server).resolve("a/b", "v1").unwrap_err();
    assert!(error.to_string().contains("none are known"), "{error}");
    assert_eq!(code(Err::<(), _>(error)), "unauthorized");
    let wrong = CredentialStore::given(Credentials::password(USER, "wrong"));
    let wrong = registry(server.host(), options(wrong));
    assert_eq!(code(wrong.resolve("a/b", "v1")), "unauthorized");
    assert_eq!(code(wrong.with_selection(Selection::Prefix(String::new())).repositories()), "unauthorized");
}

pub(crate) fn tokens_open_one_repository_at_a_time() {
    let dir = TempDir::new().unwrap();
    let bundle = dir.path().join("tokens.crt");
    let service = tokens::start(&bundle, "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==");
    let auth = |realm: String| {
        format!(
            "auth:\n  token:\n    realm: {realm}\n    service: keypack-registry\n    issuer: keypack-tests\n    \
             rootcertbundle: {}\n",
            bundle.display()
        )
    };
    let server = DockerRegistry::start(dir, "", &auth(service.url("/token")), "");
    let registry = registry(server.host(), options(alice()));
    round_trip(&registry, "public/a");
    round_trip(&registry, "private/b");
    // One to push and one to pull, for each of the two.
    assert_eq!(service.log().len(), 4);

    let anybody = open(&server);
    assert!(anybody.resolve("public/a", "v1").unwrap().is_some());
    assert_eq!(code(anybody.resolve("private/b", "v1")), "unauthorized");
    assert_eq!(code(anybody.sink("public/a").unwrap().put(&artifact(b"x"), "t")), "unauthorized");
    let all = registry.with_selection(Selection::Prefix(String::new()));
    assert_eq!(code(all.repositories()), "catalog-refused");
    let wrong = CredentialStore::given(Credentials::password(USER, "wrong"));
    assert_eq!(
        code(support::registry(server.host(), options(wrong)).resolve("public/a", "v1")),
        "unauthorized"
    );
}

pub(crate) fn a_token_service_under_another_name_must_be_allowed() {
    let dir = TempDir::new().unwrap();
    let bundle = dir.path().join("tokens.crt");
    let service = tokens::start(&bundle, "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==");
    let auth = format!(
        "auth:\n  token:\n    realm: {}\n    service: keypack-registry\n    issuer: keypack-tests\n    \
         rootcertbundle: {}\n",
        service.alias("/token"),
        bundle.display()
    );
    let server = DockerRegistry::start(dir, "", &auth, "");
    assert_eq!(code(registry(server.host(), options(alice())).resolve("a/b", "v1")), "realm-refused");
    assert!(service.log().is_empty());
    let mut allowing = options(alice());
    allowing.allowed = vec![AllowedRealm::parse("localhost").unwrap()];
    round_trip(&registry(server.host(), allowing), "a/b");
}
