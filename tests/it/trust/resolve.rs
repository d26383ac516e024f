//! Needs and candidates: a key is resolved only if it verified a signature that needed it.

use keypack::{
    key::{Candidate, Material, Role},
    oci::Digest,
    resolve::{Answer, Question, Resolution, resolve},
    signature::UntrustedSignature,
};
use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT};

use super::{
    lab::{Form, bare, file, form, forms, key, lab_root, provenance, root},
    test_keys,
};

struct Asked(Vec<(Digest, UntrustedSignature)>);

impl Asked {
    fn of(forms: &[Form]) -> Self {
        Self(forms.iter().map(|f| (f.image, f.read().unwrap())).collect())
    }

    fn resolve(&self, candidates: &[Candidate]) -> Resolution {
        let questions: Vec<_> =
            self.0.iter().map(|(image, signature)| Question { image: *image, signature }).collect();
        resolve(&questions, candidates, jiff::Timestamp::now())
    }
}

fn all() -> Vec<Candidate> {
    [lab_root(), file("cosign.pub")].concat()
}

/// What `--key` reads from every single file of the lab: their names give their roles, except the CT log's.
fn files() -> Vec<Candidate> {
    let ctfe = std::fs::read(super::lab::lab().join("trust/ctfe.pub")).unwrap();
    let named = ["cosign.pub", "rekor.pub", "rekor2.pub", "fulcio.pem", "tsa.pem"];
    named.into_iter().flat_map(file).chain(bare(Role::CtLog, &ctfe, "ctfe.pub")).collect()
}

fn others() -> Vec<Candidate> {
    let staging =
        keypack::key::trusted_root::read(SIGSTORE_STAGING_TRUSTED_ROOT.as_bytes(), &provenance("staging"))
            .unwrap();
    [root(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes(), "production"), staging.candidates].concat()
}

#[test]
fn every_form_resolves_to_exactly_its_keys() {
    for form in forms() {
        for candidates in [all(), files(), [others(), all(), others()].concat()] {
            let resolution = Asked::of(std::slice::from_ref(&form)).resolve(&candidates);
            assert!(resolution.all_verify(), "{}: {:?}", form.name, resolution.answers);
            let roles: Vec<_> = resolution.keys.keys().map(|k| k.role).collect();
            let mut expected = form.roles.to_vec();
            expected.sort_unstable();
            assert_eq!(roles, expected, "{}", form.name);
            for (role, found) in roles.iter().zip(resolution.keys.values()) {
                assert_eq!(found.key.material, key(*role).material, "{}", form.name);
                assert_eq!(found.proofs, 1, "{} {role}", form.name);
            }
        }
    }
}

#[test]
fn all_forms_together_in_any_order() {
    let forms = forms();
    let mut first: Option<Vec<_>> = None;
    for turn in 0..forms.len() {
        let mut turned = forms.clone();
        turned.rotate_left(turn);
        let mut candidates = [others(), all()].concat();
        if turn % 2 == 1 {
            candidates.reverse();
        }
        let resolution = Asked::of(&turned).resolve(&candidates);
        assert!(resolution.all_verify(), "{turn}");
        let keys: Vec<_> = resolution.keys.into_iter().map(|(k, found)| (k, found.key.material)).collect();
        assert_eq!(keys.len(), 6);
        assert_eq!(*first.get_or_insert_with(|| keys.clone()), keys, "{turn}");
    }
}

#[test]
fn a_claim_never_meets_a_need() {
    let fingerprint = key(Role::Signer).id;
    for name in ["key-tag-rekor1", "key-bundle-rekor1", "key-bundle-rekor2"] {
        // Someone else's key does not either: it is not even a candidate for the one that is named.
        let stranger = bare(Role::Signer, test_keys::pair().1.to_pem().as_bytes(), "stranger.pub");
        let resolution = Asked::of(&[form(name)]).resolve(&[lab_root(), stranger].concat());
        assert!(!resolution.all_verify());
        assert!(resolution.keys.keys().all(|k| k.role != Role::Signer), "{name}");
        let answers = &resolution.answers[0].needs;
        let (_, answer) = answers.iter().find(|(need, _)| need.role() == Role::Signer).unwrap();
        assert_eq!(*answer, Answer::Missing { claim: Some(fingerprint) }, "{name}");
        let met = answers.iter().filter(|(_, a)| matches!(a, Answer::Have(_))).count();
        assert_eq!(met, answers.len() - 1, "{name}: all others are proved");
    }
}

#[test]
fn keys_of_other_instances_resolve_nothing() {
    for form in forms() {
        let resolution = Asked::of(std::slice::from_ref(&form)).resolve(&others());
        assert!(resolution.keys.is_empty(), "{}: {:?}", form.name, resolution.keys);
        let answers = &resolution.answers[0].needs;
        assert!(answers.iter().all(|(_, a)| matches!(a, Answer::Missing { .. })), "{}", form.name);
    }
}

#[test]
fn the_signer_is_had_while_its_log_is_missing() {
    for name in ["key-tag-rekor1", "key-bundle-rekor1", "key-bundle-rekor2"] {
        let resolution = Asked::of(&[form(name)]).resolve(&file("cosign.pub"));
        let answers = &resolution.answers[0].needs;
        for (need, answer) in answers {
            if need.role() == Role::Signer {
                assert_eq!(*answer, Answer::Have(key(Role::Signer).key_ref()), "{name}");
            } else {
                assert_eq!(*answer, Answer::Missing { claim: None }, "{name}");
            }
        }
    }
}

/// Bare signatures name no key: whose each one is must be found out one by one.
#[test]
fn of_several_signer_keys_the_one_that_signed() {
    let mut candidates = Vec::new();
    for number in 0..5 {
        candidates.extend(bare(
            Role::Signer,
            test_keys::pair().1.to_pem().as_bytes(),
            &format!("{number}.pub"),
        ));
        if number == 2 {
            candidates.extend(file("cosign.pub"));
        }
    }
    for form in forms().into_iter().filter(|f| f.roles.contains(&Role::Signer)) {
        let resolution =
            Asked::of(std::slice::from_ref(&form)).resolve(&[candidates.clone(), lab_root()].concat());
        assert!(resolution.all_verify(), "{}", form.name);
        let signers: Vec<_> = resolution.keys.keys().filter(|k| k.role == Role::Signer).collect();
        assert_eq!(signers, [&key(Role::Signer).key_ref()], "{}", form.name);
    }
}

#[test]
fn a_signature_for_another_image_asks_for_nothing() {
    let mut lying = form("key-bundle-rekor1");
    lying.image = Digest::of(b"another image");
    let honest = form("key-bundle-rekor1");
    // Also after its keys have been proved by another signature, and when no key is available.
    for (forms, at) in
        [(vec![lying.clone(), honest.clone()], 0), (vec![honest, lying.clone()], 1), (vec![lying], 0)]
    {
        for candidates in [all(), Vec::new()] {
            let resolution = Asked::of(&forms).resolve(&candidates);
            let refusal = resolution.answers[at].refusal.as_ref().unwrap();
            assert_eq!(refusal.code().as_str(), "signed-for-other-image");
            assert!(!resolution.all_verify());
        }
    }
}

#[test]
fn a_broken_signature_alone_proves_no_key() {
    for name in ["key-bundle-rekor1", "keyless-bundle-rekor1"] {
        let broken =
            form(name).with_bundle(|b| super::broken::flip(&mut b["dsseEnvelope"]["signatures"][0]["sig"]));
        let resolution = Asked::of(&[broken]).resolve(&all());
        assert!(resolution.keys.is_empty(), "{name}: {:?}", resolution.keys);
        let answers = &resolution.answers[0].needs;
        assert!(answers.iter().all(|(_, a)| matches!(a, Answer::Refused { .. })), "{name}: {answers:?}");
    }
}

#[test]
fn a_namesake_of_the_authority_is_refused_and_hides_nothing() {
    let Material::Chain(good) = key(Role::Fulcio).material else { panic!() };
    let evil = test_keys::namesake(good.first());
    let pem = test_keys::chain(&[&evil.certificate]).to_pem();
    let form = form("keyless-bundle-rekor1");
    for candidates in [
        [bare(Role::Fulcio, pem.as_bytes(), "evil"), all()].concat(),
        [all(), bare(Role::Fulcio, pem.as_bytes(), "evil")].concat(),
    ] {
        let resolution = Asked::of(std::slice::from_ref(&form)).resolve(&candidates);
        assert!(resolution.all_verify());
        assert_eq!(resolution.keys.len(), 3);
        let Material::Chain(good) = &key(Role::Fulcio).material else { panic!() };
        let found: Vec<_> = resolution
            .keys
            .values()
            .filter_map(|k| if let Material::Chain(chain) = &k.key.material { Some(chain) } else { None })
            .collect();
        assert_eq!(found, [good]);
        assert!(resolution.keys.contains_key(&key(Role::Fulcio).key_ref()));
        assert!(resolution.keys.values().all(|k| k.proofs == 1), "one signature is one proof");
    }
}

#[test]
fn one_key_from_three_sources_is_one_key() {
    let candidates = [lab_root(), root(&lab_json(), "copy"), file("rekor.pub"), file("cosign.pub")].concat();
    let resolution = Asked::of(&[form("key-bundle-rekor1")]).resolve(&candidates);
    assert!(resolution.all_verify() && resolution.conflicts.is_empty());
    let rekor = &resolution.keys[&key(Role::Rekor).key_ref()];
    let mut sources: Vec<_> = rekor.provenance.iter().map(|p| p.source.as_str()).collect();
    sources.sort_unstable();
    assert_eq!(sources, ["copy", "lab", "rekor.pub"]);
    assert!(
        rekor.key.url.is_some() && rekor.key.validity.start.is_some(),
        "a root knows more than a bare file"
    );
}

fn lab_json() -> Vec<u8> {
    #![allow(clippy::disallowed_methods, reason = "fixtures are read from disk")]
    std::fs::read(super::lab::lab().join("trust/trusted_root.json")).unwrap()
}
