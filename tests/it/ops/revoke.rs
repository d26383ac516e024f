//! Revoking as a program calls it: the outcome says what was done, and every later operation on this state follows it.

use keypack::{
    diag::Diagnostic,
    ops::{self, AnchorSpec, inspect, pull::Outcome, revoke::Request},
    outcome::revocation::Revocation,
};

use super::{Host, names, refusal};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/anchors");
const OLD: &str = "sha256:6417a0611de0a93ba9ba6283f1026339f0d3b1675404b5357ee07be552a0794f";
const NEWER: &str = "sha256:788f62e2f18a2dad801b00c0946a2cdd6a4b87b84e55b53918ece8a114a1536f";
const SIGNER: &str = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
const FILE: &str = "signer-43ef7bc8.pub";
const MARCH: &str = "2024-03-01T00:00:00Z";

/// A host that has pulled the old pack, and the newer one in the same layout.
fn host() -> Host {
    let host = Host::new();
    for (keys, tag) in [("keys", "old"), ("newer", "newer")] {
        let request = ops::push::Request {
            keys: format!("{FIXTURES}/{keys}"),
            dest: format!("oci:{}:{tag}", host.path("layout").display()),
            ..ops::push::Request::default()
        };
        ops::push(&request, &host.at(MARCH)).unwrap();
    }
    pull(&host, "old", OLD).unwrap();
    host
}

fn pull(host: &Host, tag: &str, digest: &str) -> Result<Outcome, Diagnostic> {
    let request = ops::pull::Request {
        source: format!("oci:{}:{tag}", host.path("layout").display()),
        output: Some(host.path("keys")),
        anchors: vec![AnchorSpec::Digest(digest.parse().unwrap())],
        ..ops::pull::Request::default()
    };
    ops::pull(&request, &host.at(MARCH)).map_err(|failure| failure.diagnostic)
}

fn request(host: &Host) -> Request {
    Request {
        fingerprint: SIGNER.into(),
        reason: "stolen".into(),
        keys_dir: Some(host.path("keys")),
        ..Request::default()
    }
}

fn revoke(host: &Host) -> Revocation {
    ops::revoke(&request(host), &host.at(MARCH)).unwrap()
}

#[test]
fn the_outcome_says_what_was_done_and_once_more_nothing_is() {
    let host = host();
    let before = names(&host.path("keys"));
    let all = pull(&host, "old", OLD).unwrap().keys.len();
    let done = revoke(&host);
    assert_eq!((done.recorded, done.keys.len(), done.since), ("new", 1, None));
    assert_eq!((done.keys[0].file.as_str(), done.left), (FILE, Some(all - 1)));
    assert!(done.problems.is_empty(), "{:?}", done.problems);
    assert_eq!(done.at, MARCH.parse().unwrap());
    let mut left = before;
    left.retain(|name| name != FILE);
    assert_eq!(names(&host.path("keys")), left);
    assert_eq!(revoke(&host).recorded, "again");
    // Later packs are installed without it.
    let pulled = pull(&host, "newer", NEWER).unwrap();
    assert!(pulled.keys.iter().all(|key| key.file != FILE));
    assert_eq!(pulled.revoked_here.iter().map(|key| key.file.as_str()).collect::<Vec<_>>(), [FILE]);
    assert!(!host.path("keys").join(FILE).exists());
    let request =
        inspect::Request { place: host.path("keys").display().to_string(), ..inspect::Request::default() };
    let shown = ops::inspect(&request, &host.at(MARCH)).unwrap();
    assert!(shown.is_authenticated() && shown.text(false).contains("minus 1 revoked here"));
}

#[test]
fn a_time_in_the_future_revokes_nothing_and_a_later_one_is_no_relief() {
    let host = host();
    let since = |time: &str| {
        let request = Request { since: Some(time.parse().unwrap()), ..request(&host) };
        ops::revoke(&request, &host.at(MARCH))
    };
    assert_eq!(refusal(&since("2024-03-01T00:00:01Z").unwrap_err()), ("usage".into(), 2));
    assert!(host.path("keys").join(FILE).exists());
    assert_eq!(since("2024-02-01T00:00:00Z").unwrap().recorded, "new");
    assert_eq!(since("2024-02-15T00:00:00Z").unwrap().recorded, "again");
    let stricter = since("2024-01-15T00:00:00Z").unwrap();
    assert_eq!(
        (stricter.recorded, stricter.since),
        ("stricter", Some("2024-01-15T00:00:00Z".parse().unwrap()))
    );
    let none = revoke(&host);
    assert_eq!((none.recorded, none.since), ("stricter", None));
}

#[test]
fn what_is_not_authenticated_is_recorded_and_not_rewritten() {
    let host = host();
    let state = host.path("other");
    let request = Request { state_dir: Some(state.clone()), ..request(&host) };
    let done = ops::revoke(&request, &host.at(MARCH)).unwrap();
    assert_eq!(done.problems[0].code.as_str(), "keys-not-authenticated");
    assert!(host.path("keys").join(FILE).exists(), "a host changes nothing that it does not know");
    // It is revoked all the same, and undone only with a record in the log.
    let undo = Request { undo_unsafe: true, ..request };
    assert_eq!(ops::revoke(&undo, &host.at(MARCH)).unwrap().recorded, "undone");
    assert_eq!(refusal(&ops::revoke(&undo, &host.at(MARCH)).unwrap_err()).0, "not-revoked-here");
    let log = std::fs::read_to_string(state.join("log.jsonl")).unwrap();
    assert!(log.contains("\"begun\"") && log.contains("--undo-unsafe"), "{log}");
}

#[test]
fn undoing_puts_the_key_back() {
    let host = host();
    let read = || std::fs::read(host.path("keys").join(FILE)).ok();
    let before = read();
    revoke(&host);
    assert_eq!(read(), None);
    let undo = Request { undo_unsafe: true, ..request(&host) };
    let done = ops::revoke(&undo, &host.at(MARCH)).unwrap();
    assert_eq!((done.recorded, done.keys.len()), ("undone", 1));
    assert!(before.is_some() && read() == before);
}

#[test]
fn a_pack_of_which_every_key_is_revoked_is_not_installed() {
    let host = host();
    for key in pull(&host, "old", OLD).unwrap().keys {
        let request = Request { fingerprint: key.fingerprint.to_string(), ..request(&host) };
        assert_eq!(ops::revoke(&request, &host.at(MARCH)).unwrap().keys.len(), 1);
    }
    assert_eq!(refusal(&pull(&host, "old", OLD).unwrap_err()), ("pack-without-keys".into(), 3));
}
