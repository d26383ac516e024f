//! The trusted roots of the public instances, malformed ones, and Red Hat's key files.

use keypack::{
    key::{Role, trusted_root, well_known},
    keysource::{Gathered, KeyFile},
};

use super::{
    Case,
    place::{builtin, files, fixture, given},
};

pub const CASES: &[Case] = &[
    ("public_roots_are_read_whole", public_roots_are_read_whole),
    ("the_built_in_root_is_the_public_good_one", the_built_in_root_is_the_public_good_one),
    ("malformed_roots_are_refused", malformed_roots_are_refused),
    ("an_authority_without_certificates_is_told", an_authority_without_certificates_is_told),
    ("the_classic_targets_are_the_same_keys", the_classic_targets_are_the_same_keys),
    ("red_hats_files_are_keys_and_its_own_are_known", red_hats_files_are_keys_and_its_own_are_known),
];

fn root(path: &str) -> Result<Gathered, keypack::keysource::KeySourceError> {
    let mut gathered = Gathered::default();
    gathered.add_trusted_root(&fixture(path))?;
    Ok(gathered)
}

fn public_roots_are_read_whole() {
    for name in ["public-good", "staging", "github"] {
        let json = std::fs::read(fixture(&format!("sigstore/trusted_root.{name}.json"))).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let lists = ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"];
        let count: usize = lists.iter().map(|l| json[l].as_array().map_or(0, Vec::len)).sum();
        let gathered = root(&format!("sigstore/trusted_root.{name}.json")).unwrap();
        assert_eq!(gathered.unusable, [], "{name}");
        assert!(count > 4 && gathered.candidates.len() == count, "{name}");
    }
}

fn the_built_in_root_is_the_public_good_one() {
    let read = root("sigstore/trusted_root.public-good.json").unwrap();
    let ids = |gathered: &Gathered| {
        let mut ids: Vec<_> = gathered.candidates.iter().map(|c| c.key.key_ref()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(&read), ids(&builtin()));
}

fn malformed_roots_are_refused() {
    for name in ["trustedroot.badtype", "certificate_authority.missingroot", "certificate_authority.empty"] {
        let error = root(&format!("sigstore/malformed-roots/{name}.json")).unwrap_err();
        assert_eq!(error.code().as_str(), "trusted-root-malformed", "{name}");
    }
}

/// The malformed authorities, each put into a good root: it is reported, and the rest is used.
fn an_authority_without_certificates_is_told() {
    let good = std::fs::read(fixture("sigstore/trusted_root.public-good.json")).unwrap();
    for (name, usable) in [("missingroot", true), ("empty", false)] {
        let bad =
            std::fs::read(fixture(&format!("sigstore/malformed-roots/certificate_authority.{name}.json")));
        let mut json: serde_json::Value = serde_json::from_slice(&good).unwrap();
        let bad: serde_json::Value = serde_json::from_slice(&bad.unwrap()).unwrap();
        json["timestampAuthorities"].as_array_mut().unwrap().push(bad);
        let provenance = builtin().candidates[0].provenance.clone();
        let trusted_root::Contents { candidates, unusable, .. } =
            trusted_root::read(json.to_string().as_bytes(), &provenance).unwrap();
        assert_eq!(candidates.len(), 7 + usize::from(usable), "{name}: {unusable:?}");
        assert_eq!(unusable.len(), usize::from(!usable), "{name}");
    }
}

fn the_classic_targets_are_the_same_keys() {
    let known: Vec<_> =
        builtin().candidates.iter().flat_map(|candidate| candidate.key.material.fingerprints()).collect();
    for name in ["rekor.pub", "ctfe.pub", "ctfe_2022.pub", "fulcio.crt.pem", "fulcio_intermediate_v1.crt.pem"]
    {
        let role = match name.split(['.', '_']).next() {
            Some("rekor") => Role::Rekor,
            Some("ctfe") => Role::CtLog,
            _ => Role::Fulcio,
        };
        let path = fixture(&format!("sigstore/{name}"));
        let gathered = given(&[KeyFile { role: Some(role), path }]);
        assert_eq!(gathered.candidates.len(), 1, "{name}");
        assert!(known.contains(&gathered.candidates[0].key.material.fingerprint()), "{name}");
        let chain = name.starts_with("fulcio");
        assert_eq!(gathered.candidates[0].key.role == Role::Fulcio, chain, "{name}");
    }
}

fn red_hats_files_are_keys_and_its_own_are_known() {
    for file in std::fs::read_dir(fixture("redhat/cluster-update-keys")).unwrap() {
        let path = file.unwrap().path();
        let gathered = files(std::slice::from_ref(&path));
        let [key] = gathered.candidates.as_slice() else { panic!("{}: {gathered:?}", path.display()) };
        assert_eq!(key.key.role, Role::Gpg);
        let openpgp = key.key.material.openpgp().unwrap();
        let known = well_known(key.key.key_ref()).is_some();
        assert_eq!(
            known,
            path.file_name().unwrap().to_str().unwrap().contains("redhat"),
            "{}",
            path.display()
        );
        assert_eq!(known, openpgp.expires().is_none(), "only the keys of the build clusters expire");
    }
}
