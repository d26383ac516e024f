use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The file, or a directory on the way to it, that a user other than root can change, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// The file or directory.
    pub path: PathBuf,
    /// Why a user other than root can change it.
    pub reason: &'static str,
}

/// Checks that only root controls what is read at an absolute path: the file and every directory above it belong to
/// root, no other user can write to them (an access control list shows in the group's bits), and no symbolic link leads
/// elsewhere.
pub fn exposed(path: &Path) -> io::Result<Option<Exposed>> {
    let found = |path: &Path, reason| Some(Exposed { path: path.to_owned(), reason });
    if !path.is_absolute() || path.canonicalize()? != path {
        return Ok(found(path, "a symbolic link or `..` is on the way to it"));
    }
    for part in path.ancestors() {
        let data = part.symlink_metadata()?;
        if data.uid() != 0 {
            return Ok(found(part, "it does not belong to root"));
        }
        if data.mode() & 0o022 != 0 {
            return Ok(found(part, "others than root may write it"));
        }
    }
    Ok(None)
}
