//! The location of the fixtures, and helpers for them.

use std::path::{Path, PathBuf};

use keypack::{
    content::{Location, Source, open_source},
    discover::{Discovery, FoundSignature, Target, discover},
    key::Candidate,
    keysource::{Gathered, KeyFile},
    resolve::{Question, Resolution, resolve},
};

/// The folder of other people's content, if it is there.
pub fn real() -> Option<PathBuf> {
    let named = std::env::var_os("KEYPACK_REAL_FIXTURES").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/real");
    Some(named.unwrap_or_else(beside)).filter(|path| path.join("oc-mirror").is_dir())
}

pub fn fixture(path: &str) -> PathBuf {
    let path = real().expect("checked before the test was started").join(path);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

/// Whether a program is on PATH.
pub fn has(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|dir| dir.join(program).is_file()))
}

/// Everything found in these places.
pub fn found(places: &[Location]) -> Discovery {
    let sources: Vec<Box<dyn Source>> =
        places.iter().map(|l| open_source(l, &keypack::registry::Options::default).unwrap()).collect();
    let targets: Vec<_> = sources.iter().map(|s| Target { source: s.as_ref(), only: None }).collect();
    discover(&targets, &mut |_| {}).unwrap()
}

/// The readable signatures, resolved with these candidates.
pub fn resolved(discovery: &Discovery, candidates: &[Candidate]) -> Resolution {
    let mut questions = Vec::new();
    for image in &discovery.images {
        for FoundSignature { content, .. } in &image.signatures {
            if let Ok(signature) = content {
                questions.push(Question { image: image.digest, signature });
            }
        }
    }
    resolve(&questions, candidates, jiff::Timestamp::now())
}

/// The built-in keys.
pub fn builtin() -> Gathered {
    let mut gathered = Gathered::default();
    gathered.add_builtin();
    gathered
}

/// The contents of these key files.
pub fn files(paths: &[PathBuf]) -> Gathered {
    let files: Vec<_> = paths.iter().map(|path| KeyFile { role: None, path: path.clone() }).collect();
    given(&files)
}

/// The same, each with its role.
pub fn given(files: &[KeyFile]) -> Gathered {
    let mut gathered = Gathered::default();
    for file in files {
        gathered.add_key_file(file).unwrap();
    }
    assert_eq!(gathered.unusable, []);
    gathered
}
