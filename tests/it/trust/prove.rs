//! `prove` confirms the available keys while others are missing, and never more than those.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Material, Role},
    signature::Signer,
};
use serde_json::{Value, json};

use super::{
    lab::{Form, Parts, form, forms, impostor, key, swapped, usable, without},
    log::{Log, body},
    test_keys,
};

fn roles(verified: &keypack::trust::Verified) -> Vec<Role> {
    verified.keys().iter().map(|k| k.role).collect()
}

#[test]
fn with_all_keys_it_proves_what_judge_verifies() {
    for form in forms() {
        assert_eq!(form.prove(&form.keys()), form.judge(&form.keys()), "{}", form.name);
    }
}

/// The signer's key in the log entry is a claim: it confirms the log and is not returned.
#[test]
fn a_log_is_confirmed_without_the_signers_key() {
    for name in ["key-tag-rekor1", "key-bundle-rekor1", "key-bundle-rekor2"] {
        let form = form(name);
        let keys = without(&form.keys(), Role::Signer);
        let verified = form.prove(&keys).unwrap();
        let mut expected: Vec<_> = keys.iter().map(keypack::key::Key::key_ref).collect();
        expected.sort_unstable();
        assert_eq!(verified.keys(), expected, "{name}");
        assert_eq!(form.judge(&keys).unwrap_err(), "no-key", "{name}: a claim is not a key");
    }
}

#[test]
fn a_wrong_signer_is_not_proved_by_the_claim() {
    for name in ["key-tag-rekor1", "key-bundle-rekor1", "key-bundle-rekor2"] {
        let form = form(name);
        let keys = swapped(&form.keys(), test_keys::key(Role::Signer));
        let verified = form.prove(&keys).unwrap();
        assert!(!roles(&verified).contains(&Role::Signer), "{name}: {verified:?}");
    }
}

/// The log says that A signed; the signature is B's.
#[test]
fn a_claim_that_did_not_sign_confirms_no_log() {
    let (_, public) = test_keys::pair();
    let pem = BASE64.encode(public.to_pem());
    let (form, keys) = Log::new().logs(&form("key-bundle-rekor1"), |body| {
        body["spec"]["proposedContent"]["verifiers"] = json!([pem]);
    });
    let keys = without(&keys, Role::Signer);
    assert_eq!(form.prove(&keys).unwrap_err(), "signature-does-not-match");
}

#[test]
fn the_signer_is_confirmed_without_the_log() {
    for name in ["key-tag-rekor1", "key-bundle-rekor1", "key-bundle-rekor2"] {
        let form = form(name);
        let keys = vec![key(Role::Signer)];
        let verified = form.prove(&keys).unwrap_or_else(|code| panic!("{name}: {code}"));
        assert_eq!(roles(&verified), [Role::Signer], "{name}");
        let other = form.prove(&[test_keys::key(Role::Signer)]).unwrap_err();
        assert_eq!(other, "signature-does-not-match", "{name}");
    }
}

#[test]
fn each_key_alone_proves_itself_or_nothing() {
    for form in forms() {
        for key in form.keys() {
            if let Ok(verified) = form.prove(std::slice::from_ref(&key)) {
                assert_eq!(verified.keys(), [key.key_ref()], "{}", form.name);
                assert_eq!(verified.identity(), None, "{}: no chain was checked for a name", form.name);
                let wrong = impostor(key.role, test_keys::key(key.role).material);
                if !key.role.is_chain() {
                    assert!(form.prove(&[wrong]).is_err(), "{}: {}", form.name, key.role);
                }
            }
        }
        assert!(form.prove(&[]).is_err(), "{}", form.name);
    }
}

#[test]
fn broken_evidence_confirms_nothing() {
    let broken = form("key-bundle-rekor1").with_bundle(|b| {
        super::broken::flip(
            &mut b["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]["signedEntryTimestamp"],
        );
    });
    assert_eq!(broken.prove(&without(&broken.keys(), Role::Signer)).unwrap_err(), "log-entry-refused");
    assert_eq!(broken.prove(&broken.keys()).unwrap_err(), "log-entry-refused");
}

/// A bundle of version 0.1 must have an entry; here its log's key is the missing one.
#[test]
fn an_old_bundle_is_confirmed_by_its_timestamp_without_the_log() {
    let old = form("key-bundle-rekor2")
        .with_bundle(|b| b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1".into());
    let verified = old.prove(&[key(Role::Tsa), key(Role::Signer)]).unwrap();
    assert_eq!(roles(&verified), [Role::Tsa, Role::Signer]);
}

/// A keyed bundle in two logs: the lab's and our own.
fn twice(change: impl FnOnce(&mut Value)) -> (Form, Log) {
    let log = Log::new();
    let form = form("key-bundle-rekor1");
    let bytes = body(&form).to_string();
    let mut more = log.entry("dsse", bytes.as_bytes(), 1_795_359_500);
    change(&mut more);
    let form = form.with_bundle(|b| {
        b["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap().push(more);
    });
    (form, log)
}

#[test]
fn two_logs_need_two_keys() {
    let (form, log) = twice(|_| {});
    let mut keys = form.keys();
    assert_eq!(form.judge(&keys).unwrap_err(), "no-key");
    let verified = form.prove(&keys).unwrap();
    assert!(!verified.keys().contains(&log.key.key_ref()), "the second log's key was not at hand");
    assert_eq!(roles(&verified), [Role::Rekor, Role::Signer]);
    keys.push(log.key.clone());
    assert_eq!(form.judge(&keys).unwrap().keys().len(), 3);
}

#[test]
fn a_second_entry_that_is_broken() {
    let (form, log) = twice(|entry| {
        super::broken::flip(&mut entry["inclusionPromise"]["signedEntryTimestamp"]);
    });
    let mut keys = form.keys();
    keys.push(log.key);
    assert_eq!(form.judge(&keys).unwrap_err(), "log-entry-refused");
    assert_eq!(form.prove(&keys).unwrap_err(), "log-entry-refused");
}

#[test]
fn a_second_entry_without_evidence() {
    let (form, log) = twice(|entry| {
        let entry = entry.as_object_mut().unwrap();
        entry.remove("inclusionPromise");
        entry.remove("inclusionProof");
    });
    let mut keys = form.keys();
    assert_eq!(form.prove(&keys).unwrap_err(), "log-entry-refused");
    keys.push(log.key);
    assert_eq!(form.judge(&keys).unwrap_err(), "log-entry-refused");
}

/// The second entry names our log, and its evidence is the lab's.
#[test]
fn a_second_entry_with_the_evidence_of_the_first() {
    let log = Log::new();
    let id = BASE64.encode(log.key.id.as_bytes());
    let form = form("key-bundle-rekor1").with_bundle(|b| {
        let entries = b["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap();
        let mut copy = entries[0].clone();
        copy["logId"]["keyId"] = id.into();
        entries.push(copy);
    });
    let mut keys = form.keys();
    keys.push(log.key.clone());
    assert_eq!(form.judge(&keys).unwrap_err(), "log-entry-refused");
    assert_eq!(form.prove(&keys).unwrap_err(), "log-entry-refused");
    let verified = form.prove(&form.keys()).unwrap();
    assert!(!verified.keys().contains(&log.key.key_ref()));
}

#[test]
fn a_timestamp_of_an_unknown_authority() {
    for (name, alone) in [("key-bundle-rekor2", true), ("keyless-bundle-rekor2", false)] {
        let form = form(name);
        let keys = without(&form.keys(), Role::Tsa);
        assert_eq!(form.judge(&keys).unwrap_err(), "no-key", "{name}");
        match form.prove(&keys) {
            Ok(verified) => assert!(alone && !roles(&verified).contains(&Role::Tsa), "{name}"),
            Err(code) => assert!(!alone && code == "no-key", "{name}: nothing else dates the certificate"),
        }
    }
}

/// Without the CA's key nothing confirms the name in the certificate.
#[test]
fn a_name_is_not_told_without_the_chain() {
    let form = form("keyless-bundle-rekor1");
    let verified = form.prove(&[key(Role::Rekor)]).unwrap();
    assert_eq!(roles(&verified), [Role::Rekor]);
    assert_eq!((verified.identity(), verified.oidc_issuer()), (None, None));
}

#[test]
fn a_claim_hidden_behind_a_forged_entry() {
    // The first entry is from an unknown log and names someone else; the second is genuine.
    let (_, public) = test_keys::pair();
    let pem = BASE64.encode(public.to_pem());
    let genuine = form("key-bundle-rekor1");
    let mut forged = body(&genuine);
    forged["spec"]["proposedContent"]["verifiers"] = json!([pem]);
    let entry = Log::new().entry("dsse", forged.to_string().as_bytes(), 1_795_359_500);
    let form = genuine.with_bundle(|b| {
        b["verificationMaterial"]["publicKey"]["hint"] = "".into();
        b["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap().insert(0, entry);
    });
    let verified = form.prove(&[key(Role::Rekor)]);
    if let Ok(verified) = &verified {
        assert_eq!(roles(verified), [Role::Rekor]);
    }
    let Signer::Key { claim, .. } = form.read().unwrap().needs().unwrap().signer else { panic!() };
    assert!(claim.is_some());
}

#[test]
fn a_bare_file_serves_in_the_role_that_is_needed() {
    // `--key rekor2.pub` has no URL: its id follows from the origin in the checkpoint.
    let form = form("key-bundle-rekor2");
    let candidate = &super::lab::file("rekor2.pub")[0];
    let bare = usable(candidate).of_rekor2("rekor2.test");
    let keys = swapped(&form.keys(), bare);
    assert_eq!(form.judge(&keys).unwrap().keys().len(), 3);
    let Parts::Bundle(_) = &form.parts else { panic!() };
    let Material::Key(_) = &key(Role::Rekor2).material else { panic!() };
}
