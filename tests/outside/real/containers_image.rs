//! The fixtures of containers/image: `dir:` images with simple signing, some of them broken on purpose.

use keypack::{
    content::Location,
    discover::Discovery,
    key::{Material, Role},
    keysource::{Gathered, KeyFile},
    resolve::{Answer, Question, resolve},
    signature::{UntrustedGpg, UntrustedSignature},
};

use super::{
    Case,
    place::{builtin, fixture, found, given, resolved},
};

pub const CASES: &[Case] = &[
    ("cosign_valid", cosign_valid),
    ("cosign_key_rekor_valid", cosign_key_rekor_valid),
    ("cosign_fulcio_rekor_valid", cosign_fulcio_rekor_valid),
    ("cosign_fulcio_rekor_with_an_old_root_alone", cosign_fulcio_rekor_with_an_old_root_alone),
    ("cosign_mixed", cosign_mixed),
    ("cosign_modified_manifest", cosign_modified_manifest),
    ("cosign_other_attachment", cosign_other_attachment),
    ("cosign_with_an_own_pki", cosign_with_an_own_pki),
    ("gpg_signed_images", gpg_signed_images),
    ("gpg_signature_files", gpg_signature_files),
    ("every_key_file_is_read", every_key_file_is_read),
    ("the_pki_of_a_policy_is_chains", the_pki_of_a_policy_is_chains),
];

const FOLDER: &str = "containers-image/signature-fixtures";

fn dir(name: &str) -> Discovery {
    found(&[Location::Dir(fixture(&format!("{FOLDER}/dir-img-{name}")))])
}

fn keys(names: &[&str]) -> Vec<keypack::key::Candidate> {
    let role = |name: &str| match name.split(['_', '-']).next() {
        Some("fulcio") => Some(Role::Fulcio),
        Some("pki") => Some(Role::Pki),
        _ => None,
    };
    let file = |name: &&str| KeyFile { role: role(name), path: fixture(&format!("{FOLDER}/{name}")) };
    given(&names.iter().map(file).collect::<Vec<_>>()).candidates
}

/// The roles of the keys that were proved.
fn proved(image: &str, candidates: &[keypack::key::Candidate]) -> (Vec<Role>, bool) {
    let resolution = resolved(&dir(image), candidates);
    (resolution.keys.keys().map(|k| k.role).collect(), resolution.all_verify())
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

/// This file contains only the root; the issuing intermediate, whose key the certificate names, is in the trusted
/// root.
fn cosign_fulcio_rekor_with_an_old_root_alone() {
    let (roles, complete) = proved("cosign-fulcio-rekor-valid", &keys(&["fulcio_v1.crt.pem", "rekor.pub"]));
    assert_eq!((roles, complete), (vec![Role::Rekor], false));
}

fn cosign_mixed() {
    let discovery = dir("cosign-mixed");
    assert_eq!(discovery.images[0].signatures.len(), 2);
    let resolution = resolved(&discovery, &keys(&["cosign.pub"]));
    let states: Vec<_> =
        resolution.answers.iter().map(|a| matches!(a.needs.as_slice(), [(_, Answer::Have(_))])).collect();
    assert_eq!(states, [false, true], "the one key made the second signature");
}

fn cosign_modified_manifest() {
    let resolution = resolved(&dir("cosign-modified-manifest"), &keys(&["cosign.pub"]));
    assert!(resolution.keys.is_empty());
    assert_eq!(resolution.answers[0].refusal.as_ref().unwrap().code().as_str(), "signed-for-other-image");
}

fn cosign_other_attachment() {
    let discovery = dir("cosign-other-attachment");
    let problem = discovery.images[0].signatures[0].content.as_ref().unwrap_err();
    assert_eq!(problem.code.as_str(), "signature-unsupported");
}

/// Its signature is base64 with a line break at the end, as cosign leaves it. Only the clock dates it, and no Fulcio
/// CA is accepted for that.
fn cosign_with_an_own_pki() {
    let discovery = dir("cosign-pki-valid");
    let resolution = resolved(&discovery, &builtin().candidates);
    let answers = &resolution.answers[0].needs;
    let needs: Vec<_> = answers.iter().map(|(need, _)| need.role()).collect();
    assert_eq!(needs, [Role::Pki]);
    assert!(resolution.keys.is_empty());
    // Only the root: the signature includes the intermediate, as `cosign verify --ca-roots` needs it.
    let root = fixture(&format!("{FOLDER}/pki_root_crts.pem"));
    let given = |role| {
        let mut gathered = Gathered::default();
        gathered.add_key_file(&KeyFile { role: Some(role), path: root.clone() }).unwrap();
        let resolution = resolved(&discovery, &gathered.candidates);
        (resolution.keys.keys().map(|k| k.role).collect::<Vec<_>>(), resolution.all_verify())
    };
    assert_eq!(given(Role::Pki), (vec![Role::Pki], true));
    assert_eq!(given(Role::Fulcio), (vec![], false));
}

/// The state of each GPG signature with these keys available: "have", "missing" or the code of a refusal.
fn gpg(image: &str, names: &[&str]) -> Vec<&'static str> {
    let discovery = dir(image);
    let resolution = resolved(&discovery, &keys(names));
    let mut answers = resolution.answers.iter();
    let mut outcomes = Vec::new();
    for signature in &discovery.images[0].signatures {
        if let Err(problem) = &signature.content {
            outcomes.push(problem.code.as_str());
            continue;
        }
        let answers = answers.next().unwrap();
        outcomes.push(match (&answers.refusal, answers.needs.first()) {
            (Some(refusal), _) | (None, Some((_, Answer::Refused { refusal, .. }))) => {
                refusal.code().as_str()
            }
            (None, Some((_, Answer::Have(_)))) => "have",
            (None, _) => "missing",
        });
    }
    outcomes
}

/// The same outcomes as containers/image's own tests of these folders expect (`policy_eval_signedby_test.go`).
fn gpg_signed_images() {
    let all = ["public-key.gpg", "public-key-1.gpg", "public-key-2.gpg", "public-key-with-subkey.gpg"];
    assert_eq!(gpg("valid", &["public-key.gpg"]), ["have"]);
    assert_eq!(gpg("valid", &["public-key-2.gpg"]), ["missing"]);
    assert_eq!(gpg("valid-subkey", &["public-key-with-subkey.gpg"]), ["have"]);
    assert_eq!(gpg("valid-2", &all), ["have", "have"]);
    assert_eq!(gpg("modified-manifest", &all), ["signed-for-other-image"]);
    assert_eq!(gpg("manifest-digest-error", &all), ["signed-for-other-image"]);
    assert!(gpg("mixed", &all).contains(&"have"), "{:?}", gpg("mixed", &all));
    assert!(dir("unsigned").images[0].signatures.is_empty());
}

/// The single signature files, in version 4 and 3 of the packet (`mechanism_test.go`).
fn gpg_signature_files() {
    let all = keys(&[
        "public-key.gpg",
        "public-key-1.gpg",
        "public-key-2.gpg",
        "public-key-with-subkey.gpg",
        "public-key-with-revoked-subkey.gpg",
    ]);
    for (name, expected) in [
        ("image.signature", "have"),
        ("no-optional-fields.signature", "have"),
        ("subkey.signature", "have"),
        ("subkey.signature-v3", "have"),
        ("corrupt.signature", "signature-does-not-match"),
        ("corrupt.signature-v3", "signature-does-not-match"),
        ("subkey-revoked.signature", "signing-key-revoked"),
        ("subkey-revoked.signature-v3", "signing-key-revoked"),
        ("unknown-key.signature", "missing"),
        ("unknown-key.signature-v3", "missing"),
        ("expired.signature", "signature-malformed"),
        ("invalid-blob.signature", "signature-malformed"),
        ("invalid-blob.signature-v3", "signature-malformed"),
        ("invalid-cleartext.signature", "signature-unsupported"),
        ("unsigned-encrypted.signature", "signature-unsupported"),
        ("unsigned-literal.signature", "signature-malformed"),
    ] {
        let bytes = std::fs::read(fixture(&format!("{FOLDER}/{name}"))).unwrap();
        let outcome = match UntrustedGpg::parse(&bytes) {
            Err(e) => e.code().as_str(),
            Ok(gpg) => {
                let image = gpg.claimed_image;
                let signature = UntrustedSignature::Gpg(Box::new(gpg));
                let question = Question { image, signature: &signature };
                let resolution = resolve(&[question], &all, jiff::Timestamp::now());
                match &resolution.answers[0].needs[0].1 {
                    Answer::Have(_) => "have",
                    Answer::Missing { .. } => "missing",
                    Answer::Refused { refusal, .. } => refusal.code().as_str(),
                }
            }
        };
        assert_eq!(outcome, expected, "{name}");
    }
}

fn every_key_file_is_read() {
    for name in [
        "cosign.pub",
        "cosign2.pub",
        "rekor.pub",
        "some-rsa-key.pub",
        "public-key.gpg",
        "public-key-1.gpg",
        "public-key-2.gpg",
        "public-key-with-subkey.gpg",
        "public-key-with-revoked-subkey.gpg",
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

/// As in `policy_eval_sigstore_test.go`: roots in one file, intermediates in another.
fn the_pki_of_a_policy_is_chains() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.json");
    let policy = serde_json::json!({"default": [{"type": "sigstoreSigned", "pki": {
        "caRootsPath": fixture(&format!("{FOLDER}/pki_root_crts.pem")),
        "caIntermediatesPath": fixture(&format!("{FOLDER}/pki_intermediate_crts.pem")),
        "subjectEmail": "qiwan@redhat.com"}}]});
    std::fs::write(&path, policy.to_string()).unwrap();
    let mut gathered = Gathered::default();
    gathered.add_policy(&path).unwrap();
    assert_eq!(gathered.unusable, []);
    let lengths: Vec<_> = gathered
        .candidates
        .iter()
        .map(|c| {
            if let Material::Chain(chain) = &c.key.material {
                (c.key.role, chain.certificates().len())
            } else {
                panic!()
            }
        })
        .collect();
    assert_eq!(lengths, [(Role::Pki, 2), (Role::Pki, 1)]);
}
