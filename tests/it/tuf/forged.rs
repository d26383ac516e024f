//! More forged repositories: keys, delegations, hashes and lengths that the keyholders themselves, or a thief of some
//! of their keys, could sign.

use serde_json::{Value, json};
use sigstore_crypto::KeyPair;

use super::{
    FROM, collected,
    keeper::{Files, Keeper, declared, key, sign},
    replace_chain, scene, trusted_root,
};

const ROOT: &str = "--tuf-root repo.root.json";

/// The change and the outcome.
type Lie = (fn(&mut Value), &'static str);

/// Changes the signed part of a file and signs it again with these keys.
fn resign(files: &mut Files, path: &str, keys: &[KeyPair], edit: impl FnOnce(&mut Value)) {
    let mut json: Value = serde_json::from_slice(&files[path]).unwrap();
    edit(&mut json["signed"]);
    files.insert(path.to_owned(), sign(&json["signed"], keys));
}

/// Collected, and pulled in a pack: both refuse it.
#[track_caller]
fn refused(keeper: &Keeper, code: &str, tells: &str) {
    let (test, _) = collected();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o no")).fails(3, code).tells(tells);
    let mut files = keeper.files.clone();
    files.remove("root.json");
    replace_chain(&test, &files);
    test.run(&format!("pull oci:f:k {ROOT} -o no")).fails(3, code).tells(tells);
    assert!(!test.has("no"));
}

fn keeper() -> Keeper {
    Keeper::new(&trusted_root())
}

/// Adds a delegated role; `edit` decides what it lists and delegates. It uses the targets role's key.
fn delegate(keeper: &mut Keeper, from: &str, name: &str, paths: &[&str], edit: impl FnOnce(&mut Value)) {
    let (id, value) = declared(&keeper.targets.keys[0]);
    let role = json!({ "name": name, "keyids": [id], "threshold": 1, "terminating": false, "paths": paths });
    let path = format!("1.{from}.json");
    let keys = std::mem::take(&mut keeper.targets.keys);
    resign(&mut keeper.files, &path, &keys, |signed| {
        signed["delegations"]["keys"][&id] = value;
        let roles = &mut signed["delegations"]["roles"];
        if roles.is_null() {
            *roles = json!([]);
        }
        roles.as_array_mut().unwrap().push(role);
    });
    let file = format!("1.{name}.json");
    if !keeper.files.contains_key(&file) {
        let empty = json!({
            "_type": "targets", "spec_version": "1.0.31", "version": 1, "expires": "2090-01-01T00:00:00Z", "targets": {},
        });
        keeper.files.insert(file.clone(), sign(&empty, &keys));
    }
    resign(&mut keeper.files, &file, &keys, edit);
    keeper.targets.keys = keys;
    resign(&mut keeper.files, "1.snapshot.json", &keeper.snapshot.keys, |signed| {
        signed["meta"][format!("{name}.json")] = json!({ "version": 1 });
    });
    keeper.renew_timestamp();
}

/// A repository that lists nothing itself, and what it listed before.
fn bare() -> (Keeper, Value) {
    let mut keeper = keeper();
    let mut listed = Value::Null;
    let keys = std::mem::take(&mut keeper.targets.keys);
    resign(&mut keeper.files, "1.targets.json", &keys, |signed| {
        listed = std::mem::replace(&mut signed["targets"], json!({}));
    });
    keeper.targets.keys = keys;
    (keeper, listed)
}

#[test]
fn a_root_that_one_of_three_signed() {
    let mut keeper = keeper();
    let thief: Vec<_> = (0..3).map(|_| key()).collect();
    // One stolen key of three, with a threshold of two, and the thief's own key for the root that they want.
    let stolen = keeper.root.keys.remove(0);
    keeper.root.version = 2;
    keeper.sign_root(&[]);
    let mut second: Value = serde_json::from_slice(&keeper.files["2.root.json"]).unwrap();
    let ids: Vec<_> = thief.iter().map(|key| declared(key).0).collect();
    second["signed"]["keys"].as_object_mut().unwrap().extend(thief.iter().map(declared));
    second["signed"]["roles"]["root"] = json!({ "keyids": ids, "threshold": 2 });
    let bytes = sign(&second["signed"], thief.iter().chain([&stolen]));
    keeper.files.insert("2.root.json".into(), bytes);
    keeper.files.remove("root.json");
    refused(
        &keeper,
        "tuf-signatures",
        "its root version 2 has 1 of the 2 signatures that the root version 1",
    );
}

#[test]
fn a_root_that_its_own_keys_did_not_sign() {
    let mut keeper = keeper();
    keeper.root.version = 2;
    keeper.sign_root(&[]);
    let strangers: Vec<_> = (0..3).map(|_| key()).collect();
    resign(&mut keeper.files, "2.root.json", &keeper.root.keys, |signed| {
        let ids: Vec<_> = strangers.iter().map(|key| declared(key).0).collect();
        signed["keys"].as_object_mut().unwrap().extend(strangers.iter().map(declared));
        signed["roles"]["root"] = json!({ "keyids": ids, "threshold": 2 });
    });
    refused(&keeper, "tuf-signatures", "its root version 2 has 0 of the 2");
}

#[test]
fn one_key_under_two_ids() {
    // In the given root, in a later one, and in a delegation: with a duplicate key, a threshold of two needs only one
    // keyholder.
    let twice = |signed: &mut Value, role: &str| {
        let id = signed["roles"][role]["keyids"][0].as_str().unwrap().to_owned();
        signed["keys"]["again"] = signed["keys"][&id].clone();
        signed["roles"][role] = json!({ "keyids": [id, "again"], "threshold": 2 });
    };
    let mut given = keeper();
    resign(&mut given.files, "1.root.json", &given.root.keys, |signed| twice(signed, "timestamp"));
    refused(&given, "tuf-key-twice", "timestamp");
    let mut follows = keeper();
    follows.root.version = 2;
    follows.sign_root(&[]);
    resign(&mut follows.files, "2.root.json", &follows.root.keys, |signed| {
        twice(signed, "snapshot");
        signed["roles"]["snapshot"]["threshold"] = 1.into();
    });
    refused(&follows, "tuf-key-twice", "snapshot");
    // The same bytes in another notation.
    let mut delegates = keeper();
    let keys = std::mem::take(&mut delegates.targets.keys);
    let (id, mut value) = declared(&keys[0]);
    resign(&mut delegates.files, "1.targets.json", &keys, |signed| {
        let role = json!({ "name": "d", "keyids": [id, "again"], "threshold": 2, "paths": ["x"] });
        signed["delegations"] = json!({ "keys": { &id: value.clone() }, "roles": [role] });
        value["keyval"]["public"] = format!("\n{}\n\n", value["keyval"]["public"].as_str().unwrap()).into();
        signed["delegations"]["keys"]["again"] = value;
    });
    delegates.targets.keys = keys;
    refused(&delegates, "tuf-key-twice", "its role d lists");
}

#[test]
fn a_threshold_of_none() {
    let mut keeper = keeper();
    keeper.root.version = 2;
    keeper.sign_root(&[]);
    resign(&mut keeper.files, "2.root.json", &keeper.root.keys, |signed| {
        signed["roles"]["timestamp"]["threshold"] = 0.into();
    });
    refused(&keeper, "tuf-malformed", "threshold 0");
}

#[test]
fn roles_that_delegate_in_a_circle() {
    let (mut keeper, listed) = bare();
    delegate(&mut keeper, "targets", "a", &["*"], |_| {});
    delegate(&mut keeper, "a", "b", &["*"], |_| {});
    delegate(&mut keeper, "b", "a", &["*"], |_| {});
    refused(&keeper, "tuf-no-keys", "hold no key");
    // The key behind the circle is still found.
    delegate(&mut keeper, "b", "c", &["*"], |signed| signed["targets"] = listed);
    let test = scene();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0).tells("a 1, b 1, c 1");
}

#[test]
fn more_delegations_than_anybody_walks() {
    let (mut keeper, listed) = bare();
    for n in 0..40 {
        delegate(&mut keeper, "targets", &format!("r{n}"), &["*"], |_| {});
    }
    delegate(&mut keeper, "targets", "last", &["*"], |signed| signed["targets"] = listed);
    refused(&keeper, "tuf-no-keys", "hold no key");
}

#[test]
fn a_delegation_that_takes_the_name_of_a_role() {
    for name in ["root", "timestamp", "snapshot", "targets"] {
        let (mut keeper, listed) = bare();
        let (id, value) = declared(&keeper.targets.keys[0]);
        let keys = std::mem::take(&mut keeper.targets.keys);
        resign(&mut keeper.files, "1.targets.json", &keys, |signed| {
            let role = json!({ "name": name, "keyids": [id], "threshold": 1, "paths": ["*"] });
            signed["delegations"] = json!({ "keys": { &id: value }, "roles": [role] });
        });
        // Where such a role would be, if another file were not there.
        let file = json!({ "_type": "targets", "spec_version": "1.0", "version": 1,
            "expires": "2090-01-01T00:00:00Z", "targets": listed });
        keeper.files.entry(format!("1.{name}.json")).or_insert_with(|| sign(&file, &keys));
        keeper.targets.keys = keys;
        refused(&keeper, "tuf-no-keys", "hold no key");
    }
}

#[test]
fn a_delegation_whose_name_leads_out_of_the_repository() {
    for name in ["../../x", "/etc/x", "..", "a\u{1b}[2Jb"] {
        let (mut keeper, _) = bare();
        let (id, value) = declared(&keeper.targets.keys[0]);
        let keys = std::mem::take(&mut keeper.targets.keys);
        resign(&mut keeper.files, "1.targets.json", &keys, |signed| {
            let role = json!({ "name": name, "keyids": [id], "threshold": 1, "paths": ["*"] });
            signed["delegations"] = json!({ "keys": { &id: value }, "roles": [role] });
        });
        keeper.targets.keys = keys;
        resign(&mut keeper.files, "1.snapshot.json", &keeper.snapshot.keys, |signed| {
            signed["meta"][format!("{name}.json")] = json!({ "version": 1 });
        });
        keeper.renew_timestamp();
        // It is requested under an escaped name, and that does not exist.
        refused(&keeper, "tuf-file-missing", "is missing");
    }
}

#[test]
fn a_delegation_of_a_pattern_that_is_none() {
    let (mut keeper, _) = bare();
    delegate(&mut keeper, "targets", "a", &["[z-\u{1b}[2J"], |_| {});
    let (test, _) = collected();
    keeper.write(&test, "repo");
    let ran = test.run(&format!("collect oci:m {FROM} -o no")).fails(3, "tuf-malformed");
    assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
}

#[test]
fn a_delegated_role_that_is_not_in_the_snapshot() {
    let (mut keeper, listed) = bare();
    delegate(&mut keeper, "targets", "a", &["*"], |signed| signed["targets"] = listed);
    resign(&mut keeper.files, "1.snapshot.json", &keeper.snapshot.keys, |signed| {
        signed["meta"].as_object_mut().unwrap().remove("a.json");
    });
    keeper.renew_timestamp();
    refused(&keeper, "tuf-no-keys", "hold no key");
}

#[test]
fn a_target_with_other_hashes_or_another_length() {
    let lies: [Lie; 5] = [
        (|t| t["length"] = 1.into(), "tuf-too-large"),
        (|t| t["length"] = (4_000_000).into(), "tuf-mismatch"),
        (|t| t["hashes"]["sha512"] = "00".repeat(64).into(), "tuf-mismatch"),
        (|t| t["hashes"] = json!({ "md5": "d41d8cd98f00b204e9800998ecf8427e" }), "tuf-file-missing"),
        (|t| t["hashes"] = json!({}), "tuf-mismatch"),
    ];
    for (lie, code) in lies {
        let mut keeper = keeper();
        let keys = std::mem::take(&mut keeper.targets.keys);
        resign(&mut keeper.files, "1.targets.json", &keys, |signed| {
            lie(&mut signed["targets"]["trusted_root.json"]);
        });
        keeper.targets.keys = keys;
        let (test, _) = collected();
        keeper.write(&test, "repo");
        // If the network or the disk returns more than was announced, the transport reports it.
        let code_there = if code == "tuf-too-large" { "too-large" } else { code };
        test.run(&format!("collect oci:m {FROM} -o no")).fails(3, code_there);
        let mut files = keeper.files.clone();
        files.remove("root.json");
        replace_chain(&test, &files);
        test.run(&format!("pull oci:f:k {ROOT} -o no")).fails(3, code);
    }
    // Unsupported hashes, with the file under such a name.
    let mut keeper = keeper();
    keeper.consistent = false;
    keeper.files.clear();
    keeper.sign_root(&[]);
    keeper.publish();
    let keys = std::mem::take(&mut keeper.targets.keys);
    resign(&mut keeper.files, "targets.json", &keys, |signed| {
        signed["targets"]["trusted_root.json"]["hashes"] =
            json!({ "md5": "d41d8cd98f00b204e9800998ecf8427e" });
    });
    keeper.targets.keys = keys;
    refused(&keeper, "tuf-mismatch", "no supported hash");
}

#[test]
fn pins_of_snapshot_and_targets_that_do_not_hold() {
    for field in ["length", "sha256"] {
        let mut keeper = keeper();
        let lie = if field == "length" { json!(3) } else { json!("00".repeat(32)) };
        resign(&mut keeper.files, "1.snapshot.json", &keeper.snapshot.keys, |signed| {
            signed["meta"]["targets.json"] = match field {
                "length" => json!({ "version": 1, "length": lie }),
                _ => json!({ "version": 1, "hashes": { "sha256": lie } }),
            };
        });
        keeper.renew_timestamp();
        refused(&keeper, "tuf-mismatch", "do not fit together");
        let mut keeper = self::keeper();
        resign(&mut keeper.files, "timestamp.json", &keeper.timestamp.keys, |signed| {
            let pin = &mut signed["meta"]["snapshot.json"];
            if field == "length" {
                pin["length"] = 3.into();
            } else {
                pin["hashes"]["sha256"] = lie;
            }
        });
        refused(&keeper, "tuf-mismatch", "do not fit together");
    }
}

#[test]
fn metadata_of_another_specification() {
    let mut keeper = keeper();
    resign(&mut keeper.files, "timestamp.json", &keeper.timestamp.keys, |signed| {
        signed["spec_version"] = "2.0.0".into();
    });
    refused(&keeper, "tuf-malformed", "spec_version");
}
