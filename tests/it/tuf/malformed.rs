//! Malformed repositories, at collection; and the same faults in the chain of a pack.

use super::{
    FROM, collected,
    keeper::{Files, Keeper, Target, key, sign},
    program::Test,
    replace_chain, scene, trusted_root,
};

/// Refused from a repository and from a pack, with the same code.
#[track_caller]
fn refused(test: &Test, keeper: &Keeper, code: &str, tells: &str) {
    let first = keeper.first_root().to_vec();
    refused_files(test, &keeper.files, &first, code, tells);
}

#[track_caller]
fn refused_files(test: &Test, files: &Files, root: &[u8], code: &str, tells: &str) {
    if test.has("bad") {
        std::fs::remove_dir_all(test.path("bad")).unwrap();
    }
    for (path, bytes) in files {
        test.write(&format!("bad/{path}"), bytes);
    }
    test.write("bad.root.json", root);
    test.run("collect oci:m --tuf bad --tuf-root bad.root.json -o no").fails(3, code).tells(tells);
    assert!(!test.has("no"));
    let mut files = files.clone();
    files.remove("root.json");
    replace_chain(test, &files);
    test.run("pull oci:f:k --tuf-root bad.root.json -o no").fails(3, code).tells(tells);
    assert!(!test.has("no"));
}

fn pair() -> (Test, Keeper) {
    let (test, _) = collected();
    (test, Keeper::new(&trusted_root()))
}

#[test]
fn the_wrong_root() {
    let (test, keeper) = pair();
    let other = Keeper::new(&trusted_root());
    let says = "its timestamp has 0 of the 1 signatures";
    refused_files(&test, &keeper.files, other.first_root(), "tuf-signatures", says);
}

#[test]
fn fewer_signatures_than_asked_for() {
    let (test, mut keeper) = pair();
    let left = keeper.targets.keys.pop();
    keeper.publish();
    refused(&test, &keeper, "tuf-signatures", "its targets has 1 of the 2 signatures");
    keeper.targets.keys.push(key());
    keeper.publish();
    refused(&test, &keeper, "tuf-signatures", "its targets has 1 of the 2 signatures");
    // The same key twice does not make a second signature.
    keeper.targets.keys.pop();
    let twice = keeper.path_of("targets.json");
    let mut json: serde_json::Value = serde_json::from_slice(&keeper.files[&twice]).unwrap();
    let first = json["signatures"][0].clone();
    json["signatures"] = serde_json::json!([first, first]);
    keeper.files.insert(twice, json.to_string().into_bytes());
    refused(&test, &keeper, "tuf-malformed", "duplicate signature");
    drop(left);
}

#[test]
fn a_rotation_that_is_skipped() {
    let (test, mut keeper) = pair();
    keeper.rotate("timestamp");
    keeper.rotate("none");
    keeper.files.remove("2.root.json");
    refused(&test, &keeper, "tuf-signatures", "asks for");
}

#[test]
fn a_longer_chain_with_one_bad_root() {
    let (test, mut keeper) = pair();
    for _ in 0..3 {
        keeper.rotate("none");
    }
    // Version 3 is signed only by its own keys.
    let third: serde_json::Value = serde_json::from_slice(&keeper.files["3.root.json"]).unwrap();
    let thief: Vec<_> = (0..3).map(|_| key()).collect();
    keeper.files.insert("3.root.json".into(), sign(&third["signed"], &thief));
    refused(
        &test,
        &keeper,
        "tuf-signatures",
        "its root version 3 has 0 of the 2 signatures that the root version 2",
    );
    // Version 3 is version 2 again.
    let second = keeper.files["2.root.json"].clone();
    keeper.files.insert("3.root.json".into(), second);
    refused(&test, &keeper, "tuf-root-version", "should have version 3 has version 2");
}

#[test]
fn a_thief_of_the_root_keys_of_yesterday() {
    let (test, mut keeper) = pair();
    let mut thief = Keeper::new(&trusted_root());
    keeper.rotate("root");
    // The next root is signed by new keys that the current root does not list.
    thief.root.version = 3;
    thief.sign_root(&[]);
    keeper.files.insert("3.root.json".into(), thief.files["3.root.json"].clone());
    refused(&test, &keeper, "tuf-signatures", "its root version 3 has 0 of the 2");
}

#[test]
fn expired_metadata_of_each_role_at_collection() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let test = scene();
        let mut keeper = Keeper::new(&trusted_root());
        match role {
            "root" => keeper.root.days = -1,
            "timestamp" => keeper.timestamp.days = -1,
            "snapshot" => keeper.snapshot.days = -1,
            _ => keeper.targets.days = -1,
        }
        keeper.sign_root(&[]);
        keeper.publish();
        keeper.write(&test, "repo");
        test.run(&format!("collect oci:m {FROM} -o no"))
            .fails(3, "tuf-expired")
            .tells(&format!("its {role} expired at"));
        // A creation date from the user does not turn the clock back.
        test.run(&format!("collect oci:m {FROM} --created 2026-01-01T00:00:00Z -o no"))
            .fails(3, "tuf-expired");
    }
}

#[test]
fn a_root_in_between_may_have_expired() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.root.days = -1;
    keeper.sign_root(&[]);
    keeper.rotate("root");
    keeper.root.days = 10;
    keeper.rotate("none");
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
}

#[test]
fn a_tampered_target() {
    let (test, mut keeper) = pair();
    let path = keeper.path_of("trusted_root.json");
    let target = keeper.files.get_mut(&path).unwrap();
    let at = target.len() / 2;
    target[at] ^= 1;
    refused(&test, &keeper, "tuf-mismatch", "sha256 mismatch");
    keeper.files.get_mut(&path).unwrap().pop();
    refused(&test, &keeper, "tuf-mismatch", "length");
}

#[test]
fn a_file_that_is_missing() {
    for (end, tells) in [
        ("snapshot.json", "1.snapshot.json is missing"),
        ("1.targets.json", "1.targets.json is missing"),
        ("trusted_root.json", "trusted_root.json is missing"),
    ] {
        let (test, mut keeper) = pair();
        let path = keeper.path_of(end);
        keeper.files.remove(&path);
        refused(&test, &keeper, "tuf-file-missing", tells);
    }
    let (test, mut keeper) = pair();
    keeper.files.remove("timestamp.json");
    replace_chain(&test, &keeper.files);
    test.write("bad.root.json", keeper.first_root());
    test.run("pull oci:f:k --tuf-root bad.root.json -o no").fails(3, "tuf-file-missing");
    keeper.write(&test, "bad");
    test.run("collect oci:m --tuf bad --tuf-root bad.root.json -o no").fails(1, "tuf-not-found");
}

#[test]
fn files_of_two_states_mixed() {
    let (test, mut keeper) = pair();
    keeper.consistent = false;
    keeper.files.clear();
    keeper.sign_root(&[]);
    keeper.publish();
    let old = keeper.files.clone();
    keeper.renew();
    for file in ["snapshot.json", "targets.json", "timestamp.json"] {
        let mut mixed = keeper.files.clone();
        mixed.insert(file.into(), old[file].clone());
        refused_files(&test, &mixed, keeper.first_root(), "tuf-mismatch", "do not fit together");
    }
}

#[test]
fn a_version_that_its_name_does_not_say() {
    let (test, mut keeper) = pair();
    let old = keeper.files["1.targets.json"].clone();
    keeper.renew();
    keeper.files.insert("2.targets.json".into(), old);
    refused(&test, &keeper, "tuf-mismatch", "version 1 does not match");
}

#[test]
fn metadata_that_are_none() {
    for bytes in [&b"<html>please log in</html>"[..], b"", b"{}", b"[[[[", &[b'['; 10_000]] {
        let (test, mut keeper) = pair();
        keeper.files.insert("timestamp.json".into(), bytes.to_vec());
        refused(&test, &keeper, "tuf-malformed", "malformed");
    }
    // One role's metadata in place of another's, correctly signed.
    let (test, mut keeper) = pair();
    let snapshot = keeper.files["1.snapshot.json"].clone();
    keeper.files.insert("timestamp.json".into(), snapshot);
    refused(&test, &keeper, "tuf-malformed", "expected _type");
}

#[test]
fn gigantic_metadata() {
    let (test, mut keeper) = pair();
    let spaces = |n: usize| vec![b' '; n];
    keeper.files.insert("timestamp.json".into(), spaces(20_000));
    test.write("bad.root.json", keeper.first_root());
    keeper.write(&test, "bad");
    let collect = "collect oci:m --tuf bad --tuf-root bad.root.json -o no";
    test.run(collect).fails(3, "too-large");
    replace_chain(&test, &keeper.files);
    test.run("pull oci:f:k --tuf-root bad.root.json -o no").fails(3, "tuf-too-large");
    keeper.publish();
    keeper.files.insert("2.root.json".into(), spaces(600_000));
    keeper.write(&test, "bad");
    test.run(collect).fails(3, "too-large");
    // A target that claims to be larger than any key.
    let (test, mut keeper) = pair();
    keeper.listed =
        vec![Target { path: "trusted_root.json".into(), bytes: spaces(4 << 20 | 1), custom: None }];
    keeper.publish();
    keeper.write(&test, "bad");
    test.run(collect).fails(3, "tuf-too-large");
}

#[test]
fn hundreds_of_roots() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    for _ in 0..260 {
        keeper.root.version += 1;
        keeper.sign_root(&[]);
    }
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o no")).fails(3, "tuf-too-large").tells("more than 256 roots");
}

#[test]
fn a_target_that_leaves_the_repository() {
    for path in ["../../rekor.pub", "/etc/rekor.pub", "a//rekor.pub", ".rekor.pub", "rekor\u{1b}[2J.pub"] {
        let test = scene();
        let mut keeper = Keeper::new(&trusted_root());
        let rekor = test.read("lab/trust/rekor.pub");
        keeper.listed.clear();
        keeper.publish();
        keeper.list(path, &rekor, Some("Rekor"));
        // Nothing is written outside the repository: only the metadata says where it would be.
        keeper.publish();
        keeper.files.retain(|path, _| !path.contains(".pub"));
        keeper.write(&test, "repo");
        let ran = test.run(&format!("collect oci:m {FROM} -o no"));
        // Names are made of a hash and the last part: a hidden name leaves nothing.
        let code = if path == ".rekor.pub" { "tuf-file-missing" } else { "tuf-name-unsafe" };
        let ran = ran.fails(3, code);
        assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
    }
}

#[test]
fn delegations_hand_over_to_their_own_keys() {
    let lists = |paths: &[&str]| {
        let mut keeper = Keeper::new(&trusted_root());
        let listed = std::mem::take(&mut keeper.listed);
        let role = super::keeper::Role { keys: vec![key()], threshold: 1, version: 1, days: 50 };
        let paths = paths.iter().map(|p| (*p).to_owned()).collect();
        keeper.files.clear();
        keeper.delegated = Some(("keys/of sigstore".into(), role, paths, listed));
        keeper.sign_root(&[]);
        keeper.publish();
        let file = keeper.files.remove("1.keys/of sigstore.json").unwrap();
        keeper.files.insert("1.keys%2Fof%20sigstore.json".into(), file);
        keeper
    };
    let test = scene();
    let keeper = lists(&["*.json"]);
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0).tells("keys/of sigstore 1");
    test.push("keys", "oci:p:k");
    test.run("pull oci:p:k --tuf-root repo.root.json -o out").exits(0);
    // One that is not for this path lists nothing.
    refused(&test, &lists(&["other/*"]), "tuf-no-keys", "hold no key");
    // One that is signed by someone else, even by the targets role's own keys.
    let mut keeper = lists(&["*.json"]);
    let path = "1.keys%2Fof%20sigstore.json";
    let json: serde_json::Value = serde_json::from_slice(&keeper.files[path]).unwrap();
    keeper.files.insert(path.into(), sign(&json["signed"], &keeper.targets.keys));
    refused(&test, &keeper, "tuf-signatures", "its keys/of sigstore has 0 of the 1 signatures");
    // One that does not exist.
    keeper.files.remove(path);
    refused(&test, &keeper, "tuf-file-missing", "is missing");
}

#[test]
fn a_private_key_among_the_targets() {
    let pem = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    let (test, mut keeper) = pair();
    keeper.listed.clear();
    keeper.list("rekor.pub", pem.as_bytes(), Some("Rekor"));
    keeper.publish();
    keeper.write(&test, "bad");
    test.run("collect oci:m --tuf bad --tuf-root bad.root.json -o no")
        .fails(3, "tuf-no-keys")
        .tells("private key");
}
