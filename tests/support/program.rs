//! Runs the built program in its own folder, with nothing from the tester's environment.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use keypack::ops::{self, Context, Env, push};
use serde_json::Value;
use tempfile::TempDir;

use super::record;

/// The fixtures, which are under `lab/` in every test's folder.
pub(crate) const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/lab");

/// The lab's trusted keys: what most tests pass to discover and collect.
pub(crate) const TRUST: &str = "--trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub";

/// A folder in which the program runs.
pub(crate) struct Test {
    dir: TempDir,
    state: TempDir,
    epoch: Option<&'static str>,
}

/// The result of a run.
pub(crate) struct Ran {
    line: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Test {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(LAB, dir.path().join("lab")).unwrap();
        Self { dir, state: tempfile::tempdir().unwrap(), epoch: None }
    }

    /// The same with `SOURCE_DATE_EPOCH`.
    pub(crate) fn at_epoch(epoch: &'static str) -> Self {
        Self { epoch: Some(epoch), ..Self::new() }
    }

    /// The directory used as `XDG_STATE_HOME`.
    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keypack"));
        command.env_clear().current_dir(self.dir.path()).stdin(Stdio::null());
        command.env("NO_COLOR", "1").env("HOME", self.dir.path());
        command.env("XDG_STATE_HOME", self.state.path());
        if let Some(epoch) = self.epoch {
            command.env("SOURCE_DATE_EPOCH", epoch);
        }
        command
    }

    /// Runs a command line, split at spaces.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_args(&line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>())
    }

    /// Runs a command line with these variables.
    #[allow(dead_code, reason = "shared by several test programs")]
    pub(crate) fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command();
        command.args(line.split(' ').filter(|word| !word.is_empty())).envs(variables.iter().copied());
        let output = command.output().unwrap();
        self.ran(line.to_owned(), &output)
    }

    /// What an operation in this process has beside its request.
    pub(crate) fn context(&self) -> Context {
        let var = |name: &str| match name {
            "HOME" => Some(self.dir.path().into()),
            "XDG_STATE_HOME" => Some(self.state.path().into()),
            _ => None,
        };
        Context::new(jiff::Timestamp::now(), Env::from_vars(var, None))
    }

    /// Pushes in this process: for tests of another verb that need a pack in a place.
    #[allow(dead_code, reason = "shared by several test programs")]
    pub(crate) fn push(&self, keys: &str, dest: &str) -> push::Outcome {
        self.push_as(push::Form::Image, keys, dest)
    }

    /// The same in either form.
    #[allow(dead_code, reason = "shared by several test programs")]
    pub(crate) fn push_as(&self, form: push::Form, keys: &str, dest: &str) -> push::Outcome {
        let (kind, path) = dest.split_once(':').unwrap();
        let request = push::Request {
            keys: self.path(keys).display().to_string(),
            dest: format!("{kind}:{}", self.path(path).display()),
            form,
            ..push::Request::default()
        };
        ops::push(&request, &self.context()).unwrap_or_else(|e| panic!("push {keys} {dest}: {e:?}"))
    }

    /// Runs a command line under strace(1), which injects this fault: `fsync:error=EINVAL`.
    #[allow(dead_code, reason = "shared by several test programs")]
    pub(crate) fn run_injected(&self, fault: &str, line: &str) -> Ran {
        let call = fault.split(':').next().unwrap();
        let log = tempfile::NamedTempFile::new().unwrap();
        let own = self.command();
        let mut command = Command::new("strace");
        command.current_dir(self.dir.path()).stdin(Stdio::null()).env_clear();
        command
            .envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", "/usr/bin:/bin");
        command.args(["-f", "-qq", "-e", &format!("trace={call}"), "-e", &format!("inject={fault}"), "-o"]);
        command.arg(log.path()).arg(own.get_program()).args(line.split(' '));
        if line.starts_with("pull ") {
            command.args(["--max-age", "40000 days"]);
        }
        let output = command.output().unwrap();
        let log = fs::read_to_string(log.path()).unwrap();
        assert!(log.contains("(INJECTED)"), "{fault} hit nothing in {line}: {log}");
        self.ran(line.to_owned(), &output)
    }

    pub(crate) fn run_args(&self, args: &[&str]) -> Ran {
        // The packs of these tests have fixed dates; tests for the age limit set it themselves.
        let pull = matches!(args.first(), Some(&("pull" | "unpack"))) && !args.contains(&"--max-age");
        let any_age: &[&str] = if pull { &["--max-age", "40000 days"] } else { &[] };
        let output = self.command().args(args).args(any_age).output().unwrap();
        self.ran(args.join(" "), &output)
    }

    pub(crate) fn ran(&self, line: String, output: &Output) -> Ran {
        let code = output.status.code().expect("no signal ended it");
        let out = String::from_utf8(output.stdout.clone()).unwrap();
        let err = String::from_utf8(output.stderr.clone()).unwrap();
        record::run(&line, code, &out, &err, self.dir.path());
        Ran { line, code, out, err }
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// The files below a folder with their content.
    pub(crate) fn tree(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut tree = BTreeMap::new();
        walk(&self.path(name), "", &mut tree);
        tree
    }

    /// The names in a folder.
    pub(crate) fn names(&self, name: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.path(name))
            .unwrap_or_else(|e| panic!("{name}: {e}"))
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A copy of one of the lab's layouts.
    pub(crate) fn layout(&self, of: &str, name: &str) {
        self.layout_of(&format!("{LAB}/layouts"), of, name);
    }

    /// A copy of a layout in another folder.
    pub(crate) fn layout_of(&self, folder: &str, of: &str, name: &str) {
        let from = Path::new(folder).join(of);
        let mut tree = BTreeMap::new();
        walk(&from, "", &mut tree);
        for (path, bytes) in tree {
            self.write(&format!("{name}/{path}"), bytes);
        }
    }
}

fn walk(folder: &Path, below: &str, tree: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &format!("{name}/"), tree);
        } else {
            tree.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { line, out, err, .. } = &self;
        assert_eq!(self.code, code, "keypack {line}\n--- stdout\n{out}\n--- stderr\n{err}");
        self
    }

    /// stdout contains this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        // Prose is wrapped at 80 columns, wherever that falls.
        let found = self.out.contains(text) || unbroken(&self.out).contains(text);
        assert!(found, "keypack {}: no {text:?} in\n{}", self.line, self.out);
        self
    }

    /// stderr contains this.
    #[track_caller]
    pub(crate) fn tells(self, text: &str) -> Self {
        assert!(self.err.contains(text), "keypack {}: no {text:?} in\n{}", self.line, self.err);
        self
    }

    /// Refused with this exit code and this stable code, in two sentences.
    #[track_caller]
    pub(crate) fn fails(self, exit: i32, code: &str) -> Self {
        let ran = self.exits(exit).tells("keypack: error: ").tells(&format!("[{code}]\n"));
        ran.tells("keypack: hint: ")
    }

    /// The whole of stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("keypack {}: {e}\n{}", self.line, self.out))
    }

    /// The value after `Pack: ` or `Digest: `.
    #[track_caller]
    pub(crate) fn after(&self, word: &str) -> String {
        let mut found = self.out.lines().filter_map(|line| line.strip_prefix(word));
        found.next().unwrap_or_else(|| panic!("no {word:?} in\n{}", self.out)).to_owned()
    }
}

/// A text with one space for each run of line ends and indentation.
fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
