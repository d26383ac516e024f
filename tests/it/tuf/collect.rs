//! The result of collecting from a repository.

use serde_json::Value;

use super::{FROM, chain_file, chain_files, collected, keeper::Keeper, scene, trusted_root};

#[test]
fn keys_come_from_the_targets_and_the_chain_is_kept_verbatim() {
    let (test, keeper) = collected();
    let inventory = test.json("keys/keypack.json");
    let keys = inventory["keys"].as_array().unwrap();
    assert!(keys.len() >= 4, "{inventory:#}");
    for key in keys {
        assert_eq!(key["provenance"][0]["grade"], "tuf");
        assert_eq!(key["provenance"][0]["source"], "repo/targets/trusted_root.json");
        assert!(key["provenance"][0]["date"].is_string(), "the targets say when they were signed");
    }
    let file = chain_file(&test, "keys");
    assert_eq!(inventory["tuf"][0]["file"], file.as_str());
    assert_eq!(inventory["tuf"][0]["repository"], "repo");
    assert!(inventory["files"].as_array().unwrap().iter().any(|f| f["name"] == file.as_str()));
    let mut expected = keeper.files.clone();
    expected.remove("root.json");
    assert_eq!(chain_files(&test, "keys"), expected);
    // README.txt says what it is, and sha256sum lists its digest.
    assert!(String::from_utf8(test.read("keys/README.txt")).unwrap().contains(&file));
    assert!(String::from_utf8(test.read("keys/SHA256SUMS")).unwrap().contains(&file));
}

#[test]
fn both_layouts_of_metadata_and_both_kinds_of_names_are_read() {
    for consistent in [true, false] {
        let test = scene();
        let mut keeper = Keeper::new(&trusted_root());
        keeper.files.clear();
        keeper.consistent = consistent;
        keeper.sign_root(&[]);
        keeper.publish();
        keeper.write(&test, "repo");
        // As a copy is kept: with the metadata in its own folder.
        for (path, bytes) in &keeper.files {
            let folder = if path.starts_with("targets/") { "" } else { "metadata/" };
            test.write(&format!("kept/{folder}{path}"), bytes);
        }
        test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
        test.run("collect oci:m --tuf kept --tuf-root repo.root.json -o two").exits(0);
        assert_eq!(chain_files(&test, "keys"), chain_files(&test, "two"));
        test.run("inspect keys").exits(0).says("root 1, timestamp 1, snapshot 1, targets 1, signed after ");
        test.push("keys", "oci:p:k");
        test.run("pull oci:p:k --tuf-root repo.root.json -o out").exits(0);
    }
}

#[test]
fn the_tar_is_a_repository_again() {
    let (test, _) = collected();
    for (path, bytes) in chain_files(&test, "keys") {
        test.write(&format!("again/{path}"), bytes);
    }
    test.run("collect oci:m --tuf again --tuf-root repo.root.json -o two").exits(0);
    assert_eq!(chain_files(&test, "keys"), chain_files(&test, "two"));
}

#[test]
fn a_renewed_timestamp_alone_is_no_new_version() {
    let (test, mut keeper) = collected();
    let before = test.tree("keys");
    keeper.renew_timestamp();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    assert!(test.tree("keys") == before, "a new version");
    // New targets are, even with the same keys.
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    assert!(test.tree("keys") != before, "no new version");
    let diff = |line: &str| test.run(line).exits(0);
    test.push("keys", "oci:p:k");
    diff("diff keys oci:p:k").says("no key, rule or revocation differs");
    diff("inspect keys").says("root 1, timestamp 3, snapshot 2, targets 2, signed after ");
    let json = test.run("inspect keys --format json").exits(0).json();
    assert_eq!(json["tuf"][chain_file(&test, "keys")]["versions"]["timestamp"], 3);
    for (name, bytes) in before {
        test.write(&format!("before/{name}"), bytes);
    }
    diff("diff before keys").says(": root 1, timestamp 1, snapshot 1, targets 1, ");
    let changed = diff("diff before keys --format json").json();
    assert_eq!(changed["tuf"][0]["new"]["versions"]["targets"], 2);
}

#[test]
fn a_chain_stays_while_a_key_follows_from_it() {
    let (test, _) = collected();
    let file = chain_file(&test, "keys");
    test.layout("key-bundle-rekor2-oras", "n");
    test.run("collect oci:n --trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub -o keys")
        .exits(0);
    assert_eq!(chain_file(&test, "keys"), file, "keys that stay follow from it");
    test.run("collect oci:m --trusted-root lab/trust/trusted_root.json -o keys").exits(0);
    assert_eq!(test.json("keys/keypack.json").get("tuf"), None, "now a file says all of them");
    assert!(!test.has(&format!("keys/{file}")));
    // A file from the repository's copy that is given as a file authenticates nothing.
    test.run(&format!("collect oci:m {FROM} -o two")).exits(0);
    let target = test.names("repo/targets").remove(0);
    test.run(&format!("collect oci:m --trusted-root repo/targets/{target} -o two")).exits(0);
    assert_eq!(test.json("two/keypack.json").get("tuf"), None);
}

#[test]
fn roots_before_the_given_one_are_kept_for_older_enclaves() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    for role in ["timestamp", "root", "none"] {
        keeper.rotate(role);
    }
    keeper.write(&test, "repo");
    test.write("third.json", &keeper.files["3.root.json"]);
    test.run("collect oci:m --tuf repo --tuf-root third.json -o keys").exits(0);
    let kept: Vec<_> = chain_files(&test, "keys")
        .into_keys()
        .filter(|path| !path.contains('/') && path.ends_with("root.json"))
        .collect();
    assert_eq!(kept, ["1.root.json", "2.root.json", "3.root.json", "4.root.json"]);
    test.push("keys", "oci:p:k");
    for version in 1..=4 {
        test.write("given.json", &keeper.files[&format!("{version}.root.json")]);
        test.run(&format!("pull oci:p:k --tuf-root given.json -o out{version}")).exits(0);
    }
}

#[test]
fn several_repositories_find_their_roots() {
    let test = scene();
    test.layout("key-tag-rekor1-oras", "n");
    let (one, mut two) = (Keeper::new(&trusted_root()), Keeper::new(&trusted_root()));
    two.listed.clear();
    two.files.clear();
    two.list("rekor.pub", &test.read("lab/trust/rekor.pub"), Some("Rekor"));
    two.sign_root(&[]);
    two.publish();
    one.write(&test, "one");
    two.write(&test, "two");
    for roots in [
        "--tuf-root one.root.json --tuf-root two.root.json",
        "--tuf-root two.root.json --tuf-root one.root.json",
    ] {
        let ran =
            test.run(&format!("discover oci:m oci:n --tuf one --tuf two {roots} --key lab/trust/cosign.pub"));
        ran.exits(0).tells("verified the TUF repository one").tells("verified the TUF repository two");
    }
    Keeper::new(&trusted_root()).write(&test, "third");
    let roots = "--tuf-root third.root.json --tuf-root two.root.json";
    test.run(&format!("discover oci:m --tuf one {roots}")).fails(3, "tuf-root-unknown");
    let ran = test.run(&format!("discover oci:m --tuf one --tuf-root one.root.json {roots}")).exits(0);
    assert!(!ran.err.contains("the root one.root.json"), "{}", ran.err);
    ran.tells("no repository starts with the root third.root.json");
    test.run("discover oci:m --tuf one").fails(3, "tuf-root-unknown");
    test.run("discover oci:m --tuf-root one.root.json").exits(2);
    test.run("discover oci:m --tuf lab").fails(1, "tuf-not-found");
    test.run("discover oci:m --tuf nowhere").fails(1, "tuf-not-found");
    test.run("discover oci:m --tuf file:///x").fails(2, "usage");
}

#[test]
fn a_key_that_stays_is_described_as_its_repository_does_now() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    // The CA is out of use by now, and the new images no longer need it.
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    root["certificateAuthorities"][0]["validFor"]["end"] = "2099-01-01T00:00:00Z".into();
    root["certificateAuthorities"][0]["uri"] = "https://fulcio.moved.test".into();
    keeper.listed[0].bytes = serde_json::to_vec(&root).unwrap();
    keeper.renew();
    keeper.write(&test, "repo");
    test.layout("key-bundle-rekor2-oras", "n");
    test.run(&format!("collect oci:n --key lab/trust/cosign.pub {FROM} -o keys")).exits(0);
    let inventory = test.json("keys/keypack.json");
    let fulcio = inventory["keys"].as_array().unwrap().iter().find(|k| k["role"] == "fulcio").unwrap();
    assert!(fulcio["kept"].is_string());
    assert_eq!(fulcio["validity"]["end"], "2099-01-01T00:00:00Z");
    assert_eq!(fulcio["url"], "https://fulcio.moved.test");
    test.push("keys", "oci:p:k");
    let signer = inventory["keys"].as_array().unwrap().iter().find(|k| k["role"] == "signer").unwrap();
    let pin = format!("--pin signer:{}", signer["id"].as_str().unwrap());
    test.run(&format!("pull oci:p:k --tuf-root repo.root.json {pin} -o out")).exits(0);
}

#[test]
fn a_setting_names_repositories_and_roots() {
    let test = scene();
    Keeper::new(&trusted_root()).write(&test, "etc/repo");
    test.write(
        "etc/keypack.yaml",
        "sources:\n  tuf:\n    - repository: repo\n      root: repo.root.json\ntufRoots: [repo.root.json]\n",
    );
    let with = |line: &str| test.run(&format!("{line} --config etc/keypack.yaml"));
    with("collect oci:m -o keys").exits(0).tells("verified the TUF repository etc/repo");
    with("push keys oci:p:k").exits(0);
    with("pull oci:p:k -o out").exits(0).tells("authenticated by the TUF repository");
    // Roots on the command line replace the file's.
    with("pull oci:p:k -o two --tuf-root builtin").fails(3, "tuf-signatures");
}

#[test]
fn an_older_root_that_leads_nowhere_is_not_kept() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.rotate("none");
    keeper.rotate("none");
    let other = Keeper::new(&trusted_root());
    keeper.files.insert("1.root.json".into(), other.first_root().to_vec());
    keeper.write(&test, "repo");
    test.write("third.json", &keeper.files["3.root.json"]);
    test.run("collect oci:m --tuf repo --tuf-root third.json -o keys").exits(0);
    let kept = chain_files(&test, "keys");
    assert!(kept.contains_key("2.root.json") && !kept.contains_key("1.root.json"), "{:?}", kept.keys());
}
