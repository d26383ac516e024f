#![allow(clippy::disallowed_types, reason = "content reads files: this is a directory as a namespace")]

use std::{
    io,
    path::{Path, PathBuf},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt},
};

use super::{Files, OpenFile};
use crate::{
    content::{ContentError, found::no_such_place},
    fs,
};

/// A directory as a namespace. Symbolic links are followed inside it but never out of it.
pub struct DirFiles {
    root: Dir,
    path: PathBuf,
}

impl DirFiles {
    /// Opens a directory.
    pub fn open(path: &Path) -> Result<Self, ContentError> {
        let root = Dir::open_ambient_dir(path, ambient_authority()).map_err(|e| match e.kind() {
            io::ErrorKind::NotADirectory if path.is_file() => ContentError::wrong_place(
                path,
                "a directory",
                "it is a file; for a tar, write oci-archive:FILE",
            ),
            io::ErrorKind::NotADirectory if path.exists() => {
                ContentError::wrong_place(path, "a directory", "it is a pipe, a socket or a device")
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => no_such_place(path),
            _ => ContentError::read(path.display().to_string(), e),
        })?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// An already opened directory at `path`.
    pub(in crate::content) fn of(root: Dir, path: &Path) -> Self {
        Self { root, path: path.to_owned() }
    }

    /// Opens a directory only to describe it in a message about something else.
    pub(in crate::content) fn open_quietly(path: &Path) -> Option<Self> {
        let root = Dir::open_ambient_dir(path, ambient_authority()).ok()?;
        Some(Self { root, path: path.to_owned() })
    }

    fn read_error(&self, name: &str, error: io::Error) -> ContentError {
        let left = error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none();
        let what = self.place(name);
        if left { ContentError::LeadsOut { what } } else { ContentError::read(what, error) }
    }
}

/// Whether this error means that the file does not exist: a component is missing, is not a directory, or is not a valid
/// name.
fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename | InvalidInput)
}

impl Files for DirFiles {
    fn place(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    fn open(&self, name: &str) -> Result<Option<OpenFile<'_>>, ContentError> {
        let mut options = OpenOptions::new();
        // A fifo would wait for a writer forever.
        options.read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        let opened =
            self.root.open_with(name, &options).and_then(|file| file.metadata().map(|data| (file, data)));
        match opened {
            Ok((file, data)) if data.is_file() => {
                Ok(Some(OpenFile { size: data.len(), reader: Box::new(file) }))
            }
            Ok((_, data)) if data.is_dir() => Ok(None),
            // A pipe must not count as a missing file.
            Ok(_) => Err(self.read_error(name, fs::special("a pipe or a device"))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
                Err(self.read_error(name, fs::special("a socket")))
            }
            Err(error) => Err(self.read_error(name, error)),
        }
    }

    fn size(&self, name: &str) -> Result<Option<u64>, ContentError> {
        match self.root.metadata(name) {
            Ok(data) if data.is_file() => Ok(Some(data.len())),
            Ok(data) if data.is_dir() => Ok(None),
            Ok(_) => Err(self.read_error(name, fs::special("a pipe, a socket or a device"))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.read_error(name, error)),
        }
    }

    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str, bool)) -> Result<(), ContentError> {
        let at = if directory.is_empty() { "." } else { directory };
        let entries = match self.root.read_dir(at) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(self.read_error(directory, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| self.read_error(directory, e))?;
            let kind = entry.file_type().map_err(|e| self.read_error(directory, e))?;
            if let Some(name) = entry.file_name().to_str() {
                take(name, kind.is_dir());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the tests make the files that they read")]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{super::Child, *};

    #[test]
    fn only_regular_files_inside_are_there() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("d")).unwrap();
        fs::write(at("d/f"), "hello").unwrap();
        symlink("d/f", at("inside")).unwrap();
        symlink(outside.path(), at("out")).unwrap();
        symlink(outside.path().join("secret"), at("leak")).unwrap();
        symlink("../../../etc/passwd", at("up")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();

        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let files = DirFiles::open(root.path()).unwrap();
        assert_eq!(files.read("d/f", 5).unwrap().unwrap(), b"hello");
        assert_eq!(files.read("d/f", 4).unwrap_err().code().as_str(), "too-large");
        assert_eq!(files.read("inside", 5).unwrap().unwrap(), b"hello");
        for (special, is) in [("fifo", "a pipe"), ("socket", "a socket")] {
            let e = files.open(special).map(|_| ()).unwrap_err();
            assert!(e.to_string().contains(is), "{e}");
            assert_eq!(files.size(special).unwrap_err().code().as_str(), "read-failed", "{special}");
        }
        for absent in ["", "d", "x", "d/f/x", "a\0b", &"n".repeat(300)] {
            assert!(files.open(absent).unwrap().is_none(), "{absent:?}");
            assert_eq!(files.size(absent).unwrap(), None, "{absent:?}");
        }
        for outside in ["out/secret", "leak", "up", "../x", "/etc/passwd", "d/../../x"] {
            assert_eq!(
                files.open(outside).map(|_| ()).unwrap_err().code().as_str(),
                "read-failed",
                "{outside}"
            );
            assert!(files.size(outside).is_err(), "{outside}");
        }
        assert!(files.list("out").is_err());
        assert_eq!(files.list("d").unwrap(), [Child { name: "f".into(), is_dir: false }]);
        assert_eq!(files.list("absent").unwrap(), []);
    }
}
