#![cfg_attr(fuzzing, no_main)]
//! Auth files: their credentials for several hosts. No message contains a password, and no program is run.

mod input;

use keypack::registry::credentials::{Locations, CredentialStore};
use serde_json::Value;

/// Looks up several hosts.
pub fn run(data: &[u8]) {
    if names_it(data) {
        return;
    }
    let modern = Locations { authfile: Some(input::file("auth.json", data)), ..Locations::default() };
    let _ = input::file(".dockercfg", data);
    let old = Locations { home: Some(input::folder()), ..Locations::default() };
    for env in [modern, old] {
        let store = CredentialStore::new(env);
        for (host, repository) in
            [("q", "a/b"), ("docker.io", "library/x"), ("mirror:5000", ""), ("[::1]:1", "x")]
        {
            let said = match store.lookup(host, repository) {
                Ok(found) => format!("{found:?}"),
                Err(e) => format!("{e} {e:?} {store:?}"),
            };
            assert!(!said.contains("hunter2"), "a password in {said}");
        }
    }
}

/// Whether the password appears where names are: names of hosts and programs are not secret.
fn names_it(data: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return false };
    let hosts =
        |value: &Value| value.as_object().is_some_and(|map| map.keys().any(|key| key.contains("hunter2")));
    let programs = [&value["credHelpers"], &value["credsStore"]];
    hosts(&value)
        || hosts(&value["auths"])
        || programs.iter().any(|part| part.to_string().contains("hunter2"))
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
