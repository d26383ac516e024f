//! Mount points, small and read-only file systems, mounted in the test's own namespace, so that nothing on the host
//! changes. Linux allows it for root, and for everyone if unprivileged user namespaces are enabled.

use super::helper::{NEW, OLD, Scene};

/// Runs the writer after `script`, in a new mount namespace, and then `after`; `$KEYS` is the target.
fn mounted(scene: &Scene, script: &str, after: &str) -> (String, String) {
    let script = format!(
        "set -e; KEYS=\"$KEYPACK_TEST_TARGET\"; PARENT=\"${{KEYS%/*}}\"; {script}; \"$@\" | grep '^outcome: '; {after}"
    );
    let helper = scene.helper("replace").under(&["unshare", "-rm", "sh", "-c", &script, "sh"]);
    let output = helper.command().output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let (first, rest) = text.split_once('\n').unwrap();
    (first.strip_prefix("outcome: ").unwrap().to_owned(), rest.to_owned())
}

#[test]
#[ignore = "mounts: needs root or user namespaces; `cargo test --test it write::mount:: -- --ignored`"]
fn another_file_system_at_the_target_is_refused() {
    let scene = Scene::with(OLD);
    let (said, rest) =
        mounted(&scene, "mount -t tmpfs none \"$KEYS\"", "ls -A \"$KEYS\" \"$PARENT\" | wc -l");
    assert!(said.starts_with("target-is-mount-point | "), "{said}");
    // Two headings, an empty line, and keys.
    assert_eq!(rest.trim(), "4");
    scene.holds(OLD);
}

#[test]
#[ignore = "mounts: needs root or user namespaces; `cargo test --test it write::mount:: -- --ignored`"]
fn a_bind_mount_of_the_same_file_system_is_refused() {
    // Before anything else is checked, whether it would change anything or not.
    for set in [OLD, NEW] {
        let scene = Scene::with(set);
        let (said, _) = mounted(&scene, "mount --bind \"$KEYS\" \"$KEYS\"", ":");
        assert!(said.starts_with("target-is-mount-point | "), "{said}");
        scene.holds(set);
    }
}

#[test]
#[ignore = "mounts: needs root or user namespaces; `cargo test --test it write::mount:: -- --ignored`"]
fn a_file_system_without_room_is_refused() {
    for (size, why) in [("size=32k", "bytes are needed and"), ("nr_inodes=6", "has too little room")] {
        let scene = Scene::with(OLD);
        // The target is moved into a small file system, which becomes its parent's.
        let (said, rest) = mounted(
            &scene,
            &format!(
                "mount -t tmpfs -o {size},mode=755 none \"$PARENT\"; mkdir \"$KEYS\"; echo old >\"$KEYS/a.pub\""
            ),
            "ls -A \"$PARENT\" \"$KEYS\"; cat \"$KEYS/a.pub\"",
        );
        assert!(said.starts_with("no-space | ") && said.contains(why), "{said}");
        let lines: Vec<_> = rest.lines().filter(|line| !line.starts_with('/')).collect();
        assert_eq!(lines, ["keys", "", "a.pub", "old"]);
        scene.holds(OLD);
    }
}

#[test]
#[ignore = "mounts: needs root or user namespaces; `cargo test --test it write::mount:: -- --ignored`"]
fn a_read_only_file_system_is_refused_unless_nothing_changes() {
    for (set, wanted) in [(OLD, "target-not-writable | "), (NEW, "Unchanged")] {
        let scene = Scene::with(set);
        let script = "mount --bind \"$PARENT\" \"$PARENT\"; mount -o remount,ro,bind \"$PARENT\"";
        let (said, _) = mounted(&scene, script, ":");
        assert!(said.starts_with(wanted), "{said}");
        scene.holds(set);
    }
}
