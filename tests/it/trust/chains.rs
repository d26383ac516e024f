//! The verifying crate trusts every certificate of a chain, so each link is checked before the crate sees the chain.

use keypack::{
    key::{Certificate, Chain, Key, KeyRef, Material, Role},
    resolve::{Answer, Question, resolve},
};

use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT};

use super::{
    lab::{form, impostor, key, lab_root, root, swapped},
    test_keys,
};

fn chain_of(key: &Key) -> &Chain {
    let Material::Chain(chain) = &key.material else { panic!("{key:?}") };
    chain
}

/// The lab's chain with someone else's root behind it, which has the expected name.
fn appended(role: Role) -> Key {
    let good = key(role);
    let mut certificates = chain_of(&good).certificates().to_vec();
    let last = certificates.last().unwrap().clone();
    assert_eq!(last.issuer(), last.subject(), "the lab's chains end in a root");
    let evil = test_keys::namesake(&last);
    assert_eq!(evil.certificate.subject(), last.subject());
    certificates.push(evil.certificate);
    impostor(role, Material::Chain(Chain::new(certificates).unwrap()))
}

#[test]
fn a_foreign_root_behind_the_good_chain() {
    for (name, role) in [
        ("keyless-bundle-rekor1", Role::Fulcio),
        ("keyless-bundle-rekor2", Role::Fulcio),
        ("keyless-tag-rekor1", Role::Fulcio),
        ("keyless-bundle-rekor2", Role::Tsa),
        ("key-bundle-rekor2", Role::Tsa),
    ] {
        let form = form(name);
        let keys = swapped(&form.keys(), appended(role));
        assert_eq!(form.judge(&keys).unwrap_err(), "chain-refused", "{name} {role}");
        assert_eq!(form.unproved(&keys, role), "chain-refused", "{name} {role}");
    }
}

#[test]
fn a_foreign_root_never_ends_up_in_what_is_resolved() {
    for (name, role) in [("keyless-bundle-rekor2", Role::Fulcio), ("keyless-bundle-rekor2", Role::Tsa)] {
        let form = form(name);
        let bad = appended(role);
        let bad_key = KeyRef { role, id: chain_of(&bad).id() };
        let mut candidates = lab_root();
        for candidate in &mut candidates {
            if candidate.key.role == role {
                candidate.key.material = bad.material.clone();
            }
        }
        let signature = form.read().unwrap();
        let resolution = resolve(
            &[Question { image: form.image, signature: &signature }],
            &candidates,
            jiff::Timestamp::now(),
        );
        assert!(!resolution.keys.contains_key(&bad_key), "{role}");
        let answers = &resolution.answers[0].needs;
        let (_, answer) = answers.iter().find(|(need, _)| need.role() == role).unwrap();
        let Answer::Refused { refusal, .. } = answer else { panic!("{role}: {answer:?}") };
        assert_eq!(refusal.code().as_str(), "chain-refused");

        // Next to the good chain it is a contradiction, and neither is accepted.
        candidates.extend(lab_root());
        let resolution = resolve(
            &[Question { image: form.image, signature: &signature }],
            &candidates,
            jiff::Timestamp::now(),
        );
        assert!(!resolution.keys.contains_key(&bad_key), "{role}");
        let conflicts: Vec<_> = resolution.conflicts.iter().map(|c| c.key.role).collect();
        assert_eq!(conflicts, [role]);
        assert!(!resolution.all_verify());
    }
}

#[test]
fn a_chain_in_the_wrong_order() {
    let tsa = key(Role::Tsa);
    let mut certificates = chain_of(&tsa).certificates().to_vec();
    assert_eq!(certificates.len(), 3);
    certificates.reverse();
    assert!(Chain::new(certificates).is_err());
}

#[test]
fn an_intermediate_that_only_has_the_name() {
    let tsa = key(Role::Tsa);
    let good = chain_of(&tsa).certificates();
    let root = test_keys::namesake(&good[2]);
    let evil = root.issue_as(&good[1]);
    let chain =
        Chain::new(vec![good[0].clone(), evil.certificate.clone(), root.certificate.clone()]).unwrap();
    for name in ["key-bundle-rekor2", "keyless-bundle-rekor2"] {
        let form = form(name);
        let keys = swapped(&form.keys(), impostor(Role::Tsa, Material::Chain(chain.clone())));
        assert_eq!(form.judge(&keys).unwrap_err(), "chain-refused", "{name}");
    }
}

/// A chain without its root still verifies: what the source names is trusted.
#[test]
fn a_chain_cut_at_its_end_is_not_refused_for_its_links() {
    let tsa = key(Role::Tsa);
    let cut = Chain::new(chain_of(&tsa).certificates()[..2].to_vec()).unwrap();
    let form = form("key-bundle-rekor2");
    let result = form.judge(&swapped(&form.keys(), impostor(Role::Tsa, Material::Chain(cut))));
    assert_ne!(result.err(), Some("chain-refused"));
}

/// Our own CA with the lab CA's name and key identifier, before the lab's.
#[test]
fn a_namesake_does_not_hide_the_right_authority() {
    let form = form("keyless-bundle-rekor1");
    let fulcio = key(Role::Fulcio);
    let evil = test_keys::namesake(chain_of(&fulcio).first());
    let chain = test_keys::chain(&[&evil.certificate]);
    let other = Key::new(Role::Fulcio, Material::Chain(chain)).unwrap();
    assert_eq!(
        form.judge(&swapped(&form.keys(), other.clone())).unwrap_err(),
        "certificate-refused",
        "it has the name and the key identifier, and not the key"
    );
    let keys = [vec![other.clone()], form.keys()].concat();
    let verified = form.judge(&keys).unwrap();
    assert!(!verified.keys().contains(&other.key_ref()));
}

#[test]
fn the_authorities_of_the_public_instances_may_issue() {
    let mut chains = 0;
    for json in [SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT] {
        for candidate in root(json.as_bytes(), "public") {
            let Material::Chain(chain) = &candidate.key.material else { continue };
            let skip = usize::from(candidate.key.role == Role::Tsa);
            assert!(chain.certificates().iter().skip(skip).all(Certificate::may_issue), "{chain:?}");
            chains += 1;
        }
    }
    assert_eq!(chains, 7);
}
