//! What a signature needs, and what is reported for unmet needs.

use std::time::Duration;

use keypack::{
    key::{Candidate, Key, Role},
    oci::Digest,
    resolve::{Answer, Question, Resolution, resolve},
    signature::{Need, UntrustedSignature},
    trust::{KeySet, Refusal},
};
use x509_cert::der::{Decode, Encode};

use super::{
    issue::{self, authority, sign},
    lab::{Form, Parts, bare, file, form, key, lab_root, verifier},
    log::Log,
    test_keys,
};

fn ask(forms: &[Form], candidates: &[Candidate]) -> Resolution {
    let read: Vec<(Digest, UntrustedSignature)> =
        forms.iter().map(|f| (f.image, f.read().unwrap())).collect();
    let questions: Vec<_> =
        read.iter().map(|(image, signature)| Question { image: *image, signature }).collect();
    resolve(&questions, candidates, jiff::Timestamp::now())
}

fn only(roles: &[Role]) -> Vec<Candidate> {
    lab_root().into_iter().filter(|c| roles.contains(&c.key.role)).collect()
}

#[test]
fn a_right_key_whose_fulcio_ca_is_not_given() {
    for name in ["keyless-bundle-rekor1", "keyless-bundle-rekor2", "keyless-tag-rekor1"] {
        for roles in [
            &[Role::CtLog][..],
            &[Role::Rekor, Role::Rekor2, Role::CtLog],
            &[Role::Tsa],
            &[Role::Rekor2],
            &[Role::Rekor, Role::Rekor2, Role::CtLog, Role::Tsa],
        ] {
            let resolution = ask(&[form(name)], &only(roles));
            for (need, answer) in &resolution.answers[0].needs {
                match answer {
                    Answer::Refused { refusal, .. } => {
                        assert!(matches!(refusal, Refusal::NoKey { .. }), "{name} {roles:?}: {refusal}");
                        assert!(!refusal.is_against(need.role()), "{name}: {need:?}");
                    }
                    Answer::Have(_) => assert_ne!(need.role(), Role::CtLog, "nothing verified it: {name}"),
                    Answer::Missing { .. } => assert!(!roles.contains(&need.role()), "{name}: {need:?}"),
                }
            }
            assert_eq!(resolution.answers[0].refusal, None, "{name} {roles:?}");
        }
        let resolution = ask(&[form(name)], &only(&[Role::Rekor, Role::Rekor2, Role::CtLog, Role::Tsa]));
        let ct = resolution.answers[0].needs.iter().find(|(need, _)| need.role() == Role::CtLog);
        let Some((_, Answer::Refused { refusal, .. })) = ct else { panic!("{ct:?}") };
        assert!(refusal.to_string().contains("Fulcio CA"), "{refusal}");
    }
}

/// A thousand signatures that name no key, and thirty keys: not every key is tried on every signature.
#[test]
fn many_signatures_that_name_no_key() {
    let strangers: Vec<_> = (0..30)
        .flat_map(|n| bare(Role::Signer, test_keys::pair().1.to_pem().as_bytes(), &format!("{n}.pub")))
        .collect();
    let candidates = [strangers, lab_root(), file("cosign.pub")].concat();
    let broken = form("key-tag-notlog").with_simple(|_, annotations| {
        let mut value = annotations["dev.cosignproject.cosign/signature"].clone().into();
        super::broken::flip(&mut value);
        annotations.insert("dev.cosignproject.cosign/signature".into(), value.as_str().unwrap().into());
    });
    let mut asked = vec![broken; 1000];
    asked.push(form("key-tag-notlog"));
    let resolution = ask(&asked, &candidates);
    let spent = resolution.answers.iter().filter(|a| a.refusal == Some(Refusal::Budget)).count();
    assert_eq!(spent, 1001 - 4096 / 31, "{spent}");
    // Another image has its own budget, and a signature that names its key uses little of it.
    let answers = &ask(&[form("key-tag-rekor1")], &candidates).answers[0];
    assert!(answers.refusal.is_none() && answers.needs.iter().all(|(_, a)| matches!(a, Answer::Have(_))));
}

#[test]
fn five_hundred_broken_signatures_beside_a_good_one() {
    let good = form("key-bundle-rekor1");
    let broken = good.with_bundle(|b| super::broken::flip(&mut b["dsseEnvelope"]["signatures"][0]["sig"]));
    let mut asked = vec![broken; 500];
    asked.insert(250, good);
    let resolution = ask(&asked, &[lab_root(), file("cosign.pub")].concat());
    let refused = resolution.answers.iter().filter(|answers| answers.refusal.is_some()).count();
    assert_eq!(refused, 500);
    assert_eq!(resolution.keys.len(), 2);
    assert!(resolution.keys.values().all(|key| key.proofs == 1));
}

/// A host whose clock is slow refuses every recent signature: the error says so.
#[test]
fn evidence_that_is_ahead_of_the_clock() {
    let later = jiff::Timestamp::now().as_second() + 86_400;
    let root = test_keys::root("own root");
    let (certified, log) = sign(&root, issue::good(), later);
    assert_eq!(certified.judge(&[log.clone(), authority(&[&root])]).unwrap_err(), "clock-behind");
    let log = Log::new();
    let genuine = form("key-bundle-rekor1");
    let Parts::Bundle(bundle) = &genuine.parts else { panic!() };
    let kind = bundle["verificationMaterial"]["tlogEntries"][0]["kindVersion"]["kind"].as_str().unwrap();
    let bytes = super::log::body(&genuine).to_string();
    let signed = genuine.with_bundle(|b| {
        b["verificationMaterial"]["tlogEntries"] =
            serde_json::json!([log.entry(kind, bytes.as_bytes(), later)]);
    });
    assert_eq!(signed.judge(&[log.key.clone(), key(Role::Signer)]).unwrap_err(), "clock-behind");
    // One that no log signed is a forgery.
    let forged = signed.with_bundle(|b| {
        super::broken::flip(
            &mut b["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]["signedEntryTimestamp"],
        );
    });
    assert_eq!(forged.judge(&[log.key, key(Role::Signer)]).unwrap_err(), "log-entry-refused");
}

/// A key whose validity period starts later than the clock's time.
#[test]
fn keys_whose_time_of_use_is_ahead_of_the_clock() {
    for name in ["keyless-bundle-rekor1", "keyless-bundle-rekor2", "key-bundle-rekor1"] {
        let form = form(name);
        let made = jiff::Timestamp::from_second(issue::NOW - 86_400).unwrap();
        let (now, later) = (made - Duration::from_secs(7200), made + Duration::from_secs(30 * 86_400));
        for role in form.keys().iter().map(|key| key.role).filter(|role| *role != Role::Signer) {
            let judge = |start| {
                let keys = form.keys().into_iter().map(|mut key| {
                    key.validity.start = (key.role == role).then_some(start);
                    key
                });
                let keys: Vec<_> = keys.collect();
                verifier(&keys).unwrap().judge(&form.read().unwrap(), &form.image, now).unwrap_err()
            };
            let refusal = judge(made - Duration::from_secs(3600));
            assert!(
                matches!(refusal, Refusal::NotInUseYet { role: of, .. } if of == role),
                "{name}: {refusal}"
            );
            assert_eq!(refusal.code().as_str(), "clock-behind");
            assert!(!refusal.is_against(role), "{name} {role}");
            // The signature is older than the key: setting the clock does not help.
            let refusal = judge(later);
            assert!(
                role == Role::Tsa || refusal.code().as_str() != "clock-behind",
                "{name} {role}: {refusal}"
            );
        }
    }
}

#[test]
fn a_certificate_with_a_key_that_anybody_can_sign_with() {
    let weak = form("keyless-bundle-rekor1").with_bundle(|b| {
        use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
        let raw = &mut b["verificationMaterial"]["certificate"]["rawBytes"];
        let der = BASE64.decode(raw.as_str().unwrap()).unwrap();
        let mut certificate = x509_cert::Certificate::from_der(&der).unwrap();
        // Ed25519 (RFC 8410) with the neutral element, whose order is 1.
        let point = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0, 1][..], &[0; 31]].concat();
        certificate.tbs_certificate.subject_public_key_info = Decode::from_der(&point).unwrap();
        *raw = BASE64.encode(certificate.to_der().unwrap()).into();
    });
    assert_eq!(weak.refused(), "signature-weak");
}

#[test]
fn two_keys_of_one_name_are_a_conflict() {
    let log = key(Role::Rekor);
    let other = Key { material: test_keys::key(Role::Rekor).material, ..log.clone() };
    let closed = Key { url: None, ..log.clone() };
    for second in [other, closed] {
        let conflict = KeySet::new([log.clone(), second]).unwrap_err();
        assert_eq!(conflict.0, log.key_ref());
    }
    assert!(KeySet::new([log.clone(), log.clone()]).is_ok());
    assert!(verifier(&[log]).is_ok());
}

#[test]
fn an_ecdsa_log_has_one_id_in_both_versions() {
    let log = test_keys::key(Role::Rekor);
    let need = |origin: &str| Need::Rekor2 { origin: origin.into(), key_id: log.id };
    let at = |url: &str| log.clone().at(Some(url.into()));
    assert!(need("log.test").fits(&log), "a bare file says no origin");
    assert!(need("log.test").fits(&at("https://log.test/api")));
    assert!(!need("log.test").fits(&at("https://other.test")));
    let met = need("log.test").met_by(&log).unwrap();
    assert_eq!((met.role, met.id, met.origin.as_deref()), (Role::Rekor2, log.id, Some("log.test")));
    let second = test_keys::key(Role::Rekor2);
    assert!(!Need::Rekor { log_id: second.id }.fits(&second), "what is said to be of v2 is none of v1");
}
