//! A key is used only in the role that it was given, whatever signatures ask for.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Candidate, KeyRef, Role},
    keysource::{Gathered, KeyFile},
    resolve::{Answer, Question, Resolution, resolve},
    signature::Need,
};
use serde_json::json;

use super::{
    lab::{Form, bare, file, form, forms, given_as, lab_root},
    test_keys,
};

fn ask(form: &Form, candidates: &[Candidate]) -> Resolution {
    let signature = form.read().unwrap();
    resolve(&[Question { image: form.image, signature: &signature }], candidates, jiff::Timestamp::now())
}

/// One key holder signs both an image and the log entry of that signature.
fn own_log() -> (Form, String) {
    let (pair, key) = test_keys::pair();
    let (pem, id) = (key.to_pem(), key.fingerprint());
    let form = form("key-tag-rekor1").with_simple(|payload, annotations| {
        let signature = BASE64.encode(test_keys::sign(&pair, payload).as_bytes());
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": keypack::oci::Digest::of(payload).hex()}},
                "signature": {"content": signature, "publicKey": {"content": BASE64.encode(&pem)}},
            },
        });
        let body = BASE64.encode(body.to_string());
        let time = 1_700_000_000;
        // JCS (RFC 8785) of these four members: names sorted, no whitespace.
        let signed =
            format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{}","logIndex":7}}"#, id.hex());
        let stamp = BASE64.encode(test_keys::sign(&pair, signed.as_bytes()).as_bytes());
        let entry = json!({"body": body, "integratedTime": time, "logIndex": 7, "logID": id.hex()});
        annotations.insert("dev.cosignproject.cosign/signature".into(), signature);
        annotations.insert(
            "dev.sigstore.cosign/bundle".into(),
            json!({"SignedEntryTimestamp": stamp, "Payload": entry}).to_string(),
        );
    });
    (form, pem)
}

#[test]
fn a_signer_who_logs_his_own_signatures() {
    let (form, pem) = own_log();
    let given = bare(Role::Signer, pem.as_bytes(), "vendor.pub");
    let resolution = ask(&form, &given);
    let signer = KeyRef { role: Role::Signer, id: given[0].key.material.id() };
    assert_eq!(resolution.keys.keys().collect::<Vec<_>>(), [&signer]);
    for (need, answer) in &resolution.answers[0].needs {
        match need.role() {
            Role::Signer => assert_eq!(*answer, Answer::Have(signer)),
            _ => assert_eq!(*answer, Answer::Missing { claim: None }, "{need:?}"),
        }
    }
    // Nothing else is wrong with the entry.
    let both = [given, bare(Role::Rekor, pem.as_bytes(), "rekor.pub")].concat();
    let resolution = ask(&form, &both);
    assert!(resolution.all_verify() && resolution.keys.len() == 2, "{:?}", resolution.answers);
}

#[test]
fn a_key_that_was_given_for_something_else() {
    let all = [lab_root(), file("cosign.pub")].concat();
    for form in forms() {
        for (at, candidate) in all.iter().enumerate().filter(|(_, c)| form.roles.contains(&c.key.role)) {
            for role in Role::ALL.into_iter().filter(|role| candidate.key.material.check_role(*role).is_ok())
            {
                let mut given = all.clone();
                given[at] = given_as(role, candidate);
                let resolution = ask(&form, &given);
                // A log's API does not give its version, so one key serves both.
                let serves =
                    role == candidate.key.role || (role, candidate.key.role) == (Role::Rekor, Role::Rekor2);
                assert_eq!(
                    resolution.all_verify(),
                    serves,
                    "{}: {} as {role}",
                    form.name,
                    candidate.key.role
                );
                let held = |need: &Need, answer: &Answer| {
                    need.role() != candidate.key.role || matches!(answer, Answer::Have(_)) == serves
                };
                let answers = &resolution.answers[0].needs;
                assert!(answers.iter().all(|(n, a)| held(n, a)), "{}: as {role}: {answers:?}", form.name);
            }
        }
    }
}

/// A policy.json with these `pki` fields, and the candidates from it.
fn pki(fields: &serde_json::Value) -> Gathered {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.json");
    let requirement = json!({"type": "sigstoreSigned", "pki": fields});
    let policy = json!({
        "default": [{"type": "reject"}],
        "transports": {"docker": {"a.test": [requirement], "b.test": [requirement]}},
    });
    std::fs::write(&path, policy.to_string()).unwrap();
    let mut gathered = Gathered::default();
    gathered.add_policy(&path).unwrap();
    gathered
}

#[test]
fn the_private_cas_of_a_policy() {
    let (root, other) = (test_keys::root("root"), test_keys::root("other"));
    let intermediate = root.issue("intermediate");
    let issuing = intermediate.issue("issuing");
    let pem = |all: &[&test_keys::Authority]| {
        let each = all.iter().map(|one| test_keys::chain(&[&one.certificate]).to_pem());
        each.collect::<String>()
    };
    let data = |all: &[&test_keys::Authority]| BASE64.encode(pem(all));
    // Unordered, like certificate pools.
    let gathered = pki(&json!({
        "caRootsData": data(&[&other, &root]),
        "caIntermediatesData": data(&[&intermediate, &issuing]),
    }));
    assert_eq!(gathered.unusable, []);
    assert!(gathered.candidates.iter().all(|c| c.key.role == Role::Pki));
    let found: Vec<_> = gathered.candidates.iter().map(|c| c.key.material.to_pem()).collect();
    let chains: [&[&test_keys::Authority]; 4] =
        [&[&intermediate, &root], &[&issuing, &intermediate, &root], &[&other], &[&root]];
    assert_eq!(found, chains.map(pem), "each of them may have issued a signer's certificate");
    let source = &gathered.candidates[0].provenance.source;
    assert_eq!(source, "policy.json (docker a.test caIntermediatesData)");
    // The same from files.
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let again = pki(&json!({
        "caRootsPath": file("roots", pem(&[&other, &root])),
        "caIntermediatesPath": file("intermediates", pem(&[&intermediate, &issuing])),
    }));
    assert_eq!(again.unusable, []);
    assert_eq!(again.candidates.iter().map(|c| c.key.material.to_pem()).collect::<Vec<_>>(), found);
}

#[test]
fn what_can_be_no_private_ca_is_left_out_and_told() {
    let (root, other) = (test_keys::root("root"), test_keys::root("other"));
    let namesake = test_keys::namesake(&root.certificate);
    let intermediate = root.issue("intermediate");
    let (leaf, _) = root.leaf(rcgen::CertificateParams::default());
    let data = |pem: String| BASE64.encode(pem);
    let of = |certificate| data(test_keys::chain(&[certificate]).to_pem());
    let of_intermediate = of(&intermediate.certificate);
    for (what, fields, usable, code) in [
        (
            "no root",
            json!({"caRootsData": of(&other.certificate), "caIntermediatesData": of_intermediate}),
            1,
            "chain-refused",
        ),
        (
            "a root by its name alone",
            json!({"caRootsData": of(&namesake.certificate), "caIntermediatesData": of_intermediate}),
            1,
            "chain-refused",
        ),
        ("no authority", json!({"caRootsData": of(&leaf)}), 0, "chain-refused"),
        ("a key", json!({"caRootsData": data(test_keys::pair().1.to_pem())}), 0, "key-role"),
        ("no base64", json!({"caRootsData": "!"}), 0, "key-malformed"),
        ("no file", json!({"caRootsPath": "/nowhere/ca.pem"}), 0, "key-file-not-found"),
        ("nothing", json!({"caRootsData": ""}), 0, "key-malformed"),
    ] {
        let gathered = pki(&fields);
        assert_eq!(gathered.candidates.len(), usable, "{what}: {:?}", gathered.candidates);
        assert!(!gathered.unusable.is_empty(), "{what}");
        assert!(
            gathered.unusable.iter().all(|u| u.problem.code.as_str() == code),
            "{what}: {:?}",
            gathered.unusable
        );
    }
    assert_eq!(pki(&json!(null)).unusable, []);
}

#[test]
fn a_file_in_a_role_that_its_keys_do_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let (key, chain) =
        (test_keys::pair().1.to_pem(), test_keys::chain(&[&test_keys::root("ca").certificate]).to_pem());
    let path = folder.path().join("both.pem");
    let add = |role, text: &str| {
        std::fs::write(&path, text).unwrap();
        let mut gathered = Gathered::default();
        gathered.add_key_file(&KeyFile { role, path: path.clone() }).map(|()| gathered)
    };
    for role in Role::ALL {
        let right = if role.is_chain() { &chain } else { &key };
        let wrong = if role.is_chain() { &key } else { &chain };
        assert_eq!(add(Some(role), wrong).unwrap_err().code().as_str(), "key-role", "{role}");
        if role != Role::Gpg {
            assert_eq!(add(Some(role), right).unwrap().candidates[0].key.role, role);
            // One of the two is used, and the other is reported.
            let gathered = add(Some(role), &format!("{key}{chain}")).unwrap();
            assert_eq!((gathered.candidates.len(), gathered.unusable.len()), (1, 1), "{role}");
            assert_eq!(gathered.unusable[0].problem.code.as_str(), "key-role");
        }
    }
    let gathered = add(None, &format!("{key}{chain}")).unwrap();
    assert_eq!(gathered.candidates[0].key.role, Role::Signer);
    assert!(gathered.unusable[0].problem.message.contains("--key pki=FILE"), "{:?}", gathered.unusable);
}
