//! The keys already present on a host: those named by its policy.json, and /etc/pki/sigstore. They are only read. It is
//! not an error if they are missing or unreadable, because a host need not have any.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the host's keys lie in files")]

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use super::{Gathered, KeySourceError, read_opened};
use crate::{
    diag::{Code, Diagnostic},
    fs,
    key::{Material, Provenance, Role, parse_named_key_file},
    limits,
};

/// The prefix of the host's provenance.
const HOST: &str = "host:";

/// Possible locations of policy.json (containers-policy.json(5)); the first one that exists is used.
const POLICIES: [&str; 2] = ["/etc/containers/policy.json", "/usr/share/containers/policy.json"];

/// The directory in which RHEL 10 and Fedora keep the keys of sigstore signatures.
const SIGSTORE: &str = "/etc/pki/sigstore";

/// A file system to read keys from: this host's, or one mounted below a directory.
pub(super) struct Host {
    root: PathBuf,
    /// Whether the provenance contains full paths, which are the same on every host.
    named: bool,
}

impl Host {
    /// This host, for files named by the user.
    pub(super) fn own() -> Self {
        Self { root: "/".into(), named: false }
    }

    /// Reads a file by its path on that host.
    pub(super) fn read(&self, path: &str) -> Result<(Vec<u8>, Provenance), KeySourceError> {
        let up = Path::new(path).components().any(|part| part == Component::ParentDir);
        if up && self.root != Path::new("/") {
            let reason = "it leads out of the directory that was named".to_owned();
            return Err(KeySourceError::NotAFile { path: path.into(), reason });
        }
        let whole = self.root.join(path.trim_start_matches('/'));
        // Symbolic links in a mounted system refer to files of that system.
        let file = if self.root == Path::new("/") {
            fs::open(&whole)
        } else {
            fs::open_below(&self.root, Path::new(path))
        };
        let (bytes, mut provenance) = read_opened(file, &whole)?;
        if self.named {
            provenance.source = format!("{HOST}{}", path.chars().take(limits::NAME).collect::<String>());
        }
        Ok((bytes, provenance))
    }
}

impl Gathered {
    /// Adds the keys of the host whose root directory is `root`.
    pub fn add_host(&mut self, root: &Path) {
        let host = Host { root: root.into(), named: true };
        let named = self.candidates.len();
        for policy in POLICIES {
            match host.read(policy) {
                Err(e) if e.is_absent() => {}
                Err(e) => self.leave(&format!("{HOST}{policy}"), None, &e),
                Ok((bytes, provenance)) => {
                    if let Err(e) = self.add_policy_of(&host, Path::new(policy), &bytes, &provenance) {
                        self.leave(&provenance.source, None, &e);
                    }
                    break;
                }
            }
        }
        match names(&host.root.join(SIGSTORE.trim_start_matches('/'))) {
            Ok(names) => {
                for name in names {
                    self.add_host_file(&host, &format!("{SIGSTORE}/{name}"));
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => {
                let problem = Diagnostic::new(Code::ReadFailed, e.to_string());
                self.leave(&format!("{HOST}{SIGSTORE}"), None, problem);
            }
        }
        self.host.extend(self.candidates[named..].iter().map(|candidate| candidate.provenance.clone()));
    }

    fn add_host_file(&mut self, host: &Host, path: &str) {
        let source = format!("{HOST}{path}");
        let (bytes, provenance) = match host.read(path) {
            Ok(read) => read,
            Err(e) => return self.leave(&source, None, &e),
        };
        let mut parsed = match parse_named_key_file(&bytes) {
            Ok(parsed) => parsed,
            Err(e) => return self.leave(&source, None, &e),
        };
        // The policy may have named the same file, along with its purpose.
        let named = |key: &Material| {
            self.candidates.iter().any(|c| c.provenance == provenance && c.key.material.is_same_key(key))
        };
        parsed.material.retain(|key| !named(key));
        self.add_parsed(parsed, rhel_role(path), &provenance, None);
    }
}

/// The role implied by RHEL's name for a file (redhat-release: `SIGSTORE-redhat-release3`). `None` means signer keys,
/// because there is nothing else to go by.
fn rhel_role(path: &str) -> Option<Role> {
    let name = path.rsplit('/').next().unwrap_or(path);
    [("REKOR-", Role::Rekor), ("SIGSTORE-", Role::Signer)]
        .into_iter()
        .find_map(|(start, role)| name.starts_with(start).then_some(role))
}

/// The names of the files in a directory.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)?.take(limits::HOST_FILES) {
        let entry = entry?;
        // Anything that is not a regular file is reported when it is read; directories are skipped.
        if !entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}
