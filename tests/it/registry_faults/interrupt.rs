//! A signal in the middle of each verb that talks to a registry: one line says what was and was not done.
#![allow(clippy::disallowed_types, reason = "the test runs the program")]

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::fault::{Reply, Server};

/// How the progress lines begin.
const STEPS: [&str; 4] = ["opening docker://", "looking for signatures", "fetching from ", "writing to "];

const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/lab");

fn keypack(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keypack"));
    command.env_clear().current_dir(folder).env("HOME", folder).args(line.split(' '));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a verb until it requests what the server never answers, sends a signal, and returns the program's output.
fn interrupted(folder: &Path, server: &Server, line: &str, stalls: &str, signal: &str) -> String {
    let child = keypack(folder, line).spawn().unwrap();
    let start = Instant::now();
    while !server.lines().iter().any(|asked| asked.contains(stalls)) {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{line} never came to {stalls}: {:?}",
            server.lines()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    // The request has been sent; the program waits for the answer.
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{line}: {err}");
    assert!(output.stdout.is_empty(), "{line}");
    // The steps before it are lines too, because this is not a terminal.
    let (mut lines, last) = (err.lines().rev(), err.lines().next_back().unwrap_or_default());
    lines.next();
    assert!(
        lines.all(|line| STEPS.iter().any(|step| line.starts_with(&format!("keypack: {step}")))),
        "{err}"
    );
    format!("{last}\n")
}

/// A registry that accepts uploads and stays silent if the request line contains this.
fn silent_at(stalls: &'static str) -> Server {
    Server::start(move |asked| {
        if asked.line().contains(stalls) {
            return Reply::mute();
        }
        match asked.method.as_str() {
            "POST" => Reply::new(202).header("Location", "/up"),
            "PUT" => Reply::new(201),
            _ => Reply::new(404),
        }
    })
}

/// A folder with keys/, with all available keys.
pub(crate) fn collected() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let line = format!(
        "collect {LAB}/layouts/key-bundle-notlog-oras --key {LAB}/trust/cosign.pub --include all -o keys"
    );
    assert!(keypack(dir.path(), &line).output().unwrap().status.success());
    dir
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_push_that_is_interrupted_leaves_the_tag() {
    let dir = collected();
    for (stalls, signal) in [("PUT /up", "-INT"), ("PUT /v2/a/b/manifests", "-TERM")] {
        let server = silent_at(stalls);
        let line = format!("push keys docker://{}/a/b:t --plain-http", server.host());
        let said = interrupted(dir.path(), &server, &line, stalls, signal);
        assert!(said.starts_with("keypack: interrupted: the tag t of docker://"), "{said}");
        let moved = server.lines().iter().any(|line| line.starts_with("PUT /v2/a/b/manifests"));
        assert_eq!(moved, stalls.contains("manifests"), "the tag comes last");
    }
    // The host's own state is in `.local`, because HOME is this folder.
    let left = |name: &String| name.starts_with('.') && name != ".local";
    assert!(!names(dir.path()).iter().any(left), "{:?}", names(dir.path()));
}

#[test]
fn keys_stay_as_they_were() {
    let dir = collected();
    let before = names(dir.path());
    let inventory = std::fs::read(dir.path().join("keys/keypack.json")).unwrap();
    let nought = format!("pull PLACE --digest sha256:{} -o keys", "0".repeat(64));
    for (line, stalls) in [(nought.as_str(), "manifests/t"), ("collect PLACE -o keys", "tags/list")] {
        let server = silent_at(stalls);
        let line = line.replace("PLACE", &format!("docker://{}/a/b:t --plain-http", server.host()));
        let said = interrupted(dir.path(), &server, &line, stalls, "-INT");
        assert_eq!(said, "keypack: interrupted: keys is as it was\n");
    }
    assert_eq!(std::fs::read(dir.path().join("keys/keypack.json")).unwrap(), inventory);
    assert_eq!(names(dir.path()), before, "nothing is left over");
}

#[test]
fn a_command_that_writes_nothing_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let server = silent_at("tags/list");
    let line = format!("discover docker://{}/a/b --plain-http", server.host());
    let said = interrupted(dir.path(), &server, &line, "tags/list", "-INT");
    assert_eq!(said, "keypack: interrupted: nothing was written\n");
}
