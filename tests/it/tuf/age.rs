//! How old the evidence is, and what this host has seen before.

use super::{FROM, collected, keeper::Keeper, replace_chain, scene, trusted_root};

const ROOT: &str = "--tuf-root repo.root.json";

/// A chain from some days ago in a pack made today.
fn aged(days: i64, change: impl FnOnce(&mut Keeper)) -> super::program::Test {
    let (test, _) = collected();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.files.clear();
    keeper.on_day(-days);
    change(&mut keeper);
    keeper.sign_root(&[]);
    keeper.publish();
    keeper.write(&test, "repo");
    keeper.files.remove("root.json");
    replace_chain(&test, &keeper.files);
    test
}

#[test]
fn expired_evidence_is_taken_while_it_is_young() {
    let test = aged(20, |_| {});
    test.run(&format!("collect oci:m {FROM} -o two")).fails(3, "tuf-expired");
    test.run(&format!("pull oci:f:k {ROOT} --max-age 180days -o out")).exits(0);
    let test = aged(100, |_| {});
    let pull = format!("pull oci:f:k {ROOT}");
    test.run(&format!("{pull} --max-age 180days -o out")).exits(0).tells("is 100 days old");
    test.run(&format!("{pull} --max-age 99days -o two")).fails(3, "pack-too-old").tells("100 days ago");
    test.run(&format!("{pull} --max-age 99days --allow-stale-unsafe --reason holidays -o two --state s"))
        .exits(0);
    let accepted = &test.json("s/default.json")["acceptances"];
    assert_eq!(
        (&accepted[0]["flag"], &accepted[0]["reason"]),
        (&"--allow-stale-unsafe".into(), &"holidays".into())
    );
}

#[test]
fn evidence_that_was_frozen_while_it_is_good() {
    // Signed 200 days ago for a year: TUF itself would still accept it today.
    let frozen = |keeper: &mut Keeper| {
        for role in [&mut keeper.timestamp, &mut keeper.snapshot, &mut keeper.targets, &mut keeper.root] {
            role.days = 365;
        }
    };
    let test = aged(200, frozen);
    test.run(&format!("collect oci:m {FROM} -o two")).exits(0);
    test.run(&format!("pull oci:f:k {ROOT} --max-age 180days -o out")).fails(3, "pack-too-old");
    // RHTAS does not say how long a timestamp is valid: only its expiry is known.
    let test = aged(200, |keeper| {
        frozen(keeper);
        keeper.periods = false;
    });
    test.run(&format!("pull oci:f:k {ROOT} --max-age 180days -o out")).exits(0).tells("it is not known when");
    // If another anchor authenticates the day on which the pack was made, that day counts.
    let digest = test.push("forged", "oci:g:k").pack_digest.to_string();
    let ran = test.run(&format!("pull oci:g:k {ROOT} --digest {digest} --max-age 180days -o two")).exits(0);
    assert!(!ran.err.contains("it is not known when"), "{}", ran.err);
    let test = aged(400, |keeper| {
        frozen(keeper);
        keeper.periods = false;
    });
    test.run(&format!("pull oci:f:k {ROOT} --max-age 30days -o out"))
        .fails(3, "pack-too-old")
        .tells("35 days ago");
}

#[test]
fn evidence_from_the_future() {
    let test = aged(-3, |_| {});
    test.run(&format!("pull oci:f:k {ROOT} -o out")).fails(3, "clock-behind");
}

#[test]
fn a_chain_that_had_ended_when_the_pack_was_made_is_as_old_as_its_end() {
    let test = aged(300, |_| {});
    let digest = test.push("forged", "oci:g:k").pack_digest.to_string();
    let pull = format!("pull oci:g:k {ROOT} --digest {digest} -o out");
    test.run(&format!("{pull} --max-age 180days")).fails(3, "pack-too-old");
    let test = aged(0, |_| {});
    let digest = test.push("forged", "oci:g:k").pack_digest.to_string();
    test.run(&format!("pull oci:g:k {ROOT} --digest {digest} -o out --max-age 180days")).exits(0);
}

/// The keyholder's repository with one role's version increased, and the previous one.
fn rolled_back(role: &str) -> (super::program::Test, Keeper, super::keeper::Files) {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    let before = keeper.files.clone();
    match role {
        "timestamp" => keeper.timestamp.version += 1,
        "snapshot" => keeper.snapshot.version += 1,
        _ => keeper.targets.version += 1,
    }
    keeper.publish();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    (test, keeper, before)
}

#[test]
fn a_rolled_back_timestamp_snapshot_or_targets_at_collection() {
    for role in ["timestamp", "snapshot", "targets"] {
        let (test, mut keeper, before) = rolled_back(role);
        let keys = test.tree("keys");
        keeper.files = before;
        keeper.write(&test, "repo");
        let again = format!("collect oci:m {FROM} -o keys");
        test.run(&again).fails(3, "tuf-rollback").tells(&format!("the {role} of repo has version 1"));
        assert!(test.tree("keys") == keys, "the directory changed");
        // A rolled-back role under newer versions of the others.
        let mut keeper = Keeper { files: keeper.files.clone(), ..keeper };
        for (name, own) in [
            ("timestamp", &mut keeper.timestamp),
            ("snapshot", &mut keeper.snapshot),
            ("targets", &mut keeper.targets),
        ] {
            own.version = if name == role { 1 } else { 9 };
        }
        keeper.publish();
        keeper.write(&test, "repo");
        test.run(&again).fails(3, "tuf-rollback").tells(&format!("the {role} of repo has version 1"));
    }
}

#[test]
fn a_rolled_back_chain_at_pull() {
    for role in ["timestamp", "snapshot", "targets"] {
        let (test, _, mut before) = rolled_back(role);
        before.remove("root.json");
        let enclave = |line: &str| test.run(&format!("{line} --state enclave"));
        test.push("keys", "oci:p:k");
        enclave(&format!("pull oci:p:k {ROOT} -o out")).exits(0);
        let out = test.tree("out");
        replace_chain(&test, &before);
        let pull = format!("pull oci:f:k {ROOT} -o out");
        enclave(&pull).fails(3, "tuf-rollback").tells(&format!("the {role} of tuf-"));
        assert!(test.tree("out") == out, "the directory changed");
        enclave(&format!("{pull} --allow-rollback-unsafe --reason restored")).exits(0);
        enclave(&pull).exits(0);
        enclave(&format!("pull oci:p:k {ROOT} -o out")).exits(0);
        enclave(&pull).fails(3, "tuf-rollback");
    }
}

#[test]
fn versions_are_remembered_under_every_root_of_the_chain() {
    let (test, mut keeper) = collected();
    let mut old = keeper.files.clone();
    old.remove("root.json");
    keeper.rotate("root");
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    test.push("keys", "oci:p:k");
    test.write("second.json", &keeper.files["2.root.json"]);
    test.run("pull oci:p:k --tuf-root second.json -o out --state enclave").exits(0);
    // The older state, from the older root: this host has already seen its root and its versions.
    replace_chain(&test, &old);
    test.run("pull oci:f:k --tuf-root second.json -o out --state enclave").fails(3, "tuf-rollback");
    test.run(&format!("pull oci:p:k {ROOT} -o two --state enclave")).exits(0);
    test.run(&format!("pull oci:f:k {ROOT} -o out --state enclave")).fails(3, "tuf-rollback");
}

#[test]
fn versions_are_remembered_under_the_roots_behind_the_given_one() {
    let (test, mut keeper) = collected();
    keeper.rotate("none");
    let mut old = keeper.files.clone();
    old.remove("root.json");
    test.write("second.json", &keeper.files["2.root.json"]);
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    test.push("keys", "oci:p:k");
    test.run(&format!("pull oci:p:k {ROOT} -o out --state enclave")).exits(0);
    // The officer gives the second root from now on: what was seen from the first one still counts.
    old.remove("1.root.json");
    replace_chain(&test, &old);
    test.run("pull oci:f:k --tuf-root second.json -o out --state enclave").fails(3, "tuf-rollback");
}

#[test]
fn a_rolled_back_delegated_role() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    let listed = std::mem::take(&mut keeper.listed);
    let role = super::keeper::Role { keys: vec![super::keeper::key()], threshold: 1, version: 5, days: 50 };
    keeper.delegated = Some(("d".into(), role, vec!["*.json".into()], listed));
    keeper.renew();
    keeper.write(&test, "repo");
    let collect = format!("collect oci:m {FROM} -o keys");
    test.run(&collect).exits(0).tells("d 5");
    keeper.delegated.as_mut().unwrap().1.version = 4;
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&collect).fails(3, "tuf-rollback").tells("the d of repo has version 4");
}

#[test]
fn a_keeper_with_new_keys_may_count_anew() {
    // Someone used the stolen timestamp key to sign a version near the maximum.
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.timestamp.version = u64::MAX / 4;
    keeper.publish();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    keeper.timestamp.version = 2;
    keeper.publish();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).fails(3, "tuf-rollback");
    keeper.rotate("timestamp");
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
}

#[test]
fn a_keeper_who_asks_for_more_signatures_may_count_anew() {
    // One of two keys was stolen, and one was enough; from now on both must sign.
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.timestamp.keys.push(super::keeper::key());
    keeper.timestamp.version = u64::MAX / 4;
    keeper.sign_root(&[]);
    keeper.publish();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    (keeper.timestamp.version, keeper.timestamp.threshold, keeper.root.version) = (2, 2, 2);
    keeper.sign_root(&[]);
    keeper.publish();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    // Under the new root it is remembered like any other.
    keeper.timestamp.version = 1;
    keeper.publish();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).fails(3, "tuf-rollback");
}
