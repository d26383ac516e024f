#![cfg_attr(fuzzing, no_main)]
//! The chain of a TUF repository in a pack: what is read from the tar is what keypack would write, and its names stay
//! inside.

mod input;

use std::{cell::OnceCell, collections::BTreeSet};

use keypack::{
    key::{KeyRef, Material, Role, parse_key_file},
    limits,
    oci::Digest,
    pack::{self, Build, Draft, Expiry, INVENTORY, Include, Inventory, SUMS},
    tree::{OutFile, SafeName},
};
use serde_json::{Value, json};

/// Reads a pack of one key with this chain.
pub fn run(data: &[u8]) {
    let mut files = plain();
    let name = "tuf-x.tar";
    let at = files.iter().position(|f| f.name.as_str() == INVENTORY).unwrap();
    let mut inventory: Value = serde_json::from_slice(&files[at].bytes).unwrap();
    inventory["tuf"] = json!([{ "name": "tuf-x", "file": name, "repository": "fuzz" }]);
    let record = json!({ "name": name, "sha256": Digest::of(data), "size": data.len() });
    inventory["files"].as_array_mut().unwrap().push(record);
    files[at].bytes = inventory.to_string().into_bytes();
    files.push(OutFile::new(SafeName::new(name).unwrap(), data));
    let Ok(draft) = Draft::from_files(files) else { return };
    let (_, chain) = draft.chains().next().expect("there is one chain");
    let mut seen = BTreeSet::new();
    let mut total = 0;
    for (path, bytes) in chain.files() {
        assert!(!path.as_str().split('/').any(|part| part.is_empty() || part.starts_with('.')), "{path}");
        assert!(seen.insert(path.to_string()), "{path} twice");
        total += bytes.len() as u64;
        let found = bytes.is_empty() || data.windows(bytes.len()).any(|window| window == bytes);
        assert!(found, "{path} is not in the tar as it stands there");
    }
    assert!(seen.len() <= limits::TUF_FILES && total <= limits::TUF_CHAIN);
    // Each entry is a header and its content, in whole blocks, and two more blocks end the tar.
    let blocks: usize = chain.files().map(|(_, bytes)| 1 + bytes.len().div_ceil(512)).sum();
    assert_eq!(data.len(), 512 * (blocks + 2), "more than the entries");
    for (_, described) in draft.described() {
        let _ = described.map(|evidence| evidence.summary());
    }
}

/// The files of a pack with one key and no chain.
fn plain() -> Vec<OutFile> {
    thread_local! { static FILES: OnceCell<Vec<OutFile>> = const { OnceCell::new() }; }
    FILES.with(|files| files.get_or_init(build).clone())
}

fn build() -> Vec<OutFile> {
    const SIGNER: &[u8] = include_bytes!("../../testdata/lab/trust/cosign.pub");
    let material: Material = parse_key_file(SIGNER).unwrap().material.remove(0);
    let include = Include {
        key: KeyRef { role: Role::Signer, id: material.id() },
        material,
        url: None,
        origin: None,
        validity: keypack::key::Validity::default(),
        provenance: vec![input::provenance()],
        ct_required: false,
        proved: true,
    };
    let built = pack::build(&Build {
        name: "default",
        keys: vec![include],
        chains: Vec::new(),
        replaces: None,
        prune: true,
        rules: None,
        revoked: Vec::new(),
        created: jiff::Timestamp::UNIX_EPOCH,
        expires: Expiry::Never,
        collected_by: None,
        given_by: None,
        refresh_after: Build::default_refresh_after(),
    });
    let mut files = built.unwrap().draft.to_files();
    files.retain(|file| file.name.as_str() != SUMS);
    let inventory = files.iter().find(|f| f.name.as_str() == INVENTORY).unwrap();
    assert!(Inventory::parse(&inventory.bytes).is_ok());
    files
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
