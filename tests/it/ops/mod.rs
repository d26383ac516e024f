//! The operations as a program calls them: a request and a context in, an outcome out, without a process.

mod pull;
mod revoke;
mod sources;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use keypack::{
    diag::Diagnostic,
    events::Events,
    ops::{Context, Env},
};
use tempfile::TempDir;

/// A folder, and a host that keeps its state in it.
struct Host {
    dir: TempDir,
    heard: Arc<Heard>,
}

/// What an operation reported: notes and warnings.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Events for Heard {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.into());
    }

    fn warn(&self, text: &str) {
        self.0.lock().unwrap().push(format!("warning: {text}"));
    }
}

impl Host {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), heard: Arc::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A context at this time, whose only variable is the location of the state.
    fn at(&self, now: &str) -> Context {
        let env = Env::from_vars(|name| (name == "XDG_STATE_HOME").then(|| self.path("state").into()), None);
        Context { events: self.heard.clone(), ..Context::new(now.parse().unwrap(), env) }
    }

    #[track_caller]
    fn heard(&self, text: &str) {
        let heard = std::mem::take(&mut *self.heard.0.lock().unwrap());
        assert!(heard.iter().any(|line| line.contains(text)), "no {text:?} in {heard:#?}");
    }
}

/// The code and the exit code of a failure.
fn refusal(failure: &Diagnostic) -> (String, i32) {
    (failure.code.to_string(), failure.exit as i32)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
