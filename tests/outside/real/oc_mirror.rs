//! A real image and its real signature, logged in the public Rekor, as in oc-mirror's tests.

use keypack::{
    content::Location,
    discover::{Discovery, Kind, Via},
    key::{Key, Role, parse_key_file},
    oci::Digest,
    resolve::Answer,
    signature::{Signer, UntrustedSignature},
    trust::{KeySet, Verifier},
};

use super::{
    Case,
    place::{builtin, fixture, found, resolved},
};

pub const CASES: &[Case] = &[
    ("the_signature_is_brought_to_its_image", the_signature_is_brought_to_its_image),
    ("the_log_is_proved_and_the_signer_is_only_claimed", the_log_is_proved_and_the_signer_is_only_claimed),
    ("with_the_signers_key_all_is_proved", with_the_signers_key_all_is_proved),
    ("judge_takes_both_keys_and_nothing_less", judge_takes_both_keys_and_nothing_less),
    (
        "without_its_image_the_signature_still_tells_its_keys",
        without_its_image_the_signature_still_tells_its_keys,
    ),
];

const SIGNER: &str = "e8ed5dd0617a8fab8f4fd289b7063bc568e4a74904206790c53807e9624cd6c2";
const REKOR: &str = "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d";

fn both() -> Discovery {
    found(&[
        Location::Layout(fixture("oc-mirror/single-arch-empty-image"), None),
        Location::Layout(fixture("oc-mirror/single-arch-empty-image-sig"), None),
    ])
}

fn signature(discovery: &Discovery) -> (Digest, &UntrustedSignature) {
    let [image] = discovery.images.as_slice() else { panic!("{:?}", discovery.images) };
    let [signature] = image.signatures.as_slice() else { panic!("{:?}", image.signatures) };
    (image.digest, signature.content.as_ref().unwrap())
}

/// The key that the log entry reveals, as a key file: what its owner would have published.
fn revealed(discovery: &Discovery) -> Vec<keypack::key::Candidate> {
    let Signer::Key { claim, .. } = signature(discovery).1.needs().unwrap().signer else { panic!() };
    let pem = claim.expect("the entry names a key").to_pem();
    let material = parse_key_file(pem.as_bytes()).unwrap().material.remove(0);
    let provenance = keypack::key::Provenance {
        grade: keypack::key::Grade::File,
        source: "signer.pub".into(),
        sha256: Digest::of(pem.as_bytes()),
        date: None,
    };
    vec![keypack::key::Candidate::new(Role::Signer, material, provenance).unwrap()]
}

fn the_signature_is_brought_to_its_image() {
    let discovery = both();
    let (digest, signature) = signature(&discovery);
    assert_eq!(discovery.images[0].kind, Kind::Image);
    assert_eq!(discovery.images[0].signatures[0].via, Via::Untagged);
    assert_eq!(signature.claimed_images(), [digest]);
}

fn the_log_is_proved_and_the_signer_is_only_claimed() {
    let discovery = both();
    let resolution = resolved(&discovery, &builtin().candidates);
    let keys: Vec<_> = resolution.keys.keys().map(ToString::to_string).collect();
    assert_eq!(keys, [format!("rekor:{REKOR}")]);
    let answers = &resolution.answers[0].needs;
    let (_, signer) = answers.iter().find(|(need, _)| need.role() == Role::Signer).unwrap();
    assert_eq!(*signer, Answer::Missing { claim: Some(Digest::from_hex(SIGNER).unwrap()) });
    assert!(!resolution.all_verify());
}

fn with_the_signers_key_all_is_proved() {
    let discovery = both();
    let candidates = [builtin().candidates, revealed(&discovery)].concat();
    let resolution = resolved(&discovery, &candidates);
    assert!(resolution.all_verify(), "{:?}", resolution.answers);
    let keys: Vec<_> = resolution.keys.keys().map(ToString::to_string).collect();
    assert_eq!(keys, [format!("rekor:{REKOR}"), format!("signer:{SIGNER}")]);
}

fn judge_takes_both_keys_and_nothing_less() {
    let discovery = both();
    let (image, signature) = signature(&discovery);
    let candidates = [builtin().candidates, revealed(&discovery)].concat();
    let keys: Vec<_> =
        resolved(&discovery, &candidates).keys.into_values().map(|resolved| resolved.key).collect();
    let judge = |image: &Digest, keys: &[Key]| {
        let verifier = Verifier::new(KeySet::new(keys.to_vec()).unwrap());
        verifier.judge(signature, image, jiff::Timestamp::now())
    };
    assert_eq!(judge(&image, &keys).unwrap().keys().len(), 2);
    for key in &keys {
        let alone = judge(&image, std::slice::from_ref(key)).unwrap_err();
        assert_eq!(alone.code().as_str(), "no-key");
    }
    let other = Digest::of(b"another image");
    assert_eq!(judge(&other, &keys).unwrap_err().code().as_str(), "signed-for-other-image");
}

fn without_its_image_the_signature_still_tells_its_keys() {
    let discovery = found(&[Location::Layout(fixture("oc-mirror/single-arch-empty-image-sig"), None)]);
    assert_eq!(discovery.images[0].kind, Kind::Absent);
    let resolution = resolved(&discovery, &builtin().candidates);
    assert_eq!(resolution.keys.len(), 1);
}
