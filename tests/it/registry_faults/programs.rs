//! Credential helpers and auth files.
#![allow(clippy::disallowed_types, reason = "the test runs a program")]

use std::{process::Command, time::Duration};

use keypack::registry::{
    Registry,
    credentials::{CredentialStore, Credentials, Locations, Secret},
};

use super::support::PASSWORD;

fn program(script: &str) -> (tempfile::TempDir, CredentialStore) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("docker-credential-test");
    // A process of its own writes it: a child that another thread starts meanwhile would hold this process's file
    // open for writing, and it could not be executed (ETXTBSY).
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" >"$2" && chmod 0755 "$2""#;
    let written = Command::new("sh").args(["-c", write, "sh", script]).arg(&file).status().unwrap();
    assert!(written.success());
    let authfile = dir.path().join("auth.json");
    std::fs::write(&authfile, r#"{"credsStore":"test","credHelpers":{"path":"../x"}}"#).unwrap();
    let env = Locations { authfile: Some(authfile), path: Some(dir.path().into()), ..Locations::default() };
    (dir, CredentialStore::new(env).with_patience(Duration::from_secs(20)))
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
    assert_eq!(keyring.lookup("path", "x").unwrap_err().code().as_str(), "credential-helper");

    let (_dir, keyring) = program(r#"echo '{"Username":"<token>","Secret":"t"}'"#);
    assert_eq!(keyring.lookup("q", "x").unwrap(), Some(Credentials::IdentityToken(Secret::new("t"))));
    let (_dir, keyring) = program("echo 'credentials not found in native keychain'; exit 1");
    assert_eq!(keyring.lookup("q", "x").unwrap(), None);
    for script in ["exit 1", "echo '<html>'", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done"] {
        let (_dir, keyring) = program(script);
        assert_eq!(keyring.lookup("q", "x").unwrap_err().code().as_str(), "credential-helper", "{script}");
    }
    let (_dir, keyring) = program("exec /bin/sleep 600");
    let keyring = keyring.with_patience(Duration::from_millis(200));
    assert!(keyring.lookup("q", "x").unwrap_err().to_string().contains("did not answer"));
}

#[test]
fn an_auth_file_that_is_named_must_be_there() {
    let env = Locations { authfile: Some("/nonexistent/auth.json".into()), ..Locations::default() };
    assert_eq!(CredentialStore::new(env).lookup("q", "x").unwrap_err().code().as_str(), "auth-file");
    let env = Locations { home: Some("/nonexistent".into()), ..Locations::default() };
    assert_eq!(CredentialStore::new(env).lookup("q", "x").unwrap(), None);
}

#[test]
fn a_registry_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Registry>();
}
