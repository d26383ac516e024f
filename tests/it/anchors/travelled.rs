//! Keys, roots and configuration files that travelled with the pack prove nothing, whatever path leads to them.

use std::{
    fs,
    os::unix::fs::symlink,
    process::{Command, Output, Stdio},
};

use super::{OLD, copy, program::Test, scene};

/// A scene whose pack is in `disk/`, as a layout, as an archive and in an oc-mirror output. The home is elsewhere; by
/// default the tests use their folder as the home.
fn carried() -> Test {
    let test = scene();
    for place in ["oci:disk/layout:k", "oci-archive:disk/pack.tar:k"] {
        test.run(&format!("push fx/keys {place}")).exits(0);
    }
    fs::create_dir_all(test.path("disk/mirror/working-dir/hold-operator")).unwrap();
    test.push("fx/keys", "oc-mirror:disk/mirror");
    test.write("own/org.pub", test.read("fx/org.pub"));
    fs::create_dir(test.path("home")).unwrap();
    test
}

fn at_home(test: &Test, line: &str) -> Output {
    let mut command = test.command();
    command.env("HOME", test.path("home")).args(line.split(' ')).args(["--max-age", "40000 days"]);
    command.output().unwrap()
}

#[track_caller]
fn refused(test: &Test, line: &str) {
    let ran = at_home(test, line);
    let err = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(3), "{line}\n{err}");
    assert!(err.contains("[verify-key-from-pack]") && err.contains("/etc/keypack"), "{line}\n{err}");
    assert!(!test.has("out"), "{line}");
}

#[track_caller]
fn accepted(test: &Test, line: &str) {
    let ran = at_home(test, line);
    assert_eq!(ran.status.code(), Some(0), "{line}\n{}", String::from_utf8_lossy(&ran.stderr));
    fs::remove_dir_all(test.path("out")).unwrap();
}

const ARCHIVE: &str = "pull oci-archive:disk/pack.tar:k -o out";

#[test]
fn a_key_beside_the_pack_or_below_its_folder() {
    let test = carried();
    for name in
        ["org.pub", "layout/org.pub", "layout/blobs/sha256/org.pub", "mirror/org.pub", "mirror/working-dir/k"]
    {
        test.write(&format!("disk/{name}"), test.read("fx/org.pub"));
    }
    for (place, keys) in [
        ("oci-archive:disk/pack.tar:k", &["disk/org.pub", "disk/layout/org.pub", "disk/mirror/org.pub"][..]),
        ("disk/pack.tar", &["disk/org.pub"]),
        ("oci:disk/layout:k", &["disk/layout/org.pub", "disk/layout/blobs/sha256/org.pub"]),
        ("disk/layout", &["disk/layout/org.pub"]),
        ("oc-mirror:disk/mirror", &["disk/mirror/org.pub", "disk/mirror/working-dir/k"]),
        ("oc-mirror:disk/mirror/working-dir", &["disk/mirror/org.pub", "disk/mirror/working-dir/k"]),
        ("oci-archive:disk/mirror/working-dir/keypack/keypack.oci.tar", &["disk/mirror/org.pub"]),
    ] {
        for key in keys {
            refused(&test, &format!("pull {place} --verify-key {key} -o out"));
        }
        accepted(&test, &format!("pull {place} --verify-key own/org.pub -o out"));
    }
    // The user's own key as a second one does not make it acceptable.
    refused(&test, &format!("{ARCHIVE} --verify-key own/org.pub --verify-key disk/org.pub"));
    refused(&test, &format!("{ARCHIVE} --tuf-root disk/org.pub"));
}

#[test]
fn a_key_in_the_target() {
    let test = carried();
    copy(&test, "fx/keys", "keys");
    let signer = test.names("keys").into_iter().find(|n| n.starts_with("signer-")).unwrap();
    refused(&test, &format!("pull oci:disk/layout:k --verify-key keys/{signer} -o keys"));
}

#[test]
fn other_ways_to_a_key_beside_the_pack() {
    let test = carried();
    test.write("disk/org.pub", test.read("fx/org.pub"));
    let disk = test.path("disk");
    symlink("disk/org.pub", test.path("link.pub")).unwrap();
    symlink("link.pub", test.path("own/link.pub")).unwrap();
    symlink("../link.pub", test.path("own/again.pub")).unwrap();
    symlink(&disk, test.path("folder")).unwrap();
    fs::hard_link(disk.join("org.pub"), test.path("hard.pub")).unwrap();
    // The creator of a link decides where it leads: this one leads to a good key today.
    symlink("../own/org.pub", disk.join("out.pub")).unwrap();
    symlink("../own", disk.join("trust")).unwrap();
    for key in [
        "link.pub",
        "own/again.pub",
        "folder/org.pub",
        "hard.pub",
        "disk/out.pub",
        "disk/trust/org.pub",
        "own/../disk/org.pub",
        "disk/layout/../org.pub",
        "./disk//./org.pub",
        disk.join("org.pub").to_str().unwrap(),
        "/proc/self/cwd/disk/org.pub",
    ] {
        refused(&test, &format!("{ARCHIVE} --verify-key {key}"));
    }
    // Paths through its folder that reach the user's own file, or lead back out.
    for key in ["disk/../own/org.pub", "disk/layout/../../own/org.pub"] {
        accepted(&test, &format!("{ARCHIVE} --verify-key {key}"));
    }
    // The archive itself under another name: both folders count.
    fs::create_dir(test.path("links")).unwrap();
    symlink("../disk/pack.tar", test.path("links/pack.tar")).unwrap();
    test.write("links/org.pub", test.read("fx/org.pub"));
    for key in ["disk/org.pub", "links/org.pub"] {
        refused(&test, &format!("pull oci-archive:links/pack.tar:k --verify-key {key} -o out"));
    }
    symlink("disk/layout", test.path("layout")).unwrap();
    test.write("disk/layout/org.pub", test.read("fx/org.pub"));
    refused(&test, "pull oci:layout:k --verify-key disk/layout/org.pub -o out");
}

#[test]
fn a_key_beside_the_pack_that_the_shell_opened() {
    let test = carried();
    test.write("disk/org.pub", test.read("fx/org.pub"));
    for key in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/proc/thread-self/fd/0"] {
        let stdin = || Stdio::from(fs::File::open(test.path("disk/org.pub")).unwrap());
        let line = format!("{ARCHIVE} --verify-key {key}");
        let mut command = test.command();
        let ran =
            command.env("HOME", test.path("home")).args(line.split(' ')).stdin(stdin()).output().unwrap();
        let err = String::from_utf8_lossy(&ran.stderr);
        assert!(err.contains("[verify-key-from-pack]"), "{key}: {err}");
    }
}

#[test]
fn a_setting_beside_the_pack() {
    let test = carried();
    let anchors = [
        "verifyKeys: [../own/org.pub]".to_owned(),
        format!("pins: [\"signer:{}\"]", &OLD[7..]),
        "tufRoots: [builtin]".to_owned(),
        "name: other".to_owned(),
        "allowRealms: [elsewhere.test]".to_owned(),
    ];
    for setting in anchors {
        test.write("disk/keypack.yaml", &setting);
        refused(&test, &format!("{ARCHIVE} --config disk/keypack.yaml --digest {OLD}"));
        refused(&test, &format!("{ARCHIVE} --config own/../disk/keypack.yaml"));
    }
    test.write("disk/org.pub", test.read("fx/org.pub"));
    test.write("own/keypack.yaml", "verifyKeys: [../disk/org.pub]");
    refused(&test, &format!("{ARCHIVE} --config own/keypack.yaml"));
    test.write("own/keypack.yaml", "verifyKeys: [org.pub]");
    accepted(&test, &format!("{ARCHIVE} --config own/keypack.yaml"));
}

#[test]
fn an_archive_in_somebodys_home_refuses_what_lies_right_beside_it_alone() {
    let test = carried();
    for name in ["home/org.pub", "home/trust/org.pub", "home/inbox/org.pub", "home/inbox/trust/org.pub"] {
        test.write(name, test.read("fx/org.pub"));
    }
    for place in ["home/pack.tar", "home/inbox/pack.tar", "pack.tar"] {
        test.write(place, test.read("disk/pack.tar"));
    }
    let pull = |place: &str, key: &str| format!("pull oci-archive:{place}:k --verify-key {key} -o out");
    refused(&test, &pull("home/pack.tar", "home/org.pub"));
    accepted(&test, &pull("home/pack.tar", "home/trust/org.pub"));
    accepted(&test, &pull("home/inbox/pack.tar", "home/org.pub"));
    refused(&test, &pull("home/inbox/pack.tar", "home/inbox/org.pub"));
    refused(&test, &pull("home/inbox/pack.tar", "home/inbox/trust/org.pub"));
    // Above the home: /, /home.
    accepted(&test, &pull("pack.tar", "own/org.pub"));
    accepted(&test, &pull("pack.tar", "home/org.pub"));
    test.write("org.pub", test.read("fx/org.pub"));
    refused(&test, &pull("pack.tar", "org.pub"));
}

#[test]
#[ignore = "mounts: needs root or user namespaces; `cargo test --test it travelled:: -- --ignored`"]
fn a_key_beside_the_pack_by_a_bind_mount() {
    let test = carried();
    test.write("disk/org.pub", test.read("fx/org.pub"));
    fs::create_dir(test.path("mounted")).unwrap();
    let own = test.command();
    let script = "mount --bind disk mounted && exec \"$@\"";
    let line = format!("{ARCHIVE} --verify-key mounted/org.pub");
    let mut command = Command::new("/usr/bin/env");
    command.args(["unshare", "-rm", "sh", "-c", script, "sh"]).arg(own.get_program()).args(line.split(' '));
    command.current_dir(test.path("")).env("HOME", test.path("home"));
    let ran = command.output().unwrap();
    let err = String::from_utf8_lossy(&ran.stderr);
    assert!(err.contains("[verify-key-from-pack]"), "{err}");
}
