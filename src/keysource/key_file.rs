//! Key files named by the user, and the role that each of them gives its keys.

use crate::diag::{Code, Diagnostic};
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::{Gathered, KeySourceError};
use crate::key::{Candidate, KeyFileError, Parsed, Provenance, Role, parse_named_key_file};

/// The value of `--key` and of the matching setting: `FILE` or `ROLE=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The role given by the user.
    pub role: Option<Role>,
    /// The file.
    pub path: PathBuf,
}

impl KeyFile {
    /// Parses it. The text before the first `=` is a role only if it is a role's name: a file `a=b.pub` can be given as
    /// it is, and a file `rekor=b.pub` by its path, `./rekor=b.pub`.
    pub fn parse(text: &OsStr) -> Result<Self, String> {
        let bytes = text.as_bytes();
        let stated = bytes.iter().position(|byte| *byte == b'=').and_then(|at| {
            let role = std::str::from_utf8(&bytes[..at]).ok()?.parse().ok()?;
            Some((role, OsStr::from_bytes(&bytes[at + 1..])))
        });
        let (role, path) = stated.map_or((None, text), |(role, path)| (Some(role), path));
        if path.is_empty() {
            return Err("it names no file".into());
        }
        Ok(Self { role, path: path.into() })
    }

    /// The role implied by the file's name, if the user gives none.
    pub fn role_by_name(&self) -> Option<Role> {
        let name = self.path.file_name().filter(|_| self.role.is_none());
        name.and_then(OsStr::to_str).and_then(Role::of_file_name)
    }
}

impl Gathered {
    /// Adds the keys and certificates of a file (`--key`). Their role is the one given by the user, else the one
    /// implied by the file's name, else signer.
    pub fn add_key_file(&mut self, file: &KeyFile) -> Result<(), KeySourceError> {
        let (bytes, provenance) = self.read(&file.path)?;
        let parsed = parsed(&bytes, &file.path)?;
        if let (Some(role), Some(first)) = (file.role, parsed.material.first()) {
            let fits = parsed.material.iter().any(|material| material.check_role(role).is_ok());
            if let (false, Err(source)) = (fits, first.check_role(role)) {
                return Err(KeySourceError::Role { path: file.path.clone(), source });
            }
        }
        self.add_parsed(parsed, file.role.or(file.role_by_name()), &provenance, None);
        Ok(())
    }

    /// Adds keys in `role` or, without one, each in the default role for its kind. Unusable keys are reported and left
    /// out.
    pub(super) fn add_parsed(
        &mut self,
        parsed: Parsed,
        role: Option<Role>,
        provenance: &Provenance,
        entry: Option<&str>,
    ) {
        for unusable in parsed.unusable {
            let block = unusable.block.clone();
            self.leave(&provenance.source, Some(&block), unusable);
        }
        for material in parsed.material {
            let role = role.map_or_else(|| material.default_role(), Ok);
            match role.and_then(|role| Candidate::new(role, material, provenance.clone())) {
                Ok(candidate) if self.candidates.contains(&candidate) => {}
                Ok(candidate) => self.candidates.push(candidate),
                Err(e) => {
                    self.leave(&provenance.source, entry, Diagnostic::new(Code::KeyRole, e.to_string()));
                }
            }
        }
    }
}

/// Reads the keys of a file named by the user.
pub(super) fn parsed(bytes: &[u8], path: &Path) -> Result<Parsed, KeySourceError> {
    parse_named_key_file(bytes).map_err(|source| match source {
        KeyFileError::PrivateKey { .. } => KeySourceError::PrivateKey { path: path.into() },
        source => KeySourceError::Key { path: path.into(), source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (Option<Role>, String, Option<Role>) {
        let file = KeyFile::parse(OsStr::new(text)).unwrap();
        (file.role, file.path.display().to_string(), file.role_by_name())
    }

    #[test]
    fn a_role_is_what_is_one_and_files_with_an_equals_sign_stay_usable() {
        for role in Role::ALL {
            assert_eq!(file(&format!("{role}=a.b")), (Some(role), "a.b".into(), None));
        }
        assert_eq!(file("signer=rekor.pub"), (Some(Role::Signer), "rekor.pub".into(), None));
        assert_eq!(file("rekor=a=b"), (Some(Role::Rekor), "a=b".into(), None));
        for path in
            ["a=b.pub", "./rekor=b.pub", "Rekor=b.pub", " rekor=b.pub", "=b.pub", "log=b.pub", "b.pub"]
        {
            assert_eq!(file(path), (None, path.into(), None));
        }
        assert_eq!(file("keys/rekor-x.pub"), (None, "keys/rekor-x.pub".into(), Some(Role::Rekor)));
        assert_eq!(file("rekor-x.pub/vendor.pub"), (None, "rekor-x.pub/vendor.pub".into(), None));
        for nothing in ["", "rekor="] {
            assert!(KeyFile::parse(OsStr::new(nothing)).is_err(), "{nothing:?}");
        }
        let bytes = KeyFile::parse(OsStr::from_bytes(b"tsa=\xff.pem")).unwrap();
        assert_eq!((bytes.role, bytes.path.as_os_str().as_bytes()), (Some(Role::Tsa), &b"\xff.pem"[..]));
    }
}
