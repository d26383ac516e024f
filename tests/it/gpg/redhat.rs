//! Red Hat's own keys and one of its signatures, as published.

use keypack::{
    key::{Grade, KeyRef, Material, Role, parse_key_file, well_known},
    keysource::Gathered,
    resolve::{Answer, Question, resolve},
    signature::{UntrustedGpg, UntrustedSignature},
};

use super::lab::now;

const RELEASE: &str = "567E347AD0044ADE55BA8A5F199E2F91FD431D51";
const BETA: &str = "B08B659EE86AF623BC90E8DB938A80CAF21541EB";

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testdata/gpg/redhat/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn signature() -> UntrustedSignature {
    let gpg = UntrustedGpg::parse(&file("signature-rhel7")).unwrap();
    assert_eq!(gpg.claimed_reference, "registry.access.redhat.com/rhel7:7.6");
    UntrustedSignature::Gpg(Box::new(gpg))
}

#[test]
fn the_keys_are_known_by_their_fingerprints() {
    for (name, fingerprint, called) in [
        ("verifier-public-key-redhat-release", RELEASE, "gpg-redhat-release"),
        ("verifier-public-key-redhat-beta-2", BETA, "gpg-redhat-beta"),
    ] {
        let parsed = parse_key_file(&file(name)).unwrap();
        let [material @ Material::OpenPgp(key)] = parsed.material.as_slice() else { panic!("{parsed:?}") };
        assert_eq!(key.fingerprint(), fingerprint);
        assert_eq!(well_known(KeyRef { role: Role::Gpg, id: key.id() }), Some(called));
        assert!(!key.is_weak() && !key.is_revoked() && key.expires().is_none());
        assert!(key.user_ids()[0].starts_with("Red Hat, Inc. ("), "{:?}", key.user_ids());
        // What is written is what was read, byte for byte.
        let again = parse_key_file(material.to_pem().as_bytes()).unwrap();
        assert_eq!(again.material, parsed.material);
        assert_eq!(again.material[0].to_pem(), material.to_pem());
    }
}

/// Signature packet version 3, as the signing service writes it. The key is in the payload, and known.
#[test]
fn a_signature_is_proved_with_the_key_of_the_payload() {
    let mut gathered = Gathered::default();
    gathered.add_release_manifest("a/0000_90_x.yaml", &file("0000_90_cluster-update-keys_configmap.yaml"));
    assert_eq!(gathered.unusable, []);
    assert_eq!(gathered.candidates.len(), 2, "the release key and the beta key, in one block");
    assert!(gathered.candidates.iter().all(|c| c.provenance.grade == Grade::Release));
    let signature = signature();
    let image = signature.claimed_images()[0];
    let question = Question { image, signature: &signature };
    let resolution = resolve(&[question], &gathered.candidates, now());
    assert!(resolution.all_verify(), "{:?}", resolution.answers);
    let names: Vec<_> = resolution.keys.keys().map(|key| well_known(*key)).collect();
    assert_eq!(names, [Some("gpg-redhat-release")]);
    assert_eq!(resolution.keys.values().next().unwrap().proofs, 1);
}

#[test]
fn a_signature_for_another_image() {
    let signature = signature();
    let other = keypack::oci::Digest::of(b"another release");
    let candidates = super::lab::candidates(&file("verifier-public-key-redhat-release"));
    let resolution = resolve(&[Question { image: other, signature: &signature }], &candidates, now());
    assert_eq!(resolution.answers[0].refusal.as_ref().unwrap().code().as_str(), "signed-for-other-image");
    assert!(resolution.keys.is_empty());
}

#[test]
fn the_beta_key_is_not_the_release_key() {
    let signature = signature();
    let question = Question { image: signature.claimed_images()[0], signature: &signature };
    let beta = super::lab::candidates(&file("verifier-public-key-redhat-beta-2"));
    let resolution = resolve(&[question], &beta, now());
    let (need, answer) = &resolution.answers[0].needs[0];
    assert_eq!((need.role(), need.id().as_str()), (Role::Gpg, "199E2F91FD431D51"));
    assert_eq!(*answer, Answer::Missing { claim: None });
}
