//! Every signature of a walk is verified, whatever others have proved; and cases where several sources describe one
//! key.

use keypack::{
    key::{Candidate, Key, Material, Role, Validity},
    oci::Digest,
    resolve::{Answer, Question, Resolution, resolve},
    signature::UntrustedSignature,
};
use rcgen::CustomExtension;

use super::{
    issue::{self, NOW, authority, sign},
    lab::{Form, Parts, file, form, key, lab_root, provenance},
    stamp, test_keys,
};

fn walk(forms: &[&Form], candidates: &[Candidate]) -> Resolution {
    let read: Vec<(Digest, UntrustedSignature)> =
        forms.iter().map(|f| (f.image, f.read().unwrap())).collect();
    let questions: Vec<_> =
        read.iter().map(|(image, signature)| Question { image: *image, signature }).collect();
    resolve(&questions, candidates, jiff::Timestamp::now())
}

fn all() -> Vec<Candidate> {
    [lab_root(), file("cosign.pub")].concat()
}

fn candidate(key: &Key, source: &str) -> Candidate {
    let bare = Key::new(key.role, key.material.clone()).unwrap();
    Candidate { key: Key { validity: key.validity, ..bare }, provenance: provenance(source) }
}

/// The bundle or the annotations with one piece of evidence broken.
fn broken(name: &str, piece: &[&str]) -> Form {
    let form = form(name);
    match &form.parts {
        Parts::Bundle(_) => form.with_bundle(|bundle| {
            let at = piece.iter().fold(bundle, |value, step| match step.parse::<usize>() {
                Ok(index) => &mut value[index],
                Err(_) => &mut value[*step],
            });
            super::broken::flip(at);
        }),
        Parts::Simple { .. } => form.with_simple(|_, annotations| {
            let mut value = annotations[piece[0]].clone().into();
            super::broken::flip(&mut value);
            annotations.insert(piece[0].into(), value.as_str().unwrap().into());
        }),
    }
}

#[test]
fn a_broken_signature_beside_a_good_one() {
    const SIGNATURE: &[&str] = &["dsseEnvelope", "signatures", "0", "sig"];
    const SET: &[&str] =
        &["verificationMaterial", "tlogEntries", "0", "inclusionPromise", "signedEntryTimestamp"];
    const STAMP: &[&str] =
        &["verificationMaterial", "timestampVerificationData", "rfc3161Timestamps", "0", "signedTimestamp"];
    for (name, piece, code) in [
        ("key-tag-rekor1", &["dev.cosignproject.cosign/signature"][..], "signature-does-not-match"),
        ("key-bundle-rekor1", SIGNATURE, "signature-does-not-match"),
        ("key-bundle-rekor1", SET, "log-entry-refused"),
        ("key-bundle-rekor2", STAMP, "timestamp-refused"),
        ("keyless-bundle-rekor1", SIGNATURE, "signature-does-not-match"),
        ("keyless-bundle-rekor1", SET, "log-entry-refused"),
        ("keyless-bundle-rekor2", SIGNATURE, "timestamp-refused"),
    ] {
        let (good, broken) = (form(name), broken(name, piece));
        for (forms, at) in [([&good, &broken], 1), ([&broken, &good], 0)] {
            let resolution = walk(&forms, &all());
            assert!(!resolution.all_verify(), "{name}");
            let (bad, fine) = (&resolution.answers[at], &resolution.answers[1 - at]);
            assert_eq!(bad.refusal.as_ref().map(|r| r.code().as_str()), Some(code), "{name}");
            assert_eq!(fine.refusal, None, "{name}");
            for (_, answer) in bad.needs.iter().chain(&fine.needs) {
                assert!(matches!(answer, Answer::Have(_)), "{name}: {answer:?}");
            }
            assert!(resolution.keys.values().all(|k| k.proofs == 1), "{name}: the good one alone proves");
        }
    }
}

/// Its keys are proved by others, and its certificate belongs to someone else who copied the CA's name and key
/// identifier.
#[test]
fn a_certificate_of_a_namesake_beside_good_ones() {
    let root = test_keys::root("own root");
    let (good, log) = sign(&root, issue::good(), NOW);
    let (forged, other) = sign(&test_keys::namesake(&root.certificate), issue::good(), NOW);
    let candidates: Vec<_> =
        [&log, &other, &authority(&[&root])].iter().map(|key| candidate(key, "own")).collect();
    let resolution = walk(&[&good, &forged], &candidates);
    assert_eq!(resolution.keys.len(), 3, "the other log is one");
    assert_eq!(resolution.answers[0].refusal, None);
    assert_eq!(resolution.answers[1].refusal.as_ref().unwrap().code().as_str(), "certificate-refused");
    assert_eq!(resolution.keys[&authority(&[&root]).key_ref()].proofs, 1);
    assert!(!resolution.all_verify());
}

/// A bare signature does not say whose it is: if none of the available keys made it, its key is missing.
#[test]
fn a_bare_signature_by_an_unknown_key_is_not_called_broken() {
    let stranger =
        super::lab::bare(keypack::key::Role::Signer, test_keys::pair().1.to_pem().as_bytes(), "stranger.pub");
    let resolution = walk(&[&form("key-tag-notlog")], &stranger);
    assert_eq!(resolution.answers[0].refusal, None);
    assert!(matches!(resolution.answers[0].needs[0].1, Answer::Missing { .. }));
}

#[test]
fn a_certificate_that_no_ct_log_saw() {
    let root = test_keys::root("own root");
    let (form, log) = sign(&root, issue::good(), NOW);
    let mut ca = authority(&[&root]);
    assert_eq!(issue::code(&form, &[log.clone(), ca.clone()]), Ok(()), "an instance without CT logs");
    ca.ct_required = true;
    let keys = [log.clone(), ca.clone()];
    assert_eq!(form.judge(&keys).unwrap_err(), "ct-timestamp-missing");
    assert_eq!(form.unproved(&keys, Role::Fulcio), "ct-timestamp-missing");
    assert_eq!(form.prove(&keys).unwrap().keys(), [log.key_ref()], "the log is proved all the same");

    // The instance of a CA is the document that it came from; of several documents, one with CT logs is enough.
    let ct = test_keys::key(Role::CtLog);
    let of = |documents: &[(&Key, &str)]| {
        let candidates: Vec<_> = documents.iter().map(|(key, source)| candidate(key, source)).collect();
        walk(&[&form], &candidates)
    };
    for (documents, required) in [
        (&[(&log, "a"), (&ca, "a")][..], false),
        (&[(&log, "a"), (&ca, "a"), (&ct, "a")], true),
        (&[(&log, "a"), (&ca, "a"), (&ct, "b")], false),
        (&[(&log, "a"), (&ca, "a"), (&ca, "b"), (&ct, "b")], true),
    ] {
        let resolution = of(documents);
        assert_eq!(resolution.all_verify(), !required);
        assert_eq!(resolution.keys.contains_key(&ca.key_ref()), !required);
        assert!(resolution.keys.contains_key(&log.key_ref()));
        let (_, answer) = resolution.answers[0].needs.iter().find(|(n, _)| n.role() == Role::Fulcio).unwrap();
        match answer {
            Answer::Have(_) => assert!(!required),
            Answer::Refused { refusal, .. } => assert_eq!(refusal.code().as_str(), "ct-timestamp-missing"),
            Answer::Missing { .. } => panic!("{answer:?}"),
        }
    }
}

/// Two candidates in conflict are not used, but still show that the instance has CT logs.
#[test]
fn a_ct_log_in_conflict_still_demands_a_timestamp() {
    let root = test_keys::root("own root");
    let (form, log) = sign(&root, issue::good(), NOW);
    let ca = authority(&[&root]);
    let ct = test_keys::key(Role::CtLog);
    let candidates: Vec<_> = [&log, &ca, &ct].iter().map(|key| candidate(key, "own")).collect();
    assert!(!walk(&[&form], &candidates).keys.contains_key(&ca.key_ref()));
}

/// The certificate's own list of timestamps is empty: that counts as none.
#[test]
fn a_certificate_with_an_empty_list_of_ct_timestamps() {
    let root = test_keys::root("own root");
    let mut leaf = issue::good();
    leaf.custom_extensions.push(CustomExtension::from_oid_content(
        &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2],
        stamp::tlv(0x04, &[0, 0]),
    ));
    let (form, log) = sign(&root, leaf, NOW);
    let ca = Key { ct_required: true, ..authority(&[&root]) };
    assert_eq!(form.judge(&[log, ca]).unwrap_err(), "ct-timestamp-missing");
}

#[test]
fn the_ct_logs_of_the_lab_are_demanded() {
    for name in ["keyless-bundle-rekor1", "keyless-bundle-rekor2", "keyless-tag-rekor1"] {
        let resolution = walk(&[&form(name)], &lab_root());
        assert!(resolution.all_verify(), "{name}");
        assert!(resolution.keys[&key(Role::Fulcio).key_ref()].key.ct_required, "{name}");
    }
}

fn window(start: Option<&str>, end: Option<&str>) -> Validity {
    let time = |text: Option<&str>| text.map(|t| t.parse().unwrap());
    Validity { start: time(start), end: time(end) }
}

/// The lab's log, with the validity periods that these sources state.
fn logs(windows: &[Validity]) -> Vec<Candidate> {
    let log = key(Role::Rekor);
    let state = |(number, validity): (usize, &Validity)| {
        let stated = Key { validity: *validity, ..log.clone() };
        candidate(&stated, &number.to_string())
    };
    windows.iter().enumerate().map(state).chain(file("cosign.pub")).collect()
}

#[test]
fn a_document_that_closes_a_window_beside_one_that_leaves_it_open() {
    let form = form("key-bundle-rekor1");
    let open = window(Some("2020-01-01T00:00:00Z"), None);
    let closed = window(Some("2020-01-01T00:00:00Z"), Some("2021-06-01T00:00:00Z"));
    for windows in [[open, closed], [closed, open]] {
        let resolution = walk(&[&form], &logs(&windows));
        assert!(!resolution.keys.contains_key(&key(Role::Rekor).key_ref()), "it was logged after the end");
        let [difference] = resolution.windows.as_slice() else { panic!("{:?}", resolution.windows) };
        assert_eq!((difference.key, difference.used), (key(Role::Rekor).key_ref(), closed));
        assert_eq!(difference.stated.len(), 2);
    }
}

#[test]
fn the_narrowest_of_several_windows() {
    let form = form("key-bundle-rekor1");
    let early = window(Some("2020-01-01T00:00:00Z"), Some("2030-01-01T00:00:00Z"));
    let late = window(Some("2022-01-01T00:00:00Z"), Some("2040-01-01T00:00:00Z"));
    let resolution = walk(&[&form], &logs(&[early, late]));
    assert!(resolution.all_verify());
    let used = window(Some("2022-01-01T00:00:00Z"), Some("2030-01-01T00:00:00Z"));
    assert_eq!(resolution.keys[&key(Role::Rekor).key_ref()].key.validity, used);
    assert_eq!(resolution.windows[0].used, used);
    // Also for keys that go into a pack without being needed.
    assert_eq!(
        keypack::resolve::merged(&logs(&[early, late]))[&key(Role::Rekor).key_ref()].key.validity,
        used
    );
}

#[test]
fn windows_that_nothing_is_in() {
    let form = form("key-bundle-rekor1");
    let before = window(Some("2020-01-01T00:00:00Z"), Some("2021-01-01T00:00:00Z"));
    let after = window(Some("2022-01-01T00:00:00Z"), None);
    let resolution = walk(&[&form], &logs(&[before, after]));
    assert!(!resolution.keys.contains_key(&key(Role::Rekor).key_ref()));
    assert!(!resolution.all_verify() && resolution.windows.len() == 1);
}

#[test]
fn sources_that_do_not_differ() {
    let form = form("key-bundle-rekor1");
    let open = window(Some("2020-01-01T00:00:00Z"), None);
    // A bare key states no validity period; keypack writes 1970 if it knows no start.
    for windows in
        [[open, open], [open, Validity::default()], [open, window(Some("1970-01-01T00:00:00Z"), None)]]
    {
        let resolution = walk(&[&form], &logs(&windows));
        assert!(resolution.all_verify());
        assert_eq!(resolution.windows, []);
        assert_eq!(resolution.keys[&key(Role::Rekor).key_ref()].key.validity, open);
    }
}

#[test]
fn the_window_of_a_ca_is_the_narrowest_too() {
    let root = test_keys::root("own root");
    let (form, log) = sign(&root, issue::good(), NOW);
    let ca = authority(&[&root]);
    let mut closed = candidate(&ca, "newer");
    closed.key.validity = window(Some("2020-01-01T00:00:00Z"), Some("2021-01-01T00:00:00Z"));
    let mut open = candidate(&ca, "older");
    open.key.validity = window(Some("2020-01-01T00:00:00Z"), None);
    let resolution = walk(&[&form], &[candidate(&log, "older"), open, closed]);
    assert!(!resolution.keys.contains_key(&ca.key_ref()));
    assert_eq!(resolution.windows.len(), 1);
    assert!(matches!(ca.material, Material::Chain(_)));
}

/// `caPath` of a policy.json contains only the intermediate, a trusted root the whole chain.
#[test]
fn a_chain_that_ends_sooner_is_no_contradiction() {
    let root = test_keys::root("own root");
    let intermediate = root.issue("own intermediate");
    let (form, log) = sign(&intermediate, issue::good(), NOW);
    let chains = [authority(&[&intermediate]), authority(&[&intermediate, &root])];
    let candidates: Vec<_> = [&log, &chains[0], &chains[1]].iter().map(|key| candidate(key, "own")).collect();
    let resolution = walk(&[&form], &candidates);
    assert!(resolution.all_verify(), "{:?}", resolution.conflicts);
    assert!(chains.iter().all(|chain| resolution.keys.contains_key(&chain.key_ref())));
}
