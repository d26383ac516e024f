//! What a release payload inside a mirror may claim, and what counts of it.

use base64::{Engine, prelude::BASE64_STANDARD};
use keypack::{
    key::{Grade, Role},
    keysource::Gathered,
};

fn lab(name: &str) -> String {
    let path = format!("{}/testdata/lab/trust/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn policy(kind: &str, signer: &str, rekor: &str) -> String {
    let [signer, rekor] = [signer, rekor].map(|pem| BASE64_STANDARD.encode(pem));
    format!(
        "kind: {kind}\nspec:\n  policy:\n    rootOfTrust:\n      policyType: PublicKey\n      publicKey:\n        \
         keyData: {signer}\n        rekorKeyData: {rekor}\n"
    )
}

/// The lab's keys, each pinned in one of the two spellings.
fn pinned() -> Gathered {
    let mut gathered = Gathered::default();
    for (role, file) in [("signer", "cosign.pub"), ("rekor", "rekor.pub")] {
        let parsed = keypack::key::parse_key_file(lab(file).as_bytes()).unwrap();
        gathered.pins.push(format!("{role}:{}", parsed.material[0].id().hex()).parse().unwrap());
    }
    gathered
}

#[test]
fn both_kinds_of_policies_name_a_signer_and_a_log() {
    for kind in ["ClusterImagePolicy", "ImagePolicy"] {
        let mut gathered = pinned();
        let text = policy(kind, &lab("cosign.pub"), &lab("rekor.pub"));
        gathered.add_release_manifest("a/0000_90_x.yaml", text.as_bytes());
        let found: Vec<_> = gathered.candidates.iter().map(|c| (c.key.role, c.provenance.grade)).collect();
        assert_eq!(found, [(Role::Signer, Grade::Pinned), (Role::Rekor, Grade::Pinned)], "{kind}");
        assert_eq!(gathered.unusable, [], "{kind}");
        // The same release once more, and another one of the same name with another key.
        gathered.add_release_manifest("b/0000_90_x.yaml", text.as_bytes());
        assert_eq!(gathered.candidates.len(), 2);
        let other = policy(kind, &lab("rekor.pub"), &lab("cosign.pub"));
        for _ in 0..2 {
            gathered.add_release_manifest("c/0000_90_x.yaml", other.as_bytes());
        }
        assert_eq!(gathered.candidates.len(), 2, "a pin is of one role");
        let codes: Vec<_> = gathered.unusable.iter().map(|u| u.problem.code.as_str()).collect();
        assert_eq!(codes, ["key-claim", "key-claim"], "each told once");
    }
}

#[test]
fn a_gpg_key_is_pinned_by_its_fingerprint() {
    let owner = super::lab::secret();
    let block = super::lab::bytes(&super::lab::block(&owner, &super::lab::Say::default()));
    let parsed = keypack::key::parse_key_file(&block).unwrap();
    let armour = parsed.material[0].to_pem().replace('\n', "\n    ");
    let openpgp = parsed.material[0].openpgp().unwrap().fingerprint().to_owned();
    let text = |name: &str| format!("kind: ConfigMap\ndata:\n  {name}: |\n    {armour}\n");
    for pin in [openpgp.clone(), openpgp.to_lowercase()] {
        let mut gathered = Gathered::default();
        gathered.pins.push(format!("gpg:{pin}").parse().unwrap());
        gathered.add_release_manifest("0000_90_x.yaml", text("store-somewhere").as_bytes());
        assert_eq!((gathered.candidates.len(), gathered.unusable.len()), (0, 0), "another entry's name");
        gathered.add_release_manifest("0000_90_x.yaml", text("verifier-public-key-lab").as_bytes());
        assert_eq!(gathered.candidates.len(), 1, "{pin}: {:?}", gathered.unusable);
        assert_eq!(gathered.candidates[0].provenance.grade, Grade::Pinned);
    }
    // A signer's key in place of a GPG key does not count, pinned or not.
    let mut gathered = pinned();
    let signer = lab("cosign.pub").replace('\n', "\n    ");
    let text = format!("kind: ConfigMap\ndata:\n  verifier-public-key-x: |\n    {signer}\n");
    gathered.add_release_manifest("0000_90_x.yaml", text.as_bytes());
    assert_eq!(gathered.candidates, []);
    assert_eq!(gathered.unusable.len(), 0, "{:?}", gathered.unusable);
}

#[test]
fn a_broken_manifest_is_told_where_it_had_keys() {
    for (text, told) in [("rootOfTrust: [", 1), ("verifier-public-key-x: [", 1), ("something: [", 0)] {
        let mut gathered = Gathered::default();
        gathered.add_release_manifest("0000_90_x.yaml", text.as_bytes());
        assert_eq!(gathered.unusable.len(), told, "{text}");
    }
}

#[test]
fn of_a_field_that_stands_twice_the_last_counts() {
    let mut gathered = pinned();
    let text = policy("ConfigMap\nkind: ClusterImagePolicy", &lab("cosign.pub"), &lab("rekor.pub"));
    gathered.add_release_manifest("0000_90_x.yaml", text.as_bytes());
    assert_eq!(gathered.candidates.len(), 2, "as `oc apply` reads it");
}
