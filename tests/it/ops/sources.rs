//! Discovering and collecting from the lab's layouts.

use keypack::{
    key::Role,
    keysource::KeyFile,
    ops::{
        self, KeySources, Sources,
        collect::{Ending, Request},
    },
};

use super::{Host, names, refusal};
use crate::support::program::LAB;

const NOW: &str = "2026-01-01T00:00:00Z";

/// One image of the lab, with the lab's trusted keys and none of this host's.
fn sources(layout: &str) -> Sources {
    Sources {
        places: vec![format!("oci:{LAB}/layouts/{layout}")],
        keys: KeySources {
            trusted_roots: vec![format!("{LAB}/trust/trusted_root.json").into()],
            keys: vec![KeyFile { role: Some(Role::Signer), path: format!("{LAB}/trust/cosign.pub").into() }],
            host_root: None,
            offline: true,
            ..KeySources::default()
        },
        ..Sources::default()
    }
}

#[test]
fn what_is_needed_is_found_and_written() {
    let host = Host::new();
    let found = ops::discover::Request {
        sources: sources("key-tag-rekor1-cosignsave"),
        draft_rules: None,
        targets: Vec::new(),
    };
    let report = ops::discover(&found, &host.at(NOW)).unwrap().report;
    assert!(report.is_complete() && report.keys.len() == 2, "{report:?}");
    let request = Request {
        sources: sources("key-tag-rekor1-cosignsave"),
        output: Some(host.path("keys")),
        ..Request::default()
    };
    let outcome = ops::collect(&request, &host.at(NOW)).unwrap();
    assert_eq!(outcome.ending, Ending::Written);
    let pack = outcome.report.pack.unwrap();
    assert_eq!((pack.name.as_str(), pack.version, pack.keys.len()), ("default", 1_767_225_600, 2));
    assert!(names(&host.path("keys")).contains(&"keypack.json".to_owned()));
    // The same again changes nothing.
    let again = ops::collect(&request, &host.at("2026-01-02T00:00:00Z")).unwrap();
    assert_eq!(again.report.pack.unwrap().digest, pack.digest);
}

#[test]
fn a_key_that_is_revoked_meets_no_need() {
    let host = Host::new();
    let key = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f".parse().unwrap();
    let request = Request {
        sources: sources("key-tag-notlog-cosignsave"),
        output: Some(host.path("keys")),
        revoke: vec![key],
        reason: Some("a test".into()),
        ..Request::default()
    };
    let outcome = ops::collect(&request, &host.at(NOW)).unwrap();
    host.heard("is revoked, and is left out");
    assert_eq!(outcome.ending, Ending::NothingProved);
    assert!(!outcome.report.is_complete());
    assert_eq!(names(&host.path("keys")), Vec::<String>::new());
}

#[test]
fn a_place_without_images_is_a_failure_and_not_unsigned() {
    let host = Host::new();
    std::fs::create_dir(host.path("empty")).unwrap();
    let request = ops::discover::Request {
        sources: Sources { places: vec![format!("dir:{}", host.path("empty").display())], ..sources("x") },
        draft_rules: None,
        targets: Vec::new(),
    };
    let failure = ops::discover(&request, &host.at(NOW)).unwrap_err();
    assert_eq!(refusal(&failure).1, 1, "{failure:?}");
}

#[test]
fn offline_no_registry_is_asked() {
    let host = Host::new();
    let request = ops::discover::Request {
        sources: Sources { places: vec!["docker://registry.example/x:1".into()], ..sources("x") },
        draft_rules: None,
        targets: Vec::new(),
    };
    assert_eq!(refusal(&ops::discover(&request, &host.at(NOW)).unwrap_err()), ("usage".into(), 2));
}
