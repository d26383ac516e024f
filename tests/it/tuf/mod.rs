//! TUF repositories that these tests make with their own keys: collected from a directory and over http, carried in
//! packs, and verified again from a root that arrived out of band. Each attack has its test.
mod age;
mod anchor;
mod collect;
mod forged;
mod interplay;
pub(crate) mod keeper;
mod malformed;
mod other_anchors;
mod packs;
mod rhtas;
mod web;

use std::collections::BTreeMap;

use crate::{
    support::{fault, program},
    trust::test_keys,
};
use keeper::{Files, Keeper};
use program::{LAB, Test};
use serde_json::Value;

/// The trusted root of the lab.
fn trusted_root() -> Vec<u8> {
    std::fs::read(format!("{LAB}/trust/trusted_root.json")).unwrap()
}

/// A folder with an image that was signed with a certificate, in the layout `m`: the trusted root contains every key
/// it needs.
fn scene() -> Test {
    let test = Test::new();
    test.layout("keyless-bundle-rekor2-oras", "m");
    test
}

/// The repository in `repo`, with its root in `repo.root.json`.
const FROM: &str = "--tuf repo --tuf-root repo.root.json";

/// Collects from a good repository into `keys`.
fn collected() -> (Test, Keeper) {
    let test = scene();
    let keeper = Keeper::new(&trusted_root());
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    (test, keeper)
}

/// The chain in a keys/.
fn chain_file(test: &Test, keys: &str) -> String {
    test.names(keys).into_iter().find(|name| name.starts_with("tuf-")).unwrap()
}

/// The files of the chain in a keys/.
fn chain_files(test: &Test, keys: &str) -> Files {
    let tar = test.read(&format!("{keys}/{}", chain_file(test, keys)));
    let mut archive = tar::Archive::new(tar.as_slice());
    archive
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
        })
        .collect()
}

/// Writes a changed copy of `keys` to `forged` and packs it as `oci:f:KEYS`. The inventory lists the changed files,
/// as anyone who can change a pack would make sure.
fn edit_pack(test: &Test, edit: impl FnOnce(&mut BTreeMap<String, Vec<u8>>, &mut Value)) {
    let mut files = test.tree("keys");
    let mut inventory: Value = serde_json::from_slice(&files.remove("keypack.json").unwrap()).unwrap();
    files.remove("SHA256SUMS");
    // It is generated from the records, which are changed.
    files.remove("trusted_root.json");
    edit(&mut files, &mut inventory);
    let records: Vec<_> = files
        .iter()
        .map(|(name, bytes)| {
            serde_json::json!({
                "name": name,
                "sha256": keypack::oci::Digest::of(bytes).to_string(),
                "size": bytes.len(),
            })
        })
        .collect();
    inventory["files"] = records.into();
    if test.has("forged") {
        std::fs::remove_dir_all(test.path("forged")).unwrap();
    }
    for (name, bytes) in files {
        test.write(&format!("forged/{name}"), bytes);
    }
    test.write("forged/keypack.json", serde_json::to_vec_pretty(&inventory).unwrap());
    if test.has("f") {
        std::fs::remove_dir_all(test.path("f")).unwrap();
    }
    test.push("forged", "oci:f:k");
}

/// The same with another chain in the tar.
fn replace_chain(test: &Test, files: &Files) {
    let name = chain_file(test, "keys");
    edit_pack(test, |all, _| drop(all.insert(name, keeper::tar(files))));
}
