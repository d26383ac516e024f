//! File systems without fsync or without locks: strace(1) simulates them.

use crate::support::program::Test;

const PULL: &str =
    "pull oci:m:old -o keys --digest sha256:6417a0611de0a93ba9ba6283f1026339f0d3b1675404b5357ee07be552a0794f";
const WARNING: &str = "warning: the file system of";

fn scene() -> Test {
    let test = Test::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/anchors");
    std::os::unix::fs::symlink(fixtures, test.path("fx")).unwrap();
    test.push("fx/keys", "oci:m:old");
    test
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::lacking:: -- --ignored`"]
fn without_fsync_every_verb_goes_on() {
    for errno in ["EINVAL", "EOPNOTSUPP", "ENOSYS"] {
        let (test, fault) = (scene(), format!("fsync:error={errno}"));
        test.run_injected(&fault, PULL).exits(0);
        assert!(test.has("keys/keypack.json"));
        // The installed pack is recorded, too.
        test.run("inspect keys").exits(0).says("AUTHENTICATED HERE at ");
        std::fs::create_dir(test.path("out")).unwrap();
        for place in
            ["oci:new:k", "oci:m:k", "oci-archive:new.tar:k", "oci-archive:new.tar:k2", "oc-mirror:out"]
        {
            let ran = test.run_injected(&fault, &format!("push fx/keys {place} --digestfile d")).exits(0);
            assert_eq!(format!("{}\n", ran.after("Digest: ")).as_bytes(), test.read("d"), "{errno}: {place}");
        }
    }
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::lacking:: -- --ignored`"]
fn a_disk_that_fails_is_not_one_without_fsync() {
    let test = scene();
    test.run_injected("fsync:error=EIO", PULL).fails(1, "write-failed");
    assert!(!test.has("keys"));
    test.run_injected("fsync:error=EIO", "push fx/keys oci:new:k").fails(1, "write-failed");
    assert!(!test.has("new/index.json"));
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::lacking:: -- --ignored`"]
fn without_locks_content_and_keys_are_written_with_a_warning() {
    for errno in ["ENOLCK", "EOPNOTSUPP", "ENOSYS", "EBADF"] {
        let (test, all) = (scene(), format!("flock:error={errno}"));
        test.push("fx/keys", "oci-archive:m.tar:k");
        std::fs::create_dir(test.path("out")).unwrap();
        for place in ["oci:m:k", "oci-archive:m.tar:k2", "oc-mirror:out"] {
            test.run_injected(&all, &format!("push fx/keys {place}")).exits(0).tells(WARNING);
        }
        // The first lock of a pull is the state's, the second that of keys/.
        test.run_injected(&format!("{all}:when=2"), PULL).exits(0).tells(WARNING);
        assert!(test.has("keys/keypack.json"));
        assert!(!test.has(".keys.keypack-lock"));
    }
}

#[test]
#[ignore = "needs strace (apt-get install strace); `cargo test --test it write::lacking:: -- --ignored`"]
fn a_state_without_locks_is_refused_before_anything_is_written() {
    let test = scene();
    test.run_injected("flock:error=ENOLCK", PULL).fails(1, "state-without-locks").tells("--state");
    assert!(!test.has("keys"));
}
