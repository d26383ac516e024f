//! The fixtures of containers/image: `dir:` images with simple signing, some of them broken on purpose.

use keypack::{content::Location, discover::Discovery, key::Role, resolve::Answer};

use crate::{
    Case,
    place::{builtin, files, fixture, found, resolved},
};

pub const CASES: &[Case] = &[
    ("cosign_valid", cosign_valid),
    ("cosign_key_rekor_valid", cosign_key_rekor_valid),
    ("cosign_fulcio_rekor_valid", cosign_fulcio_rekor_valid),
    ("cosign_fulcio_rekor_with_an_old_root_alone", cosign_fulcio_rekor_with_an_old_root_alone),
    ("cosign_mixed", cosign_mixed),
    ("cosign_modified_manifest", cosign_modified_manifest),
    ("cosign_other_attachment", cosign_other_attachment),
    ("cosign_with_an_own_pki_tells_what_it_needs", cosign_with_an_own_pki_tells_what_it_needs),
    ("openpgp_is_told_and_not_taken_for_unsigned", openpgp_is_told_and_not_taken_for_unsigned),
    ("every_key_file_is_read", every_key_file_is_read),
];

const FOLDER: &str = "containers-image/signature-fixtures";

fn dir(name: &str) -> Discovery {
    found(&[Location::Dir(fixture(&format!("{FOLDER}/dir-img-{name}")))])
}

fn keys(names: &[&str]) -> Vec<keypack::key::Candidate> {
    let paths: Vec<_> = names.iter().map(|n| fixture(&format!("{FOLDER}/{n}"))).collect();
    files(&paths).candidates
}

/// The roles of the keys that were proved.
fn proved(image: &str, candidates: &[keypack::key::Candidate]) -> (Vec<Role>, bool) {
    let resolution = resolved(&dir(image), candidates);
    (resolution.keys.keys().map(|k| k.role).collect(), resolution.is_complete())
}

fn cosign_valid() {
    for image in ["cosign-valid", "cosign-valid-2", "cosign-valid-with-tag"] {
        assert_eq!(proved(image, &keys(&["cosign.pub"])), (vec![Role::Signer], true), "{image}");
        assert_eq!(proved(image, &keys(&["cosign2.pub", "some-rsa-key.pub"])), (vec![], false), "{image}");
    }
}

fn cosign_key_rekor_valid() {
    let image = "cosign-key-rekor-valid";
    assert_eq!(proved(image, &keys(&["cosign2.pub", "rekor.pub"])), (vec![Role::Rekor, Role::Signer], true));
    assert_eq!(proved(image, &keys(&["cosign.pub", "rekor.pub"])), (vec![Role::Rekor], false));
    assert_eq!(proved(image, &keys(&["cosign2.pub"])), (vec![Role::Signer], false));
}

fn cosign_fulcio_rekor_valid() {
    let expected = (vec![Role::Rekor, Role::CtLog, Role::Fulcio], true);
    assert_eq!(proved("cosign-fulcio-rekor-valid", &builtin().candidates), expected);
}

/// This file holds the root alone; the issuing intermediate, whose key the certificate names, is in the trusted root.
fn cosign_fulcio_rekor_with_an_old_root_alone() {
    let (roles, complete) = proved("cosign-fulcio-rekor-valid", &keys(&["fulcio_v1.crt.pem", "rekor.pub"]));
    assert_eq!((roles, complete), (vec![Role::Rekor], false));
}

fn cosign_mixed() {
    let discovery = dir("cosign-mixed");
    assert_eq!(discovery.images[0].signatures.len(), 2);
    let resolution = resolved(&discovery, &keys(&["cosign.pub"]));
    let states: Vec<_> = resolution
        .answers
        .iter()
        .map(|a| matches!(a.as_ref().unwrap().as_slice(), [(_, Answer::Have(_))]))
        .collect();
    assert_eq!(states, [false, true], "the one key made the second signature");
}

fn cosign_modified_manifest() {
    let resolution = resolved(&dir("cosign-modified-manifest"), &keys(&["cosign.pub"]));
    assert!(resolution.keys.is_empty());
    assert_eq!(resolution.answers[0].as_ref().unwrap_err().code(), "signed-for-other-image");
}

fn cosign_other_attachment() {
    let discovery = dir("cosign-other-attachment");
    let problem = discovery.images[0].signatures[0].content.as_ref().unwrap_err();
    assert_eq!(problem.code, "signature-unsupported");
}

/// Its signature is base64 with a line break at the end, as cosign leaves it.
fn cosign_with_an_own_pki_tells_what_it_needs() {
    let discovery = dir("cosign-pki-valid");
    let resolution = resolved(&discovery, &builtin().candidates);
    let answers = resolution.answers[0].as_ref().unwrap();
    let needs: Vec<_> = answers.iter().map(|(need, _)| need.role()).collect();
    assert_eq!(needs, [Role::Fulcio]);
    assert!(resolution.keys.is_empty());
}

fn openpgp_is_told_and_not_taken_for_unsigned() {
    for image in ["valid", "mixed", "valid-2", "valid-subkey", "modified-manifest"] {
        let discovery = dir(image);
        assert!(!discovery.images[0].signatures.is_empty(), "{image}");
        for signature in &discovery.images[0].signatures {
            assert_eq!(signature.content.as_ref().unwrap_err().code, "openpgp-unsupported", "{image}");
        }
    }
    assert!(dir("unsigned").images[0].signatures.is_empty());
}

fn every_key_file_is_read() {
    for name in [
        "cosign.pub",
        "cosign2.pub",
        "rekor.pub",
        "some-rsa-key.pub",
        "fulcio_v1.crt.pem",
        "fulcio-cert",
        "fulcio-chain",
        "pki-cert",
        "pki-chain",
        "pki_intermediate_crts.pem",
        "pki_root_crts.pem",
    ] {
        assert!(!keys(&[name]).is_empty(), "{name}");
    }
}
