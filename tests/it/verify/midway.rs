//! A registry that stops answering, and content that disappears while it is read.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{super::support::fault::Reply, TRUST, Test, says_nothing_is_verified};
use crate::support::mirror;

const GONE: &str = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#;

#[test]
fn a_registry_that_fails_midway_ends_the_run_with_what_was_not_read() {
    const REPOSITORIES: usize = 50;
    let names: Vec<_> = (0..REPOSITORIES).map(|n| format!("\"team/app{n}\"")).collect();
    let catalog = format!(r#"{{"repositories":[{}]}}"#, names.join(","));
    let asked = AtomicUsize::new(0);
    let server = mirror::start(move |_, request| {
        if request.target.starts_with("/v2/_catalog") {
            return Some(Reply::ok(catalog.clone()));
        }
        // Several are asked side by side: which of them come first is not known, so one is always answered.
        let fails = !request.target.contains("/team/app0/") && asked.fetch_add(1, Ordering::SeqCst) > 40;
        fails.then(|| Reply::new(503))
    });
    let line = format!("verify docker://{} --plain-http --retry-times 0 {TRUST}", server.host());
    let ran = says_nothing_is_verified(Test::new().run(&line).fails(4, "not-all-read"));
    assert!(ran.out.contains("GOOD"), "some were read: {}", ran.out);
    // Each repository that is left is asked for once or twice, and not for ever.
    let lines = server.lines().len();
    assert!(lines < 50 + 3 * REPOSITORIES, "{lines} requests");
}

#[test]
fn what_was_listed_and_is_gone_when_it_is_read_is_not_unsigned() {
    type Part = fn(&mirror::Content) -> String;
    let parts: [(&str, Part); 3] = [
        ("the image", |_| "/manifests/v1".into()),
        ("its signature", |content| format!("/manifests/{}", content.signature_tag())),
        ("the signed text", |_| "/blobs/".into()),
    ];
    for (what, part) in parts {
        let server = mirror::start(move |content, request| {
            let is_it = request.target.contains(&part(content))
                || (what == "the image" && request.target.contains(&content.image));
            is_it.then(|| Reply::new(404).body(GONE))
        });
        let line = format!(
            "verify docker://{}/team --plain-http --retry-times 0 {TRUST} --format json",
            server.host()
        );
        let ran = Test::new().run(&line);
        assert!(ran.code == 4 || ran.code == 1, "{what}: {}", ran.err);
        assert!(!ran.out.contains("\"verified\"") && !ran.err.contains("verified"), "{what}: {}", ran.out);
        if ran.code == 4 {
            assert_eq!(ran.json()["failure"]["code"], "not-all-read", "{what}: {}", ran.out);
            assert_eq!(ran.json()["counts"]["unsigned"], 0, "{what}: {}", ran.out);
        } else {
            ran.tells("nothing-readable");
        }
    }
}
