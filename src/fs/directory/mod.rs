//! Replacing a directory as a whole.
//!
//! The new directory is created beside the old one, completely and synced to disk, and takes its place by one
//! `renameat2(2)` with `RENAME_EXCHANGE`; then the old one is removed. At every moment, even after a power failure,
//! either the old directory or the new one is visible. Links, mount points and contents that the caller does not
//! recognise are refused before anything is changed.

mod existing;
mod lock;
mod staging;
mod swap;
mod target;
mod wrapper;

use std::path::{Path, PathBuf};

pub use existing::{Entry, Existing, Kind};

use super::{FsError, Lock};
use lock::TargetLock;
use staging::{Staging, Unsynced};
use swap::Swap;
use target::Target;

/// The mode of every created file.
pub const MODE_FILE: u32 = 0o644;
/// The mode of every created directory.
pub const MODE_DIRECTORY: u32 = 0o755;

/// One file of a new directory.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// The path inside the directory: names separated by `/`. Subdirectories are created as needed.
    pub path: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// What was done.
#[derive(Debug)]
pub struct Outcome {
    /// What became of the target.
    pub change: Change,
    /// Temporary directories that could not be removed. The next run tries again.
    pub left: Vec<PathBuf>,
    /// A warning for the user if the file system has no locks.
    pub warning: Option<String>,
}

impl Outcome {
    /// What the user should know although it was done.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let left = self.left.iter().map(|path| {
            format!(
                "{} could not be removed; it holds what was there before, and the next run tries again",
                path.display()
            )
        });
        self.warning.clone().into_iter().chain(left)
    }
}

/// What became of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It did not exist before.
    Created,
    /// The old directory was atomically exchanged for the new one.
    Replaced,
    /// The caller judged it up to date, and it was not touched.
    Unchanged,
}

/// Opens the directory at `target`; `None` if it does not exist. Links are not followed, and anything but a directory
/// is an error.
pub fn look(target: &Path) -> Result<Option<Existing>, FsError> {
    let opened = Target::open(target).map_err(|error| match error {
        // Nothing is going to be written here.
        FsError::NotWritable { place, source } => FsError::Read { place, source },
        other => other,
    })?;
    opened.look()
}

/// Replaces the entire content of the directory `target` with `files`: files have mode 0644, directories 0755.
///
/// `judge` inspects the existing directory: it returns whether that is already up to date, or refuses to replace it. It
/// is called before anything is touched, again under the lock, and for the directory that the exchange moved out. On an
/// error the target is unchanged. The new directory belongs to the user who runs keypack.
pub fn replace_directory<E>(
    target: &Path,
    files: &[File<'_>],
    judge: &dyn Fn(&Existing) -> Result<bool, E>,
) -> Result<Outcome, E>
where
    E: From<FsError> + std::error::Error + Send + Sync + 'static,
{
    let target = Target::open(target)?;
    staging::refuse_other_paths(&target, files)?;
    let survey = || {
        let existing = target.look()?;
        let same = match &existing {
            Some(existing) => {
                target.refuse_mount_point(existing).map_err(E::from).and_then(|()| judge(existing))?
            }
            None => false,
        };
        Ok::<_, E>((existing, same))
    };
    let unchanged = |left, warning| Outcome { change: Change::Unchanged, left, warning };

    // First check without the lock, whose file changes the parent: a refused or unchanged target leaves no trace.
    if survey()?.1 && !wrapper::is_littered(&target)? {
        return Ok(unchanged(Vec::new(), None));
    }
    let lock = TargetLock::take(&target)?;
    let warning = lock.state.warning(&target.shown());
    // Without a lock, apparent leftovers may belong to a running writer.
    let mut left = match lock.state {
        Lock::Held => wrapper::clean(&target)?,
        Lock::Missing(_) => Vec::new(),
    };
    let (existing, same) = survey()?;
    if same {
        return Ok(unchanged(left, warning));
    }

    staging::refuse_without_room(&target, files)?;
    let staging = Staging::prepare(&target, files)?;
    if let Some(existing) = &existing {
        staging.refuse_another_owner(existing)?;
    }
    let swap = swap::swap(&target, &staging, existing.as_ref())?;
    if let Err(error) = settle(&target, &staging, existing.as_ref(), judge) {
        return Err(match swap::undo(&target, &staging, swap) {
            Ok(()) => error,
            Err(_) => FsError::NotUndone {
                target: target.path.clone(),
                old: staging.keep(),
                source: Box::new(error),
            }
            .into(),
        });
    }
    left.extend(staging.remove());
    let change = match swap {
        Swap::Moved => Change::Created,
        Swap::Exchanged => Change::Replaced,
    };
    Ok(Outcome { change, left, warning })
}

/// After the swap: the directory moved out must be the one that was inspected, with no foreign files added since, and
/// the swap must be on disk.
fn settle<E: From<FsError>>(
    target: &Target,
    staging: &Staging<'_>,
    existing: Option<&Existing>,
    judge: &dyn Fn(&Existing) -> Result<bool, E>,
) -> Result<(), E> {
    if let Some(existing) = existing {
        if !swap::took_out(staging, existing) {
            return Err(FsError::Changed { target: target.path.clone() }.into());
        }
        judge(existing)?;
    }
    // Both at once, so that a single journal write is enough.
    Ok(staging.sync_all(&[&staging.wrapper, &target.parent].map(Unsynced::Directory))?)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn tree(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, (mode, fs::read(&path).unwrap_or_default()));
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found
    }

    fn replace(target: &Path, files: &[(&str, &str)]) -> Result<Outcome, FsError> {
        let files: Vec<_> = files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
        replace_directory(target, &files, &|_| Ok(false))
    }

    #[test]
    fn a_tree_is_made_and_replaced_as_a_whole() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("policy");
        let old = [("policy.json", "{}"), ("registries.d/a.yaml", "a"), ("registries.d/more/b.yaml", "b")];
        assert_eq!(replace(&target, &old).unwrap().change, Change::Created);
        let file = |text: &str| (MODE_FILE, text.as_bytes().to_vec());
        let folder = || (MODE_DIRECTORY, Vec::new());
        let wanted = BTreeMap::from([
            ("policy.json".to_owned(), file("{}")),
            ("registries.d".to_owned(), folder()),
            ("registries.d/a.yaml".to_owned(), file("a")),
            ("registries.d/more".to_owned(), folder()),
            ("registries.d/more/b.yaml".to_owned(), file("b")),
        ]);
        assert_eq!(tree(&target), wanted);
        let outcome = replace(&target, &[("x/y", "new")]).unwrap();
        assert_eq!((outcome.change, outcome.left), (Change::Replaced, vec![]));
        assert_eq!(tree(&target), [("x".to_owned(), folder()), ("x/y".to_owned(), file("new"))].into());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "the old tree is gone");
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("policy");
        for path in ["", "/a", "a/", "../a", "a/../b", "a//b", "a/.", ".", ".."] {
            assert_eq!(
                replace(&target, &[(path, "")]).unwrap_err().code().as_str(),
                "target-unusable",
                "{path}"
            );
            assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0, "{path}");
        }
        // A file in place of a directory, and the reverse.
        for both in [[("a", ""), ("a/b", "")], [("a/b", ""), ("a", "")]] {
            assert_eq!(replace(&target, &both).unwrap_err().code().as_str(), "write-failed");
        }
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
