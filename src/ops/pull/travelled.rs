//! Whether a file that should authenticate a pack was transferred with it. An attacker who can change the pack could
//! have put it there, so it would prove nothing.
//!
//! The test is by directory, because a file does not show how it got there. These count as transferred: the directory
//! of a layout, of an image or of oc-mirror; the directory with an archive; and the target directory, because it
//! contains what an earlier pack brought. Everything below them counts too. The exception is an archive directly in the
//! user's home directory or above it: then the directories below do not count, because they would include all of the
//! user's files. Files right next to the archive count even there, because people copy whole disks into their home. The
//! remedy is always the same and takes one command: copy the file to a place that is not transferred.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::{DirEntryExt, MetadataExt},
    path::{Component, Path, PathBuf},
};

use crate::{
    content::{Location, WORKING_DIR},
    diag::{Code, Diagnostic},
};

/// The maximum number of names examined to find a hard link. Most key files have only one name, and need no search.
const NAMES: usize = 100_000;

/// The maximum number of symbolic links followed, as in Linux.
const LINKS: usize = 40;

/// Identifies a file or directory, whatever its name: device and inode. A bind mount has those of its source.
type Identity = (u64, u64);

/// Directories that the party who transferred the pack could write to.
pub(in crate::ops) struct Travelled(Vec<Folder>);

struct Folder {
    path: PathBuf,
    identity: Identity,
    /// Whether everything below counts too.
    deep: bool,
}

impl Travelled {
    /// The directories for a pack from this location with this target; `more` is another location that is read.
    pub(in crate::ops) fn new(
        location: &Location,
        more: Option<&Path>,
        target: &Path,
        home: Option<&Path>,
    ) -> Self {
        let mut folders = Vec::new();
        let mut add = |path: PathBuf, deep| {
            // A part of oc-mirror's output is transferred with all of it.
            let whole = path.canonicalize().unwrap_or_default();
            let part =
                whole.ancestors().find(|path| path.file_name().is_some_and(|name| name == WORKING_DIR));
            let root = part.and_then(Path::parent).map(|root| (root.to_owned(), true));
            for (path, deep) in std::iter::once((path, deep)).chain(root) {
                if let Ok(identity) = identity(&path) {
                    folders.push(Folder { path, identity, deep });
                }
            }
        };
        for place in location.path().into_iter().chain(more) {
            if place.is_dir() {
                add(place.to_owned(), true);
            } else {
                // An archive: the directory of its name, and that of the file itself.
                for Lookup { folder, .. } in lookups(place).into_iter().filter(|lookup| lookup.last) {
                    let deep = home.is_none_or(|home| !is_in(home, &folder));
                    add(folder, deep);
                }
            }
        }
        add(target.to_owned(), true);
        Self(folders)
    }

    /// Refuses a transferred file.
    pub(in crate::ops) fn refuse(&self, path: &Path, what: &str) -> Result<(), Diagnostic> {
        let Some((folder, how)) = self.holds(path) else { return Ok(()) };
        let error = format!(
            "{what} {} {how} {}, where the pack comes from or goes to",
            path.display(),
            folder.path.display()
        );
        Err(Diagnostic::new(Code::VerifyKeyFromPack, error))
    }

    fn holds(&self, path: &Path) -> Option<(&Folder, &'static str)> {
        let lookups = lookups(path);
        let lies = self.0.iter().find(|folder| lookups.iter().any(|lookup| folder.decides(lookup)));
        if let Some(folder) = lies {
            return Some((folder, "is in"));
        }
        let file = fs::metadata(path).ok().filter(|file| file.is_file() && file.nlink() > 1)?;
        let link = self.0.iter().find(|folder| folder.has_link(&file));
        link.map(|folder| (folder, "is or may be a hard link to a file in"))
    }
}

impl Folder {
    /// Whether a user who can write to this directory controls the result of a lookup.
    fn decides(&self, lookup: &Lookup) -> bool {
        let is_this = |path: &Path| identity(path).is_ok_and(|identity| identity == self.identity);
        if self.deep {
            lookup.folder.ancestors().any(is_this)
        } else {
            lookup.last && is_this(&lookup.folder)
        }
    }

    /// Whether a file in it is the same as this one. If there are too many to check, it may be.
    fn has_link(&self, file: &fs::Metadata) -> bool {
        let wanted = (file.dev(), file.ino());
        if self.identity.0 != wanted.0 {
            return false;
        }
        let (mut folders, mut left) = (vec![self.path.clone()], NAMES);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if left == 0 {
                    return true;
                }
                left -= 1;
                if entry.ino() == wanted.1 && entry.metadata().is_ok_and(|is| (is.dev(), is.ino()) == wanted)
                {
                    return true;
                }
                if self.deep && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                }
            }
        }
        false
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|data| (data.dev(), data.ino()))
}

fn is_in(path: &Path, folder: &Path) -> bool {
    let Ok(folder) = identity(folder) else { return false };
    let Ok(path) = path.canonicalize() else { return false };
    path.ancestors().any(|above| identity(above).is_ok_and(|above| above == folder))
}

/// A name that is looked up on the way to a file.
struct Lookup {
    /// The real path of the directory.
    folder: PathBuf,
    /// Whether it is the name of the file, and not of a directory on the way.
    last: bool,
}

/// The lookups of a file and of each symbolic link on the way to it.
fn lookups(path: &Path) -> Vec<Lookup> {
    let part = |part: Component<'_>| part.as_os_str().to_owned();
    let reversed = |path: &Path| path.components().rev().map(part).collect::<Vec<OsString>>();
    let (mut at, mut todo) = (std::env::current_dir().unwrap_or_default(), reversed(path));
    let (mut found, mut links) = (Vec::new(), 0);
    while let Some(part) = todo.pop() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => at = PathBuf::from("/"),
            Some(Component::ParentDir) => drop(at.pop()),
            Some(Component::Normal(name)) => {
                let next = at.join(name);
                let link = fs::read_link(&next).ok().filter(|_| links < LINKS);
                if link.is_some() || todo.is_empty() {
                    found.push(Lookup { folder: at.clone(), last: todo.is_empty() });
                }
                match link {
                    Some(target) => {
                        links += 1;
                        todo.extend(reversed(&target));
                    }
                    None => at = next,
                }
            }
            _ => {}
        }
    }
    found
}
