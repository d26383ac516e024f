//! Several processes with one state, killed processes, and failing disks.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use keypack::state::{self, Signer, State};

use super::{Host, lineage, mode, pack};

/// This program again, for [`acts_as_a_host`], possibly with a shell script before it.
fn helper(host: &Host, act: &str) -> Command {
    helper_under(host, act, &[])
}

fn helper_under(host: &Host, act: &str, before: &[&str]) -> Command {
    let program = env::current_exe().unwrap();
    let own = [program.to_str().unwrap(), "state::process::acts_as_a_host", "--exact", "--nocapture"];
    let mut line = before.iter().copied().chain(own);
    let mut command = Command::new(line.next().unwrap());
    command.args(line);
    command.env("KEYPACK_TEST_ACT", act).env("KEYPACK_TEST_STATE", host.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Not a test by itself: [`helper`] runs it. Without its environment it does nothing.
#[test]
fn acts_as_a_host() {
    let (Ok(act), Some(dir)) = (env::var("KEYPACK_TEST_ACT"), env::var_os("KEYPACK_TEST_STATE")) else {
        return;
    };
    let add = |state: &mut State| {
        let next = state.highest().get(&Signer::Digest).map_or(0, |have| have.version) + 1;
        state.record(&[Signer::Digest], pack(next));
    };
    let times = match act.as_str() {
        "count" => 50,
        "once" => 1,
        _ => usize::MAX,
    };
    for _ in 0..times {
        if let Err(error) = state::update(dir.as_ref(), &lineage("default"), add) {
            panic!("{}: {error}", error.code().as_str());
        }
    }
}

#[test]
fn no_update_is_lost_among_many() {
    let host = Host::new();
    let crowd: Vec<_> = (0..6).map(|_| helper(&host, "count").spawn().unwrap()).collect();
    for child in crowd {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(host.version(), 300);
}

#[test]
fn killed_at_random_instants_it_never_remembers_less() {
    let host = Host::new();
    host.remember(1);
    let (mut last, mut wait) = (1, 1);
    for _ in 0..200 {
        let mut child = helper(&host, "for-ever").spawn().unwrap();
        while child.try_wait().unwrap().is_none() && host.version() == last {
            thread::yield_now();
        }
        wait = wait * 7919 % 5003;
        thread::sleep(Duration::from_micros(wait));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let now = host.version();
        assert!(now > last, "{now} after {last}");
        last = now;
    }
    assert!(last > 200);
}

#[test]
fn modes_are_exact_whatever_the_umask() {
    for umask in ["0000", "0077", "0377"] {
        let host = Host::new();
        let before = ["sh", "-c", &format!("umask {umask}; exec \"$@\""), "sh"];
        fs::create_dir_all(host.path()).unwrap();
        fs::set_permissions(host.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(helper_under(&host, "once", &before).status().unwrap().success());
        assert_eq!(mode(&host.file("default.json")), 0o600, "umask {umask}");
        assert_eq!(host.version(), 1);
    }
}

#[test]
#[ignore = "mounts: needs root or user namespaces; `cargo test --test it state:: -- --ignored`"]
fn a_full_disk_keeps_what_was_remembered() {
    let host = Host::new();
    fs::create_dir_all(host.path()).unwrap();
    // Room for the state once, not twice; then the content is copied out of the namespace.
    let script = "set -e; mount -t tmpfs -o size=8k,mode=700 none \"$KEYPACK_TEST_STATE\"; \"$@\"; \
                  head -c 4096 /dev/zero >\"$KEYPACK_TEST_STATE/ballast\"; if \"$@\"; then exit 7; fi; \
                  ls -A \"$KEYPACK_TEST_STATE\" >&2; cat \"$KEYPACK_TEST_STATE/default.json\" >&2";
    let output = helper_under(&host, "once", &["unshare", "-rm", "sh", "-c", script, "sh"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("state-write-failed") && text.contains("No space left"), "{text}");
    assert!(text.contains("ballast\ndefault.json\ndefault.lock\n{"), "{text}");
    assert!(text.contains("\"version\": 1,") && text.ends_with("}\n"), "{text}");
}
