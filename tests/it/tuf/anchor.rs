//! `pull --tuf-root`: what it proves, and what it accepts from a pack.

use serde_json::Value;

use super::{
    FROM, chain_file, chain_files, collected, edit_pack, keeper::Keeper, replace_chain, scene, trusted_root,
};

/// The difference and the change that makes it.
type Lie = (&'static str, fn(&mut Value));

const ROOT: &str = "--tuf-root repo.root.json";

#[test]
fn keys_are_taken_and_all_else_is_dropped() {
    let (test, keeper) = collected();
    edit_pack(&test, |_, inventory| {
        inventory["version"] = u64::MAX.into();
        inventory["created"] = "2020-01-01T00:00:00Z".into();
        inventory["expires"] = "2020-02-01T00:00:00Z".into();
        inventory["tuf"][0]["repository"] = "https://somebody.else".into();
        let digest = keypack::oci::Digest::of(b"x").to_string();
        inventory["revoked"] =
            serde_json::json!([{ "fingerprint": digest, "reason": "x", "date": "2020-01-01T00:00:00Z" }]);
        for key in inventory["keys"].as_array_mut().unwrap() {
            key["provenance"][0]["source"] = "https://somebody.else".into();
            key["kept"] = "2020-01-01T00:00:00Z".into();
        }
    });
    let pull = format!("pull oci:f:k {ROOT} -o out");
    test.run(&pull)
        .exits(0)
        .tells("authenticated by the TUF repository of the root sha256:")
        .tells("root 1, timestamp 1");
    let inventory = test.json("out/keypack.json");
    let text = inventory.to_string();
    for dropped in ["somebody", "2020", "revoked", "kept", &u64::MAX.to_string()] {
        assert!(!text.contains(dropped), "{dropped} came from the pack: {text}");
    }
    let root = keypack::oci::Digest::of(keeper.first_root());
    let maker = test.json("keys/keypack.json");
    let (ours, theirs) = (inventory["keys"].as_array().unwrap(), maker["keys"].as_array().unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours["provenance"][0]["grade"], "tuf");
        assert_eq!(ours["provenance"][0]["source"], format!("TUF root {root}/targets/trusted_root.json"));
        // What the repository states about the key is authenticated.
        for field in ["role", "id", "url", "validity"] {
            assert_eq!(ours[field], theirs[field], "{field}");
        }
    }
    // The chain travels on with the keys, so that the next enclave can verify it again.
    assert_eq!(chain_files(&test, "out"), chain_files(&test, "keys"));
    assert_eq!(test.run("inspect out --format json").exits(0).json()["authenticated"], Value::Bool(true));
    let before = test.tree("out");
    test.run(&pull).exits(0).tells("already installed");
    assert!(test.tree("out") == before, "the directory changed");
    test.push("out", "oci:next:k");
    test.run(&format!("pull oci:next:k {ROOT} -o on")).exits(0);
}

#[test]
fn a_key_that_no_repository_lists_needs_another_anchor() {
    let test = scene();
    test.layout("key-bundle-rekor2-oras", "n");
    Keeper::new(&trusted_root()).write(&test, "repo");
    test.run(&format!("collect oci:m oci:n --key lab/trust/cosign.pub {FROM} -o keys")).exits(0);
    let digest = test.push("keys", "oci:p:k").pack_digest.to_string();
    test.run(&format!("pull oci:p:k {ROOT} -o out")).fails(3, "key-not-in-tuf").tells("signer-43ef7bc8");
    assert!(!test.has("out"));
    let keys = test.json("keys/keypack.json");
    let id = |role: &str| {
        let key = keys["keys"].as_array().unwrap().iter().find(|k| k["role"] == role).unwrap();
        format!("--pin {role}:{}", key["id"].as_str().unwrap())
    };
    test.run(&format!("pull oci:p:k {ROOT} {} -o out", id("signer")))
        .exits(0)
        .tells("authenticated by the pins");
    let out = test.json("out/keypack.json");
    let grades: Vec<_> =
        out["keys"].as_array().unwrap().iter().map(|k| (&k["role"], &k["provenance"][0]["grade"])).collect();
    assert!(
        grades.iter().all(|(role, grade)| *grade == if *role == "signer" { "pinned" } else { "tuf" }),
        "{grades:?}"
    );
    // A pin that the pack does not satisfy, and pins that leave the signer out.
    let other = format!("--pin signer:{}", "0".repeat(64));
    test.run(&format!("pull oci:p:k {ROOT} {} {other} -o two", id("signer"))).fails(3, "pin-not-met");
    test.run(&format!("pull oci:p:k {ROOT} {} -o two", id("fulcio"))).fails(3, "key-not-pinned");
    // A pin for a key that the repository also lists is satisfied.
    test.run(&format!("pull oci:p:k {ROOT} {} {} -o four", id("signer"), id("fulcio"))).exits(0);
    // The whole inventory is authenticated: it stays as its maker wrote it.
    test.run(&format!("pull oci:p:k {ROOT} --digest {digest} -o three")).exits(0).tells("the pack digest");
    assert!(test.tree("three") == test.tree("keys"), "the directory changed");
}

#[test]
fn all_anchors_must_hold() {
    let (test, _) = collected();
    let digest = test.push("keys", "oci:p:k").pack_digest.to_string();
    Keeper::new(&trusted_root()).write(&test, "other");
    test.run(&format!("pull oci:p:k --tuf-root other.root.json --digest {digest} -o out"))
        .fails(3, "tuf-signatures");
    test.run(&format!("pull oci:p:k {ROOT} --tuf-root other.root.json -o out")).fails(3, "tuf-signatures");
    test.run("pull oci:p:k --tuf-root builtin -o out").fails(3, "tuf-signatures");
    test.run(&format!("pull oci:p:k {ROOT} --digest sha256:{} -o out", "0".repeat(64)))
        .fails(3, "anchor-digest-mismatch");
    test.run(&format!("pull oci:p:k {ROOT} --min-version 1 -o out")).fails(2, "usage");
    test.run(&format!("pull oci:p:k {ROOT} --require-state -o out --state new")).fails(3, "no-state");
    assert!(!test.has("out"));
}

#[test]
fn a_key_with_a_moved_window_or_another_address() {
    let (test, _) = collected();
    let lies: [Lie; 4] = [
        ("the time of use", |key| key["validity"] = serde_json::json!({ "start": "1999-01-01T00:00:00Z" })),
        ("the time of use", |key| key["validity"] = serde_json::json!({})),
        ("the address", |key| key["url"] = "https://fulcio.somebody.else".into()),
        ("the address", |key| drop(key.as_object_mut().unwrap().remove("url"))),
    ];
    for (what, lie) in lies {
        edit_pack(&test, |_, inventory| {
            let keys = inventory["keys"].as_array_mut().unwrap();
            lie(keys.iter_mut().find(|k| k["role"] == "fulcio").unwrap());
        });
        test.run(&format!("pull oci:f:k {ROOT} -o out")).fails(3, "key-differs-from-tuf").tells(what);
        // Not even if another anchor authenticates the inventory: one of the two is false.
        let digest = test.push("forged", "oci:g:k").pack_digest.to_string();
        test.run(&format!("pull oci:g:k {ROOT} --digest {digest} -o out")).fails(3, "key-differs-from-tuf");
        std::fs::remove_dir_all(test.path("g")).unwrap();
    }
}

#[test]
fn a_narrower_time_of_use_is_accepted_and_the_repositorys_is_installed() {
    let (test, _) = collected();
    edit_pack(&test, |_, inventory| {
        let keys = inventory["keys"].as_array_mut().unwrap();
        let fulcio = keys.iter_mut().find(|k| k["role"] == "fulcio").unwrap();
        fulcio["validity"]["end"] = "2199-01-01T00:00:00Z".into();
    });
    test.run(&format!("pull oci:f:k {ROOT} -o out")).exits(0);
    let out = test.json("out/keypack.json");
    let fulcio = out["keys"].as_array().unwrap().iter().find(|k| k["role"] == "fulcio").unwrap();
    assert_eq!(fulcio["validity"].get("end"), None, "{fulcio}");
}

#[test]
fn a_chain_with_a_foreign_root_behind_a_listed_certificate() {
    let (test, _) = collected();
    let tsa = String::from_utf8(test.read("lab/trust/tsa.pem")).unwrap();
    let second = tsa.match_indices("-----BEGIN").nth(1).map(|(at, _)| at);
    let Some(second) = second else {
        return assert!(tsa.contains("BEGIN"), "one certificate: nothing to cut");
    };
    let cut = &tsa[..second];
    let material = keypack::key::parse_key_file(cut.as_bytes()).unwrap().material.remove(0);
    edit_pack(&test, |files, inventory| {
        let keys = inventory["keys"].as_array_mut().unwrap();
        let record = keys.iter_mut().find(|k| k["role"] == "tsa").unwrap();
        files.remove(record["file"].as_str().unwrap());
        let name = format!("tsa-{}", &material.id().hex()[..8]);
        record["certificates"].as_array_mut().unwrap().truncate(1);
        record["id"] = material.id().to_string().into();
        record["fingerprint"] = material.fingerprint().to_string().into();
        record["file"] = format!("{name}.pem").into();
        record["name"] = name.as_str().into();
        files.insert(format!("{name}.pem"), cut.as_bytes().to_vec());
    });
    test.run(&format!("pull oci:f:k {ROOT} -o out")).fails(3, "key-not-in-tuf");
}

#[test]
fn a_pack_without_a_chain_or_with_that_of_another_repository() {
    let (test, _) = collected();
    let file = chain_file(&test, "keys");
    edit_pack(&test, |files, inventory| {
        files.remove(&file);
        inventory.as_object_mut().unwrap().remove("tuf");
    });
    test.run(&format!("pull oci:f:k {ROOT} -o out")).fails(3, "tuf-chain-missing");
    let other = Keeper::new(&trusted_root());
    replace_chain(&test, &other.files);
    test.run(&format!("pull oci:f:k {ROOT} -o out")).fails(3, "tuf-signatures");
    // A repository of the same keyholder that lists other keys.
    let (test, mut keeper) = collected();
    keeper.listed.clear();
    keeper.list("rekor.pub", &test.read("lab/trust/rekor.pub"), Some("Rekor"));
    keeper.renew();
    replace_chain(&test, &keeper.files);
    test.run(&format!("pull oci:f:k {ROOT} -o out")).fails(3, "key-not-in-tuf");
    assert!(!test.has("out"));
}

#[test]
fn two_states_of_one_repository_in_one_pack() {
    let (test, mut keeper) = collected();
    // The newer state says that the CA is no longer in use; the pack describes it as the older one does.
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    root["certificateAuthorities"][0]["validFor"]["end"] = "2026-11-23T00:00:00Z".into();
    keeper.listed[0].bytes = serde_json::to_vec(&root).unwrap();
    keeper.renew();
    keeper.files.remove("root.json");
    edit_pack(&test, |files, inventory| {
        files.insert("tuf-newer.tar".into(), super::keeper::tar(&keeper.files));
        let mut record = inventory["tuf"][0].clone();
        record["name"] = "tuf-newer".into();
        record["file"] = "tuf-newer.tar".into();
        inventory["tuf"].as_array_mut().unwrap().insert(0, record);
    });
    test.run(&format!("pull oci:f:k {ROOT} -o out"))
        .fails(3, "tuf-tar-refused")
        .tells("only one can be the latest");
    // The same repository from two places is kept once.
    test.run("collect oci:m --tuf repo --tuf repo --tuf-root repo.root.json -o two").exits(0);
    keeper.write(&test, "again");
    test.run("collect oci:m --tuf repo --tuf again --tuf-root repo.root.json -o two").exits(0);
    assert_eq!(test.names("two").iter().filter(|name| name.starts_with("tuf-")).count(), 1);
}

#[test]
fn a_root_that_comes_with_the_pack() {
    let (test, keeper) = collected();
    test.push("keys", "oci:p:k");
    test.run("pull oci:p:k -o out").fails(3, "no-anchor").tells("or --tuf-root");
    test.write("p/root.json", keeper.first_root());
    test.run("pull oci:p:k --tuf-root p/root.json -o out").fails(3, "verify-key-from-pack");
    test.write("bad.json", b"{}");
    test.run("pull oci:p:k --tuf-root bad.json -o out").fails(3, "tuf-root-malformed");
    test.run("pull oci:p:k --tuf-root absent.json -o out").fails(1, "key-file-not-found");
    test.run("pull oci:p:k --tuf-root builtin:nobody -o out").exits(2);
}

#[test]
fn the_keys_that_are_left_out_are_told() {
    let test = scene();
    test.layout("key-bundle-rekor2-oras", "n");
    Keeper::new(&trusted_root()).write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    edit_pack(&test, |files, inventory| {
        let keys = inventory["keys"].as_array_mut().unwrap();
        let at = keys.iter().position(|k| k["role"] == "tsa").unwrap();
        files.remove(keys.remove(at)["file"].as_str().unwrap());
    });
    test.run(&format!("pull oci:f:k {ROOT} -o out")).exits(0).tells("that the pack leaves out");
}

#[test]
fn a_hostile_tar_is_refused_before_it_is_shown() {
    let (test, _) = collected();
    let file = chain_file(&test, "keys");
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    header.set_link_name("/etc/passwd").unwrap();
    builder.append_data(&mut header, "1.root.json", &[][..]).unwrap();
    let link = builder.into_inner().unwrap();
    let bomb = super::keeper::tar(&(0..500).map(|n| (format!("{n}.root.json"), vec![])).collect());
    let large = super::keeper::tar(&[("timestamp.json".to_owned(), vec![b' '; 5 << 20])].into());
    for tar in [link, bomb, large, b"junk".to_vec()] {
        // Such a directory can't even be loaded.
        let digest = keypack::oci::Digest::of(&tar).to_string();
        let mut inventory = test.json("keys/keypack.json");
        for record in inventory["files"].as_array_mut().unwrap() {
            if record["name"] == file.as_str() {
                record["sha256"] = digest.clone().into();
                record["size"] = tar.len().into();
            }
        }
        for (name, bytes) in test.tree("keys") {
            test.write(&format!("bad/{name}"), bytes);
        }
        test.write(&format!("bad/{file}"), &tar);
        test.write("bad/keypack.json", serde_json::to_vec_pretty(&inventory).unwrap());
        test.run("inspect bad").fails(3, "tuf-tar-refused");
        test.run("push bad oci:b:k").fails(3, "tuf-tar-refused");
    }
}
