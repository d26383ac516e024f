//! The steps of a pull, none of which runs before the previous one: fetch, authenticate, freshness, state, install.

use std::{fs, path::PathBuf};

use keypack::{
    diag::Diagnostic,
    ops::{
        self, AnchorSpec, Context, Exceptions,
        pull::{Outcome, Request},
    },
};

use super::{Host, names, refusal};

/// Packs that are signed by several keys (testdata/anchors/README.md).
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/anchors");
/// The digest of the older pack, which was made on 2024-01-01.
const OLD: &str = "sha256:6417a0611de0a93ba9ba6283f1026339f0d3b1675404b5357ee07be552a0794f";
/// The digest of the newer pack, which was made on 2024-02-01.
const NEWER: &str = "sha256:788f62e2f18a2dad801b00c0946a2cdd6a4b87b84e55b53918ece8a114a1536f";
/// A month after the newer one was made.
const MARCH: &str = "2024-03-01T00:00:00Z";

fn digest(text: &str) -> AnchorSpec {
    AnchorSpec::Digest(text.parse().unwrap())
}

fn key(name: &str) -> AnchorSpec {
    AnchorSpec::Key(PathBuf::from(FIXTURES).join(name))
}

/// A host with both packs in a layout.
fn host() -> Host {
    let host = Host::new();
    for (keys, tag, expected) in [("keys", "old", OLD), ("newer", "newer", NEWER)] {
        let request = ops::push::Request {
            keys: format!("{FIXTURES}/{keys}"),
            dest: format!("oci:{}:{tag}", host.path("layout").display()),
            ..ops::push::Request::default()
        };
        let pushed = ops::push(&request, &host.at(MARCH)).unwrap();
        assert_eq!((pushed.pack_digest.to_string().as_str(), pushed.tag.as_str()), (expected, tag));
    }
    host
}

/// The request for a pack, without an anchor.
fn request(host: &Host, tag: &str) -> Request {
    Request {
        source: format!("oci:{}:{tag}", host.path("layout").display()),
        output: Some(host.path("out")),
        ..Request::default()
    }
}

fn pull(host: &Host, tag: &str, anchors: Vec<AnchorSpec>) -> Result<Outcome, Diagnostic> {
    pull_as(&Request { anchors, ..request(host, tag) }, &host.at(MARCH))
}

fn pull_as(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    ops::pull(request, ctx).map_err(|failure| failure.diagnostic)
}

#[track_caller]
fn refused(result: Result<Outcome, Diagnostic>, code: &str) {
    assert_eq!(refusal(&result.unwrap_err()), (code.to_owned(), 3));
}

/// Nothing was installed, and nothing is recorded in the state.
#[track_caller]
fn untouched(host: &Host) {
    let mut remembered = names(&host.path("state/keypack"));
    // The log records the refusal; it decides nothing.
    remembered.retain(|name| name != "log.jsonl");
    remembered.retain(|name| name != "default.lock");
    assert_eq!((names(&host.path("out")), remembered), (vec![], vec![]));
}

#[test]
fn the_digest_authenticates() {
    let host = host();
    let ctx = host.at(MARCH);
    let wanted = Request { anchors: vec![digest(NEWER)], ..request(&host, "newer") };
    let outcome = ops::pull(&wanted, &ctx).unwrap();
    host.heard("authenticated by the pack digest that was given");
    assert_eq!(
        (outcome.name.as_str(), outcome.version, outcome.unchanged),
        ("default", 1_706_745_600, false)
    );
    assert_eq!(outcome.pack_digest.to_string(), NEWER);
    for file in names(&host.path("out")) {
        let (installed, fixture) = (host.path("out").join(&file), format!("{FIXTURES}/newer/{file}"));
        assert_eq!(fs::read(installed).unwrap(), fs::read(fixture).unwrap(), "{file}");
    }
    assert!(ctx.interrupt.settled().ends_with("out is written"));
    assert!(ops::pull(&wanted, &ctx).unwrap().unchanged);
}

#[test]
fn without_an_anchor_the_pack_is_shown_and_refused() {
    let host = host();
    let failure = ops::pull(&request(&host, "old"), &host.at(MARCH)).unwrap_err();
    assert_eq!(refusal(&failure.diagnostic), ("no-anchor".into(), 3));
    let shown = failure.found.unwrap();
    assert_eq!((shown.pack_digest().to_string().as_str(), shown.is_authenticated()), (OLD, false));
    assert!(shown.text(false).starts_with("NOT AUTHENTICATED"));
    untouched(&host);
}

#[test]
fn a_wrong_digest_or_key_refuses_before_anything_is_remembered() {
    let host = host();
    refused(pull(&host, "old", vec![digest(NEWER)]), "anchor-digest-mismatch");
    refused(pull(&host, "old", vec![key("other.pub")]), "pack-signature-refused");
    // Anchors of all kinds must hold.
    refused(pull(&host, "old", vec![digest(OLD), key("other.pub")]), "pack-signature-refused");
    untouched(&host);
    pull(&host, "old", vec![digest(OLD), key("other.pub"), key("p384.pub")]).unwrap();
}

#[test]
fn a_key_that_travelled_with_the_pack_proves_nothing() {
    let host = host();
    let beside = host.path("layout/org.pub");
    fs::copy(format!("{FIXTURES}/org.pub"), &beside).unwrap();
    refused(pull(&host, "old", vec![AnchorSpec::Key(beside)]), "verify-key-from-pack");
    untouched(&host);
}

#[test]
fn a_stale_pack_and_one_from_the_future() {
    let host = host();
    let wanted = || Request { anchors: vec![key("org.pub")], ..request(&host, "newer") };
    refused(pull_as(&wanted(), &host.at("2024-12-01T00:00:00Z")), "pack-too-old");
    refused(pull_as(&wanted(), &host.at("2024-01-15T00:00:00Z")), "version-from-the-future");
    untouched(&host);
    let exceptions =
        Exceptions { allow_stale_unsafe: true, reason: "a test".into(), ..Exceptions::default() };
    pull_as(&Request { exceptions, ..wanted() }, &host.at("2024-12-01T00:00:00Z")).unwrap();
    let state = fs::read_to_string(host.path("state/keypack/default.json")).unwrap();
    assert!(state.contains("--allow-stale-unsafe") && state.contains("a test"), "{state}");
}

#[test]
fn an_older_pack_than_the_one_that_was_installed() {
    let host = host();
    let signed = || vec![key("org.pub")];
    pull(&host, "newer", signed()).unwrap();
    refused(pull(&host, "old", signed()), "rollback");
    let exceptions =
        Exceptions { allow_rollback_unsafe: true, reason: "a test".into(), ..Exceptions::default() };
    let wanted = Request { anchors: signed(), exceptions, ..request(&host, "old") };
    assert_eq!(pull_as(&wanted, &host.at(MARCH)).unwrap().pack_digest.to_string(), OLD);
    host.heard("because of --allow-rollback-unsafe");
}

#[test]
fn demands_on_version_and_memory() {
    let host = host();
    let wanted = |tag| Request { anchors: vec![key("org.pub")], ..request(&host, tag) };
    refused(pull_as(&Request { require_state: true, ..wanted("old") }, &host.at(MARCH)), "no-state");
    let version = Request { min_version: Some(1_706_745_600), ..wanted("old") };
    refused(pull_as(&version, &host.at(MARCH)), "below-min-version");
    untouched(&host);
}

#[test]
fn a_revoked_key_refuses_the_pack_and_a_revoked_anchor_too() {
    let host = host();
    let signer = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
    let org = keypack::keysource::read_public_key(&PathBuf::from(FIXTURES).join("org.pub")).unwrap();
    for revoked in [signer.parse().unwrap(), org.fingerprint().into()] {
        let wanted =
            Request { anchors: vec![key("org.pub")], revoked: vec![revoked], ..request(&host, "old") };
        refused(pull_as(&wanted, &host.at(MARCH)), "key-revoked");
    }
    untouched(&host);
}

#[test]
fn the_expected_lineage_never_comes_from_a_directory_that_this_host_does_not_know() {
    let host = host();
    let other = Request { anchors: vec![digest(OLD)], name: Some("other".into()), ..request(&host, "old") };
    refused(pull_as(&other, &host.at(MARCH)), "lineage-mismatch");
    untouched(&host);
    // The content at the target also says `default`, and nothing is compared with it.
    fs::create_dir(host.path("out")).unwrap();
    for file in names(format!("{FIXTURES}/newer").as_ref()) {
        fs::copy(format!("{FIXTURES}/newer/{file}"), host.path("out").join(&file)).unwrap();
    }
    // Nor is its lineage, where it says another.
    let inventory = host.path("out/keypack.json");
    let text = fs::read_to_string(&inventory).unwrap();
    fs::write(&inventory, text.replace("\"name\": \"default\"", "\"name\": \"other\"")).unwrap();
    assert_ne!(text, fs::read_to_string(&inventory).unwrap());
    pull(&host, "old", vec![digest(OLD)]).unwrap();
    host.heard("this host neither collected nor authenticated the pack in");
}

#[test]
fn what_the_host_enforces_and_what_is_given_must_both_hold() {
    let host = host();
    let pull = |enforced, given| {
        let request = Request { enforced: vec![enforced], anchors: vec![given], ..request(&host, "newer") };
        pull_as(&request, &host.at(MARCH))
    };
    refused(pull(key("org.pub"), digest(OLD)), "anchor-digest-mismatch");
    refused(pull(key("rsa.pub"), digest(NEWER)), "pack-signature-refused");
    untouched(&host);
    pull(key("org.pub"), digest(NEWER)).unwrap();
}

#[test]
fn a_key_that_is_given_twice_is_one_of_a_threshold() {
    let host = host();
    let two = AnchorSpec::Threshold(std::num::NonZeroUsize::new(2).unwrap());
    for keys in [vec![key("org.pub")], vec![key("org.pub"), key("org.pub")]] {
        let refusal_of = pull(&host, "newer", keys.into_iter().chain([two.clone()]).collect());
        assert_eq!(refusal(&refusal_of.unwrap_err()), ("usage".to_owned(), 2));
    }
    untouched(&host);
}

#[test]
fn limits_that_the_pack_can_not_meet() {
    let host = host();
    let day = jiff::SignedDuration::from_hours(24);
    let endless = Request { max_expires: Some(day), anchors: vec![digest(OLD)], ..request(&host, "old") };
    refused(pull_as(&endless, &host.at(MARCH)), "expires-too-late");
    // Pins authenticate no version that could be compared.
    let pin = "signer:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f".parse().unwrap();
    let pinned =
        Request { min_version: Some(1), anchors: vec![AnchorSpec::Pin(pin)], ..request(&host, "old") };
    assert_eq!(refusal(&pull_as(&pinned, &host.at(MARCH)).unwrap_err()), ("usage".to_owned(), 2));
    untouched(&host);
}

/// What only an exception allows is logged first, or not done.
#[test]
fn an_exception_that_can_not_be_logged_is_none() {
    let host = host();
    fs::create_dir_all(host.path("state/keypack/log.jsonl")).unwrap();
    let exceptions = Exceptions { allow_stale_unsafe: true, reason: "x".into(), ..Exceptions::default() };
    let stale = Request { exceptions, anchors: vec![digest(OLD)], ..request(&host, "old") };
    assert!(pull_as(&stale, &host.at("2025-03-01T00:00:00Z")).is_err());
    assert!(!host.path("out").exists());
    // Without one it is a warning.
    pull(&host, "old", vec![digest(OLD)]).unwrap();
    host.heard("this run is not in the log");
}

#[test]
fn anchors_are_asked_before_age_and_age_before_the_state() {
    let host = host();
    pull(&host, "newer", vec![key("org.pub")]).unwrap();
    // The old pack is refused for all three reasons: a wrong anchor, its age, and the newer one.
    let december = host.at("2024-12-01T00:00:00Z");
    let wanted = |name| Request { anchors: vec![key(name)], ..request(&host, "old") };
    refused(pull_as(&wanted("other.pub"), &december), "pack-signature-refused");
    refused(pull_as(&wanted("org.pub"), &december), "pack-too-old");
    refused(pull_as(&wanted("org.pub"), &host.at(MARCH)), "rollback");
}
