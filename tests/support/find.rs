//! The one rule for finding the programs that tests run.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared by several test programs")]

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// A program named by `KEYPACK_TEST_<NAME>` (`-` becomes `_`), or found on PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let variable = format!("KEYPACK_TEST_{}", program.to_uppercase().replace('-', "_"));
    let named = env::var_os(variable).map(PathBuf::from);
    let paths = env::var_os("PATH").unwrap_or_default();
    let mut places = named.into_iter().chain(env::split_paths(&paths).map(|folder| folder.join(program)));
    places.find(|path| path.is_file())
}

/// Debian bookworm's skopeo is 1.9 with sigstore switched off ("Debian-local change: sigstore disabled").
pub fn verifies_sigstore(skopeo: &Path) -> bool {
    let version = Command::new(skopeo).arg("--version").output().unwrap().stdout;
    !String::from_utf8_lossy(&version).contains("version 1.9")
}
