//! Attacks with the chain in a pack, and content that must not travel in one.

use serde_json::{Value, json};

use super::{
    FROM, chain_file, chain_files, collected, edit_pack,
    keeper::{Files, Keeper},
    replace_chain, scene, trusted_root,
};

const ROOT: &str = "--tuf-root repo.root.json";

/// A private key in the form of a key file; its content does not matter.
const SECRET: &[u8] = b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";

/// A private Ed25519 key without armour (RFC 8410), which nothing in the tar around it reveals.
fn binary() -> Vec<u8> {
    [&hex::decode("302e020100300506032b657004220420").unwrap()[..], &[7; 32]].concat()
}

#[test]
fn a_private_key_beside_good_targets() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    // Its list of logs is broken, so the single targets are read; one of them is what must not travel.
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    for log in root["ctlogs"].as_array_mut().unwrap() {
        log["publicKey"]["rawBytes"] = "AAAA".into();
    }
    keeper.listed[0].bytes = serde_json::to_vec(&root).unwrap();
    keeper.list("ctfe.pub", &test.read("lab/trust/ctfe.pub"), Some("CTFE"));
    for (secret, tells) in [(SECRET.to_vec(), "tuf-repo-"), (binary(), ".ctfe_2.pub")] {
        keeper.list("ctfe_2.pub", &secret, Some("CTFE"));
        keeper.renew();
        keeper.write(&test, "repo");
        test.run(&format!("collect oci:m {FROM} -o no")).fails(3, "private-key").tells(tells);
        assert!(!test.has("no"));
        keeper.listed.pop();
    }
}

#[test]
fn a_private_key_in_the_chain_of_a_pack() {
    let (test, _) = collected();
    let file = chain_file(&test, "keys");
    for secret in [SECRET.to_vec(), binary()] {
        let mut more = chain_files(&test, "keys");
        more.insert("targets/more.pub".into(), secret);
        let tar = super::keeper::tar(&more);
        let mut inventory = test.json("keys/keypack.json");
        for record in inventory["files"].as_array_mut().unwrap() {
            if record["name"] == file.as_str() {
                record["sha256"] = keypack::oci::Digest::of(&tar).to_string().into();
                record["size"] = tar.len().into();
            }
        }
        for (name, bytes) in test.tree("keys") {
            test.write(&format!("bad/{name}"), bytes);
        }
        test.write(&format!("bad/{file}"), &tar);
        test.write("bad/keypack.json", serde_json::to_vec_pretty(&inventory).unwrap());
        test.run("inspect bad").fails(3, "private-key");
        test.run("push bad oci:b:k").fails(3, "private-key");
    }
}

#[test]
fn an_older_state_under_an_older_root_beside_the_latest() {
    // The officer gives the old root and the new one. An attacker has the old timestamp key, which the new root has
    // replaced, and packs two chains, one for each root. A key that the latest state has withdrawn must not come in
    // through the other.
    let (test, mut keeper) = collected();
    let old = keeper.files.clone();
    keeper.rotate("timestamp");
    keeper.renew();
    keeper.write(&test, "repo");
    test.write("second.json", &keeper.files["2.root.json"]);
    let mut new = keeper.files.clone();
    for root in ["root.json", "1.root.json", "2.root.json"] {
        new.remove(root);
    }
    let mut old: Files = old;
    old.remove("root.json");
    edit_pack(&test, |files, inventory| {
        files.retain(|name, _| !name.starts_with("tuf-"));
        files.insert("tuf-new.tar".into(), super::keeper::tar(&new));
        files.insert("tuf-old.tar".into(), super::keeper::tar(&old));
        let record = |name: &str| json!({ "name": name, "file": format!("{name}.tar"), "repository": name });
        inventory["tuf"] = json!([record("tuf-new"), record("tuf-old")]);
    });
    test.run("pull oci:f:k --tuf-root second.json -o out --state s").exits(0);
    test.run(&format!("pull oci:f:k {ROOT} --tuf-root second.json -o two --state t"))
        .fails(3, "tuf-tar-refused")
        .tells("tuf-old.tar")
        .tells("not the latest");
    assert!(!test.has("two"));
}

#[test]
fn the_chains_of_two_repositories_exchanged() {
    let test = scene();
    let (one, mut two) = (Keeper::new(&trusted_root()), Keeper::new(&trusted_root()));
    two.renew();
    one.write(&test, "one");
    two.write(&test, "two");
    let roots = "--tuf-root one.root.json --tuf-root two.root.json";
    test.run(&format!("collect oci:m --tuf one --tuf two {roots} -o keys")).exits(0);
    let names: Vec<_> = test.names("keys").into_iter().filter(|name| name.starts_with("tuf-")).collect();
    assert_eq!(names.len(), 2);
    edit_pack(&test, |files, _| {
        let (a, b) = (files[&names[0]].clone(), files[&names[1]].clone());
        files.insert(names[0].clone(), b);
        files.insert(names[1].clone(), a);
    });
    // The name of a chain proves nothing: each is identified by its root.
    test.run(&format!("pull oci:f:k {roots} -o out")).exits(0);
    let names_of = |keys: &str| -> Vec<Value> {
        let inventory = test.json(&format!("{keys}/keypack.json"));
        inventory["tuf"].as_array().unwrap().iter().map(|chain| chain["name"].clone()).collect()
    };
    let id = |keeper: &Keeper| keypack::oci::Digest::of(keeper.first_root()).hex()[..8].to_owned();
    let mut expected = [&one, &two].map(|keeper| Value::from(format!("tuf-{}", id(keeper)))).to_vec();
    expected.sort_by_key(ToString::to_string);
    assert_eq!(names_of("out"), expected);
}

#[test]
fn a_root_of_before_at_pull() {
    // Without its last root the chain still follows from the first: only the state shows that there was a later one,
    // even if that one has other keys.
    for rotated in ["none", "root"] {
        let (test, mut keeper) = collected();
        let mut old = keeper.files.clone();
        old.remove("root.json");
        keeper.rotate(rotated);
        keeper.write(&test, "repo");
        test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
        test.push("keys", "oci:p:k");
        let enclave = |line: &str| test.run(&format!("{line} {ROOT} -o out --state enclave"));
        enclave("pull oci:p:k").exits(0);
        replace_chain(&test, &old);
        enclave("pull oci:f:k").fails(3, "tuf-rollback").tells("the root of tuf-");
    }
}

#[test]
fn of_several_chains_the_one_that_the_root_knows_says_why() {
    let test = scene();
    let (one, two) = (Keeper::new(&trusted_root()), Keeper::new(&trusted_root()));
    one.write(&test, "one");
    two.write(&test, "two");
    let roots = "--tuf-root one.root.json --tuf-root two.root.json";
    test.run(&format!("collect oci:m --tuf one --tuf two {roots} -o keys")).exits(0);
    for (keeper, name) in [(&one, "one"), (&two, "two")] {
        let mut files = keeper.files.clone();
        files.remove("root.json");
        let target = files.iter_mut().find(|(path, _)| path.starts_with("targets/")).unwrap().1;
        target[100] ^= 1;
        edit_pack(&test, |all, _| {
            let file = all.keys().find(|file| file.starts_with(&format!("tuf-{name}-"))).unwrap().clone();
            all.insert(file, super::keeper::tar(&files));
        });
        test.run(&format!("pull oci:f:k --tuf-root {name}.root.json -o no"))
            .fails(3, "tuf-mismatch")
            .tells(&format!("tuf-{name}-"));
    }
}
