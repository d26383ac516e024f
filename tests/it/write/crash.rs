//! Killed at any moment, the target is the old directory or the new one; and left-overs are cleaned up.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, symlink},
    thread,
    time::Duration,
};

use keypack::fs::Change;

use super::helper::{NEW, OLD, Scene, any};

/// How often the writer is killed.
const KILLS: u32 = 240;

#[test]
fn killed_at_random_instants_it_leaves_old_or_new() {
    let scene = Scene::with(OLD);
    let helper = scene.helper("for-ever");
    let (mut old, mut new, mut littered) = (0, 0, 0);
    let mut wait = 1;
    for kill in 0..KILLS {
        let mut child = helper.command().spawn().unwrap();
        // Until it is working, then for a time that never repeats: a multiple of a prime, in microseconds.
        while child.try_wait().unwrap().is_none() && scene.beside().len() == 1 {
            thread::yield_now();
        }
        wait = wait * 7919 % 20011;
        // Where the disk is too slow for that, some are killed as soon as the new one is there.
        if kill % 10 == 0 {
            while scene.which().is_none_or(|found| found.names != NEW.names) {
                thread::yield_now();
            }
        } else {
            thread::sleep(Duration::from_micros(wait));
        }
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success(), "it was done before it was killed");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "it failed before it was killed");

        let found = scene.which();
        assert!(found.is_some(), "kill {kill}: {:?}", scene.beside());
        if found.unwrap().names == OLD.names {
            old += 1;
        } else {
            new += 1;
        }
        // Each killed run is cleaned up by the next, so left-overs never pile up: one wrapper, one lock file.
        let beside = scene.beside();
        assert!(beside.len() <= 3, "kill {kill}: {beside:?}");
        littered += u32::from(beside.len() > 1);
    }
    assert!(old > 0 && new > 0 && littered > 0, "{old} old, {new} new, {littered} with left-overs");
    scene.replace(OLD, &any).unwrap();
    scene.holds(OLD);
    println!(
        "killed {KILLS} times: {old} old, {new} new, {littered} with left-overs, none after the next run"
    );
}

#[test]
fn a_crowd_of_writers_leaves_one_whole_directory() {
    let scene = Scene::with(OLD);
    let crowd: Vec<_> = (0..6).map(|_| scene.helper("crowd").command().spawn().unwrap()).collect();
    for child in crowd {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let set = scene.which().expect("a whole directory");
    scene.holds(set);
}

#[test]
fn what_a_killed_run_left_is_removed_even_if_nothing_changes() {
    let scene = Scene::with(OLD);
    let left = scene.parent().join(".keys.keypack-0123456789abcdef");
    for inner in ["", "new", "marked"] {
        fs::DirBuilder::new().mode(0o700).create(&left).unwrap();
        if !inner.is_empty() {
            fs::write(left.join("KEYPACK-TEMPORARY"), "").unwrap();
        }
        if inner == "new" {
            fs::create_dir(left.join("new")).unwrap();
            fs::write(left.join("new/half.pub"), "half").unwrap();
        }
        let outcome = scene.replace(OLD, &any).unwrap();
        assert_eq!((outcome.change, outcome.left), (Change::Unchanged, vec![]), "{inner}");
        scene.holds(OLD);
    }
}

#[test]
fn what_only_looks_like_ours_is_left_alone() {
    let scene = Scene::with(OLD);
    let beside = |name: &str| scene.parent().join(name);
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("KEYPACK-TEMPORARY"), "").unwrap();
    // Our name without our marker, a link to a marked directory, a file, and names that are almost ours.
    fs::create_dir_all(beside(".keys.keypack-00000000000000aa/new")).unwrap();
    fs::write(beside(".keys.keypack-00000000000000aa/mine"), "mine").unwrap();
    symlink(elsewhere.path(), beside(".keys.keypack-00000000000000bb")).unwrap();
    fs::write(beside(".keys.keypack-00000000000000cc"), "mine").unwrap();
    fs::create_dir_all(beside(".keys.keypack-00000000000000dd/new")).unwrap();
    for name in [".keys.keypack-1", ".keys.keypack-00000000000000zz", ".keyz.keypack-00000000000000aa"] {
        fs::create_dir(beside(name)).unwrap();
        fs::write(beside(name).join("KEYPACK-TEMPORARY"), "").unwrap();
    }
    let before = scene.beside();
    let outcome = scene.replace(NEW, &any).unwrap();
    assert_eq!((scene.beside(), outcome.left), (before, vec![]));
    assert!(beside(".keys.keypack-00000000000000dd/new").exists());
    assert!(beside(".keys.keypack-00000000000000aa/mine").exists());
    assert!(elsewhere.path().join("KEYPACK-TEMPORARY").exists());
}

#[test]
fn a_marked_directory_that_holds_more_is_named_and_left() {
    let scene = Scene::with(OLD);
    let left = scene.parent().join(".keys.keypack-0123456789abcdef");
    fs::create_dir_all(left.join("new")).unwrap();
    fs::create_dir(left.join("kept")).unwrap();
    fs::write(left.join("KEYPACK-TEMPORARY"), "").unwrap();
    let outcome = scene.replace(NEW, &any).unwrap();
    assert!(outcome.warnings().any(|warning| warning.contains(left.to_str().unwrap())));
    assert_eq!((outcome.change, outcome.left), (Change::Replaced, vec![left.clone()]));
    assert!(
        left.join("new").exists() && left.join("kept").exists() && left.join("KEYPACK-TEMPORARY").exists()
    );
}
