//! The public-good TUF repository as it was in August 2026: root 15, targets 14, timestamp 762.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use keypack::{
    http,
    key::{Grade, Role},
    keysource::{Gathered, TufPlace},
    pack::{
        Anchor, Build, Demand, Expiry, Form, Include, IncludeChain, authenticate, build, parse, to_artifact,
    },
    trust::tuf::{Chain, Instance, Root, describe, verify},
};
use tempfile::TempDir;

use super::{
    Case,
    place::{builtin, fixture},
};

pub const CASES: &[Case] = &[
    ("the_public_good_is_collected_as_of_then", the_public_good_is_collected_as_of_then),
    ("today_it_has_expired", today_it_has_expired),
    ("its_chain_is_verified_again_from_each_root", its_chain_is_verified_again_from_each_root),
    ("the_roots_of_other_instances_do_not_know_it", the_roots_of_other_instances_do_not_know_it),
    ("a_pack_of_it_is_pulled_by_the_built_in_root", a_pack_of_it_is_pulled_by_the_built_in_root),
    ("each_file_of_it_is_needed", each_file_of_it_is_needed),
];

/// The repository, unpacked.
struct Unpacked(TempDir);

impl Unpacked {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = std::fs::File::open(fixture("tuf-public-good.tar.gz")).unwrap();
        tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(dir.path()).unwrap();
        Self(dir)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("tuf-public-good")
    }

    fn root(&self, version: u64) -> Root {
        Root::new(std::fs::read(self.path().join(format!("metadata/{version}.root.json"))).unwrap()).unwrap()
    }
}

fn then() -> Timestamp {
    "2026-08-27T00:00:00Z".parse().unwrap()
}

fn collect(at: &Path, root: Root, now: Timestamp) -> Result<Gathered, keypack::keysource::KeySourceError> {
    let mut gathered = Gathered::default();
    let client = || http::Client::new(http::Options::default());
    gathered.add_tuf(&TufPlace::Dir(at.to_owned()), &[root], client, now)?;
    Ok(gathered)
}

fn the_public_good_is_collected_as_of_then() {
    let real = Unpacked::new();
    let gathered = collect(&real.path(), real.root(10), then()).unwrap();
    assert_eq!(gathered.unusable, []);
    let ids = |gathered: &Gathered| {
        let mut ids: Vec<_> = gathered
            .candidates
            .iter()
            .map(|c| (c.key.key_ref(), c.key.url.clone(), c.key.validity))
            .collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(
        ids(&gathered),
        ids(&builtin()),
        "the very keys that are built in, with their windows and addresses"
    );
    assert!(gathered.candidates.iter().all(|c| c.provenance.grade == Grade::Tuf));
    assert!(gathered.candidates.iter().any(|c| c.key.role == Role::Rekor2));
    let chain = &gathered.chains[0];
    assert_eq!(chain.evidence.summary(), "root 15, timestamp 762, snapshot 165, targets 14");
    assert_eq!(chain.evidence.good_until().to_string(), "2026-08-28T19:25:56Z");
    assert_eq!(chain.evidence.signed_after.unwrap().to_string(), "2026-08-21T19:25:56Z");
    assert!(chain.evidence.targets_date.unwrap().to_string().starts_with("2026-05-"));
    // Root 5 is the oldest one included, and each may be followed by the next.
    let versions: Vec<_> = chain.chain.roots().into_iter().map(|(version, _)| version).collect();
    assert_eq!(versions, (5..=15).collect::<Vec<_>>());
    // The bare name is reserved for chains that start from the built-in root, and none of these does.
    assert!(chain.name.starts_with("tuf-public-good-"), "{}", chain.name);
    let builtin = collect(&real.path(), Instance::PublicGood.root().unwrap(), then()).unwrap();
    assert_eq!(builtin.chains[0].name, "tuf-sigstore");
}

fn today_it_has_expired() {
    let real = Unpacked::new();
    let now = "2026-11-25T00:00:00Z".parse().unwrap();
    for root in [Instance::PublicGood.root().unwrap(), real.root(15)] {
        assert_eq!(collect(&real.path(), root, now).unwrap_err().code().as_str(), "tuf-expired");
    }
}

fn kept(real: &Unpacked) -> Chain {
    collect(&real.path(), real.root(5), then()).unwrap().chains.remove(0).chain
}

fn its_chain_is_verified_again_from_each_root() {
    let real = Unpacked::new();
    let chain = kept(&real);
    let described = describe(&chain).unwrap();
    for root in (5..=15).map(|v| real.root(v)).chain([Instance::PublicGood.root().unwrap()]) {
        let verified = verify(&chain, &root, "x").unwrap();
        assert_eq!(verified.items.candidates.len(), 7, "root {}", root.version());
        assert_eq!(verified.evidence.version("root"), root.version().max(15));
        assert_eq!(verified.evidence.version("targets"), described.version("targets"));
    }
}

fn the_roots_of_other_instances_do_not_know_it() {
    let chain = kept(&Unpacked::new());
    for instance in [Instance::Staging, Instance::GitHub] {
        let error = verify(&chain, &instance.root().unwrap(), "x").unwrap_err();
        assert_eq!(error.code().as_str(), "tuf-signatures", "{instance:?}");
    }
}

fn a_pack_of_it_is_pulled_by_the_built_in_root() {
    let real = Unpacked::new();
    let read = collect(&real.path(), real.root(5), then()).unwrap().chains.remove(0);
    let keys = read.items.iter().map(|item| Include {
        key: item.key.key_ref(),
        material: item.key.material.clone(),
        url: item.key.url.clone(),
        origin: None,
        validity: item.key.validity,
        provenance: vec![item.provenance.clone()],
        ct_required: false,
        proved: false,
    });
    let built = build(&Build {
        name: "default",
        keys: keys.collect(),
        chains: vec![IncludeChain {
            name: read.name.clone(),
            repository: read.repository.clone(),
            chain: read.chain.clone(),
            items: Vec::new(),
        }],
        replaces: None,
        prune: false,
        rules: None,
        revoked: Vec::new(),
        created: then(),
        expires: Expiry::Never,
        collected_by: None,
        given_by: None,
        refresh_after: Build::default_refresh_after(),
    });
    let built = built.unwrap();
    for form in [Form::Image, Form::Artifact] {
        let artifact = to_artifact(&built.draft, form).unwrap();
        let check = |roots| {
            let anchors = [Anchor::Tuf(roots)];
            let demand =
                Demand { anchors: &anchors, manifest_signatures: &[], lineage: "default", now: then() };
            authenticate(parse(&artifact).unwrap(), &demand)
        };
        let pack = check(vec![Instance::PublicGood.root().unwrap()]).unwrap();
        let inventory = pack.draft().inventory();
        assert_eq!(inventory.keys.len(), 7);
        let sources: Vec<_> = inventory.keys.iter().map(|k| k.provenance[0].source.as_str()).collect();
        assert_eq!(sources, ["https://tuf-repo-cdn.sigstore.dev/targets/trusted_root.json"; 7]);
        assert_eq!(inventory.tuf[0].file, "tuf-sigstore.tar");
        assert!(inventory.keys.iter().any(|k| k.name == "rekor-sigstore"));
        let wrong = check(vec![Instance::GitHub.root().unwrap()]).unwrap_err();
        assert_eq!(wrong.code().as_str(), "tuf-signatures");
    }
}

/// Removes each file, and changes each in a few places: every change is noticed.
fn each_file_of_it_is_needed() {
    let real = Unpacked::new();
    let (chain, root) = (kept(&real), real.root(5));
    let whole = verify(&chain, &root, "x").unwrap();
    for (path, bytes) in chain.files().filter(|(path, _)| path.as_str() != "5.root.json") {
        let with = |change: Option<Vec<u8>>| {
            let mut changed = Chain::default();
            for (other, bytes) in chain.files() {
                match (other == path, &change) {
                    (false, _) => changed.insert(other.clone(), bytes.to_vec()).unwrap(),
                    (true, Some(new)) => changed.insert(other.clone(), new.clone()).unwrap(),
                    (true, None) => {}
                }
            }
            changed
        };
        // Without its last roots a chain ends earlier, and its timestamp may still follow: then the keys are the
        // same.
        match verify(&with(None), &root, "x") {
            Ok(shorter) => {
                assert!(path.as_str().ends_with(".root.json"), "{path} is not needed");
                assert_eq!(shorter.items, whole.items);
                assert!(shorter.evidence.version("root") < 15);
            }
            Err(e) => {
                assert!(["tuf-file-missing", "tuf-signatures"].contains(&e.code().as_str()), "{path}: {e}");
            }
        }
        for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1;
            // Signatures beyond the threshold, and those of unknown keys, may contain anything.
            if let Ok(verified) = verify(&with(Some(flipped)), &root, "x") {
                assert_eq!(verified.items, whole.items, "{path} at {at}");
                assert!(!path.as_str().starts_with("targets/"), "{path} at {at}");
            }
        }
    }
}
