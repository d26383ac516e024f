//! `state::load` and `state::update` on a real file system.
mod process;

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    thread,
    time::Duration,
};

use jiff::Timestamp;
use keypack::{
    oci::Digest,
    state::{self, KnownPack, Origin, Signer, State, StateError, Verdict},
    tree::SafeName,
};
use tempfile::TempDir;

fn lineage(name: &str) -> SafeName {
    SafeName::new(name).unwrap()
}

fn pack(version: u64) -> KnownPack {
    let digest = Digest::of(&version.to_be_bytes());
    KnownPack { digest, version, origin: Origin::Pulled, at: Timestamp::from_second(1_800_000_000).unwrap() }
}

/// A state directory that does not exist yet, in one that does.
struct Host {
    dir: TempDir,
}

impl Host {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("state/keypack")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn remember(&self, version: u64) {
        let record = |state: &mut State| state.record(&[Signer::Digest], pack(version));
        state::update(&self.path(), &lineage("default"), record).unwrap();
    }

    fn load(&self) -> Result<State, StateError> {
        state::load(&self.path(), &lineage("default"))
    }

    fn version(&self) -> u64 {
        self.load().unwrap().highest()[&Signer::Digest].version
    }

    /// A host whose state holds `text`.
    fn holding(text: &str) -> Self {
        let host = Self::new();
        host.remember(1);
        fs::write(host.file("default.json"), text).unwrap();
        host
    }
}

fn mode(path: &PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_is_absent_is_nothing_remembered() {
    let host = Host::new();
    let state = host.load().unwrap();
    assert_eq!((state.lineage(), state.packs().len(), state.highest().len()), ("default", 0, 0));
    assert!(!host.path().exists(), "reading made it");
}

#[test]
fn what_is_remembered_is_read_back_whole() {
    let host = Host::new();
    let name = lineage("default");
    let written = state::update(&host.path(), &name, |state| {
        let key = Signer::Key(Digest::of(b"key"));
        state.record(&[Signer::Digest, key], pack(7));
        state.record(&[], KnownPack { origin: Origin::Collected, ..pack(8) });
        state.accept(&[key], pack(6), "--allow-rollback-unsafe", "the new one lacks a key\n\u{1b}[2J");
        state.record_tuf("sigstore", &[("root".to_owned(), 12)].into());
        state.revoke(Digest::of(b"revoked").into(), pack(7).digest, pack(7).at);
        state.clone()
    });
    assert_eq!(host.load().unwrap(), written.unwrap());
    assert_eq!(mode(&host.path()), 0o700);
    assert_eq!(mode(&host.file("default.json")), 0o600);
    let mut names: Vec<_> = fs::read_dir(host.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["default.json", "default.lock"]);

    let text = fs::read_to_string(host.file("default.json")).unwrap();
    assert!(
        text.starts_with("{\n  \"schemaVersion\": 1,\n  \"lineage\": \"default\",") && text.ends_with("}\n")
    );
    assert!(text.contains("\"digest\": {\n      \"version\": 7,"), "{text}");
}

#[test]
fn a_change_that_changes_nothing_writes_nothing() {
    let host = Host::new();
    host.remember(5);
    let before = fs::metadata(host.file("default.json")).unwrap();
    let verdict = state::update(&host.path(), &lineage("default"), |state| {
        state.check(Signer::Digest, 5, pack(5).digest)
    });
    assert_eq!(verdict.unwrap(), Verdict::SamePack);
    let after = fs::metadata(host.file("default.json")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
}

#[test]
fn lineages_do_not_meet() {
    let host = Host::new();
    for name in ["a", "a.json", "a.lock", "a.new", "A", "a.b"] {
        let record = |state: &mut State| state.record(&[], pack(name.len() as u64));
        state::update(&host.path(), &lineage(name), record).unwrap();
    }
    for name in ["a", "a.json", "a.lock", "a.new", "A", "a.b"] {
        let state = state::load(&host.path(), &lineage(name)).unwrap();
        assert_eq!((state.lineage(), state.packs()), (name, &[pack(name.len() as u64)][..]));
    }
    let longest = lineage(&"l".repeat(keypack::limits::NAME));
    state::update(&host.path(), &longest, |state| state.record(&[], pack(1))).unwrap();
}

#[test]
fn a_damaged_state_is_an_error_and_stays() {
    let good = || {
        let host = Host::new();
        host.remember(1);
        fs::read_to_string(host.file("default.json")).unwrap()
    };
    let digest = pack(1).digest.to_string();
    for (text, code) in [
        (String::new(), "state-malformed"),
        ("{}".into(), "state-malformed"),
        (good()[..100].into(), "state-malformed"),
        (good() + "{}", "state-malformed"),
        (good().replace("\"packs\"", "\"pucks\""), "state-malformed"),
        (good().replace("\"packs\"", "\"extra\": 1, \"packs\""), "state-malformed"),
        (good().replace("\"lineage\": \"default\"", "\"lineage\": \"other\""), "state-malformed"),
        (good().replace(&digest, "sha256:00"), "state-malformed"),
        (good().replace("\"version\": 1", "\"version\": -1"), "state-malformed"),
        (good().replace("\"schemaVersion\": 1", "\"schemaVersion\": 0"), "state-malformed"),
        (good().replace("\"schemaVersion\": 1", "\"schemaVersion\": 2"), "state-schema-unknown"),
        // Newer, and with fields that only the newer version knows.
        ("{\"schemaVersion\": 99, \"memory\": []}".into(), "state-schema-unknown"),
        (good() + &" ".repeat(usize::try_from(keypack::limits::STATE).unwrap()), "state-malformed"),
        ("[".repeat(100_000), "state-malformed"),
    ] {
        let host = Host::holding(&text);
        let shown = &text[..text.len().min(200)];
        let error = host.load().unwrap_err();
        assert_eq!(error.code().as_str(), code, "{shown}");
        assert!(!error.to_string().chars().any(char::is_control));
        let record = |state: &mut State| state.record(&[], pack(2));
        let error = state::update(&host.path(), &lineage("default"), record).unwrap_err();
        assert_eq!(error.code().as_str(), code, "{shown}");
        assert_eq!(fs::read_to_string(host.file("default.json")).unwrap(), text, "it was reset");
    }
}

#[test]
fn what_others_can_write_is_not_trusted() {
    let chmod = |path: PathBuf, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for open in [0o020, 0o002] {
        let host = Host::new();
        host.remember(1);
        chmod(host.path(), 0o700 | open);
        assert_eq!(host.load().unwrap_err().code().as_str(), "state-exposed");
        chmod(host.path(), 0o755);
        assert_eq!(host.version(), 1);
        chmod(host.file("default.json"), 0o600 | open);
        assert_eq!(host.load().unwrap_err().code().as_str(), "state-exposed");
    }
}

#[test]
#[ignore = "only root can give a file away; `cargo test --test it state:: -- --ignored` as root"]
fn a_state_of_another_user_is_not_trusted() {
    let host = Host::new();
    host.remember(1);
    std::os::unix::fs::chown(host.file("default.json"), Some(65534), None).unwrap();
    assert_eq!(host.load().unwrap_err().code().as_str(), "state-exposed");
    std::os::unix::fs::chown(host.file("default.json"), Some(0), None).unwrap();
    std::os::unix::fs::chown(host.path(), Some(65534), None).unwrap();
    assert_eq!(host.load().unwrap_err().code().as_str(), "state-exposed");
}

#[test]
fn no_link_is_followed_in_the_directory() {
    let host = Host::new();
    host.remember(1);
    fs::rename(host.file("default.json"), host.dir.path().join("elsewhere.json")).unwrap();
    symlink(host.dir.path().join("elsewhere.json"), host.file("default.json")).unwrap();
    assert_eq!(host.load().unwrap_err().code().as_str(), "state-exposed");

    let host = Host::new();
    host.remember(1);
    fs::remove_file(host.file("default.lock")).unwrap();
    symlink(host.dir.path().join("made"), host.file("default.lock")).unwrap();
    let record = |state: &mut State| state.record(&[], pack(2));
    let error = state::update(&host.path(), &lineage("default"), record).unwrap_err();
    assert_eq!(error.code().as_str(), "state-write-failed");
    assert!(!host.dir.path().join("made").exists());

    // A file left by a killed run, or placed where the new state is written, is replaced, not followed.
    let host = Host::new();
    host.remember(1);
    symlink(host.dir.path().join("made"), host.file("default.new")).unwrap();
    host.remember(2);
    assert_eq!(host.version(), 2);
    assert!(!host.dir.path().join("made").exists() && !host.file("default.new").exists());
}

#[test]
fn a_directory_in_the_states_place_is_an_error() {
    let host = Host::new();
    fs::create_dir_all(host.file("default.json")).unwrap();
    fs::set_permissions(host.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(host.load().unwrap_err().code().as_str(), "state-exposed");
    let host = Host::new();
    fs::create_dir_all(host.path().parent().unwrap()).unwrap();
    fs::write(host.path(), "").unwrap();
    assert_eq!(host.load().unwrap_err().code().as_str(), "state-read-failed");
    let record = |state: &mut State| state.record(&[], pack(2));
    let error = state::update(&host.path(), &lineage("default"), record).unwrap_err();
    assert_eq!(error.code().as_str(), "state-write-failed");
}

#[test]
fn a_held_lock_makes_others_wait() {
    let host = Host::new();
    host.remember(1);
    let lock = fs::File::open(host.file("default.lock")).unwrap();
    lock.lock().unwrap();
    let path = host.path();
    let waiting = thread::spawn(move || {
        state::update(&path, &lineage("default"), |state| state.record(&[Signer::Digest], pack(2)))
    });
    thread::sleep(Duration::from_millis(100));
    assert!(!waiting.is_finished());
    assert_eq!(host.version(), 1);
    drop(lock);
    waiting.join().unwrap().unwrap();
    assert_eq!(host.version(), 2);
}

#[test]
fn a_state_of_before_the_first_release_is_read() {
    // As keypack 2a2abf2 wrote it.
    const STATE: &str = r#"{
  "schemaVersion": 1,
  "lineage": "default",
  "highest": {
    "digest": {
      "version": 1795219200,
      "digest": "sha256:2015a53052cec59dc1ab1d2aebc98549c74e05a2706099ba06bd46d7dd482765",
      "at": "2026-11-29T19:23:37.012407561Z"
    }
  },
  "packs": [
    {
      "digest": "sha256:2015a53052cec59dc1ab1d2aebc98549c74e05a2706099ba06bd46d7dd482765",
      "version": 1795219200,
      "origin": "pulled",
      "at": "2026-11-29T19:23:37.012407561Z"
    }
  ],
  "tuf": {},
  "revoked": {
    "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f": {
      "pack": "sha256:2015a53052cec59dc1ab1d2aebc98549c74e05a2706099ba06bd46d7dd482765",
      "at": "2026-11-29T19:23:37.012407561Z"
    }
  },
  "acceptances": []
}
"#;
    let host = Host::new();
    host.remember(1);
    fs::write(host.file("default.json"), STATE).unwrap();
    let state = host.load().unwrap();
    assert_eq!(state.highest()[&Signer::Digest].version, 1_795_219_200);
    let pem = include_bytes!("../../../testdata/lab/trust/cosign.pub");
    let key = keypack::key::parse_key_file(pem).unwrap().material.remove(0);
    assert!(key.fingerprints().iter().any(|fingerprint| state.is_revoked(fingerprint, "/any".as_ref())));
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let host = Host::new();
    host.remember(1);
    let error = state::update(&host.path(), &lineage("default"), |state| {
        for n in 0..60_000u32 {
            state.revoke(Digest::of(&n.to_be_bytes()).into(), pack(1).digest, pack(1).at);
        }
    });
    assert_eq!(error.unwrap_err().code().as_str(), "state-write-failed");
    assert_eq!(host.version(), 1);
}
