//! A parent directory with a target in it, two sets of files, and keypack's writer in its own process: this test
//! program, run again for the single test [`acts_as_the_writer`].

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use keypack::{
    fs::Outcome,
    tree::{OutFile, SafeName},
    write::{self, WriteError},
};
use tempfile::TempDir;

/// A set of files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    pub(crate) names: &'static [&'static str],
    fill: u8,
    pub(crate) size: usize,
}

/// Two sets that share a name with different content, and each have other names of their own.
pub(crate) const OLD: Set = Set { names: &["a.pub", "b.pub", "old.pub"], fill: b'o', size: 3000 };
pub(crate) const NEW: Set =
    Set { names: &["a.pub", "new-1.pub", "new-2.pub", "z.pem"], fill: b'n', size: 9000 };

impl Set {
    pub(crate) fn files(self) -> Vec<OutFile> {
        self.names
            .iter()
            .map(|name| OutFile::new(SafeName::new(name).unwrap(), vec![self.fill; self.size]))
            .collect()
    }
}

/// As if keypack had written everything, nothing, or this set.
pub(crate) fn any(_: &str) -> bool {
    true
}
pub(crate) fn nothing(_: &str) -> bool {
    false
}
pub(crate) fn only(set: Set) -> impl Fn(&str) -> bool {
    move |name| set.names.contains(&name)
}

/// A parent directory in which `keys` is the target.
pub(crate) struct Scene {
    dir: TempDir,
}

impl Scene {
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn with(set: Set) -> Self {
        let scene = Self::empty();
        scene.replace(set, &nothing).unwrap();
        scene
    }

    pub(crate) fn parent(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.parent().join("keys")
    }

    pub(crate) fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.target().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn replace(&self, set: Set, known: &dyn Fn(&str) -> bool) -> Result<Outcome, WriteError> {
        write::replace(&self.target(), &set.files(), known)
    }

    /// The names in the parent.
    pub(crate) fn beside(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.parent())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Which of the sets is in the target, compared by bytes and modes.
    pub(crate) fn which(&self) -> Option<Set> {
        [OLD, NEW].into_iter().find(|set| is(&self.target(), *set))
    }

    /// The target contains exactly this set, and there is nothing next to it.
    #[track_caller]
    pub(crate) fn holds(&self, set: Set) {
        assert!(is(&self.target(), set), "the target is not {set:?}: {:?}", look(&self.target()));
        assert_eq!(self.beside(), ["keys"]);
    }

    pub(crate) fn helper(&self, act: &str) -> Helper {
        Helper::new(act, &self.target())
    }
}

fn look(dir: &Path) -> Option<BTreeMap<String, (u32, Vec<u8>)>> {
    let mode = |path: &Path| fs::symlink_metadata(path).map(|m| m.permissions().mode());
    let mut found = BTreeMap::from([(".".to_owned(), (mode(dir).ok()?, Vec::new()))]);
    for entry in fs::read_dir(dir).ok()? {
        let entry = entry.ok()?;
        let content = (mode(&entry.path()).ok()?, fs::read(entry.path()).ok()?);
        found.insert(entry.file_name().into_string().ok()?, content);
    }
    Some(found)
}

pub(crate) fn is(dir: &Path, set: Set) -> bool {
    // Checked with this file's own code, not with the code under test.
    let mut wanted = BTreeMap::from([(".".to_owned(), (0o040_755, Vec::new()))]);
    wanted.extend(set.files().into_iter().map(|f| (f.name.to_string(), (0o100_644, f.bytes))));
    look(dir) == Some(wanted)
}

/// How to run the writer in another process.
pub(crate) struct Helper {
    act: String,
    target: PathBuf,
    program: PathBuf,
    before: Vec<String>,
    user: Option<u32>,
}

impl Helper {
    pub(crate) fn new(act: &str, target: &Path) -> Self {
        let (act, target) = (act.to_owned(), target.to_owned());
        Self { act, target, program: env::current_exe().unwrap(), before: Vec::new(), user: None }
    }

    /// Puts a program, or a shell script, in front: its last argument is the writer's command line.
    pub(crate) fn under(mut self, before: &[&str]) -> Self {
        self.before = before.iter().map(|&s| s.to_owned()).collect();
        self
    }

    pub(crate) fn umask(self, umask: &str) -> Self {
        self.under(&["sh", "-c", &format!("umask {umask}; exec \"$@\""), "sh"])
    }

    /// As an ordinary user, from a copy of this program that such a user can reach.
    pub(crate) fn for_nobody(mut self, program: PathBuf) -> Self {
        // Not copied by this process: a child that another thread starts meanwhile would hold it open for writing,
        // and it could not be executed (ETXTBSY).
        assert!(Command::new("cp").arg(&self.program).arg(&program).status().unwrap().success());
        self.program = program;
        self.user = Some(65534);
        self
    }

    pub(crate) fn command(&self) -> Command {
        let program = self.program.to_str().unwrap().to_owned();
        // One thread: strace counts the system calls of each thread separately.
        let own = ["write::helper::acts_as_the_writer", "--exact", "--nocapture", "--test-threads=1"];
        let mut line = self.before.iter().cloned().chain([program]).chain(own.map(str::to_owned));
        let mut command = Command::new(line.next().unwrap());
        command.args(line).env("KEYPACK_TEST_ACT", &self.act).env("KEYPACK_TEST_TARGET", &self.target);
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What the writer printed about its outcome, or "" if it was killed first.
    pub(crate) fn run(&self) -> String {
        let output = self.command().output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match text.lines().find_map(|line| line.strip_prefix("outcome: ")) {
            Some(outcome) => outcome.to_owned(),
            None if output.status.success() => panic!("{text}{}", String::from_utf8_lossy(&output.stderr)),
            None => String::new(),
        }
    }
}

/// Not a test by itself: [`Helper`] runs it. Without its environment it does nothing.
#[test]
fn acts_as_the_writer() {
    let (Ok(act), Some(target)) = (env::var("KEYPACK_TEST_ACT"), env::var_os("KEYPACK_TEST_TARGET")) else {
        return;
    };
    let target = PathBuf::from(target);
    let write = |set: Set| write::replace(&target, &set.files(), &any);
    let said = |result: Result<Outcome, WriteError>| match result {
        Ok(outcome) => format!("{:?}", outcome.change),
        Err(error) => format!("{} | {error}", error.code().as_str()),
    };
    match act.as_str() {
        "replace" => println!("\noutcome: {}", said(write(NEW))),
        // Until killed.
        "for-ever" => loop {
            for set in [NEW, OLD] {
                write(set).unwrap();
            }
        },
        // Together with others that do the same.
        "crowd" => {
            for _ in 0..30 {
                for set in [NEW, OLD] {
                    if let Err(error) = write(set) {
                        assert_eq!(error.code().as_str(), "target-busy", "{error}");
                    }
                }
            }
            println!("\noutcome: done");
        }
        _ => panic!("{act}"),
    }
}
