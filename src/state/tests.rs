use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pack(version: u64, content: &str) -> KnownPack {
    let at = at(i64::try_from(version % 1_000_000).unwrap());
    KnownPack { digest: Digest::of(content.as_bytes()), version, origin: Origin::Pulled, at }
}

fn key(name: &str) -> Signer {
    Signer::Key(Digest::of(name.as_bytes()))
}

fn state() -> State {
    State::new(&SafeName::new("default").unwrap())
}

fn check(state: &State, signer: Signer, pack: KnownPack) -> Verdict {
    state.check(signer, pack.version, pack.digest)
}

#[test]
fn a_version_is_first_newer_the_same_older_or_another_of_the_same_number() {
    let mut state = state();
    let five = pack(5, "five");
    assert_eq!(check(&state, Signer::Digest, five), Verdict::First);
    state.record(&[Signer::Digest], five);
    let have = Highest { version: 5, digest: five.digest, at: five.at };
    assert_eq!(check(&state, Signer::Digest, pack(6, "six")), Verdict::Newer);
    assert_eq!(check(&state, Signer::Digest, five), Verdict::SamePack);
    assert_eq!(check(&state, Signer::Digest, pack(4, "four")), Verdict::Rollback { have });
    assert_eq!(check(&state, Signer::Digest, pack(5, "another five")), Verdict::Equivocation { have });
    // An older version is a rollback even with the digest of the highest: a digest belongs to only one inventory, so
    // the stated version is wrong.
    assert_eq!(state.check(Signer::Digest, 4, five.digest), Verdict::Rollback { have });
}

#[test]
fn each_signer_has_its_own_counter() {
    let mut state = state();
    state.record(&[key("a")], pack(u64::MAX >> 1, "the last number of a"));
    assert_eq!(check(&state, key("b"), pack(1, "one")), Verdict::First);
    assert_eq!(check(&state, Signer::Digest, pack(1, "one")), Verdict::First);
    state.record(&[key("b"), Signer::Digest], pack(1, "one"));
    assert_eq!(check(&state, key("b"), pack(1, "one")), Verdict::SamePack);
    assert_eq!(check(&state, Signer::Digest, pack(1, "one")), Verdict::SamePack);
    assert!(matches!(check(&state, key("a"), pack(1, "one")), Verdict::Rollback { .. }));
}

#[test]
fn recording_never_lowers_and_never_replaces() {
    let mut state = state();
    state.record(&[Signer::Digest], pack(5, "five"));
    state.record(&[Signer::Digest], pack(4, "four"));
    state.record(&[Signer::Digest], pack(5, "another five"));
    assert_eq!(state.highest()[&Signer::Digest].digest, pack(5, "five").digest);
}

#[test]
fn an_accepted_rollback_becomes_the_highest_and_is_logged() {
    let mut state = state();
    state.record(&[Signer::Digest], pack(5, "five"));
    let reason = "x".repeat(5000);
    state.accept(&[Signer::Digest, key("a")], pack(3, "three"), "--allow-rollback-unsafe", &reason);
    assert_eq!(check(&state, Signer::Digest, pack(3, "three")), Verdict::SamePack);
    assert_eq!(check(&state, Signer::Digest, pack(4, "four")), Verdict::Newer);
    let [logged] = state.acceptances() else { panic!("{:?}", state.acceptances()) };
    assert_eq!((logged.flag.as_str(), logged.version), ("--allow-rollback-unsafe", 3));
    assert_eq!(logged.reason.len(), 1000);
    assert_eq!(logged.instead_of.len(), 1);
    assert_eq!(logged.instead_of[&Signer::Digest].version, 5);
}

#[test]
fn packs_are_known_by_digest_the_latest_two_hundred() {
    let mut state = state();
    let first = pack(0, "0");
    state.record(&[], KnownPack { origin: Origin::Collected, ..first });
    assert_eq!(state.known(first.digest).unwrap().origin, Origin::Collected);
    assert!(state.highest().is_empty(), "what was collected here has no signer");
    state.record(&[Signer::Digest], first);
    assert_eq!(state.known(first.digest).unwrap().origin, Origin::Pulled);
    assert_eq!(state.packs().len(), 1);

    for n in 1..=200 {
        state.record(&[], pack(n, &n.to_string()));
    }
    assert_eq!(state.packs().len(), 200);
    assert_eq!(state.known(first.digest), None);
    assert_eq!(state.packs().last().unwrap().version, 200);
    // If it is recorded again, it becomes the latest.
    state.record(&[], pack(1, "1"));
    assert_eq!((state.packs().len(), state.packs().last().unwrap().version), (200, 1));

    for n in 0..300 {
        state.accept(&[], pack(n, &n.to_string()), "--allow-rollback-unsafe", "");
    }
    assert_eq!((state.acceptances().len(), state.acceptances()[0].version), (200, 100));
}

#[test]
fn tuf_versions_only_rise() {
    let mut state = state();
    let versions =
        |root, snapshot| BTreeMap::from([("root".to_owned(), root), ("snapshot".to_owned(), snapshot)]);
    assert_eq!(state.check_tuf("sigstore", &versions(1, 1)), None);
    state.record_tuf("sigstore", &versions(10, 90));
    assert_eq!(state.check_tuf("sigstore", &versions(10, 90)), None);
    assert_eq!(state.check_tuf("sigstore", &versions(11, 91)), None);
    let lower = TufRollback { role: "snapshot".to_owned(), have: 90, offered: 89 };
    assert_eq!(state.check_tuf("sigstore", &versions(11, 89)), Some(lower));
    assert_eq!(state.check_tuf("redhat", &versions(1, 1)), None);
    state.record_tuf("sigstore", &versions(11, 89));
    assert!(state.check_tuf("sigstore", &versions(11, 89)).is_some());
}

#[test]
fn what_is_revoked_stays_revoked_by_the_first_that_said_so() {
    let mut state = state();
    let (first, second) = (Digest::of(b"1"), Digest::of(b"2"));
    let key = Fingerprint::Sha256(Digest::of(b"key"));
    assert_eq!(state.revoked(&key), None);
    state.revoke(key, first, at(1));
    state.revoke(key, second, at(2));
    assert_eq!(state.revoked(&key), Some(&Revocation { pack: first, at: at(1), only_in: BTreeSet::new() }));
}

#[test]
fn what_was_revoked_in_a_trial_holds_there_until_a_pack_says_so() {
    let (mut state, key) = (state(), Digest::of(b"key").into());
    let (trial, keys) = (Path::new("/tmp/trial"), Path::new("/srv/keys"));
    state.revoke_in(trial, key, Digest::of(b"one"), at(1));
    assert!(state.is_revoked(&key, trial) && !state.is_revoked(&key, keys));
    state.revoke_in(keys, key, Digest::of(b"two"), at(2));
    assert!(state.is_revoked(&key, trial) && state.is_revoked(&key, keys));
    state.revoke(key, Digest::of(b"three"), at(3));
    assert!(state.is_revoked(&key, Path::new("/elsewhere")));
    state.revoke_in(trial, key, Digest::of(b"four"), at(4));
    assert!(state.is_revoked(&key, keys), "a trial takes nothing back");
}

#[test]
fn a_key_may_go_once_a_pack_without_its_signature_was_pulled() {
    let mut state = state();
    let pull = |state: &mut State, signers: &[Signer], version: u64| {
        let pack = pack(version, &version.to_string());
        state.record(signers, pack);
        let (directory, anchors) = (String::new(), Vec::new());
        state.record_pull(Pull { at: pack.at, pack: pack.digest, version, directory, anchors });
    };
    pull(&mut state, &[key("old")], 1);
    assert_eq!(state.rotation(), [""; 0]);
    pull(&mut state, &[key("old"), key("new")], 2);
    assert!(state.rotation()[0].starts_with("2 keys signed the last pull"), "{:?}", state.rotation());
    pull(&mut state, &[key("new")], 3);
    let said = state.rotation();
    assert!(
        said[0].starts_with(&format!("{} did not sign the last pull, but version 2", key("old"))),
        "{said:?}"
    );
    assert_eq!(said.len(), 2);
    // An old pack that was accepted says nothing about a key that signed a newer one.
    pull(&mut state, &[key("other")], 1);
    assert_eq!(state.rotation(), [""; 0]);
    // Neither do a digest and pins.
    pull(&mut state, &[Signer::Digest], 4);
    assert_eq!(state.rotation(), [""; 0]);
}
