//! The system call fails, or the writer is killed at it, for each call in turn: strace(1) injects the fault.

use std::fs;

use super::helper::{NEW, OLD, Scene};

/// The calls that create, sync, move and remove, and the check before them.
const CALLS: [&str; 9] =
    ["openat", "mkdirat", "write", "fchmod", "fsync", "flock", "renameat2", "unlinkat", "getdents64"];

/// Runs the writer on a fresh scene with `what` injected into the `nth` call of this name. `None` if there were fewer
/// calls.
fn inject(call: &str, what: &str, nth: u32, act: &str) -> Option<(Scene, String)> {
    let scene = Scene::with(OLD);
    let log = tempfile::NamedTempFile::new().unwrap();
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:{what}:when={nth}");
    let strace = ["strace", "-f", "-qq", "-o", log.path().to_str().unwrap(), "-e", &trace, "-e", &inject];
    let said = scene.helper(act).under(&strace).run();
    let log = fs::read_to_string(log.path()).unwrap();
    assert!(log.contains(call), "strace did not work: {log}");
    let hit = log.contains("(INJECTED)") || log.contains("killed by SIGKILL");
    hit.then_some((scene, said))
}

/// The content afterwards is one of the two sets, and the next run makes it the new one with nothing next to it.
fn settle(scene: &Scene, at: &str) {
    assert!(scene.which().is_some(), "{at}: {:?}", scene.beside());
    let before = scene.beside();
    assert_eq!(scene.helper("replace").run().replace("Unchanged", "Replaced"), "Replaced", "{at}");
    assert_eq!(scene.beside(), ["keys"], "{at}; it had left {before:?}");
    scene.holds(NEW);
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::fault:: -- --ignored`"]
fn killed_at_each_system_call_it_leaves_old_or_new() {
    let mut kills = 0;
    for call in CALLS {
        for nth in 1.. {
            let Some((scene, _)) = inject(call, "signal=KILL", nth, "replace") else { break };
            settle(&scene, &format!("killed at {call} {nth}"));
            kills += 1;
        }
    }
    println!("killed at {kills} system calls");
    assert!(kills > 40, "{kills}");
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::fault:: -- --ignored`"]
fn failed_by_each_system_call_it_leaves_old_and_nothing_else_or_new() {
    let mut faults = 0;
    for (call, error) in [
        ("openat", "EIO"),
        ("mkdirat", "ENOSPC"),
        ("write", "ENOSPC"),
        ("fchmod", "EPERM"),
        ("fsync", "EIO"),
        ("flock", "EIO"),
        ("renameat2", "EIO"),
        ("getdents64", "EIO"),
        ("unlinkat", "EIO"),
    ] {
        for nth in 1.. {
            let Some((scene, said)) = inject(call, &format!("error={error}"), nth, "replace") else { break };
            let at = format!("{error} at {call} {nth}: {said}");
            let set = scene.which().unwrap_or_else(|| panic!("{at}: {:?}", scene.beside()));
            let done = said.starts_with("Replaced") || said.starts_with("Unchanged");
            // If it printed nothing, it failed before or after the writer's work: in the test program itself.
            if !said.is_empty() {
                assert_eq!(set.names == NEW.names, done, "{at}");
            }
            if !done && !["unlinkat", "openat", "getdents64"].contains(&call) {
                assert_eq!(scene.beside(), ["keys"], "{at}");
            }
            settle(&scene, &at);
            faults += 1;
        }
    }
    println!("failed by {faults} system calls");
    assert!(faults > 40, "{faults}");
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::fault:: -- --ignored`"]
fn each_failure_has_its_code() {
    for (call, error, code) in [
        ("mkdirat", "ENOSPC", "no-space"),
        ("mkdirat", "EDQUOT", "no-space"),
        ("mkdirat", "EROFS", "target-not-writable"),
        ("mkdirat", "EACCES", "target-not-writable"),
        ("fchmod", "EPERM", "modes-not-kept"),
        ("fsync", "EIO", "write-failed"),
        ("fsync", "ENOSPC", "no-space"),
        ("renameat2", "EBUSY", "target-is-mount-point"),
        ("renameat2", "EINVAL", "exchange-unsupported"),
        ("renameat2", "ENOSYS", "exchange-unsupported"),
        ("renameat2", "EXDEV", "exchange-unsupported"),
        ("renameat2", "EPERM", "target-not-writable"),
        ("flock", "EIO", "write-failed"),
    ] {
        let (scene, said) = inject(call, &format!("error={error}"), 1, "replace").unwrap();
        assert!(said.starts_with(&format!("{code} | ")), "{error} at {call}: {said}");
        scene.holds(OLD);
    }
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::fault:: -- --ignored`"]
fn all_is_on_the_disk_before_the_exchange_and_the_exchange_before_the_old_goes() {
    let scene = Scene::with(OLD);
    let log = tempfile::NamedTempFile::new().unwrap();
    let out = log.path().to_str().unwrap();
    let strace = ["strace", "-f", "-qq", "-y", "-o", out, "-e", "trace=fsync,renameat2,unlinkat"];
    assert_eq!(scene.helper("replace").under(&strace).run(), "Replaced");
    let log = fs::read_to_string(log.path()).unwrap();
    let (before, after) = log.split_once("renameat2").unwrap();
    // strace -y shows what a descriptor is: fsync(5</tmp/…/keys/.keys.keypack-…/new/a.pub>) = 0. With several threads
    // it writes one line when a call begins and another when it is done.
    let begun = before.matches("<unfinished").count();
    assert_eq!(begun, before.matches("fsync resumed>").count(), "{log}");
    let failed =
        before.lines().any(|l| (l.contains("fsync(") || l.contains("resumed>")) && l.contains(" = -1"));
    assert!(!failed, "{log}");
    let synced = |log: &str, path: &str| log.lines().any(|l| l.contains("fsync(") && l.contains(path));
    let parent = format!("{}>", scene.parent().display());
    for name in NEW.names {
        assert!(synced(before, &format!("/new/{name}>")), "{name}: {log}");
    }
    assert!(synced(before, "/new>") && synced(before, &parent), "{log}");
    let (settled, _removed) = after.split_once("unlinkat").unwrap();
    assert!(synced(settled, &parent), "{log}");
    let wrapper = settled.lines().any(|l| l.contains("fsync(") && l.contains(".keys.keypack-"));
    assert!(wrapper, "{log}");
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::fault:: -- --ignored`"]
fn a_lock_on_a_file_that_is_gone_by_then_is_none() {
    let scene = Scene::with(OLD);
    let path = scene.parent().join(".keys.keypack-lock");
    let first = fs::File::create(&path).unwrap();
    // It opens the first writer's lock file, and locks it only after that writer is done and the next has begun.
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=flock:delay_enter=700000:when=1"];
    let child = scene.helper("replace").under(&strace).command().spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(350));
    fs::remove_file(&path).unwrap();
    drop(first);
    let second = fs::File::create(&path).unwrap();
    second.try_lock().unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("outcome: target-busy | "), "{text}");
    assert!(scene.which().is_some_and(|set| set.names == OLD.names));
}
